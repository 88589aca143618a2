"""What a person does to a run as a whole: names it, tags it, notes something, deletes it with all its history.

History is append-only, so deleting is deliberate: the run's line in `deleted_runs` is what lets the triggers go, and
it stays, so that an export can still say which run its rows came from. Only a run that nobody works on can go.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from storage import runs
from storage.database import Store


@dataclass(frozen=True, slots=True)
class DeletedRun:
    """`auditor`: who deleted it, empty where that is not known. Times are ISO 8601 in UTC."""

    id: str
    name: str
    created: str
    deleted: str
    auditor: str


def describe(store: Store, run_id: str, *, name: str, tags: Sequence[str], note: str) -> None:
    """Raises NotFound."""
    runs.load_run(store, run_id)
    with store.write() as connection:
        connection.execute(
            "UPDATE runs SET name = ?, tags = ?, note = ? WHERE id = ?",
            (name, json.dumps(list(tags), ensure_ascii=False), note, run_id),
        )


def keep_estimate(store: Store, run_id: str, estimate: str) -> None:
    """What was expected of the run before it began, as JSON."""
    with store.write() as connection:
        connection.execute("UPDATE runs SET estimate = ? WHERE id = ?", (estimate, run_id))


def kept_estimate(store: Store, run_id: str) -> str | None:
    """None: nothing was expected, as for runs that the command line started."""
    rows = store.read("SELECT estimate FROM runs WHERE id = ?", (run_id,))
    return rows[0]["estimate"] if rows else None


def delete(store: Store, run_id: str, *, auditor: str) -> None:
    """The run with all that stands on it, in one transaction. The caller holds the run's lock.

    Raises NotFound.
    """
    run = runs.load_run(store, run_id)
    of_run = "rollout IN (SELECT id FROM rollouts WHERE run_id = ?)"
    with store.write() as connection:
        connection.execute(
            "INSERT INTO deleted_runs VALUES (?, ?, ?, ?, ?)", (run_id, run.name, run.created, runs.now(), auditor)
        )
        for table in ("seen", "verdicts", "journal", "events"):
            connection.execute(f"DELETE FROM {table} WHERE {of_run}", (run_id,))
        connection.execute("DELETE FROM rollouts WHERE run_id = ?", (run_id,))
        connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))


def list_deleted(store: Store) -> tuple[DeletedRun, ...]:
    """Newest first."""
    rows = store.read("SELECT * FROM deleted_runs ORDER BY deleted DESC, id DESC")
    return tuple(DeletedRun(**row) for row in map(dict, rows))
