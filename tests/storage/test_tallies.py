"""The averages of a list are those of the metrics, for every mixture of states, trials, goals and grades."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from josh_engine.config import Run
from josh_engine.metrics import summarise
from josh_engine.values import Rollout
from storage import runs
from storage.database import Store
from storage.tallies import tally_runs


@pytest.mark.parametrize("seed", range(40))
def test_a_tally_says_what_the_metrics_say(store: Store, run: Run, seed: int) -> None:
    chance = random.Random(seed)
    _keep(store, [_drawn(chance, rollout) for rollout in runs.list_rollouts(store, run.id)])
    rollouts = runs.list_rollouts(store, run.id)
    summary, tally = summarise(rollouts), tally_runs(store)[run.id]
    assert (tally.finished, tally.rollouts) == (summary.success.finished, summary.success.asked)
    assert tally.rollouts == 6 and tally.full == sum(each.state == "done" and each.success for each in rollouts)
    for rate, estimate, value, low in (
        (summary.reward, summary.average_reward, tally.average_reward, tally.average_reward_low),
        (summary.success, summary.success_rate, tally.success_rate, tally.success_rate_low),
    ):
        assert [value, low] == [pytest.approx(rate.value), pytest.approx(rate.low)]
        assert rate.value == (pytest.approx(estimate.value) if estimate else None)


def test_a_store_without_runs_has_no_tallies(store: Store) -> None:
    assert tally_runs(store) == {}


def _drawn(chance: random.Random, rollout: Rollout) -> Rollout:
    goals = chance.choice((0, 1, 3))
    return replace(
        rollout,
        state=chance.choice(("done", "done", "done", "failed", "running")),
        goals=goals,
        won=chance.randint(0, goals),
        grade=chance.choice((None, None, 0.0, 0.5, 1.0)),
    )


def _keep(store: Store, rollouts: list[Rollout]) -> None:
    with store.write() as connection:
        connection.executemany(
            "UPDATE rollouts SET state = ?, goals = ?, won = ?, grade = ? WHERE id = ?",
            [(each.state, each.goals, each.won, each.grade, each.id) for each in rollouts],
        )
