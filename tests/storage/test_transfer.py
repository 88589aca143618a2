"""A run goes from store to store row by row, or not at all."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from josh_engine.config import Run
from josh_engine.encoding import dump
from josh_engine.errors import DatasetError, NotFound
from josh_engine.values import Completion, Rollout, Verdict
from storage import curation, runs
from storage.database import Store, open_store
from storage.transfer import TABLES, AlreadyHere, add_run_rows, run_rows
from storage.verdicts import add_verdict
from tests.storage.events import whole
from tests.storage.test_runs import _record

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def other(tmp_path: Path) -> Any:
    with open_store(tmp_path / "other.db") as opened:
        yield opened


@pytest.fixture
def rows(store: Store, run: Run) -> Rows:
    """Of a run with events, an answer, and a verdict that was changed."""
    first = runs.list_rollouts(store, run.id)[0]
    _record(store, run, Rollout(first.id, run.id, "a", 0, state="done", events=len(whole())))
    with store.write() as connection:
        connection.execute(
            "INSERT INTO journal VALUES (?, '0', 0, 'h', ?, 0.5)", (first.id, dump(Completion("Yes.", usd=None)))
        )
    add_verdict(store, Verdict("z", first.id, "0", "good", "Ada", "2026-01-01T00:00:00Z"))
    add_verdict(store, Verdict("a", first.id, "0", "bad", "Ada", "2026-01-02T00:00:00Z", supersedes="z"))
    curation.describe(store, run.id, name="Mine", tags=("β",), note="so\nwhat")
    return {table: [dict(row) for row in found] for table, found in run_rows(store, run.id).items()}


def test_every_row_arrives_and_is_the_run_it_was(store: Store, other: Store, run: Run, rows: Rows) -> None:
    assert all(rows[table] for table in TABLES)
    assert add_run_rows(other, rows) == run.id
    assert run_rows(other, run.id) == rows
    assert runs.load_run(other, run.id) == runs.load_run(store, run.id)
    assert runs.list_rollouts(other, run.id) == runs.list_rollouts(store, run.id)


def test_a_run_that_is_there_is_refused_and_a_deleted_one_may_come_back(store: Store, run: Run, rows: Rows) -> None:
    with pytest.raises(AlreadyHere, match="already"):
        add_run_rows(store, rows)
    curation.delete(store, run.id, auditor="Ada")
    assert add_run_rows(store, rows) == run.id
    assert curation.list_deleted(store) == ()
    assert run_rows(store, run.id) == rows


def test_an_unknown_run_is_told(store: Store) -> None:
    with pytest.raises(NotFound):
        run_rows(store, "nope")


def _set(table: str, column: str, value: Any) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows[table][0][column] = value

    return change


def _drop(table: str, column: str) -> Callable[[Rows], None]:
    return lambda rows: rows[table][0].pop(column) and None


BROKEN: dict[str, Callable[[Rows], Any]] = {
    "an id that is a path": _set("runs", "id", "../../x"),
    "no id": _drop("runs", "id"),
    "an id that is no text": _set("runs", "id", 7),
    "an unknown column": _set("runs", "x); DROP TABLE runs; --", 1),
    "a missing column": _drop("rollouts", "scenario_id"),
    "a column without a value": _set("events", "body", None),
    "no configuration": _set("runs", "config", "{}"),
    "a state that is none": _set("runs", "state", "flying"),
    "a rollout of another run": _set("rollouts", "run_id", "other"),
    "a rollout's id elsewhere": _set("rollouts", "id", "x.1"),
    "an event that is none": _set("events", "kind", "Exploded"),
    "an event without a body": _set("events", "body", "nothing"),
    "a gap in the events": lambda rows: rows["events"].pop(2),
    "an answer that is none": _set("journal", "completion", "{}"),
    "an event of nobody": _set("events", "rollout", "nobody.1"),
    "a verdict that is none": _set("verdicts", "verdict", "splendid"),
    "a verdict on nothing": _set("verdicts", "rollout", "nobody.1"),
    "a count that is a text": _set("rollouts", "goals", "many"),
    "a row that is a list": lambda rows: rows["events"].__setitem__(0, []),  # type: ignore[call-overload]
    "two runs": lambda rows: rows["runs"].append(rows["runs"][0]),
    "a rollout twice": lambda rows: rows["rollouts"].append(rows["rollouts"][0]),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_rows_that_cannot_be_leave_nothing_behind(other: Store, rows: Rows, broken: str) -> None:
    changed = copy.deepcopy(rows)
    BROKEN[broken](changed)
    with pytest.raises(DatasetError):
        add_run_rows(other, changed)
    assert all(not other.read(f"SELECT 1 FROM {table}") for table in TABLES)
    assert add_run_rows(other, rows)
