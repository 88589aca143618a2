"""Rows of an export as token sequences that share their contexts: each generation once, contexts as seldom as can be.

A row is one generation in its context, so the rows of an ideal path are nested: each one's prompt and completion are
the beginning of the next one's. They become one sequence with a labelled span for every generation. A generation that
no other row goes on from, a bad one above all, ends a sequence of its own. Pure over the tokens.

What a model is trained on is what it is asked at play: the chat template, the generation prompt, its own words, the
token that ends them. Where a template does not let messages be cut there (its prompt is no beginning of the whole),
the row is refused by name rather than trained on shifted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from josh_engine.errors import DatasetError, TrainingError
from josh_engine.values import Json

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """`label` None: SFT's row, which is good."""

    prompt: Sequence[Mapping[str, Json]]
    completion: Sequence[Mapping[str, Json]]
    tools: Sequence[Mapping[str, Json]]
    label: bool | None
    row_id: str


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
    """`too_long`: rows that were left out for their length."""

    sequences: tuple[Packed, ...]
    too_long: int = 0

    @property
    def good(self) -> int:
        return sum(span.good for each in self.sequences for span in each.spans)

    @property
    def bad(self) -> int:
        return sum(not span.good for each in self.sequences for span in each.spans)


def read_rows(file: Path) -> list[Row]:
    """The rows of an `sft.jsonl` or `kto.jsonl`. Raises DatasetError naming file, line and field."""
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{file} cannot be read: {error}.") from error
    found = [_row(line, f"{file}, line {number}") for number, line in enumerate(lines, start=1) if line.strip()]
    if not found:
        raise DatasetError(f"{file} holds no rows.", remedy="Export runs that ended in full success, or unfiltered.")
    return found


def rows_of_pairs(file: Path) -> list[Row]:
    """A `dpo.jsonl`'s pairs as a good and a bad row each, for looking at them. Raises as `read_rows`."""
    found: list[Row] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        where = f"{file}, line {number}"
        try:
            given = json.loads(line)
            tools = json.loads(given["tools"]) if given.get("tools") else []
            sides = ((given["chosen"], True), (given["rejected"], False))
            found += [Row(given["prompt"], side, tools, label, where) for side, label in sides]
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(f"{where}: no row of DPO ({error!r}).", remedy="Export the rows again.") from error
    return found


def _row(line: str, where: str) -> Row:
    try:
        given = json.loads(line)
        tools = json.loads(given["tools"]) if given.get("tools") else []
        label = given.get("label")
        row = Row(given["prompt"], given["completion"], tools, label, str(given.get("row_id", where)))
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{where}: no row of SFT or KTO ({error!r}).", remedy="Export the rows again.") from error
    if not (isinstance(row.prompt, list) and isinstance(row.completion, list) and row.completion):
        raise DatasetError(f"{where}: prompt and completion must be lists of messages.")
    if label is not None and not isinstance(label, bool):
        raise DatasetError(f"{where}: label is {label!r}, but must be true or false.")
    return row


Render = Callable[[Sequence[Mapping[str, Json]], Sequence[Mapping[str, Json]], bool], Tokens]


def pack(rows: Sequence[Row], render: Render, max_length: int) -> Packing:
    """`render(messages, tools, asks)` gives a conversation's tokens, with `asks` up to where the model is to go on."""
    tokenised = [_tokens(row, render) for row in rows]
    kept = [(ids, span) for ids, span in tokenised if len(ids) <= max_length]
    if not kept:
        raise TrainingError(
            f"All {len(rows):,} rows are longer than {max_length:,} tokens.",
            remedy="Raise max_length, or train a model with a longer window.",
        )
    kept.sort(key=lambda each: (each[0], each[1].row_id))
    sequences: list[tuple[Tokens, list[Span]]] = []
    for ids, span in reversed(kept):  # in this order a beginning comes right after what begins with it
        if not sequences or sequences[-1][0][: len(ids)] != ids:
            sequences.append((ids, []))
        sequences[-1][1].append(span)
    packed = (Packed(ids, tuple(sorted(spans, key=_place))) for ids, spans in sequences)
    return Packing(tuple(sorted(packed, key=lambda each: each.spans[-1].row_id)), len(tokenised) - len(kept))


def _tokens(row: Row, render: Render) -> tuple[Tokens, Span]:
    before = render(row.prompt, row.tools, True)
    whole = render([*row.prompt, *row.completion], row.tools, False)
    if whole[: len(before)] != before or len(whole) == len(before):
        raise TrainingError(
            f"The chat template cannot be cut where row {row.row_id} begins to answer.",
            remedy="Its prompt must be the beginning of the whole conversation; use another model or template.",
        )
    return whole, Span(len(before), len(whole), row.label is not False, row.row_id)


def _place(span: Span) -> tuple[int, str]:
    return span.start, span.row_id
