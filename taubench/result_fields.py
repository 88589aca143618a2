"""The fields of a results file, each as what it should be, or a DatasetError that names file, index and field. Pure.

Python writes and reads NaN and infinities, which JSON does not know and which no figure may be made of: a record that
holds one anywhere is refused. So is one with a number of more digits than a float can hold, or nested so deeply that
it could not be written down again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from josh_engine.errors import DatasetError

MOST_DIGITS = 300  # a float's largest has 309
MOST_NESTING = 60
LONGEST_NAME = 200  # characters


def read(text: str, name: str) -> Any:
    try:
        return json.loads(text, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{name} is not JSON: {error}.") from error


def arguments(raw: Any, where: str) -> dict[str, Any] | None:
    """A call's arguments, from their text or as they are; None where a model wrote what is no JSON object."""
    try:
        told = json.loads(raw, parse_int=_whole) if isinstance(raw, str) else raw
    except ValueError:
        return None
    except RecursionError as error:
        raise DatasetError(f"{where}: arguments is nested too deeply.") from error
    refuse_unkeepable(told, f"{where}, arguments")
    return told if isinstance(told, dict) else None


def refuse_unkeepable(record: Any, where: str) -> None:
    for field, why in _unkeepable(record):
        raise DatasetError(f"{where}: {field or 'it'} is {why}.")


def of(told: Any, name: str, kinds: tuple[type, ...], where: str) -> Any:
    value = told.get(name) if isinstance(told, dict) else None
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise DatasetError(f"{where}: {name} is absent or of another kind.")
    return value


def part(told: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    """An object that may be left out."""
    return {} if told.get(name) is None else of(told, name, (dict,), where)


def listed(told: Mapping[str, Any], name: str, where: str) -> Sequence[Any]:
    """A list that may be left out."""
    return () if told.get(name) is None else of(told, name, (list,), where)


def name_of(told: Any, name: str, where: str) -> str:
    value = str(of(told, name, (int, str), where))
    if not 0 < len(value) <= LONGEST_NAME:
        raise DatasetError(f"{where}: {name} has {len(value)} characters, and should have 1 to {LONGEST_NAME}.")
    return value


def reward(told: Any, where: str) -> float:
    """Both benchmarks' rewards are from 0 to 1."""
    value = float(of(told, "reward", (int, float), where))
    if not 0 <= value <= 1:
        raise DatasetError(f"{where}: reward is no number from 0 to 1.")
    return value


def cost(told: Mapping[str, Any], name: str, where: str) -> float | None:
    """None: not told."""
    if told.get(name) is None:
        return None
    value = float(of(told, name, (int, float), where))
    if value < 0:
        raise DatasetError(f"{where}: {name} is below 0.")
    return value


def trial(told: Mapping[str, Any], where: str) -> int:
    """0 where it is not told."""
    value = 0 if told.get("trial") is None else of(told, "trial", (int,), where)
    if value < 0:
        raise DatasetError(f"{where}: trial is no number of a trial.")
    return int(value)


def _whole(digits: str) -> float:
    """An integer; one that no float can hold is infinite, so that its record is refused and not the whole file."""
    return int(digits) if len(digits) <= MOST_DIGITS else math.inf


def _unkeepable(record: Any) -> Iterator[tuple[str, str]]:
    """(field, what it is) of what could not be written down again. Level by level, since depth is what may be wrong."""
    level, depth = [("", record)], 0
    while level:
        if depth > MOST_NESTING:
            yield level[0][0].split(".")[0], "nested too deeply"
            return
        yield from ((path, "no finite number") for path, value in level if _infinite(value))
        level = [inner for path, value in level for inner in _inner(path, value)]
        depth += 1


def _infinite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _inner(path: str, value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, dict):
        return ((f"{path}.{key}" if path else str(key), each) for key, each in value.items())
    return ((f"{path}[{place}]", each) for place, each in enumerate(value)) if isinstance(value, list) else ()
