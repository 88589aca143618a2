"""The shop's records: a base that is read once and never changes, and what one conversation wrote over it.

A fork shares every record; a record is copied when it is written. At most one order and one user are written by a call,
products never. Two databases are equal iff their overlays are, once records equal to the base's are left out. Equality
is exact: Python takes 0 for 0.0, the official hash does not. Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]
Table = Mapping[str, Record]
TABLES = ("orders", "products", "users")


@dataclass(frozen=True, slots=True)
class Base:
    """The tables as they lie on disk, by id. Nobody may write into them. `policy`: what the agent is told."""

    users: Table
    orders: Table
    products: Table
    policy: str = ""


class Overlay:
    """What a conversation wrote. `fork` is a copy of two small dicts."""

    __slots__ = ("base", "orders", "users")

    def __init__(self, base: Base) -> None:
        self.base = base
        self.orders: dict[str, Record] = {}
        self.users: dict[str, Record] = {}

    def fork(self) -> Overlay:
        twin = object.__new__(Overlay)
        twin.base, twin.orders, twin.users = self.base, dict(self.orders), dict(self.users)
        return twin

    def order(self, key: str) -> Record | None:
        """To be read only."""
        return self.orders.get(key) or self.base.orders.get(key)

    def user(self, key: str) -> Record | None:
        return self.users.get(key) or self.base.users.get(key)

    def own_order(self, key: str) -> Record:
        """A copy to be changed, and then put with `put_order`. A fork that shares the record is not touched."""
        return copied(self.orders.get(key) or self.base.orders[key])

    def own_user(self, key: str) -> Record:
        return copied(self.users.get(key) or self.base.users[key])

    def written(self) -> dict[str, dict[str, Record]]:
        """Table -> id -> record, of those that differ from the base's."""
        tables = {"orders": (self.orders, self.base.orders), "users": (self.users, self.base.users)}
        return {
            name: {key: record for key, record in own.items() if not same(record, base.get(key))}
            for name, (own, base) in tables.items()
        }

    def digest(self) -> str:
        """Equal iff the databases are."""
        return hashlib.sha256(repr(nested(self.written())).encode()).hexdigest()

    def official_hash(self) -> str:
        """τ-bench's: sha256 of Python's `str` of the whole database as nested tuples, keys sorted."""
        tables = {
            "orders": {**self.base.orders, **self.orders},
            "products": dict(self.base.products),
            "users": {**self.base.users, **self.users},
        }
        return hashlib.sha256(str(nested(tables)).encode()).hexdigest()


def copied(record: Record) -> Record:
    """A deep copy of plain JSON values; far cheaper than `copy.deepcopy`."""
    return {key: _copied(value) for key, value in record.items()}


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


def same(one: Any, other: Any) -> bool:
    """Exactly: of the same types too."""
    return bool(one == other) and repr(nested(one)) == repr(nested(other))


def nested(value: Any) -> Any:
    """As nested tuples, the keys of dicts sorted, the order of lists kept."""
    if isinstance(value, dict):
        return tuple((key, nested(each)) for key, each in sorted(value.items()))
    return tuple(nested(each) for each in value) if isinstance(value, list) else value


def told(record: Record) -> str:
    """A record as the agent reads it."""
    return json.dumps(record)
