"""Runs, rollouts and events come back as they were put; history cannot be edited."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from dataclasses import replace

import pytest

from josh_engine.config import Run, RunLimits
from josh_engine.errors import NotFound
from josh_engine.values import Usage
from storage import runs
from storage.database import Store
from storage.writer import RunWriter
from tests.storage.conftest import CONFIG
from tests.storage.events import exchange, started, whole


def test_a_run_comes_back_as_it_was_made(store: Store, run: Run) -> None:
    assert run == runs.load_run(store, run.id)
    assert (run.config, run.limits, run.name, run.state) == (CONFIG, RunLimits(concurrency=3), "ours", "queued")
    assert (run.scenario_count, run.rollouts_done, run.seconds) == (3, 0, 0.0)


def test_a_run_has_a_rollout_for_every_scenario_and_trial_in_playing_order(store: Store, run: Run) -> None:
    made = runs.list_rollouts(store, run.id)
    assert [each.id for each in made] == [f"{run.id}.{number}" for number in range(1, 7)]
    assert [(each.scenario_id, each.trial) for each in made] == [(s, t) for s in "abc" for t in (0, 1)]
    assert {each.state for each in made} == {"queued"}


def test_run_ids_are_short_safe_in_a_url_unique_and_sort_by_time(store: Store) -> None:
    made = [runs.create_run(store, CONFIG, limits=RunLimits(), name="", code_version="").id for _ in range(30)]
    assert made == sorted(set(made))
    assert all(re.fullmatch("[0-9a-z]{8}", each) for each in made)
    assert [each.id for each in runs.list_runs(store)] == made[::-1]


def test_a_run_that_is_not_there_is_named(store: Store) -> None:
    with pytest.raises(NotFound, match="'nope'"):
        runs.load_run(store, "nope")
    with pytest.raises(NotFound, match=r"'nope\.1'"):
        runs.load_rollout(store, "nope.1")


def test_a_rollouts_summary_comes_back(store: Store, run: Run) -> None:
    before = runs.list_rollouts(store, run.id)[0]
    after = replace(
        before, state="done", goals=2, won=1, grade=0.5, depth=3, nodes=9, events=1, usage=Usage(4, 50, 6), usd=None,
        seconds=1.5, critical_seconds=1.25, error="x",
    )  # fmt: skip
    _record(store, run, after)
    assert runs.load_rollout(store, before.id) == after
    assert runs.load_run(store, run.id).rollouts_done == 1


def test_events_come_back_in_order_and_from_any_number_on(store: Store, run: Run) -> None:
    rollout = runs.list_rollouts(store, run.id)[0]
    _record(store, run, replace(rollout, events=7))
    kept = runs.events_after(store, rollout.id)
    assert kept == tuple(enumerate(whole()))
    assert runs.events_after(store, rollout.id, 4) == kept[5:]
    assert runs.events_after(store, rollout.id, 6) == ()


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE events SET body = '{}'",
        "DELETE FROM events",
        "REPLACE INTO events SELECT rollout, 0, 0, 'SearchEnded', '{}', 0.0 FROM events LIMIT 1",
        "INSERT INTO events SELECT rollout, 99, 0, 'SearchEnded', '{}', 0.0 FROM events LIMIT 1",
        "UPDATE journal SET completion = ''",
        "DELETE FROM journal",
    ],
)
def test_history_refuses_every_edit_from_any_connection(store: Store, run: Run, edit: str) -> None:
    rollout = runs.list_rollouts(store, run.id)[0]
    _record(store, run, replace(rollout, events=7))
    with store.write() as connection:
        connection.execute("INSERT INTO journal VALUES (?, '0', 0, 'h', '{}', 0.0)", (rollout.id,))
    before = runs.events_after(store, rollout.id)
    stranger = sqlite3.connect(store.path)
    with pytest.raises(sqlite3.IntegrityError, match=r"append-only|without a gap"):
        stranger.execute(edit)
    stranger.close()
    assert runs.events_after(store, rollout.id) == before


def test_a_finished_rollout_takes_no_second_history(store: Store, run: Run) -> None:
    rollout = runs.list_rollouts(store, run.id)[0]
    _record(store, run, replace(rollout, events=7))
    with pytest.raises(Exception, match="without a gap"):
        _record(store, run, replace(rollout, events=7, state="failed"))
    assert len(runs.events_after(store, rollout.id)) == 7
    assert runs.load_rollout(store, rollout.id).state == "queued", "the summary went back with the events"


def test_cancelling_ends_what_was_not_finished(store: Store, run: Run) -> None:
    first, second, *_ = runs.list_rollouts(store, run.id)
    _record(store, run, replace(first, events=7, state="done"))
    _record(store, run, replace(second, events=1, state="running"), started())
    runs.end(store, run.id, "cancelled")
    assert [each.state for each in runs.list_rollouts(store, run.id)] == ["done", *["cancelled"] * 5]


def test_pausing_leaves_what_was_not_begun_queued(store: Store, run: Run) -> None:
    first = runs.list_rollouts(store, run.id)[0]
    _record(store, run, replace(first, events=3, state="running"), started(), *exchange(1))
    runs.want(store, run.id, "paused")
    runs.end(store, run.id, "paused", paused_by="person")
    stopped = runs.load_run(store, run.id)
    assert (stopped.state, stopped.paused_by, stopped.stop_requested) == ("paused", "person", False)
    assert [each.state for each in runs.list_rollouts(store, run.id)] == ["paused", *["queued"] * 5]


def test_a_wish_to_cancel_is_not_taken_back_by_a_wish_to_pause(store: Store, run: Run) -> None:
    runs.want(store, run.id, "cancelled")
    runs.want(store, run.id, "paused")
    assert runs.wanted(store, run.id) == "cancelled"
    assert runs.load_run(store, run.id).cancel_requested


def test_a_done_run_is_not_queued_again(store: Store, run: Run) -> None:
    runs.end(store, run.id, "done")
    runs.queue_again(store, run.id)
    assert runs.load_run(store, run.id).state == "done"


def test_beats_add_up_the_wall_time(store: Store, run: Run) -> None:
    runs.begin(store, run.id)
    runs.beat(store, run.id, seconds=1.5)
    runs.beat(store, run.id, seconds=0.25)
    beaten = runs.load_run(store, run.id)
    assert (beaten.state, beaten.seconds) == ("running", 1.75)
    assert beaten.heartbeat is not None and beaten.heartbeat >= run.created


def _record(store: Store, run: Run, summary: object, *events: object) -> None:
    async def record() -> None:
        writer = RunWriter(store, ())
        writer.stored(summary.id)  # type: ignore[attr-defined]
        await writer.record(events or whole()[: summary.events], summary)  # type: ignore[attr-defined, arg-type]

    asyncio.run(record())
