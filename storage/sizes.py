"""How large the store is, table by table, and the copies of it that lie beside it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from josh_engine.errors import StorageError
from storage.database import Store, back_up, translated

TABLES = (
    "runs", "rollouts", "events", "journal", "verdicts", "seen", "exports", "people", "messages", "questions", "probes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TableSize:
    """`size`: bytes of the table and its indexes; None where this SQLite cannot tell."""

    name: str
    rows: int
    size: int | None


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of the store. `made`: ISO 8601 in UTC."""

    name: str
    size: int
    made: str


@dataclass(frozen=True, slots=True)
class StoreSize:
    """`size`: bytes of the store's file; `waiting`: of the log beside it, which SQLite merges in by itself."""

    path: Path
    size: int
    waiting: int
    tables: tuple[TableSize, ...]
    backups: tuple[Backup, ...]


def store_size(store: Store) -> StoreSize:
    log = store.path.with_name(f"{store.path.name}-wal")
    with translated(store.path):
        waiting = log.stat().st_size if log.exists() else 0
        return StoreSize(store.path, store.path.stat().st_size, waiting, _tables(store), list_backups(store))


def list_backups(store: Store) -> tuple[Backup, ...]:
    """Newest first."""
    with translated(store.path):
        found = [(each, each.stat()) for each in store.path.parent.glob(f"{store.path.name}.backup-*")]
    found.sort(key=lambda each: each[1].st_mtime, reverse=True)
    return tuple(
        Backup(each.name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC).isoformat(timespec="seconds"))
        for each, stat in found
    )


def make_backup(store: Store) -> Backup:
    """A copy as of now, beside the store; whole even while others write."""
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    place = store.path.with_name(f"{store.path.name}.backup-{moment}")
    with translated(store.path), closing(sqlite3.connect(store.path)) as connection:
        back_up(connection, place)
    return list_backups(store)[0]


def _tables(store: Store) -> tuple[TableSize, ...]:
    rows = {name: int(store.read(f"SELECT count(*) FROM {name}")[0][0]) for name in TABLES}
    sizes = _bytes(store)
    return tuple(TableSize(name, rows[name], sizes.get(name) if sizes else None) for name in TABLES)


def _bytes(store: Store) -> dict[str, int]:
    """Bytes per table with its indexes and, for `messages`, its full text; empty where this SQLite does not count."""
    try:
        found = store.read(
            "SELECT CASE WHEN tbl_name LIKE 'messages%' THEN 'messages' ELSE tbl_name END AS name,"
            " sum(pgsize) AS size FROM dbstat JOIN sqlite_master USING (name) WHERE aggregate = TRUE GROUP BY 1"
        )
    except StorageError as error:
        if "dbstat" in str(error):
            return {}
        raise
    return {row["name"]: row["size"] for row in found}
