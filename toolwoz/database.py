"""The venues and trains of one town: immutable tables with an index on every search argument.

Source: arXiv 2409.04617, appendix D names "rules for cleaning database results" without giving them. Ours: a result
is flat JSON of strings without nulls; coordinates, internal numbers and advertising texts are left out, a hotel's
prices stand as single/double/family, "entrance fee" is `entrance`, and what the table does not know ("?") is absent.

A set of rows is one integer with a bit per row, so a query is a few bitwise operations, and "the first", "the last"
and "all but" cost nothing; times keep one set per distinct value, cumulative. Pure, but for `from_files`.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from josh_engine.errors import DatasetError
from josh_engine.values import Tool
from toolwoz.normalisation import comparable, comparables, is_time
from toolwoz.schema import DAYS, DOMAINS, EARLIEST, LATEST, SEARCH_SLOTS, UNIQUE, build_tools

Row = Mapping[str, str]
SERVED: Mapping[str, tuple[str, ...]] = {
    "restaurant": ("name", "area", "food", "pricerange", "type", "address", "phone", "postcode", "signature"),
    "hotel": (
        "name", "area", "type", "pricerange", "stars", "internet", "parking", "takesbookings",
        "single", "double", "family", "address", "phone", "postcode",
    ),
    "train": ("trainID", "departure", "destination", "day", "leaveAt", "arriveBy", "duration", "price"),
    "attraction": (
        "name", "area", "type", "pricerange", "entrance", "openhours", "address", "phone", "postcode",
    ),
}  # fmt: skip
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "restaurant": ("name", "area", "food", "pricerange"),
    "hotel": ("name", "area", "type", "stars", "internet", "parking"),
    "train": ("trainID", "departure", "destination", "day", "leaveAt", "arriveBy"),
    "attraction": ("name", "area", "type"),
}
UNKNOWN = frozenset({"", "?", "none"})
ROOMS = ("single", "double", "family")


@dataclass(frozen=True, slots=True)
class Table:
    """One domain. `equal`: slot -> comparable value -> the set of rows. `bounds`: a train's time slot -> its distinct
    values in order and, for each, the rows that satisfy it as a bound."""

    rows: tuple[Row, ...]
    equal: Mapping[str, Mapping[str, int]]
    bounds: Mapping[str, tuple[tuple[str, ...], tuple[int, ...]]]

    @property
    def everything(self) -> int:
        return (1 << len(self.rows)) - 1

    def matching(self, constraints: Mapping[str, str]) -> int:
        """The set of rows that satisfy constraints in comparable form. An unknown slot matches nothing."""
        found = self.everything
        for slot, wanted in constraints.items():
            found &= self._bounded(slot, wanted) if slot in self.bounds else self.equal.get(slot, {}).get(wanted, 0)
        return found

    def _bounded(self, slot: str, wanted: str) -> int:
        if not is_time(wanted):
            return 0
        times, sets = self.bounds[slot]
        place = bisect_left(times, wanted) if slot == EARLIEST else bisect_right(times, wanted) - 1
        return sets[place] if 0 <= place < len(times) else 0


@dataclass(frozen=True, slots=True)
class Database:
    """All tables of a town, its tools, and a digest that is equal iff the tables are."""

    tables: Mapping[str, Table]
    tools: tuple[Tool, ...]
    digest: str

    def search(self, domain: str, constraints: Mapping[str, str]) -> tuple[Row, ...]:
        """Every row that satisfies the constraints, in table order; no steering."""
        table = self.tables[domain]
        return tuple(table.rows[place] for place in places(table.matching(comparables(constraints))))

    def find(self, domain: str, identity: str) -> tuple[Row, ...]:
        """The rows that bear this name or trainID: at most one but for trains."""
        return self.search(domain, {UNIQUE[domain]: identity})

    def values(self, domain: str, slot: str) -> tuple[str, ...]:
        return _distinct(self.tables[domain].rows, slot)


def places(rows: int) -> Iterator[int]:
    """The places of a set's rows, in order."""
    while rows:
        lowest = rows & -rows
        yield lowest.bit_length() - 1
        rows ^= lowest


def build_database(records: Mapping[str, Sequence[Mapping[str, Any]]], source: str = "the database") -> Database:
    """A database of MultiWOZ-shaped records by domain. Raises DatasetError naming table, record and field."""
    rows = {domain: _served_rows(records, domain, source=source) for domain in DOMAINS}
    digest = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
    tables = {domain: _table(domain, rows[domain]) for domain in DOMAINS}
    return Database(tables, build_tools(lambda domain, slot: _distinct(rows[domain], slot)), digest)


def from_files(folder: Path) -> Database:
    """The database in `folder`'s four `<domain>_db.json` files."""
    records = {domain: read_records(folder / f"{domain}_db.json") for domain in DOMAINS}
    return build_database(records, source=str(folder))


def read_records(path: Path) -> list[dict[str, Any]]:
    """The records of one database file. Raises DatasetError naming the file."""
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DatasetError(f"{path} is absent.", remedy="Import it again: python -m app data multiwoz PATH.") from error
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"{path} cannot be read: {error}.", remedy="Import it again: python -m app data multiwoz PATH."
        ) from error
    return checked_records(records, source=str(path))


def checked_records(records: object, source: str) -> list[dict[str, Any]]:
    if not isinstance(records, list) or not records or not all(isinstance(record, dict) for record in records):
        raise DatasetError(f"{source}: expected a list of records.")
    return records


def _served_rows(records: Mapping[str, Sequence[Mapping[str, Any]]], domain: str, *, source: str) -> tuple[Row, ...]:
    if domain not in records:
        raise DatasetError(f"{source} has no table of {domain}s.")
    rows = []
    for number, record in enumerate(records[domain], start=1):
        row = _served(domain, record)
        for name in REQUIRED[domain]:
            if name not in row:
                raise DatasetError(f"{source}, {domain} table, record {number}: field {name!r} is absent or empty.")
        rows.append(row)
    return tuple(rows)


def _served(domain: str, record: Mapping[str, Any]) -> Row:
    """A record as the agent reads it: known fields, in a fixed order, all strings."""
    flat = {**record, "entrance": record.get("entrance fee", record.get("entrance"))}
    prices = record.get("price")
    if isinstance(prices, Mapping):
        flat |= {room: prices.get(room) for room in ROOMS}
    known = {name: str(flat[name]).strip() for name in SERVED[domain] if flat.get(name) is not None}
    return {name: text for name, text in known.items() if text.lower() not in UNKNOWN}


def _table(domain: str, rows: tuple[Row, ...]) -> Table:
    slots = dict.fromkeys((*SEARCH_SLOTS[domain], UNIQUE[domain]))
    equal: dict[str, dict[str, int]] = {slot: {} for slot in slots}
    for place, row in enumerate(rows):
        for slot in slots:
            if (value := comparable(slot, row.get(slot, ""))) is not None:
                equal[slot][value] = equal[slot].get(value, 0) | 1 << place
    bounds = {slot: _cumulative(slot, equal.pop(slot)) for slot in (EARLIEST, LATEST) if slot in equal}
    return Table(rows, equal, bounds)


def _cumulative(slot: str, equal: Mapping[str, int]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """For each time in order: the rows no earlier (`leaveAt`) or no later (`arriveBy`) than it."""
    times = sorted(equal)
    sets: list[int] = []
    for time in reversed(times) if slot == EARLIEST else times:
        sets.append(equal[time] | (sets[-1] if sets else 0))
    return tuple(times), tuple(reversed(sets) if slot == EARLIEST else sets)


def _distinct(rows: Sequence[Row], slot: str) -> tuple[str, ...]:
    """A slot's values in readable order: days by the week, everything else by the alphabet."""
    found = {row[slot] for row in rows if slot in row}
    return tuple(sorted(found, key=lambda value: (DAYS.index(value) if value in DAYS else 0, value)))
