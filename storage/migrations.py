"""The schema, as steps that are never edited once released: a change is a new step at the end of `STEPS`.

sqlite-utils' own `Migrations` applies and records them; it is imported only when there is something to apply. Tables
are strict. `events`, `verdicts` and `seen` are append-only, held by triggers: history is never edited, only overlaid.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from josh_engine.errors import NewerSchema

if TYPE_CHECKING:
    from sqlite_utils import Database

SET = "josh"
Step = Callable[["Database"], None]


def first_light(db: Database) -> None:
    _runs_and_rollouts(db)
    _events_and_journal(db)
    _verdicts_and_exports(db)
    for table in ("events", "journal", "verdicts"):
        _append_only(db, table)


def _runs_and_rollouts(db: Database) -> None:
    """`wanted`: what a person asked of a running run (paused, cancelled); `seconds`: wall time over all sittings."""
    db.table("runs").create(
        {
            "id": str, "name": str, "config": str, "limits": str, "state": str, "created": str, "code_version": str,
            "finished": str, "heartbeat": str, "wanted": str, "paused_by": str, "error": str, "seconds": float,
        },
        pk="id",
        not_null={"name", "config", "limits", "state", "created", "code_version", "seconds"},
        defaults={"seconds": 0.0},
        strict=True,
    )  # fmt: skip
    db.table("rollouts").create(
        {
            "id": str, "run_id": str, "number": int, "scenario_id": str, "trial": int, "state": str, "error": str,
            "goals": int, "won": int, "grade": float, "depth": int, "nodes": int, "events": int, "calls": int,
            "prompt_tokens": int, "completion_tokens": int, "usd": float, "seconds": float, "critical_seconds": float,
        },
        pk="id",
        not_null={
            "run_id", "number", "scenario_id", "trial", "state", "goals", "won", "depth", "nodes", "events", "calls",
            "prompt_tokens", "completion_tokens", "seconds", "critical_seconds",
        },
        foreign_keys=[("run_id", "runs", "id")],
        strict=True,
    )  # fmt: skip
    db.table("rollouts").create_index(["run_id", "number"], unique=True)
    db.table("rollouts").create_index(["run_id", "scenario_id", "trial"], unique=True)


def _events_and_journal(db: Database) -> None:
    """`batch` counts the transactions of a rollout; `written` is the wall clock, beside the event and not in it."""
    db.table("events").create(
        {"rollout": str, "seq": int, "batch": int, "kind": str, "body": str, "written": float},
        pk=("rollout", "seq"),
        not_null={"rollout", "seq", "batch", "kind", "body", "written"},
        foreign_keys=[("rollout", "rollouts", "id")],
        strict=True,
    )
    db.execute(
        "CREATE TRIGGER events_in_order BEFORE INSERT ON events"
        " WHEN NEW.seq IS NOT (SELECT coalesce(max(seq) + 1, 0) FROM events WHERE rollout = NEW.rollout)"
        " BEGIN SELECT RAISE(ABORT, 'events follow one another without a gap'); END"
    )
    db.table("journal").create(
        {"rollout": str, "node": str, "call": int, "request": str, "completion": str, "seconds": float},
        pk=("rollout", "node", "call"),
        not_null={"rollout", "node", "call", "request", "completion", "seconds"},
        strict=True,
    )
    db.table("journal").create_index(["rollout", "request"])


def _verdicts_and_exports(db: Database) -> None:
    db.table("verdicts").create(
        {
            "id": str, "rollout": str, "node": str, "verdict": str, "auditor": str, "created": str, "rival": str,
            "reason": str, "blind": int, "side": str, "supersedes": str,
        },
        pk="id",
        not_null={"rollout", "node", "verdict", "auditor", "created", "reason", "blind"},
        foreign_keys=[("rollout", "rollouts", "id"), ("supersedes", "verdicts", "id")],
        strict=True,
    )  # fmt: skip
    db.table("verdicts").create_index(["rollout"])
    db.table("verdicts").create_index(
        ["supersedes"], unique=True
    )  # of two who replace the same verdict, the second is told
    db.table("exports").create(
        {"id": str, "created": str, "runs": str, "formats": str, "policy": str, "folder": str, "files": str,
         "rows": int, "positives": int, "negatives": int, "scenarios": int, "gates": str},
        pk="id",
        not_null={"created", "runs", "formats", "policy", "folder", "files", "rows"},
        strict=True,
    )  # fmt: skip


def _append_only(db: Database, table: str) -> None:
    for verb in ("UPDATE", "DELETE"):
        db.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def curated_runs(db: Database) -> None:
    """What a person adds to a run, who the persons are, and the one way in which history may go: with its whole run.

    A run named in `deleted_runs` may lose its events, journal and verdicts; its line there stays. A run that comes
    back (from a file) is protected again.
    """
    db.execute("ALTER TABLE runs ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'")
    db.execute("ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE runs ADD COLUMN estimate TEXT")
    db.table("people").create(
        {"name": str, "since": str, "seen": str}, pk="name", not_null={"since", "seen"}, strict=True
    )
    db.table("deleted_runs").create(
        {"id": str, "name": str, "created": str, "deleted": str, "auditor": str},
        pk="id",
        not_null={"name", "created", "deleted", "auditor"},
        strict=True,
    )
    for table in ("events", "journal", "verdicts"):
        _deletable_with_its_run(db, table)
    db.execute(
        "CREATE TRIGGER runs_come_back AFTER INSERT ON runs BEGIN DELETE FROM deleted_runs WHERE id = NEW.id; END"
    )


def _deletable_with_its_run(db: Database, table: str) -> None:
    db.execute(f"DROP TRIGGER {table}_no_delete")
    db.execute(
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT EXISTS"
        " (SELECT 1 FROM rollouts JOIN deleted_runs ON deleted_runs.id = rollouts.run_id"
        " WHERE rollouts.id = OLD.rollout)"
        f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def searchable_messages(db: Database) -> None:
    """What was said, for full-text search: a projection of the events, made on the first search (`storage.search`).

    `messages_read` says up to which event a rollout's messages are there. They go with their rollout.
    """
    db.table("messages").create(
        {"id": int, "rollout": str, "node": str, "body": str},
        pk="id",
        not_null={"rollout", "node", "body"},
        strict=True,
    )
    db.table("messages").create_index(["rollout"])
    db.table("messages_read").create({"rollout": str, "events": int}, pk="rollout", not_null={"events"}, strict=True)
    db.execute(
        "CREATE VIRTUAL TABLE messages_text USING fts5"
        " (body, content='messages', content_rowid='id', tokenize='unicode61 remove_diacritics 2')"
    )
    db.execute(
        "CREATE TRIGGER messages_added AFTER INSERT ON messages BEGIN"
        " INSERT INTO messages_text (rowid, body) VALUES (NEW.id, NEW.body); END"
    )
    db.execute(
        "CREATE TRIGGER messages_gone AFTER DELETE ON messages BEGIN"
        " INSERT INTO messages_text (messages_text, rowid, body) VALUES ('delete', OLD.id, OLD.body); END"
    )
    db.execute(
        "CREATE TRIGGER rollouts_gone AFTER DELETE ON rollouts BEGIN"
        " DELETE FROM messages WHERE rollout = OLD.id; DELETE FROM messages_read WHERE rollout = OLD.id; END"
    )


def questions_to_persons(db: Database) -> None:
    """What a run asked whoever plays in it (`storage.table`). They go with their run; the journal keeps the answers."""
    db.table("questions").create(
        {"run": str, "id": str, "question": str, "asked": str, "answer": str, "answered": str, "person": str},
        pk=("run", "id"),
        not_null={"question", "asked"},
        strict=True,
    )
    db.execute("CREATE TRIGGER runs_gone AFTER DELETE ON runs BEGIN DELETE FROM questions WHERE run = OLD.id; END")


def tested_endpoints(db: Database) -> None:
    """What the last test of an endpoint found, by its address (MODEL@URL); never a key."""
    db.table("probes").create(
        {"address": str, "found": str, "tested": str}, pk="address", not_null={"found", "tested"}, strict=True
    )


def training_jobs(db: Database) -> None:
    """Training jobs with a point for every step (`storage.trainings`). Points go with their job."""
    db.table("trainings").create(
        {"id": str, "name": str, "model": str, "rows": str, "out": str, "config": str, "state": str, "created": str,
         "started": str, "ended": str, "heartbeat": str, "wanted": str, "step": int, "steps": int, "seconds": float,
         "tokens": int, "loss": float, "adapter": str, "error": str, "found": str},
        pk="id",
        not_null={"name", "model", "rows", "out", "config", "state", "created", "step", "seconds", "tokens"},
        defaults={"step": 0, "seconds": 0.0, "tokens": 0},
        strict=True,
    )  # fmt: skip
    db.table("training_points").create(
        {"training": str, "step": int, "point": str}, pk=("training", "step"), not_null={"point"}, strict=True
    )
    db.execute(
        "CREATE TRIGGER trainings_gone AFTER DELETE ON trainings BEGIN"
        " DELETE FROM training_points WHERE training = OLD.id; END"
    )


def adjudicated_pairs(db: Database) -> None:
    """A verdict on a pair may settle what its auditors say."""
    db.execute("ALTER TABLE verdicts ADD COLUMN adjudicates INTEGER NOT NULL DEFAULT 0")


def noticed_runs(db: Database) -> None:
    """What the models of a run had a person told (`config.RunNotice`), each once."""
    db.execute("ALTER TABLE runs ADD COLUMN notices TEXT NOT NULL DEFAULT '[]'")


def seen_labels(db: Database) -> None:
    """Which labels were shown to whom, and where (`storage.seen`). `node` empty: those of the whole rollout."""
    db.table("seen").create(
        {"person": str, "rollout": str, "node": str, "place": str, "moment": str},
        pk=("person", "rollout", "node", "place"),
        not_null={"moment"},
        foreign_keys=[("rollout", "rollouts", "id")],
        strict=True,
    )
    db.table("seen").create_index(["rollout"])
    _append_only(db, "seen")
    _deletable_with_its_run(db, "seen")


STEPS: Sequence[Step] = (
    first_light, curated_runs, searchable_messages, questions_to_persons, tested_endpoints, training_jobs,
    adjudicated_pairs, noticed_runs, seen_labels,
)  # fmt: skip
NAMES = tuple(step.__name__ for step in STEPS)


def applied(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Names of the steps this store has had, in order; empty for a new one."""
    exists = connection.execute("SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'").fetchone()
    if not exists:
        return ()
    rows = connection.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id", (SET,))
    return tuple(name for (name,) in rows)


def is_foreign(connection: sqlite3.Connection) -> bool:
    """Whether something else lives in this database."""
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def loaded() -> Callable[[sqlite3.Connection], None]:
    """What applies the steps not applied yet, under the write lock, so that two openers do not apply one twice. Loaded
    before that is taken: on a busy machine it takes seconds, and others wait for the lock."""
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

    known = Migrations(SET)
    for step in STEPS:
        known()(step)
    return lambda connection: known.apply(Database(connection))


def newer(path: Path, unknown: Sequence[str]) -> NewerSchema:
    return NewerSchema(
        f"The store {path} was written by a newer version of JOSH Studio (it knows {unknown[0]!r}).",
        remedy="Update the product, or name another store with --store.",
    )
