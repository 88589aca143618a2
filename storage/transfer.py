"""A run out of one store and into another: its rows as plain JSON values, all of them or none.

What comes in is foreign: every row is checked against what this version stores, and every value in it is read once,
before anything is written. So a run that could not be opened never gets in, and no id can name a file elsewhere.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import get_args

from josh_engine.config import RunConfig, RunLimits
from josh_engine.encoding import from_json, load, load_event
from josh_engine.errors import DatasetError, StorageError
from josh_engine.values import Completion, Json, State, Verdict
from storage import runs
from storage.database import Store

Row = Mapping[str, Json]
Rows = Mapping[str, Sequence[Row]]

# What belongs to a run, in the order in which it can be inserted.
TABLES: Mapping[str, str] = {
    "runs": "SELECT * FROM runs WHERE id = ?",
    "rollouts": "SELECT * FROM rollouts WHERE run_id = ? ORDER BY number",
    "events": "SELECT events.* FROM events JOIN rollouts ON rollouts.id = rollout WHERE run_id = ?"
    " ORDER BY number, seq",
    "journal": "SELECT journal.* FROM journal JOIN rollouts ON rollouts.id = rollout WHERE run_id = ?"
    " ORDER BY journal.rowid",
    "verdicts": "SELECT verdicts.* FROM verdicts JOIN rollouts ON rollouts.id = rollout WHERE run_id = ?"
    " ORDER BY verdicts.rowid",
}
_RUN_ID = re.compile(r"[0-9a-z]{1,24}")  # as `storage.runs` makes them; it becomes part of file names


class AlreadyHere(StorageError):
    """The store holds a run of this id."""


def run_rows(store: Store, run_id: str) -> Rows:
    """Table -> rows. The caller holds the run's lock; verdicts come last, so none lacks its turn. Raises NotFound."""
    runs.load_run(store, run_id)
    return {table: [dict(row) for row in store.read(sql, (run_id,))] for table, sql in TABLES.items()}


def add_run_rows(store: Store, rows: Rows) -> str:
    """The run's id. Raises AlreadyHere, or DatasetError naming table and row; then nothing has changed."""
    run_id = _checked(store, rows)
    try:
        with store.write() as connection:
            if connection.execute("SELECT 1 FROM runs WHERE id = ?", (run_id,)).fetchone():
                raise AlreadyHere(f"Run {run_id} is in this store already.", remedy=f"Open it: /run?run={run_id}")
            for table in TABLES:
                _insert(connection, table, rows[table])
    except StorageError as error:
        if isinstance(error.__cause__, sqlite3.IntegrityError):
            raise DatasetError(f"The rows contradict each other: {error.__cause__}.") from error
        raise
    return run_id


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[Row]) -> None:
    for row in rows:
        names = ", ".join(row)
        connection.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))


def _checked(store: Store, rows: Rows) -> str:
    if len(rows["runs"]) != 1:
        raise DatasetError(f"Expected one run, found {len(rows['runs'])}.")
    run_id = rows["runs"][0].get("id")
    if not isinstance(run_id, str) or not _RUN_ID.fullmatch(run_id):
        raise DatasetError(f"{run_id!r} is no run's id.")
    for table in TABLES:
        known = _columns(store, table)
        for number, row in enumerate(rows[table], start=1):
            try:
                _check_columns(row, known)
                _READERS[table](row, run_id)
            except DatasetError as error:
                raise DatasetError(f"{table}, row {number}: {error.message}", remedy=error.remedy) from error
            except (TypeError, KeyError, AttributeError) as error:
                raise DatasetError(f"{table}, row {number} does not have the shape of one: {error}") from error
    return run_id


def _columns(store: Store, table: str) -> dict[str, bool]:
    """Column -> whether a row must have it."""
    found = store.read('SELECT name, "notnull", dflt_value, pk FROM pragma_table_info(?)', (table,))
    return {row["name"]: bool((row["notnull"] or row["pk"]) and row["dflt_value"] is None) for row in found}


def _check_columns(row: Row, known: Mapping[str, bool]) -> None:
    if strange := [name for name in row if name not in known]:
        raise DatasetError(f"unknown column {strange[0]!r}", remedy="A newer version wrote it; update the product.")
    if absent := [name for name, needed in known.items() if needed and row.get(name) is None]:
        raise DatasetError(f"column {absent[0]!r} is absent")


def _run(row: Row, run_id: str) -> None:
    load(RunConfig, row["config"])
    load(RunLimits, row["limits"])
    load(runs.Notices, row.get("notices", "[]"))
    _check_state(row)


def _rollout(row: Row, run_id: str) -> None:
    if row["run_id"] != run_id or row["id"] != f"{run_id}.{row['number']}":
        raise DatasetError(f"rollout {row['id']!r} is not one of run {run_id}")
    _check_state(row)


def _event(row: Row, run_id: str) -> None:
    load_event(row["kind"], row["body"])


def _journal(row: Row, run_id: str) -> None:
    load(Completion, row["completion"])


def _verdict(row: Row, run_id: str) -> None:
    from_json(
        Verdict, {name: bool(value) if name in ("blind", "adjudicates") else value for name, value in row.items()}
    )


def _check_state(row: Row) -> None:
    if row["state"] not in get_args(State):
        raise DatasetError(f"state is {row['state']!r}")


_READERS: Mapping[str, Callable[[Row, str], None]] = {
    "runs": _run, "rollouts": _rollout, "events": _event, "journal": _journal, "verdicts": _verdict,
}  # fmt: skip
