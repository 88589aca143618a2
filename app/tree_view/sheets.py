"""What the panes beside the drawing say, as blocks for `sheet.js`. Pure: plain strings, shown as text only.

A block is {"kind": ...}: `head`, `text` (with a `link` to a turn, perhaps), `facts` (terms and values), `chips`,
`compare` (two sides), `code`, `list` (lines to fold out).
"""

from __future__ import annotations

from collections.abc import Sequence

from app.tree_view.aligning import Aligned, Argument, Step, align, arguments_apart, words_apart
from josh_engine.values import Json, Node

Block = dict[str, Json]
MARKS = {"same": "= same", "changed": "≠ changed", "left": "◂ only left", "right": "only right ▸"}
KINDS = {"says": "says", "calls": "calls", "reads": "gets back"}


def sheet(blocks: Sequence[Block], *, name: str, height: int) -> dict[str, Json]:
    """The component's data."""
    return {"name": name, "height": height, "blocks": list(blocks)}


def head(text: str, *, label: str = "", word: str = "") -> Block:
    return {"kind": "head", "text": text, "label": label, "word": word}


def text(said: str, *, tone: str = "", link: str | None = None) -> Block:
    """`tone`: "strong", "faint", "note" or "". `link`: the turn that *Go to* chooses."""
    return {"kind": "text", "text": said, "tone": tone, "link": link}


def facts(*rows: tuple[str, str]) -> Block:
    return {"kind": "facts", "rows": [list(row) for row in rows]}


def code(title: str, body: str, *, note: str = "") -> Block:
    return {"kind": "code", "title": title, "note": note, "text": body}


def folded(title: str, lines: Sequence[str]) -> Block:
    return {"kind": "list", "title": title, "lines": list(lines)}


def compared(left: str, right: str, rows: Sequence[Block]) -> Block:
    return {"kind": "compare", "left": left, "right": right, "rows": list(rows)}


def compared_turns(left: Node, right: Node) -> Block:
    """Both turns' steps, aligned."""
    rows = [aligned_row(each) for each in align(left.turn, right.turn)]
    return compared(f"This turn: {left.id}", f"Turn {right.id}", rows)


def compared_arguments(title: str, mark: str, rows: Sequence[Argument]) -> Block:
    return {"title": title, "mark": mark, "word": "", "left": None, "right": None, "arguments": _arguments(rows)}


def aligned_row(pair: Aligned) -> Block:
    left, right = pair.left, pair.right
    kind = next(each.kind for each in (left, right) if each is not None)
    names = " → ".join(dict.fromkeys(each.name for each in (left, right) if each is not None and each.name))
    ours, theirs = words_apart(left.text, right.text) if left and right else (_whole(left), _whole(right))
    given = [each.arguments if each else {} for each in (left, right)]
    return {
        "title": f"{KINDS[kind]} {names}".strip(),
        "mark": pair.mark,
        "word": MARKS[pair.mark],
        "left": _pieces(left, ours),
        "right": _pieces(right, theirs),
        "arguments": _arguments(arguments_apart(*given)),
    }


def _whole(step: Step | None) -> list[tuple[str, bool]]:
    return [(step.text, False)] if step else []


def _pieces(step: Step | None, pieces: Sequence[tuple[str, bool]]) -> Json:
    if step is None:
        return None
    return {"wrong": step.wrong, "pieces": [[piece, only] for piece, only in pieces if piece]}


def _arguments(rows: Sequence[Argument]) -> list[Json]:
    return [{"name": e.name, "mark": e.mark, "word": MARKS[e.mark], "left": e.left, "right": e.right} for e in rows]
