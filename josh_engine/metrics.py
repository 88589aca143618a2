"""What the searches and evaluations say: rewards with intervals, paired comparison, error analysis.

Average Reward, 100 % Success Rate and Pass^k are the paper's (sections 2.1, 4.1; Pass^k from arXiv 2406.12045); the
intervals are bootstrap percentiles over *scenarios*, since trials of one scenario are not independent. Every figure
is over finished rollouts and carries its n; what did not finish is counted beside it, and a bound counts it as 0
(`josh_engine.rates`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from josh_engine.rates import Mean, Rate, by_scenario, rate, reward, scenario_means, success
from josh_engine.tree import Tree, tree_order
from josh_engine.values import Fault, Goal, Rollout, ToolCall

RESAMPLES = 10_000
CONFIDENCE = 0.95
BAD_API_USE, INCORRECT_FORMAT = "bad_api_use", "incorrect_format"  # Table 4a
ANSWERED = ("unknown_tool", "bad_argument", "refused")  # faults of a call that could be read: a tool's own words
# Table 4a's two kinds, then each fault of a generation that is no call at all, as a kind of its own. A tool that says
# no (`refused`) is the world's business, and no kind of error.
FAULTS: Mapping[str, frozenset[str]] = {
    BAD_API_USE: frozenset({"unknown_tool", "bad_argument"}),
    INCORRECT_FORMAT: frozenset({"format"}),
    **{fault: frozenset({fault}) for fault in get_args(Fault) if fault not in (*ANSWERED, "format")},
}
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
class PassK:
    """Pass^k over the scenarios of which k trials finished (`over.n`). `low`: over all, with unfinished trials as
    failures."""

    over: Estimate
    low: float


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in figures, over finished rollouts. `skipped`: scenarios without goals that were not searched. `reward` and
    `success`: the same means with n of N and their bound. None: nothing to average. `usd` None: a price is unknown."""

    scenarios: int
    failed: int
    skipped: int
    reward: Rate
    success: Rate
    average_reward: Estimate | None
    success_rate: Estimate | None
    pass_k: tuple[PassK, ...]
    calls: int
    tokens: int
    usd: float | None


@dataclass(frozen=True, slots=True)
class Paired:
    """Candidate minus baseline on the scenarios both finished (`n`) of those both were asked for (`pairs`). Average
    Reward with its interval, over those with goals (where none has: success); success with McNemar's exact p. `fixed`:
    only the candidate succeeds in a majority of trials; `broken`: only the baseline; `both` and `neither`: how many
    scenarios. `graded`: success is the world's own grade, which says more than the goals. `difference_low`,
    `success_difference_low`: over all pairs, were every unfinished trial a failure of the candidate's and a success of
    the baseline's. `before`, `after`: each side's success with its own n of N."""

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
    pairs: int
    difference_low: float
    success_difference_low: float
    before: Rate
    after: Rate
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
    """Which failed calls are meant: all of a tool; of a kind of error (`FAULTS`, Table 4a's among them); or tries
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
    """Table 4a (`kinds`: the share of conversations with such an error, by the kinds of `FAULTS`), Figure 4c (errors
    per API), Figure 5 (top parameter errors)."""

    kinds: Mapping[str, float]
    errors_by_api: Mapping[str, int]
    parameter_errors: tuple[ParameterError, ...]
    n: int


def summarise(rollouts: Sequence[Rollout]) -> Summary:
    done = [rollout for rollout in rollouts if rollout.state == "done"]
    usds = [rollout.usd for rollout in rollouts]
    rewards, successes = scenario_means(rollouts, reward), scenario_means(rollouts, success)
    return Summary(
        scenarios=len({rollout.scenario_id for rollout in rollouts}),
        failed=sum(rollout.state == "failed" for rollout in rollouts),
        skipped=sum(success(rollout) is None for rollout in done),
        reward=rate(rollouts, reward),
        success=rate(rollouts, success),
        average_reward=_estimate_of(rewards),
        success_rate=_estimate_of(successes),
        pass_k=pass_hat_k(rollouts),
        calls=sum(rollout.usage.calls for rollout in rollouts),
        tokens=sum(rollout.usage.prompt_tokens + rollout.usage.completion_tokens for rollout in rollouts),
        usd=None if any(usd is None for usd in usds) else sum(usd or 0.0 for usd in usds),
    )


def pass_hat_k(rollouts: Sequence[Rollout]) -> tuple[PassK, ...]:
    """For k = 1..most finished trials: the mean over scenarios of C(successes, k) / C(trials, k)."""
    told = scenario_means(rollouts, success)
    tallies = []  # per scenario: successes, finished trials, trials asked for
    for trials in (trials for scenario, trials in by_scenario(rollouts).items() if scenario in told):
        outcomes = [success(each) for each in trials if each.state == "done"]
        tallies.append((outcomes.count(1.0), len(outcomes) - outcomes.count(None), len(trials) - outcomes.count(None)))
    return tuple(
        PassK(
            estimate([math.comb(right, k) / math.comb(done, k) for right, done, _ in tallies if done >= k]),
            sum(math.comb(right, k) / max(1, math.comb(asked, k)) for right, _, asked in tallies) / len(tallies),
        )
        for k in range(1, max((done for _, done, _ in tallies), default=0) + 1)
    )


def estimate(values: Sequence[float]) -> Estimate:
    """Mean and bootstrap percentile interval; resamples are drawn by a fixed seed, so a figure repeats."""
    sample = np.asarray(values, dtype=float)
    low, high = _interval(sample)
    return Estimate(float(sample.mean()), low, high, len(sample))


def compare(baseline: Sequence[Rollout], candidate: Sequence[Rollout]) -> Paired | None:
    """The paired comparison on the scenarios both finished; None where there is none."""
    pairs = _paired(scenario_means(baseline, success), scenario_means(candidate, success))
    rewarded = _paired(scenario_means(baseline, reward), scenario_means(candidate, reward))
    outcomes = {each: known for each, pair in pairs.items() if (known := _known(pair)) is not None}
    if not outcomes:
        return None
    successes = [after - before for before, after in outcomes.values()]
    rewards = [known[1] - known[0] for pair in rewarded.values() if (known := _known(pair)) is not None]
    won = {each: (before > 0.5, after > 0.5) for each, (before, after) in outcomes.items()}  # a tie is no majority
    fixed = tuple(each for each in won if won[each] == (False, True))
    broken = tuple(each for each in won if won[each] == (True, False))
    difference = estimate(rewards or successes)
    return Paired(
        difference=difference.value,
        low=difference.low,
        high=difference.high,
        success_difference=estimate(successes),
        p=mcnemar(len(fixed), len(broken)),
        fixed=fixed,
        broken=broken,
        both=sum(each == (True, True) for each in won.values()),
        neither=sum(each == (False, False) for each in won.values()),
        n=len(outcomes),
        pairs=len(pairs),
        difference_low=_least(rewarded if rewards else pairs),
        success_difference_low=_least(pairs),
        before=rate(baseline, success),
        after=rate(candidate, success),
        graded=all(each.grade is not None for each in candidate if each.state == "done" and each.scenario_id in won),
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
        errors.update(_tool(each.call) for each in calls if each.call.error is not None)
        parameters.update((api, parameter, kind) for _, api, parameter, kind in _parameter_errors(tree, calls))
    total = sum(parameters.values())
    n = len(conversations)
    return ErrorAnalysis(
        kinds={kind: _share(conversations, faults) for kind, faults in FAULTS.items()},
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
        and wanted.api in (None, _tool(each.call))
        and (wanted.table is None or each.call.fault in FAULTS.get(wanted.table, ()))
    )


def spreads(rollouts: Sequence[Rollout]) -> tuple[Spread, ...]:
    """By resampling the conversations played, with replacement: how far a mean over so many would vary."""
    told = [(reward(each), float(each.success)) for each in rollouts if each.state == "done" and each.goals]
    if len(told) < 2:
        return ()
    figures = np.array(told)
    generator = np.random.default_rng(2409_04617)
    found = []
    for n in sorted({*(size for size in SPREAD_SIZES if size < len(told)), len(told)}):
        means = np.array([figures[generator.integers(0, len(told), n)].mean(axis=0) for _ in range(SPREAD_RESAMPLES)])
        found.append(Spread(n, *map(float, means.std(axis=0))))
    return tuple(found)


def _tool(call: ToolCall) -> str:
    """Whose error it is: the tool's; where none is named, the fault's own."""
    return call.name or f"({'unparsable' if call.fault in ('format', None) else call.fault})"


def _share(conversations: Sequence[tuple[Tree, Sequence[PlacedCall]]], faults: frozenset[str]) -> float:
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


def _estimate_of(means: Mapping[str, Mean]) -> Estimate | None:
    known = [mean.value for mean in means.values() if mean.value is not None]
    return estimate(known) if known else None


def _paired(before: Mapping[str, Mean], after: Mapping[str, Mean]) -> dict[str, tuple[Mean, Mean]]:
    return {each: (before[each], after[each]) for each in sorted(before.keys() & after.keys())}


def _known(pair: tuple[Mean, Mean]) -> tuple[float, float] | None:
    """Both sides' means; None where one has none."""
    before, after = (mean.value for mean in pair)
    return None if before is None or after is None else (before, after)


def _least(pairs: Mapping[str, tuple[Mean, Mean]]) -> float:
    return sum(after.low - before.high for before, after in pairs.values()) / len(pairs)


def _interval(sample: npt.NDArray[np.float64]) -> tuple[float, float]:
    generator = np.random.default_rng(2409_04617)
    means = [
        sample[generator.integers(0, len(sample), (500, len(sample)))].mean(axis=1) for _ in range(RESAMPLES // 500)
    ]
    tail = (1 - CONFIDENCE) / 2 * 100
    low, high = np.percentile(np.concatenate(means), [tail, 100 - tail])
    return float(low), float(high)
