"""A run's configuration: what reproduces it. Each default quotes its source.

`RunConfig` alone, with the code version, reproduces a run; `RunLimits` stand beside it and may change on resume.
The command line and the Run page both only build one of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from josh_engine.errors import ConfigError
from josh_engine.models.endpoint import Extras
from josh_engine.values import Sampling, State

STRATEGIES = ("josh", "greedy")


@dataclass(frozen=True, slots=True)
class StrategyConfig:
    """How the tree grows. For `greedy` only `max_depth` matters."""

    name: str = "josh"
    max_beam: int = 8  # Appendix B; Table 1 also tries 4 and 16 (+0.015 Average Reward at 16)
    branching_factor: int = 2  # Appendix B
    max_depth: int = 15  # exchanges; the authors' loop (the paper names no number)


@dataclass(frozen=True, slots=True)
class RunConfig:
    """One configuration over many scenarios. Parts are short names or "module:attribute" (see `app.catalog`).

    `scenarios` are ids in playing order, resolved when the run is made. `options` are the world's own switches
    (ToolWOZ: `goal_rule`, `order`). `model` None: the agent plays without a model. `prompts` are the whole texts of
    the prompts that agent and user play with, by name, so an edited one is kept with its run; a prompt that is not
    here is the shipped one. `endpoints` are the addresses (MODEL@URL) behind the names of the models, as they were
    when the run was made; keys stand nowhere. `extras` is what the agent's endpoint is asked beyond the usual, its
    table in josh.toml included, `user_extras` the user's. `adapter` is the folder of a LoRA on the agent's local model.
    `hashes` are those of the local models and of the adapter (`models.local.hashes`), by the names they have here.
    """

    world: str
    split: str
    scenarios: tuple[str, ...]
    agent: str = "scripted"
    user: str = "agenda"
    model: str | None = None
    user_model: str | None = None
    sampling: Sampling = Sampling()
    user_sampling: Sampling = Sampling(temperature=0.0)  # section 4.3: "both were run with zero temperature"
    strategy: StrategyConfig = StrategyConfig()
    max_generations: int = 10  # ours; the authors' code uses 3, which preset `paper` keeps
    seed: int = 0
    trials: int = 1
    options: Mapping[str, str] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    adapter: str | None = None
    extras: Extras = Extras()
    user_extras: Extras = Extras()
    hashes: Mapping[str, str] = field(default_factory=dict)

    def checked(self) -> RunConfig:
        """Itself, or a ConfigError that says which value cannot be and what can."""
        strategy = self.strategy
        if strategy.name not in STRATEGIES:
            raise ConfigError(f"Unknown strategy {strategy.name!r}.", remedy=f"Use one of: {', '.join(STRATEGIES)}.")
        for name, value, least in (
            ("beam", strategy.max_beam, 1),
            ("branching", strategy.branching_factor, 1),
            ("depth", strategy.max_depth, 1),
            ("trials", self.trials, 1),
            ("max generations", self.max_generations, 1),
        ):
            if value < least:
                raise ConfigError(f"{name} is {value}, but must be at least {least}.")
        for side, sampling in (("", self.sampling), ("user ", self.user_sampling)):
            _check_sampling(sampling, side)
        if strategy.name == "josh" and strategy.branching_factor > 1 and self.sampling.temperature == 0:
            raise ConfigError(
                "At temperature 0 all branches of a turn are the same, so a search has nothing to compare.",
                remedy="Raise the temperature (the paper: 1.0 for GPT, 1.5 for llama-3-8B) or set branching to 1.",
            )
        if not self.scenarios:
            raise ConfigError("No scenario was chosen.", remedy="Choose a split with scenarios, or raise the limit.")
        return self


def _check_sampling(sampling: Sampling, side: str) -> None:
    if not 0 <= sampling.temperature <= 5:
        raise ConfigError(f"{side}temperature is {sampling.temperature}, but must be between 0 and 5.")
    if sampling.top_p is not None and not 0 < sampling.top_p <= 1:
        raise ConfigError(f"{side}top-p is {sampling.top_p}, but must be above 0 and at most 1.")
    for name, value in (("top-k", sampling.top_k), ("max-tokens", sampling.max_tokens)):
        if value is not None and value < 1:
            raise ConfigError(f"{side}{name} is {value}, but must be at least 1.")


@dataclass(frozen=True, slots=True)
class RunLimits:
    """What bounds a run without being part of its identity. None: no cap. `concurrency`: scenarios at once."""

    concurrency: int = 16
    budget_calls: int | None = None
    budget_usd: float | None = None

    def checked(self) -> RunLimits:
        if self.concurrency < 1:
            raise ConfigError(f"concurrency is {self.concurrency}, but must be at least 1.")
        for name, cap in (("budget-calls", self.budget_calls), ("budget-usd", self.budget_usd)):
            if cap is not None and cap <= 0:
                raise ConfigError(f"{name} is {cap}, but must be above 0.")
        return self


@dataclass(frozen=True, slots=True)
class RunNotice:
    """What a person is told once about a model of a run (`models.notices`). `model`: MODEL@URL, or a folder."""

    model: str
    kind: str
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.model}: {self.text} {self.remedy}".strip()


@dataclass(frozen=True, slots=True)
class Run:
    """A run as the store knows it. Times are ISO 8601 in UTC; `heartbeat` None: no process has held it or was
    started for it yet.

    `paused_by`: person or budget, while `state` is paused; SIGTERM where its process got that signal; SIGINT where
    that cancelled it. `error`: why the run as a whole failed. `cancel_requested` and `stop_requested`: asked of the
    process that works on it, which has not obeyed yet. `seconds`: wall time over all sittings. `name`, `tags` and
    `note` are a person's and may change at any time. `notices`: what was told of its models, each once.
    """

    id: str
    name: str
    config: RunConfig
    limits: RunLimits
    state: State
    created: str
    code_version: str
    finished: str | None = None
    heartbeat: str | None = None
    paused_by: str | None = None
    error: str | None = None
    cancel_requested: bool = False
    stop_requested: bool = False
    scenario_count: int = 0
    rollouts_done: int = 0
    seconds: float = 0.0
    tags: tuple[str, ...] = ()
    note: str = ""
    notices: tuple[RunNotice, ...] = ()


def paper_preset(config: RunConfig) -> RunConfig:
    """The paper's settings for llama-3-8B (Appendix B) and the authors' code's three generations per turn."""
    return replace(
        config,
        sampling=Sampling(temperature=1.5, top_p=0.75, top_k=50),
        strategy=StrategyConfig(name=config.strategy.name),
        max_generations=3,
    )
