"""How far a run is, and its reward so far: cheap enough to ask every second, without intervals. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from app.results import Progress
from josh_engine.rates import rate, reward
from josh_engine.values import Rollout


def progress_of(run_id: str, rollouts: Sequence[Rollout], *, calls: int, seconds: float) -> Progress:
    rewarded = rate(rollouts, reward)
    failed = sum(rollout.state == "failed" for rollout in rollouts)
    return Progress(
        run=run_id,
        finished=rewarded.finished + failed,
        failed=failed,
        total=rewarded.asked,
        calls=calls,
        average_reward=rewarded.value,
        average_reward_low=rewarded.low,
        seconds=seconds,
    )
