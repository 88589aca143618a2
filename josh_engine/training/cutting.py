"""Which rows can be trained on: each one's tokens and where its answer begins, and a count of what is left out and why.

A row that the model's chat template refuses or changes is left out by the habit that explains it; the job goes on with
the others. It is refused where none remains, and where the template leaves out what answers build on. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from josh_engine.errors import TrainingError
from josh_engine.models.local.habits import Habit, parts_of
from josh_engine.training.row_files import Row

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Omitted:
    """`rows` that were left out for a template's habit. `said`: the template's own words, where it raised an error."""

    habit: str
    words: str
    remedy: str
    rows: int
    said: str = ""

    def __str__(self) -> str:
        said = f" ({self.said})" if self.said else ""
        rows = "1 row is" if self.rows == 1 else f"{self.rows:,} rows are"
        return f"{rows} left out: the model's chat template {self.words}{said}. {self.remedy}"


class LeftOut(Exception):
    """A row cannot be trained on as it was sampled."""

    def __init__(self, habit: Habit, said: str = "") -> None:
        super().__init__(habit.name)
        self.habit, self.said = habit, said


class Render(Protocol):
    """A chat template (`rendering`)."""

    @property
    def habits(self) -> tuple[Habit, ...]: ...

    def cut(self, row: Row) -> tuple[Tokens, int]:
        """The row's tokens, and where its answer begins. Raises LeftOut."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A row's tokens; `start`: where its answer begins."""

    row: Row
    tokens: Tokens
    start: int


@dataclass(frozen=True, slots=True)
class Cuts:
    """`kept`: groups of rows that stand or fall together: a pair, or one row. The rest is counted in groups."""

    kept: tuple[tuple[Cut, ...], ...]
    too_long: int
    omitted: tuple[Omitted, ...]
    habits: tuple[Habit, ...]


def cut_rows(groups: Sequence[Sequence[Row]], render: Render, max_length: int, window: int | None = None) -> Cuts:
    """`window`: how many tokens the model reads; it bounds `max_length`. Raises TrainingError where nothing is left, or
    the template has a habit that makes every label wrong."""
    habits = _touching(groups, render)
    room = max_length if window is None else min(window, max_length)
    kept, too_long, left = list[tuple[Cut, ...]](), 0, list[LeftOut]()
    for group in groups:
        try:
            cuts = tuple(Cut(row, *render.cut(row)) for row in group)
        except LeftOut as out:
            left.append(out)
            continue
        if all(len(each.tokens) <= room for each in cuts):
            kept.append(cuts)
        else:
            too_long += 1
    omitted = _omitted(left)
    if not kept:
        raise _nothing_left(len(groups), too_long, omitted, room=room, windowed=room < max_length)
    return Cuts(tuple(kept), too_long, omitted, habits)


def _touching(groups: Sequence[Sequence[Row]], render: Render) -> tuple[Habit, ...]:
    """The template's habits that matter for these rows. Raises TrainingError for one that makes every label wrong."""
    held = {part for group in groups for row in group for part in parts_of(row.prompt, row.completion, row.tools)}
    mine = tuple(each for each in render.habits if each.touches in (*held, ""))
    for habit in mine:
        if habit.weight == "job":
            raise TrainingError(f"The model's chat template {habit.words}.", remedy=habit.remedy)
    return mine


def _omitted(left: Sequence[LeftOut]) -> tuple[Omitted, ...]:
    """The commonest first."""
    counts = Counter(out.habit.name for out in left)
    first = {out.habit.name: out for out in reversed(left)}
    return tuple(
        Omitted(name, first[name].habit.words, first[name].habit.remedy, rows, first[name].said)
        for name, rows in counts.most_common()
    )


def _nothing_left(rows: int, too_long: int, omitted: Sequence[Omitted], *, room: int, windowed: bool) -> TrainingError:
    if omitted and omitted[0].rows >= too_long:
        why = omitted[0]
        said = f" ({why.said})" if why.said else ""
        few = "" if why.rows == rows else f", and {rows - why.rows:,} more are left out for other reasons"
        return TrainingError(
            f"The model's chat template {why.words}{said}. That is {why.rows:,} of {rows:,} rows{few}: nothing is left "
            "to train on.",
            remedy=why.remedy,
        )
    if windowed:
        return TrainingError(
            f"Of {rows:,} rows {too_long:,} are longer than {room:,} tokens, the model's window: nothing is left to "
            "train on.",
            remedy="Train a model with a longer window, or rows of an agent with a shorter prompt.",
        )
    return TrainingError(f"All {rows:,} rows are longer than {room:,} tokens.", remedy="Raise max_length.")
