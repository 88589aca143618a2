"""A mean over rollouts and what it is over: n of N finished, and the least it can be.

A rollout that the world failed, or that was never played, says nothing of the agent, so the means of arXiv 2409.04617
(sections 2.1, 4.1) are over finished ones. But faults do not strike at random: a fault that long conversations meet
more often leaves the easy ones behind. So what is missing is counted beside every figure, and `low` counts it as 0.
Every figure of the product is made here or, for lists that are drawn every second, by the same rule in SQL
(`storage.tallies`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from josh_engine.values import Rollout

# The share of a side's rollouts that must be finished for a verdict on it. Of 5 % missing ones a rate can change by 5
# points at most: about what the 95 % interval of 300 scenarios leaves open anyway (± 5.7 points at a rate of one half).
ENOUGH = 0.95

Measure = Callable[[Rollout], float | None]


@dataclass(frozen=True, slots=True)
class Rate:
    """A mean over `finished` of the `asked` rollouts. `low`: with those unfinished as 0. None: nothing to average."""

    value: float | None
    low: float | None
    finished: int
    asked: int

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return self.finished >= self.asked

    @property
    def enough(self) -> bool:
        """Whether so many are finished that a verdict may rest on it."""
        return self.asked == 0 or self.finished / self.asked >= ENOUGH

    @property
    def of(self) -> str:
        """`271 of 300`."""
        return f"{self.finished:,} of {self.asked:,}"


@dataclass(frozen=True, slots=True)
class Mean:
    """A scenario's mean over its finished trials (None: none is), and its bounds: with unfinished trials as 0, as 1."""

    value: float | None
    low: float
    high: float


def reward(rollout: Rollout) -> float | None:
    """Goals won / goals (section 2.1); None without goals."""
    return rollout.average_reward


def success(rollout: Rollout) -> float | None:
    """100 % success as 1 or 0 (section 4.1); None where there are neither goals nor a grade."""
    return float(rollout.success) if rollout.goals or rollout.grade is not None else None


def rate(rollouts: Iterable[Rollout], measure: Measure) -> Rate:
    """The mean over scenarios, each the mean of its trials."""
    rollouts = tuple(rollouts)
    means = scenario_means(rollouts, measure).values()
    known = [mean.value for mean in means if mean.value is not None]
    return Rate(
        value=sum(known) / len(known) if known else None,
        low=sum(mean.low for mean in means) / len(means) if known else None,
        finished=sum(rollout.state == "done" for rollout in rollouts),
        asked=len(rollouts),
    )


def scenario_means(rollouts: Iterable[Rollout], measure: Measure) -> dict[str, Mean]:
    """By scenario id. One whose finished trials all have no measure is not there: it is known to have none. Of a trial
    that never finished nobody knows, so it counts."""
    found = {}
    for scenario, trials in by_scenario(rollouts).items():
        told = [measure(trial) for trial in trials if trial.state == "done"]
        known = [value for value in told if value is not None]
        left = len(trials) - len(told)
        asked = len(known) + left
        if known or not told:
            value = sum(known) / len(known) if known else None
            found[scenario] = Mean(value, sum(known) / asked, (sum(known) + left) / asked)
    return found


def by_scenario(rollouts: Iterable[Rollout]) -> dict[str, list[Rollout]]:
    found: dict[str, list[Rollout]] = defaultdict(list)
    for rollout in rollouts:
        found[rollout.scenario_id].append(rollout)
    return dict(found)
