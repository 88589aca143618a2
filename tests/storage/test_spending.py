"""What each side's model was asked, read from the journal."""

from __future__ import annotations

import asyncio
import time

import pytest

from josh_engine.config import Run
from josh_engine.encoding import dump
from josh_engine.values import Completion, JournalEntry, Usage
from storage import runs
from storage.database import Store
from storage.spending import Spent, spent
from storage.writer import RunWriter

USAGE = Usage(1, 900, 20)


def keep(store: Store, run: Run, *entries: tuple[str, Completion]) -> None:
    """An answer for each (node, completion), in the run's first rollout, a quarter of a second each."""
    rollout = runs.list_rollouts(store, run.id)[0].id
    writer = RunWriter(store, ())

    async def all_of_them() -> None:
        for call, (node, completion) in enumerate(entries):
            await writer.keep(JournalEntry(rollout, node, call, f"request {call}", completion, 0.25))

    asyncio.run(all_of_them())


def test_sides_are_told_apart_by_the_turns_address(store: Store, run: Run) -> None:
    answer = Completion("x", usage=USAGE, usd=0.5)
    keep(store, run, ("0", answer), ("0.1.0", answer), ("u", answer), ("0", answer), ("0.1u", answer))
    agent, user = spent(store, run.id)
    assert agent == Spent(3, 2700, 60, usd=1.5, seconds=0.75)
    assert user == Spent(2, 1800, 40, usd=1.0, seconds=0.5)


def test_one_unknown_price_makes_its_side_unknown_and_no_other(store: Store, run: Run) -> None:
    keep(
        store, run, ("0", Completion("x", usd=None)), ("0", Completion("x", usd=0.5)), ("u", Completion("x", usd=0.25))
    )
    assert [side.usd for side in spent(store, run.id)] == [None, 0.25]


def test_an_answer_that_was_shared_is_no_call(store: Store, run: Run) -> None:
    keep(store, run, ("u", Completion("x", usage=USAGE, usd=0.5)), ("0u", Completion("x", usage=Usage(), usd=0.0)))
    assert spent(store, run.id)[1] == Spent(1, 900, 20, usd=0.5, seconds=0.5)


def test_a_model_that_tells_no_tokens_is_still_counted(store: Store, run: Run) -> None:
    keep(store, run, ("0", Completion("x")))
    assert spent(store, run.id) == (Spent(1, seconds=0.25), Spent())


def test_other_runs_are_not_counted(store: Store, run: Run) -> None:
    other = runs.create_run(store, run.config, limits=run.limits, name="other", code_version="1")
    keep(store, run, ("0", Completion("x", usage=USAGE)))
    assert spent(store, other.id) == (Spent(), Spent())


@pytest.mark.slow
def test_a_large_run_is_summed_up_in_a_moment(store: Store, run: Run) -> None:
    rollout, body = runs.list_rollouts(store, run.id)[0].id, dump(Completion("word " * 200, usage=USAGE, usd=0.001))
    rows = [(rollout, f"0.{number}", 0, "request", body, 0.1) for number in range(50_000)]
    with store.write() as connection:
        connection.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?)", rows)
    started = time.monotonic()
    agent, _ = spent(store, run.id)
    assert (agent.calls, agent.usd) == (50_000, pytest.approx(50.0)) and time.monotonic() - started < 3
