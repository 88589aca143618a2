"""Values <-> JSON, for the store, exports of runs and the journal.

Driven by the dataclasses' own type hints, so a new field needs no second place. Deterministic: equal values give
equal bytes (sets are sorted; keys stand in field order; fields at their default are left out, which also lets an
older file be read after a field with a default is added). Unknown keys and missing fields are errors: foreign data
is validated here, once.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from josh_engine.errors import DatasetError
from josh_engine.values import (
    Collapsed,
    Event,
    GoalsWon,
    Json,
    NodeAdded,
    SearchEnded,
    SearchStarted,
)

T = TypeVar("T")
EVENT_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (SearchStarted, NodeAdded, GoalsWon, Collapsed, SearchEnded)
}


def dump(value: object) -> str:
    """One line of JSON for any central value."""
    return compact(to_json(value))


def compact(data: Json) -> str:
    """One line of JSON that always encodes to UTF-8: text with half a surrogate pair, which a model can emit and JSON
    can carry, is escaped."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(data, separators=(",", ":"))
    return text


def load(kind: type[T], text: str) -> T:
    """The value back. Raises DatasetError naming the field that does not fit."""
    try:
        return from_json(kind, json.loads(text))
    except json.JSONDecodeError as error:
        raise DatasetError(f"not JSON: {error}") from error


def dump_event(event: Event) -> tuple[str, str]:
    """(kind, body)."""
    return type(event).__name__, dump(event)


def load_event(kind: str, body: str) -> Event:
    if kind not in EVENT_KINDS:
        raise DatasetError(f"unknown event kind {kind!r}", remedy="A newer version wrote it; update the product.")
    event: Event = load(EVENT_KINDS[kind], body)
    return event


def to_json(value: object) -> Json:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            name: to_json(item)
            for name, default in _defaults(type(value))
            if (item := getattr(value, name)) is not default and item != default
        }
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(to_json(item) for item in value)
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    raise TypeError(f"{type(value).__name__} is no central value")


def from_json(kind: type[T], data: Json) -> T:
    built: T = _reader(typing.cast(Any, kind))(data)
    return built


_MISSING = object()


@cache
def _defaults(kind: type[Any]) -> tuple[tuple[str, object], ...]:
    """(field, default) pairs; fields without a default get a value nothing equals."""
    pairs = []
    for each in dataclasses.fields(kind):
        default: object = _MISSING
        if each.default is not dataclasses.MISSING:
            default = each.default
        elif each.default_factory is not dataclasses.MISSING:
            default = each.default_factory()
        pairs.append((each.name, default))
    return tuple(pairs)


@cache
def _reader(kind: Any) -> Callable[[Json], Any]:
    """A function that builds `kind` from JSON. Cached per type; the recursion follows the type hints."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return lambda data: data
    if dataclasses.is_dataclass(kind):
        return _dataclass_reader(typing.cast(Any, kind))
    if origin in (typing.Union, types.UnionType):
        (inner,) = [argument for argument in arguments if argument is not type(None)]
        read = _reader(inner)
        return lambda data: None if data is None else read(data)
    if origin is typing.Literal:
        return _literal_reader(arguments)
    if origin in (tuple, frozenset):
        return _sequence_reader(origin, _reader(arguments[0]))
    if origin is not None and issubclass(origin, Mapping):
        return _plain_reader(dict)
    if kind is float:
        return lambda data: float(_plain_reader((int, float))(data))
    return _plain_reader(kind)


def _dataclass_reader(kind: type[Any]) -> Callable[[Json], Any]:
    readers: dict[str, Callable[[Json], Any]] = {}

    def read(data: Json) -> Any:
        if not readers:  # filled on first use, so that types may refer to each other
            readers.update({name: _reader(hint) for name, hint in _hints(kind).items()})
        if not isinstance(data, dict):
            raise DatasetError(f"{kind.__name__}: expected an object, found {type(data).__name__}")
        if unknown := data.keys() - readers.keys():
            raise DatasetError(f"{kind.__name__}: unknown field {min(unknown)!r}")
        values = {}
        for name, item in data.items():
            try:
                values[name] = readers[name](item)
            except DatasetError as error:
                raise DatasetError(f"{kind.__name__}.{name}: {error.message}") from error
        try:
            return kind(**values)
        except TypeError as error:
            raise DatasetError(f"{kind.__name__}: {error}") from error

    return read


def _hints(kind: type[Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {each.name: hints[each.name] for each in dataclasses.fields(kind)}


def _literal_reader(allowed: tuple[Any, ...]) -> Callable[[Json], Any]:
    def read(data: Json) -> Any:
        if data not in allowed:
            raise DatasetError(f"{data!r} is none of {', '.join(map(str, allowed))}")
        return data

    return read


def _sequence_reader(kind: Any, item: Callable[[Json], Any]) -> Callable[[Json], Any]:
    def read(data: Json) -> Any:
        if not isinstance(data, list):
            raise DatasetError(f"expected a list, found {type(data).__name__}")
        return kind(item(each) for each in data)

    return read


def _plain_reader(kind: Any) -> Callable[[Json], Any]:
    def read(data: Json) -> Any:
        if not isinstance(data, kind) or (isinstance(data, bool) and kind is not bool):
            raise DatasetError(f"expected {kind}, found {type(data).__name__}")
        return data

    return read
