"""The rows one turn yields, line for line as an export of its run holds them; and why, where it yields none. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.words import use
from josh_engine.encoding import compact
from josh_engine.extract import Extraction, Flaw, RowPolicy, Source, extract, flaw
from josh_engine.rows import rows
from josh_engine.tree import ideal_path, label_turns
from josh_engine.values import Json, Node
from josh_engine.verdicts import standing

FORMATS = ("sft", "kto", "dpo")
FLAWS: dict[Flaw, str] = {
    "reward": "not every goal was reached on the ideal path",
    "grade": "the world's own check of the end state failed",
    "error": "a call on the ideal path got an error or could not be read",
}
UNFINISHED = {
    "failed": "The search was stopped by a fault, so this tree yields no rows until it is resumed.",
    "cancelled": "The search was cancelled, so this tree yields no rows.",
}


@dataclass(frozen=True, slots=True)
class RowLine:
    """One line of a row file. `kind`: "sft", "kto up", "kto down", "dpo chosen", "dpo rejected"; `text` is the line
    without its line break; `messages` counts the prompt's."""

    kind: str
    row_id: str
    generation: int
    messages: int
    text: str


@dataclass(frozen=True, slots=True)
class NodeRows:
    """`none`: why the export holds no row of this turn, "" where it does. `lines` may then hold the rows that an export
    without the filter has: `unfiltered` says so."""

    lines: tuple[RowLine, ...]
    none: str = ""
    unfiltered: bool = False


def node_rows(sources: Sequence[Source], rollout_id: str, node_id: str) -> NodeRows:
    """Of the turn, in an export of these sources as the paper filters. Raises KeyError for an unknown turn."""
    source = next(each for each in sources if each.rollout.id == rollout_id)
    found = _lines(extract(sources, RowPolicy()), source, node_id)
    if found:
        return NodeRows(found)
    why = _before_labels(source, source.tree.nodes[node_id])
    if why:
        return NodeRows((), why)
    if (fault := flaw(source)) is None:
        return NodeRows((), _by_label(source, node_id))
    unfiltered = _lines(extract(sources, RowPolicy(filtered=False)), source, node_id)
    told = f"This tree is left out of exports, unless they are unfiltered: {FLAWS[fault]}."
    return NodeRows(unfiltered, told if unfiltered else f"{told} {_by_label(source, node_id)}", bool(unfiltered))


def _lines(extraction: Extraction, source: Source, node_id: str) -> tuple[RowLine, ...]:
    def ours(found_source: Source, node: Node) -> bool:
        return found_source.rollout.id == source.rollout.id and node.id == node_id

    texts = {(name, row["row_id"]): row for name in FORMATS for row in rows(extraction, name)}
    up = [each for each in extraction.positive if ours(each.source, each.node)]
    down = [each for each in extraction.negative if ours(each.source, each.node)]
    found = [_line("sft", texts["sft", each.row_id], each.index) for each in up]
    found += [_line("kto up", texts["kto", each.row_id], each.index) for each in up]
    found += [_line("kto down", texts["kto", each.row_id], each.index) for each in down]
    for pair in extraction.pairs:
        for role, each in (("chosen", pair.chosen), ("rejected", pair.rejected)):
            if ours(each.source, each.node):
                found.append(_line(f"dpo {role}", texts["dpo", pair.row_id], each.index))
    return tuple(sorted(found, key=lambda line: (FORMATS.index(line.kind[:3]), line.generation)))


def _line(kind: str, row: dict[str, Json], generation: int) -> RowLine:
    return RowLine(kind, row["row_id"], generation, len(row["prompt"]), compact(row))


def _before_labels(source: Source, node: Node) -> str:
    """Why no turn of this tree, or no turn of this kind, yields rows."""
    if node.turn.speaker == "user":
        return "A user's turn is the context of the agent's rows; it yields none of its own."
    if source.rollout.state != "done":
        return UNFINISHED.get(source.rollout.state, "The search is not finished; rows come from finished trees only.")
    if not ideal_path(source.tree, source.verdicts):
        return "No goal was reached and no branch promoted, so there is no ideal path to take rows from."
    return ""


def _by_label(source: Source, node_id: str) -> str:
    """Why a turn of a tree that is exported yields nothing."""
    node, given = source.tree.nodes[node_id], standing(source.verdicts)
    label = label_turns(source.tree, source.verdicts)[node_id]
    if label not in ("ideal", "negative"):
        return use(source.tree, node, label, given)
    if not any(message.sampled for message in node.turn.messages):
        return "The model wrote nothing in this turn."
    if any(each.rival is not None and node_id in (each.node, each.rival) for each in given) and label == "negative":
        return "An auditor took its pair out of the rows, or found this turn the better one."
    return (
        "All it says is also said, in the same context, by an ideal or partial turn of this run: "
        "no text is trained in both directions."
    )
