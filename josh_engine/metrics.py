"""What the searches and evaluations say: rewards with intervals, paired comparison, error analysis.

Average Reward, 100 % Success Rate and Pass^k are the paper's (sections 2.1, 4.1; Pass^k from arXiv 2406.12045); the
intervals are bootstrap percentiles over *scenarios*, since trials of one scenario are not independent. Every figure
carries its n. Rollouts that the world failed are counted beside the metric, never dropped silently or scored 0.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from josh_engine.tree import Tree, tree_order
from josh_engine.values import Goal, Rollout, ToolCall

RESAMPLES = 10_000
CONFIDENCE = 0.95
UNPARSABLE = "(unparsable)"  # the tool of a call that names none
BAD_API_USE, INCORRECT_FORMAT = "bad_api_use", "incorrect_format"  # Table 4a
FAULTS = {BAD_API_USE: {"unknown_tool", "bad_argument"}, INCORRECT_FORMAT: {"format"}}
SPREAD_SIZES = (10, 25, 50, 100, 200, 300, 450, 1000)
SPREAD_RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `n` scenarios with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in figures, over finished rollouts. `skipped`: scenarios without goals that were not searched. None:
    nothing to average. `usd` None: a price is unknown."""

    scenarios: int
    finished: int
    failed: int
    skipped: int
    average_reward: Estimate | None
    success_rate: Estimate | None
    pass_k: tuple[Estimate, ...]
    calls: int
    tokens: int
    usd: float | None


@dataclass(frozen=True, slots=True)
class Paired:
    """Candidate minus baseline on the scenarios both finished (`n`). Average Reward with its interval, over those with
    goals (where none has: success); success with McNemar's exact p. `fixed`: only the candidate succeeds in a majority
    of trials; `broken`: only the baseline; `both` and `neither`: how many scenarios. `graded`: success is the world's
    own grade, which says more than the goals."""

    difference: float
    low: float
    high: float
    success_difference: Estimate
    p: float
    fixed: tuple[str, ...]
    broken: tuple[str, ...]
    both: int
    neither: int
    n: int
    graded: bool = False


@dataclass(frozen=True, slots=True)
class ParameterError:
    """Figure 5: how often a failed try at a missed goal got this parameter wrong. `share` of all such errors."""

    api: str
    parameter: str
    kind: str  # "wrong value" or "missing parameter"
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """A call and the turn it stands in."""

    node: str
    call: ToolCall


@dataclass(frozen=True, slots=True)
class Wrong:
    """Which failed calls are meant: all of a tool; of a kind in Table 4a (`BAD_API_USE`, `INCORRECT_FORMAT`); or tries
    at a missed goal of `api` that got `parameter` wrong in a `kind` of Figure 5. None: any."""

    api: str | None = None
    table: str | None = None
    parameter: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Spread:
    """Figure 3c: the standard deviation that the means over `n` conversations would have."""

    n: int
    average_reward: float
    success_rate: float


@dataclass(frozen=True, slots=True)
class ErrorAnalysis:
    """Table 4a (shares of conversations), Figure 4c (errors per API), Figure 5 (top parameter errors)."""

    bad_api_use: float
    incorrect_format: float
    errors_by_api: Mapping[str, int]
    parameter_errors: tuple[ParameterError, ...]
    n: int


def summarise(rollouts: Sequence[Rollout]) -> Summary:
    finished = [rollout for rollout in rollouts if rollout.state == "done"]
    graded = _judged(rollouts)
    usds = [rollout.usd for rollout in rollouts]
    return Summary(
        scenarios=len({rollout.scenario_id for rollout in rollouts}),
        finished=len(finished),
        failed=sum(rollout.state == "failed" for rollout in rollouts),
        skipped=len(finished) - len(graded),
        average_reward=_mean_over_scenarios([each for each in graded if each.goals], _reward),
        success_rate=_mean_over_scenarios(graded, _success),
        pass_k=pass_hat_k(graded),
        calls=sum(rollout.usage.calls for rollout in rollouts),
        tokens=sum(rollout.usage.prompt_tokens + rollout.usage.completion_tokens for rollout in rollouts),
        usd=None if any(usd is None for usd in usds) else sum(usd or 0.0 for usd in usds),
    )


def pass_hat_k(rollouts: Sequence[Rollout]) -> tuple[Estimate, ...]:
    """Pass^k for k = 1..fewest trials: the mean over scenarios of C(successes, k) / C(trials, k)."""
    by_scenario = _by_scenario(rollouts)
    if not by_scenario:
        return ()
    tallies = [(sum(each.success for each in trials), len(trials)) for trials in by_scenario.values()]
    return tuple(
        estimate([math.comb(right, k) / math.comb(trials, k) for right, trials in tallies])
        for k in range(1, min(trials for _, trials in tallies) + 1)
    )


def estimate(values: Sequence[float]) -> Estimate:
    """Mean and bootstrap percentile interval; resamples are drawn by a fixed seed, so a figure repeats."""
    sample = np.asarray(values, dtype=float)
    low, high = _interval(sample)
    return Estimate(float(sample.mean()), low, high, len(sample))


def compare(baseline: Sequence[Rollout], candidate: Sequence[Rollout]) -> Paired | None:
    """The paired comparison on the scenarios both finished; None where there is none."""
    before, after = _by_scenario(_judged(baseline)), _by_scenario(_judged(candidate))
    shared = sorted(before.keys() & after.keys())
    if not shared:
        return None
    paid = [each for each in shared if before[each][0].goals and after[each][0].goals]
    rewards = [_mean(after[each], _reward) - _mean(before[each], _reward) for each in paid]
    successes = [_mean(after[each], _success) - _mean(before[each], _success) for each in shared]
    won = {each: (_mean(before[each], _success) > 0.5, _mean(after[each], _success) > 0.5) for each in shared}
    fixed = tuple(each for each in shared if won[each] == (False, True))
    broken = tuple(each for each in shared if won[each] == (True, False))
    reward = estimate(rewards or successes)
    return Paired(
        difference=reward.value,
        low=reward.low,
        high=reward.high,
        success_difference=estimate(successes),
        p=mcnemar(len(fixed), len(broken)),
        fixed=fixed,
        broken=broken,
        both=sum(each == (True, True) for each in won.values()),
        neither=sum(each == (False, False) for each in won.values()),
        n=len(shared),
        graded=all(trials[0].grade is not None for trials in after.values()),
    )


def mcnemar(fixed: int, broken: int) -> float:
    """The exact two-sided p of McNemar's test on the discordant scenarios; 1.0 where there are none."""
    flips = fixed + broken
    tail = sum(math.comb(flips, k) for k in range(min(fixed, broken) + 1))
    return min(1.0, float(2 * tail / 2**flips)) if flips else 1.0


def error_analysis(trees: Iterable[Tree]) -> ErrorAnalysis:
    """Errors of finished conversations (section 5.2). A tree is read as one conversation: use `greedy`'s."""
    conversations = [(tree, _calls(tree)) for tree in trees]
    errors: Counter[str] = Counter()
    parameters: Counter[tuple[str, str, str]] = Counter()
    for tree, calls in conversations:
        errors.update(each.call.name or UNPARSABLE for each in calls if each.call.error is not None)
        parameters.update((api, parameter, kind) for _, api, parameter, kind in _parameter_errors(tree, calls))
    total = sum(parameters.values())
    n = len(conversations)
    return ErrorAnalysis(
        bad_api_use=_share(conversations, FAULTS[BAD_API_USE]),
        incorrect_format=_share(conversations, FAULTS[INCORRECT_FORMAT]),
        errors_by_api=dict(sorted(errors.items(), key=lambda item: (-item[1], item[0]))),
        parameter_errors=tuple(
            ParameterError(api, parameter, kind, count, count / total)
            for (api, parameter, kind), count in sorted(parameters.items(), key=lambda item: (-item[1], item[0]))[:10]
        ),
        n=n,
    )


def wrong_calls(tree: Tree, wanted: Wrong) -> tuple[PlacedCall, ...]:
    """The calls behind a figure of `error_analysis`, in playing order, each once."""
    calls = _calls(tree)
    if wanted.parameter is not None:
        found = [
            placed
            for placed, api, parameter, kind in _parameter_errors(tree, calls)
            if (api, parameter) == (wanted.api, wanted.parameter) and wanted.kind in (None, kind)
        ]
        return tuple({id(each): each for each in found}.values())
    return tuple(
        each
        for each in calls
        if each.call.error is not None
        and wanted.api in (None, each.call.name or UNPARSABLE)
        and (wanted.table is None or each.call.fault in FAULTS.get(wanted.table, ()))
    )


def spreads(rollouts: Sequence[Rollout]) -> tuple[Spread, ...]:
    """By resampling the conversations played, with replacement: how far a mean over so many would vary."""
    told = _scored(rollouts)
    if len(told) < 2:
        return ()
    figures = np.array([(_reward(each), _success(each)) for each in told])
    generator = np.random.default_rng(2409_04617)
    found = []
    for n in sorted({*(size for size in SPREAD_SIZES if size < len(told)), len(told)}):
        means = np.array([figures[generator.integers(0, len(told), n)].mean(axis=0) for _ in range(SPREAD_RESAMPLES)])
        reward, success = means.std(axis=0)
        found.append(Spread(n, float(reward), float(success)))
    return tuple(found)


def _share(conversations: Sequence[tuple[Tree, Sequence[PlacedCall]]], faults: set[str]) -> float:
    hit = sum(any(each.call.fault in faults for each in calls) for _, calls in conversations)
    return hit / len(conversations) if conversations else 0.0


def _calls(tree: Tree) -> list[PlacedCall]:
    """The agent's own; a customer with tools makes calls too."""
    nodes = sorted(tree.nodes.values(), key=lambda node: tree_order(node.id))
    return [PlacedCall(node.id, call) for node in nodes if node.turn.speaker == "agent" for call in node.turn.calls]


def _parameter_errors(tree: Tree, calls: Sequence[PlacedCall]) -> Iterable[tuple[PlacedCall, str, str, str]]:
    """Per missed goal whose API was tried: what each try's arguments lack of the goal's."""
    for goal in _missed(tree):
        for placed in calls:
            call = placed.call
            if call.name != goal.name or not call.reached:
                continue
            for parameter, value in goal.arguments.items():
                if parameter not in call.arguments:
                    yield placed, goal.name, parameter, "missing parameter"
                elif str(call.arguments[parameter]).strip().lower() != str(value).strip().lower():
                    yield placed, goal.name, parameter, "wrong value"


def _missed(tree: Tree) -> list[Goal]:
    return [goal for goal in (tree.scenario.goals if tree.scenario else ()) if goal.id not in tree.won]


def _scored(rollouts: Sequence[Rollout]) -> list[Rollout]:
    return [rollout for rollout in rollouts if rollout.state == "done" and rollout.goals]


def _judged(rollouts: Sequence[Rollout]) -> list[Rollout]:
    return [each for each in rollouts if each.state == "done" and (each.goals or each.grade is not None)]


def _reward(rollout: Rollout) -> float:
    return rollout.average_reward or 0.0


def _success(rollout: Rollout) -> float:
    return float(rollout.success)


def _mean(rollouts: Sequence[Rollout], measure: Callable[[Rollout], float]) -> float:
    return sum(map(measure, rollouts)) / len(rollouts)


def _mean_over_scenarios(rollouts: Sequence[Rollout], measure: Callable[[Rollout], float]) -> Estimate | None:
    by_scenario = _by_scenario(rollouts)
    return estimate([_mean(trials, measure) for trials in by_scenario.values()]) if by_scenario else None


def _by_scenario(rollouts: Iterable[Rollout]) -> dict[str, list[Rollout]]:
    found: dict[str, list[Rollout]] = defaultdict(list)
    for rollout in rollouts:
        found[rollout.scenario_id].append(rollout)
    return found


def _interval(sample: npt.NDArray[np.float64]) -> tuple[float, float]:
    generator = np.random.default_rng(2409_04617)
    means = [
        sample[generator.integers(0, len(sample), (500, len(sample)))].mean(axis=1) for _ in range(RESAMPLES // 500)
    ]
    tail = (1 - CONFIDENCE) / 2 * 100
    low, high = np.percentile(np.concatenate(means), [tail, 100 - tail])
    return float(low), float(high)
