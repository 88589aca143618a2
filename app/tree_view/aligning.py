"""Two turns side by side: which of their messages, calls and arguments are the same, changed, or only on one side.

A turn is read as steps in order: what was said, what was called, what came back. Steps are paired so that the most
alike stand together and none crosses another (a global alignment); then texts are compared word by word and calls
argument by argument. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Literal

from josh_engine.values import Json, Message, ToolCall, Turn

Mark = Literal["same", "changed", "left", "right"]
WORDS = re.compile(r"\w+|\s+|[^\w\s]")
MOST_WORDS = 3_000  # above, two texts are compared whole: the matcher's time grows with their product
LEAST_ALIKE = 0.45  # below, only blanks and dots are shared: word by word would read as noise
ABSENT = object()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a turn did. `kind`: says, calls, reads (what a tool answered). `name`: the tool's."""

    kind: Literal["says", "calls", "reads"]
    name: str = ""
    text: str = ""
    arguments: Mapping[str, Json] = field(default_factory=dict)
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class Aligned:
    """A pair of steps, or one alone."""

    left: Step | None
    right: Step | None

    @property
    def mark(self) -> Mark:
        if self.right is None:
            return "left"
        if self.left is None:
            return "right"
        return "same" if self.left == self.right else "changed"


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of two calls; None: absent on that side."""

    name: str
    mark: Mark
    left: str | None
    right: str | None


def steps(turn: Turn) -> list[Step]:
    """What the turn did, in order. Calls without a message of their own come last, with their answers."""
    asked = {call.id: call for call in turn.calls}
    found: list[Step] = []
    for message in turn.messages:
        found += _message_steps(message, asked)
    shown = {call.id for message in turn.messages for call in message.tool_calls}
    for call in turn.calls:
        if call.id not in shown:
            found += [_called(call), Step("reads", call.name, call.answer, wrong=call.error is not None)]
    return found


def align(left: Turn, right: Turn) -> list[Aligned]:
    """The steps of both, most alike together, in order."""
    ours, theirs = steps(left), steps(right)
    best = _best(ours, theirs)
    found: list[Aligned] = []
    i = j = 0
    while i < len(ours) or j < len(theirs):
        if i < len(ours) and j < len(theirs) and best[i][j] == _alike(ours[i], theirs[j]) + best[i + 1][j + 1]:
            found.append(Aligned(ours[i], theirs[j]))
            i, j = i + 1, j + 1
        elif j == len(theirs) or (i < len(ours) and best[i][j] == best[i + 1][j]):
            found.append(Aligned(ours[i], None))
            i += 1
        else:
            found.append(Aligned(None, theirs[j]))
            j += 1
    return found


def words_apart(left: str, right: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Both texts in pieces: (piece, whether it is only on this side)."""
    ours, theirs = WORDS.findall(left), WORDS.findall(right)
    if left == right or max(len(ours), len(theirs)) > MOST_WORDS:
        only = left != right
        return [(left, only)], [(right, only)]
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    if matcher.ratio() < LEAST_ALIKE:
        return [(left, True)], [(right, True)]
    matched: tuple[list[tuple[str, bool]], list[tuple[str, bool]]] = ([], [])
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        for pieces, words in ((matched[0], ours[i:i_end]), (matched[1], theirs[j:j_end])):
            if words:
                pieces.append(("".join(words), tag != "equal"))
    return matched


def arguments_apart(left: Mapping[str, Json], right: Mapping[str, Json]) -> list[Argument]:
    """Argument by argument: the left side's order, then those only on the right."""
    found = []
    for name in (*left, *(each for each in right if each not in left)):
        ours, theirs = left.get(name, ABSENT), right.get(name, ABSENT)
        mark: Mark = "right" if ours is ABSENT else "left" if theirs is ABSENT else "changed"
        found.append(Argument(name, "same" if ours == theirs else mark, _shown(ours), _shown(theirs)))
    return found


def _message_steps(message: Message, asked: Mapping[str, ToolCall]) -> list[Step]:
    if message.role != "assistant":
        call = asked.get(message.tool_call_id or "")
        wrong = call is not None and call.error is not None
        return [Step("reads", call.name if call else "", message.content, wrong=wrong)]
    said = [Step("says", text=message.content)] if message.content else []
    return said + [_called(asked.get(call.id, call)) for call in message.tool_calls]


def _called(call: ToolCall) -> Step:
    unread = "" if call.reached else call.raw
    return Step("calls", call.name, unread, call.arguments, wrong=call.error is not None)


def _best(ours: Sequence[Step], theirs: Sequence[Step]) -> list[list[float]]:
    """best[i][j]: the most likeness that the steps from i and from j on can have together."""
    best = [[0.0] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    for i in reversed(range(len(ours))):
        for j in reversed(range(len(theirs))):
            together = _alike(ours[i], theirs[j]) + best[i + 1][j + 1]
            best[i][j] = max(together, best[i + 1][j], best[i][j + 1])
    return best


def _alike(left: Step, right: Step) -> float:
    """0..4; never together: below 0."""
    if left.kind != right.kind:
        return -1.0
    if left == right:
        return 4.0
    ours, theirs = _vocabulary(left), _vocabulary(right)
    shared = len(ours & theirs) / len(ours | theirs) if ours | theirs else 1.0
    return (2.0 if left.name == right.name else 0.5) + shared


def _vocabulary(step: Step) -> set[str]:
    return {*WORDS.findall(step.text), *(f"{name}={value}" for name, value in step.arguments.items())} - {" "}


def _shown(value: Json) -> str | None:
    if value is ABSENT:
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=dict)
