"""The rows of an export, read back for training. Raises DatasetError naming file, line and field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from josh_engine.errors import DatasetError
from josh_engine.training.config import BY_TRL
from josh_engine.values import Json

OTHER_FILE = "DPO takes a dpo.jsonl, KTO a kto.jsonl."


@dataclass(frozen=True, slots=True)
class Row:
    """`label` None: SFT's row, which is good."""

    prompt: Sequence[Mapping[str, Json]]
    completion: Sequence[Mapping[str, Json]]
    tools: Sequence[Mapping[str, Json]]
    label: bool | None
    row_id: str


def read_groups(file: Path, trainer: str) -> list[tuple[Row, ...]]:
    """Rows that stand or fall together: DPO's pairs, the good side first; else each row by itself."""
    if trainer == "dpo":
        return [_pair(given, where) for given, where in _lines(file)]
    rows = read_rows(file)
    if trainer in BY_TRL and (bare := [row for row in rows if row.label is None]):
        raise DatasetError(
            f"{file}: row {bare[0].row_id} is no row for this trainer: it has no label.", remedy=OTHER_FILE
        )
    return [(row,) for row in rows]


def read_rows(file: Path) -> list[Row]:
    """The rows of an `sft.jsonl` or `kto.jsonl`."""
    return [_row(given, where) for given, where in _lines(file)]


def _lines(file: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Each line's object, and where it stands."""
    try:
        lines = file.read_text(encoding="utf-8").split("\n")  # not at other marks that may stand within a text
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{file} cannot be read: {error}.") from error
    written = [(line, f"{file}, line {number}") for number, line in enumerate(lines, start=1) if line.strip()]
    if not written:
        raise DatasetError(f"{file} holds no rows.", remedy="Export runs that ended in full success, or unfiltered.")
    for line, where in written:
        try:
            given = json.loads(line)
        except ValueError as error:
            raise DatasetError(f"{where} is not JSON: {error}.", remedy="Export the rows again.") from error
        if not isinstance(given, dict):
            raise DatasetError(f"{where} is no row.", remedy="Export the rows again.")
        yield given, where


def _pair(given: Mapping[str, Any], where: str) -> tuple[Row, ...]:
    try:
        tools = json.loads(given["tools"]) if given.get("tools") else []
        sides = ((given["chosen"], True), (given["rejected"], False))
        row_id = str(given.get("row_id", where))
        return tuple(_checked(Row(given["prompt"], side, tools, label, row_id), where) for side, label in sides)
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{where}: no row for this trainer ({error!r}).", remedy=OTHER_FILE) from error


def _row(given: Mapping[str, Any], where: str) -> Row:
    try:
        tools = json.loads(given["tools"]) if given.get("tools") else []
        label = given.get("label")
        row = Row(given["prompt"], given["completion"], tools, label, str(given.get("row_id", where)))
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{where}: no row of SFT or KTO ({error!r}).", remedy="Export the rows again.") from error
    if label is not None and not isinstance(label, bool):
        raise DatasetError(f"{where}: label is {label!r}, but must be true or false.")
    return _checked(row, where)


def _checked(row: Row, where: str) -> Row:
    for name, messages in (("prompt", row.prompt), ("completion", row.completion)):
        if not (isinstance(messages, list) and all(isinstance(each, dict) for each in messages)):
            raise DatasetError(f"{where}: prompt and completion must be lists of messages, and {name} is not.")
    if not row.completion:
        raise DatasetError(f"{where}: prompt and completion must be lists of messages, and completion is empty.")
    return row
