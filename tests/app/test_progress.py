"""How far a run is: figures that a live page may show before anything is certain."""

from __future__ import annotations

import pytest

from app.progress import average_reward, progress_of
from josh_engine.values import Rollout, State


def _rollout(scenario: str, state: State, won: int, *, goals: int = 2, trial: int = 0) -> Rollout:
    return Rollout(f"r.{scenario}{trial}", "r", scenario, trial, state=state, goals=goals, won=won)


def test_only_finished_rollouts_with_goals_count() -> None:
    rollouts = [
        _rollout("a", "done", 2),
        _rollout("b", "done", 1),
        _rollout("c", "running", 0),
        _rollout("d", "failed", 0),
        _rollout("e", "queued", 0),
        _rollout("f", "done", 0, goals=0),
    ]
    assert average_reward(rollouts) == 0.75
    told = progress_of("r", rollouts, calls=7, seconds=1.5)
    assert (told.finished, told.failed, told.total, told.average_reward) == (4, 1, 6, 0.75)
    assert (told.calls, told.seconds) == (7, 1.5)


def test_trials_of_a_scenario_weigh_as_one() -> None:
    rollouts = [_rollout("a", "done", 2, trial=trial) for trial in range(3)] + [_rollout("b", "done", 0)]
    assert average_reward(rollouts) == pytest.approx(0.5)


def test_before_the_first_there_is_no_figure() -> None:
    assert average_reward([_rollout("a", "running", 1)]) is None
