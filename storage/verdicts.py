"""Verdicts: appended, never changed. To change one's mind is a new verdict that supersedes the old one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import asdict

from josh_engine.errors import NotFound, StorageError
from josh_engine.values import Verdict
from storage.database import Store

_FLAGS = ("blind", "adjudicates")  # SQLite has no truth values
_OF_ROLLOUT = "SELECT * FROM verdicts WHERE rollout = ? ORDER BY rowid"


class Superseded(StorageError):
    """Somebody else has replaced this verdict meanwhile; it must be looked at again."""


def add_verdict(store: Store, verdict: Verdict) -> None:
    """Raises NotFound for an unknown rollout, or verdict to supersede; Superseded when another was faster."""
    with store.write() as connection:
        _insert(connection, verdict)


def answer_verdicts(store: Store, rollout_id: str, answer: Callable[[tuple[Verdict, ...]], Verdict]) -> Verdict:
    """Appends what `answer` makes of the rollout's verdicts; nobody can add one between the reading and the writing.
    Nothing is kept when `answer` raises."""
    with store.write() as connection:
        verdict = answer(_listed(connection.execute(_OF_ROLLOUT, (rollout_id,)).fetchall()))
        _insert(connection, verdict)
    return verdict


def _insert(connection: sqlite3.Connection, verdict: Verdict) -> None:
    _check(connection, verdict)
    row = asdict(verdict) | {name: int(getattr(verdict, name)) for name in _FLAGS}
    connection.execute(f"INSERT INTO verdicts ({', '.join(row)}) VALUES ({', '.join(':' + name for name in row)})", row)


def list_verdicts(store: Store, rollout_id: str) -> tuple[Verdict, ...]:
    """All, in the order they were given; `josh_engine.verdicts.standing` leaves out the superseded."""
    return _listed(store.read(_OF_ROLLOUT, (rollout_id,)))


def list_run_verdicts(store: Store, run_ids: Sequence[str]) -> dict[str, tuple[Verdict, ...]]:
    """The verdicts of these runs by rollout; rollouts without any are left out."""
    marks = ", ".join("?" * len(run_ids))
    rows = store.read(
        "SELECT verdicts.* FROM verdicts JOIN rollouts ON rollouts.id = verdicts.rollout"
        f" WHERE rollouts.run_id IN ({marks}) ORDER BY verdicts.rowid",
        run_ids,
    )
    found: dict[str, tuple[Verdict, ...]] = {}
    for row in rows:
        found[row["rollout"]] = (*found.get(row["rollout"], ()), _verdict(row))
    return found


def _check(connection: sqlite3.Connection, verdict: Verdict) -> None:
    if not connection.execute("SELECT 1 FROM rollouts WHERE id = ?", (verdict.rollout,)).fetchone():
        raise NotFound(f"Rollout {verdict.rollout!r} is not in this store.")
    if verdict.supersedes is None:
        return
    if not connection.execute("SELECT 1 FROM verdicts WHERE id = ?", (verdict.supersedes,)).fetchone():
        raise NotFound(f"Verdict {verdict.supersedes!r} is not in this store.")
    if connection.execute("SELECT 1 FROM verdicts WHERE supersedes = ?", (verdict.supersedes,)).fetchone():
        raise Superseded(
            "Somebody else changed this verdict since you saw it.", remedy="Look at the newer one, then judge again."
        )


def _listed(rows: Sequence[sqlite3.Row]) -> tuple[Verdict, ...]:
    return tuple(_verdict(row) for row in rows)


def _verdict(row: sqlite3.Row) -> Verdict:
    copied = {name: row[name] for name in Verdict.__dataclass_fields__ if name not in _FLAGS}
    return Verdict(**copied, blind=bool(row["blind"]), adjudicates=bool(row["adjudicates"]))
