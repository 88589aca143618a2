"""Rows of an export as token sequences that share their contexts: each generation once, contexts as seldom as can be.

A row is one generation in its context, so the rows of an ideal path are nested: each one's prompt and completion are
the beginning of the next one's. They become one sequence with a labelled span for every generation. A generation that
no other row goes on from, a bad one above all, ends a sequence of its own. Pure over the tokens.

What a model is trained on is what it is asked at play: the chat template, the generation prompt, its own words, the
token that ends them (`rendering`). Rows of which a template makes something else are left out (`cutting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from josh_engine.models.local.habits import Habit
from josh_engine.training.cutting import Cuts, Omitted, Render, Tokens, cut_rows
from josh_engine.training.row_files import Row


@dataclass(frozen=True, slots=True)
class Span:
    """A generation's tokens within its sequence: from `start` up to `stop`."""

    start: int
    stop: int
    good: bool
    row_id: str


@dataclass(frozen=True, slots=True)
class Packed:
    tokens: Tokens
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Packing:
    """`too_long`: rows that were left out for their length; `omitted`: those left out for what the template makes of
    them; `habits`: what else the template does."""

    sequences: tuple[Packed, ...]
    too_long: int = 0
    omitted: tuple[Omitted, ...] = ()
    habits: tuple[Habit, ...] = ()

    @property
    def good(self) -> int:
        return sum(span.good for each in self.sequences for span in each.spans)

    @property
    def bad(self) -> int:
        return sum(not span.good for each in self.sequences for span in each.spans)


def pack(rows: Sequence[Row], render: Render, max_length: int, window: int | None = None) -> Packing:
    """Raises what `cut_rows` does."""
    return packed(cut_rows([[row] for row in rows], render, max_length, window))


def packed(cuts: Cuts) -> Packing:
    kept = [
        (each.tokens, Span(each.start, len(each.tokens), each.row.label is not False, each.row.row_id))
        for group in cuts.kept
        for each in group
    ]
    kept.sort(key=lambda each: (each[0], each[1].row_id))
    sequences: list[tuple[Tokens, list[Span]]] = []
    for ids, span in reversed(kept):  # in this order a beginning comes right after what begins with it
        if not sequences or sequences[-1][0][: len(ids)] != ids:
            sequences.append((ids, []))
        sequences[-1][1].append(span)
    found = (Packed(ids, tuple(sorted(spans, key=_place))) for ids, spans in sequences)
    ordered = tuple(sorted(found, key=lambda each: each.spans[-1].row_id))
    return Packing(ordered, cuts.too_long, cuts.omitted, cuts.habits)


def _place(span: Span) -> tuple[int, str]:
    return span.start, span.row_id
