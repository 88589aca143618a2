"""What the services hand back: frozen values that pages draw and the command line prints as JSON.

Field names are the command line's contract; a page and `--json` cannot disagree, for both read these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from josh_engine.config import Run, RunNotice
from josh_engine.rates import Rate
from josh_engine.tree import Tree
from josh_engine.values import Event, Label, Rollout, Verdict

Interval = tuple[float, float]
NOT_DECISIVE = "not decisive"
GRADED = "graded in the file"  # in an imported scenario's setup: how its reward came about


@dataclass(frozen=True, slots=True)
class Progress:
    """A run on its way. `finished` counts rollouts that are done or failed, of `total`; `average_reward` is the mean
    over those done so far, None before the first. `seconds` is wall time of this sitting."""

    run: str
    finished: int
    failed: int
    total: int
    calls: int
    average_reward: float | None
    seconds: float
    average_reward_low: float | None = None

    @property
    def reward(self) -> Rate:
        return Rate(self.average_reward, self.average_reward_low, self.finished - self.failed, self.total)


@dataclass(frozen=True, slots=True)
class SideUsage:
    """What one side's model was asked, over all sittings, unfinished turns included. `usd` None: the price is
    unknown; `seconds_per_call` None: it was not asked. A part that plays without a model has no calls here."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = 0.0
    seconds_per_call: float | None = None


@dataclass(frozen=True, slots=True)
class EndpointLine:
    """An endpoint of `josh.toml`. `key_set` None: it names no variable; the key itself is never here."""

    name: str
    model: str
    url: str
    key_env: str
    key_set: bool | None
    price_prompt: float | None
    price_completion: float | None
    max_concurrency: int | None
    requests_per_minute: float | None
    extras: str = ""  # what it is asked beyond the usual, as JSON; no header's value


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run summed up. Metrics are over the `finished` of its `rollouts` (scenarios times trials); those that end in
    `_low` count each unfinished one as 0. `pass_k_n`: over how many scenarios, those with k finished trials.

    `state` may be "interrupted": the store says running, but nobody works on it. `skipped` counts scenarios without
    goals. Intervals are 95 %, None where there is no figure. `usd` None: the price is unknown. `seconds` is wall time
    over all sittings; `critical_path_seconds` the longest rollout's sum over asks of the slowest turn. `prompts`: the
    sha256 of each prompt text played with. `notices`: what the models did without a word, each told once. `options`:
    the world's switches that were set.
    """

    run: str
    name: str
    state: str
    scenarios: int
    rollouts: int
    finished: int
    failed: int
    skipped: int
    average_reward: float | None
    average_reward_interval: Interval | None
    success_rate: float | None
    success_rate_interval: Interval | None
    pass_k: tuple[float, ...]
    calls: int
    tokens: int
    usd: float | None
    seconds: float
    critical_path_seconds: float
    paused_by: str | None
    error: str | None
    agent_usage: SideUsage = SideUsage()
    user_usage: SideUsage = SideUsage()
    agent_model: str | None = None
    user_model: str | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    pass_k_intervals: tuple[Interval, ...] = ()
    notices: tuple[RunNotice, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    average_reward_low: float | None = None
    success_rate_low: float | None = None
    pass_k_low: tuple[float, ...] = ()
    pass_k_n: tuple[int, ...] = ()

    @property
    def reward(self) -> Rate:
        return Rate(self.average_reward, self.average_reward_low, self.finished, self.rollouts)

    @property
    def success(self) -> Rate:
        return Rate(self.success_rate, self.success_rate_low, self.finished, self.rollouts)

    @property
    def pass_rates(self) -> tuple[Rate, ...]:
        """Pass^k for k from 1, each of the scenarios."""
        told = zip(self.pass_k, self.pass_k_low, self.pass_k_n, strict=True)
        return tuple(Rate(value, low, n, self.scenarios) for value, low, n in told)

    @property
    def several(self) -> bool:
        """Whether scenarios were to be played more than once, so that Pass^k says something."""
        return self.rollouts > self.scenarios


@dataclass(frozen=True, slots=True)
class RunLine:
    """One line of the list of runs. `state` and `options` as in RunResult, and so are the figures; `full`: how many
    rollouts have 100 % success."""

    run: str
    name: str
    world: str
    split: str
    strategy: str
    agent: str
    user: str
    state: str
    scenarios: int
    rollouts: int
    finished: int
    average_reward: float | None
    success_rate: float | None
    created: str
    tags: Sequence[str] = ()
    notices: tuple[RunNotice, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    average_reward_low: float | None = None
    success_rate_low: float | None = None
    full: int = 0

    @property
    def reward(self) -> Rate:
        return Rate(self.average_reward, self.average_reward_low, self.finished, self.rollouts)

    @property
    def success(self) -> Rate:
        return Rate(self.success_rate, self.success_rate_low, self.finished, self.rollouts)


@dataclass(frozen=True, slots=True)
class OpenedRollout:
    """One rollout with everything a person wants to see of it. `last_seq` is the number of the last event read
    (-1: none yet); `verdicts` are all, superseded ones included; `labels` already heed them. `events` are those that
    `tree` is folded from, with their numbers; `missing` says in words what the log lacks, empty where it is whole."""

    run: Run
    rollout: Rollout
    tree: Tree
    verdicts: tuple[Verdict, ...]
    labels: Mapping[str, Label]
    last_seq: int
    events: tuple[tuple[int, Event], ...] = ()
    missing: str = ""


@dataclass(frozen=True, slots=True)
class GateResult:
    """A quality gate: `count` is the figure it looks at; None: there is none."""

    ok: bool
    count: int | None


@dataclass(frozen=True, slots=True)
class ExportResult:
    """An export. `files`: name -> sha256; `lines`: name -> how many. `rows` are those of all formats together.
    `funnel` counts from rollouts to rows; `held_out` scenarios are for validation. `id` is None where nothing was
    recorded (a preview or a download)."""

    files: Mapping[str, str]
    rows: int
    positives: int
    negatives: int
    scenarios: int
    gates: Mapping[str, GateResult]
    lines: Mapping[str, int] = field(default_factory=dict)
    funnel: Mapping[str, int] = field(default_factory=dict)
    held_out: int = 0
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """This run minus the baseline, on the `n` scenarios both finished of the `pairs` both were asked for. `graded`: the
    world grades conversations itself, so success decides; else Average Reward. `low`..`high`: 95 % of the difference in
    Average Reward, `success_low`..`success_high` of that in success. `fixed` and `broken` are scenario ids; `both` and
    `neither` count the others that both or none succeed in. `difference_low`, `success_difference_low`: over all pairs,
    with everything unfinished against this run. `finished` of `asked` rollouts are this run's, and so of the
    baseline's."""

    baseline: str
    n: int
    difference: float
    low: float
    high: float
    success_difference: float
    success_low: float
    success_high: float
    p: float
    fixed: Sequence[str]
    broken: Sequence[str]
    both: int = 0
    neither: int = 0
    graded: bool = False
    pairs: int = 0
    difference_low: float | None = None
    success_difference_low: float | None = None
    finished: int = 0
    asked: int = 0
    baseline_finished: int = 0
    baseline_asked: int = 0

    @property
    def verdict(self) -> str:
        """better, worse or undecided: by whether the decisive interval holds 0. Or "not decisive"."""
        if self.short:
            return NOT_DECISIVE
        low, high = self.decisive
        if low > 0:
            return "better"
        return "worse" if high < 0 else "undecided"

    @property
    def told(self) -> str:
        """The verdict, with the reason where there can be none."""
        return f"{self.verdict}: {self.short}" if self.short else self.verdict

    @property
    def short(self) -> str:
        """Which side finished too little for a verdict, in words; empty where both finished enough."""
        sides = (
            ("base", Rate(None, None, self.baseline_finished, self.baseline_asked)),
            ("candidate", Rate(None, None, self.finished, self.asked)),
        )
        return " and ".join(f"{side.of} finished on the {name}'s side" for name, side in sides if not side.enough)

    @property
    def decisive(self) -> Interval:
        """The interval that says whether one is better."""
        return (self.success_low, self.success_high) if self.graded else (self.low, self.high)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A run judged: its result, what the agent did wrong, and the comparison where one was asked for. `error_kinds`:
    the share of finished conversations with such an error, Table 4a's two among them. `trials`: how each trial of a
    scenario ended, where there were several; None: it did not finish. `floor`: the success of doing nothing on the same
    scenarios, where the world can tell; `won_by_doing_nothing`: in which of them. `unachievable`: those whose gold
    writes cannot all succeed; `caveat`: what a grade of these must be read with, in words."""

    result: RunResult
    bad_api_use: float | None
    incorrect_format: float | None
    errors_by_api: Mapping[str, int]
    parameter_errors: Sequence[Mapping[str, object]]
    paired: Comparison | None = None
    trials: Mapping[str, Sequence[bool | None]] = field(default_factory=dict)
    floor: float | None = None
    unachievable: Sequence[str] = ()
    won_by_doing_nothing: Sequence[str] = ()
    caveat: str = ""
    error_kinds: Mapping[str, float] = field(default_factory=dict)
