"""What a run will cost in model outputs and time, before it starts; and how sure that is. Pure.

Without a past, a model of Algorithm 1's frontier (arXiv 2409.04617): in each exchange the user speaks on every leaf,
then the agent `branching` times per leaf while that fits the beam, else once; a reward cuts the frontier to one leaf.

    expected: a goal takes EXCHANGES_PER_GOAL exchanges, and an agent's turn OUTPUTS_PER_TURN outputs (a call, a reply)
    at least: a goal an exchange, an output a turn;  at most: no goal is ever reached, to the last exchange, and every
    turn takes all generations it may

With a past (finished rollouts of the same players), the model is scaled to what those took: a ratio estimate, whose
range is twice the standard error of a total of so many scenarios. Where the past had other settings, the range is
widened by WIDER. The time is the past's seconds per output; without a past nobody can know it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Literal

from josh_engine.config import RunConfig, StrategyConfig

EXCHANGES_PER_GOAL = 2  # a search and a booking, and a question now and then; the embedded players take 2.2
OUTPUTS_PER_TURN = 2
WIDER = 0.5
FEWEST = 3  # finished rollouts that make a past

Basis = Literal["model", "scaled", "measured"]


@dataclass(frozen=True, slots=True)
class Played:
    """A finished rollout of an earlier run with the same players."""

    strategy: StrategyConfig
    goals: int
    calls: int
    turns: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """`calls` model outputs, probably `calls_low` to `calls_high`; `turns` of both sides. `seconds` None: unknown.
    `past`: finished rollouts it rests on. `capped`: the budget ends it before."""

    rollouts: int
    calls: int
    calls_low: int
    calls_high: int
    turns: int
    seconds: float | None = None
    seconds_low: float | None = None
    seconds_high: float | None = None
    basis: Basis = "model"
    past: int = 0
    capped: bool = False


@dataclass(frozen=True, slots=True)
class Growth:
    """Turns of each side."""

    user: int
    agent: int

    def times(self, count: int) -> Growth:
        return Growth(self.user * count, self.agent * count)

    @property
    def turns(self) -> int:
        return self.user + self.agent


def grown(strategy: StrategyConfig, exchanges: int) -> Growth:
    """The turns of so many exchanges without a reward, from one leaf, none of which ends."""
    leaves, user, agent = 1, 0, 0
    for _ in range(exchanges):
        user += leaves
        fits = leaves * strategy.branching_factor <= strategy.max_beam
        leaves *= strategy.branching_factor if fits and strategy.name != "greedy" else 1
        agent += leaves
    return Growth(user, agent)


def expected(strategy: StrategyConfig, goals: int) -> Growth:
    """The turns of one scenario, if every goal takes EXCHANGES_PER_GOAL exchanges and the depth allows them."""
    if strategy.name == "greedy":
        return grown(strategy, min(strategy.max_depth, EXCHANGES_PER_GOAL * goals))
    rounds, rest = divmod(min(strategy.max_depth, EXCHANGES_PER_GOAL * goals), EXCHANGES_PER_GOAL)
    whole, part = grown(strategy, EXCHANGES_PER_GOAL).times(rounds), grown(strategy, rest)
    return Growth(whole.user + part.user, whole.agent + part.agent)


def estimate(
    config: RunConfig,
    goals: Sequence[int],
    *,
    past: Sequence[Played] = (),
    pace: float | None = None,
    budget: int | None = None,
) -> Estimate:
    """`goals`: of each scenario of the configuration. `pace`: seconds per output in the past; None: unknown."""
    strategy, wanted = config.strategy, [each for each in goals for _ in range(config.trials) if each]
    turns = sum(expected(strategy, each).turns for each in wanted)
    modelled = sum(_outputs(config, expected(strategy, each)) for each in wanted)
    if len(past) < FEWEST:
        deepest = grown(strategy, strategy.max_depth)
        low = sum(_outputs(config, grown(strategy, 1).times(each), per_turn=1) for each in wanted)
        high = len(wanted) * _outputs(config, deepest, per_turn=config.max_generations)
        found = _bounded(modelled, min(low, modelled), max(high, modelled))
        return _timed(Estimate(len(goals) * config.trials, *found, turns), None, budget)
    ratio, spread = _ratio(config, past)
    same = all(each.strategy == strategy for each in past)
    count = len(wanted)
    error = 2 * spread * sqrt(count + count**2 / len(past)) + (0.0 if same else WIDER * ratio * modelled)
    found = _bounded(ratio * modelled, ratio * modelled - error, ratio * modelled + error)
    turns = round(turns * _turns_ratio(past))
    basis: Basis = "measured" if same else "scaled"
    scaled = Estimate(len(goals) * config.trials, *found, turns, basis=basis, past=len(past))
    return _timed(scaled, pace, budget)


def _outputs(config: RunConfig, growth: Growth, *, per_turn: int = OUTPUTS_PER_TURN) -> int:
    """A user simulator without a model costs nothing."""
    return growth.agent * min(per_turn, config.max_generations) + (growth.user if config.user_model else 0)


def _ratio(config: RunConfig, past: Sequence[Played]) -> tuple[float, float]:
    """What the past took by what the model expects of it; and how far single rollouts are from that, in outputs."""
    modelled = [_outputs(config, expected(each.strategy, max(1, each.goals))) for each in past]
    ratio = sum(each.calls for each in past) / max(1, sum(modelled))
    squares = ((each.calls - ratio * one) ** 2 for each, one in zip(past, modelled, strict=True))
    return ratio, sqrt(sum(squares) / (len(past) - 1))


def _turns_ratio(past: Sequence[Played]) -> float:
    return sum(each.turns for each in past) / sum(expected(each.strategy, max(1, each.goals)).turns for each in past)


def _bounded(middle: float, low: float, high: float) -> tuple[int, int, int]:
    return round(middle), max(0, round(low)), round(high)


def _timed(found: Estimate, pace: float | None, budget: int | None) -> Estimate:
    """With its seconds, and no more outputs than the budget allows."""
    calls, low, high = (
        each if budget is None else min(each, budget) for each in (found.calls, found.calls_low, found.calls_high)
    )
    found = replace(found, calls=calls, calls_low=low, calls_high=high, capped=budget is not None and calls == budget)
    if pace is None:
        return found
    return replace(found, seconds=pace * calls, seconds_low=pace * low, seconds_high=pace * high)


def certainty(found: Estimate) -> str:
    """How sure it is, in a sentence."""
    capped = " The cap on model outputs ends it before." if found.capped else ""
    if found.basis == "measured":
        return f"Measured on {found.past:,} finished scenarios with these players and settings.{capped}"
    if found.basis == "scaled":
        said = f"Scaled from {found.past:,} finished scenarios with these players, but other search settings."
        return said + capped
    return (
        f"Modelled: no earlier run with these players. Assumes {EXCHANGES_PER_GOAL} exchanges a goal and "
        f"{OUTPUTS_PER_TURN} outputs an agent's turn; the range runs from a goal an exchange to no goal at all.{capped}"
    )
