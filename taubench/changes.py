"""What a turn changed in the records, in lines that a person reads: which record, which part of it, from what to
what. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from josh_engine.values import Turn
from taubench.environment import RetailEnvironment
from taubench.records import Record, same

NAMES = {"orders": "order", "users": "user"}


def changes(environment: RetailEnvironment, turns: Sequence[Turn]) -> list[tuple[str, ...]]:
    """For every turn of a conversation the lines of what it changed. Its calls are played in `environment`, a fresh
    one."""
    told: list[tuple[str, ...]] = []
    for turn in turns:
        before = environment.fork()
        for call in turn.calls:
            if call.reached:
                environment.call(replace(call, result=None, error=None, fault=None))
        told.append(tuple(_lines(before, environment)))
    return told


def _lines(before: RetailEnvironment, after: RetailEnvironment) -> Iterator[str]:
    for table, name in NAMES.items():
        for key, record in getattr(after.shop, table).items():
            was = getattr(before.shop, table).get(key) or getattr(before.shop.base, table)[key]
            if was is not record:
                yield from (f"{name} {key}: {line}" for line in _apart(was, record))


def _apart(was: Record, now: Record, path: str = "") -> Iterator[str]:
    for key in dict.fromkeys((*was, *now)):
        where = f"{path}.{key}" if path else key
        one, other = was.get(key), now.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _apart(one, other, where)
        elif isinstance(one, list) and isinstance(other, list):
            yield from _lists_apart(one, other, where)
        elif not same(one, other):
            yield f"{where}: {_change(one, other)}" if key in was else f"{where}: {_short(other)} (new)"


def _lists_apart(was: list[Any], now: list[Any], where: str) -> Iterator[str]:
    for place, (one, other) in enumerate(zip(was, now, strict=False)):
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _apart(one, other, f"{where}[{place}]")
        elif not same(one, other):
            yield f"{where}[{place}]: {_change(one, other)}"
    yield from (f"{where}: + {_short(each)}" for each in now[len(was) :])


def _change(one: Any, other: Any) -> str:
    """Of two types a text is quoted, for "94000" and 94000 make two databases."""
    tell = _short if type(one) is type(other) else json.dumps
    return f"{tell(one)} → {tell(other)}"


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
