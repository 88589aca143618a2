"""How far a run is, and its reward so far: cheap enough to ask every second.

The averages follow the rule of `josh_engine.metrics`, without its intervals: over scenarios, each the mean of its
trials, finished rollouts only. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from app.results import Progress
from josh_engine.values import Rollout


def progress_of(run_id: str, rollouts: Sequence[Rollout], *, calls: int, seconds: float) -> Progress:
    states = [rollout.state for rollout in rollouts]
    return Progress(
        run=run_id,
        finished=states.count("done") + states.count("failed"),
        failed=states.count("failed"),
        total=len(rollouts),
        calls=calls,
        average_reward=average_reward(rollouts),
        seconds=seconds,
    )


def average_reward(rollouts: Iterable[Rollout]) -> float | None:
    """Over the finished ones that have goals; None where there is none."""
    trials: dict[str, list[float]] = defaultdict(list)
    for rollout in rollouts:
        if rollout.state == "done" and rollout.average_reward is not None:
            trials[rollout.scenario_id].append(rollout.average_reward)
    means = [sum(values) / len(values) for values in trials.values()]
    return sum(means) / len(means) if means else None
