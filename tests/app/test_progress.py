"""How far a run is: figures that a live page may show before anything is certain."""

from __future__ import annotations

import pytest

from app.progress import progress_of
from app.results import Progress
from josh_engine.values import Rollout, State


def _rollout(scenario: str, state: State, won: int, *, goals: int = 2, trial: int = 0) -> Rollout:
    return Rollout(f"r.{scenario}{trial}", "r", scenario, trial, state=state, goals=goals, won=won)


def _told(*rollouts: Rollout) -> Progress:
    return progress_of("r", rollouts, calls=7, seconds=1.5)


def test_only_finished_rollouts_with_goals_count() -> None:
    told = _told(
        _rollout("a", "done", 2),
        _rollout("b", "done", 1),
        _rollout("c", "running", 0),
        _rollout("d", "failed", 0),
        _rollout("e", "queued", 0),
        _rollout("f", "done", 0, goals=0),
    )
    assert (told.finished, told.failed, told.total, told.average_reward) == (4, 1, 6, 0.75)
    assert (told.reward.of, told.average_reward_low) == ("3 of 6", 1.5 / 5), "f is known to have no goals"
    assert (told.calls, told.seconds) == (7, 1.5)


def test_trials_of_a_scenario_weigh_as_one() -> None:
    trials = [_rollout("a", "done", 2, trial=trial) for trial in range(3)]
    assert _told(*trials, _rollout("b", "done", 0)).average_reward == pytest.approx(0.5)


def test_before_the_first_there_is_no_figure() -> None:
    told = _told(_rollout("a", "running", 1))
    assert (told.average_reward, told.average_reward_low, told.reward.of) == (None, None, "0 of 1")
