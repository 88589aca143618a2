"""A run's name, tags and note are a person's; its history goes with the whole run, and in no other way."""

from __future__ import annotations

import sqlite3

import pytest

from josh_engine.config import Run, RunLimits
from josh_engine.errors import NotFound
from josh_engine.values import Verdict
from storage import curation, people, runs
from storage.database import Store
from storage.verdicts import add_verdict, list_verdicts
from tests.storage.conftest import CONFIG
from tests.storage.events import whole
from tests.storage.test_runs import _record

TABLES = ("events", "journal", "verdicts", "rollouts", "runs")


@pytest.fixture
def judged(store: Store, run: Run) -> Run:
    """A run with a history, and another one beside it."""
    for each in (run, runs.create_run(store, CONFIG, limits=RunLimits(), name="other", code_version="1")):
        rollout = runs.list_rollouts(store, each.id)[0]
        _record(store, each, rollout.__class__(rollout.id, each.id, "a", 0, state="done", events=len(whole())))
        with store.write() as connection:
            connection.execute("INSERT INTO journal VALUES (?, '0', 0, 'h', '{}', 0.0)", (rollout.id,))
        first = Verdict(f"{each.id}-1", rollout.id, "0", "good", "Ada", "2026-01-01T00:00:00Z")
        add_verdict(store, first)
        add_verdict(
            store, Verdict(f"{each.id}-2", rollout.id, "0", "bad", "Bo", "2026-01-02T00:00:00Z", supersedes=first.id)
        )
    return run


def counts(store: Store) -> list[int]:
    return [store.read(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in TABLES]


def test_a_run_is_described_anew_at_any_time(store: Store, run: Run) -> None:
    assert (run.tags, run.note) == ((), "")
    curation.describe(store, run.id, name="Nightly", tags=("paper", "β"), note="beam 16\nnext")
    described = runs.load_run(store, run.id)
    assert (described.name, described.tags, described.note) == ("Nightly", ("paper", "β"), "beam 16\nnext")
    assert described.config == run.config
    with pytest.raises(NotFound):
        curation.describe(store, "nope", name="", tags=(), note="")


def test_a_deleted_run_goes_with_all_its_history_and_nobody_elses(store: Store, judged: Run) -> None:
    before = counts(store)
    curation.delete(store, judged.id, auditor="Ada")
    assert counts(store) == [n // 2 for n in before] and all(n % 2 == 0 and n for n in before)
    with pytest.raises(NotFound):
        runs.load_run(store, judged.id)
    (gone,) = curation.list_deleted(store)
    assert (gone.id, gone.name, gone.created, gone.auditor) == (judged.id, "ours", judged.created, "Ada")
    (left,) = runs.list_runs(store)
    assert len(list_verdicts(store, f"{left.id}.1")) == 2


def test_history_of_a_run_that_was_not_deleted_is_still_refused(store: Store, judged: Run) -> None:
    curation.delete(store, judged.id, auditor="")
    before = counts(store)
    stranger = sqlite3.connect(store.path)
    for table in ("events", "journal", "verdicts"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            stranger.execute(f"DELETE FROM {table}")
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            stranger.execute(f"UPDATE {table} SET rollout = 'x'")
    stranger.close()
    assert counts(store) == before


def test_a_run_that_comes_back_is_protected_again(store: Store, judged: Run) -> None:
    row = dict(store.read("SELECT * FROM runs WHERE id = ?", (judged.id,))[0])
    curation.delete(store, judged.id, auditor="")
    with store.write() as connection:
        connection.execute(f"INSERT INTO runs ({', '.join(row)}) VALUES ({', '.join(':' + name for name in row)})", row)
    assert curation.list_deleted(store) == ()


def test_an_estimate_is_kept_as_it_was(store: Store, run: Run) -> None:
    assert curation.kept_estimate(store, run.id) is None
    curation.keep_estimate(store, run.id, '{"calls": 7}')
    assert curation.kept_estimate(store, run.id) == '{"calls": 7}'


def test_people_are_those_who_gave_a_name_and_those_who_judged(store: Store, judged: Run) -> None:
    people.remember(store, "Cy")
    people.remember(store, "Ada")
    people.remember(store, "Cy")
    assert [(each.name, each.verdicts) for each in people.list_people(store)] == [("Ada", 2), ("Bo", 2), ("Cy", 0)]
    cy = people.list_people(store)[2]
    assert cy.since <= cy.seen
