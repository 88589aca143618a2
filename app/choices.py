"""The fields of the Run page's form: their defaults, the paper's preset, a former run's settings, and what a filled
form asks for.

Nothing is used that the form does not show. Names are those of `RunRequest` and `RunLimits`, and of the form's own
ways to pick scenarios; defaults are those of `josh_engine.config`, so the page and the command line start from the
same values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app import catalog
from app.choosing import ScenarioFilter, ScenarioLine, filtered, pasted
from app.extras import in_words
from app.settings import RunRequest
from josh_engine.config import STRATEGIES, Run, RunConfig, RunLimits, paper_preset
from josh_engine.prompting import prompt_text

Choices = Mapping[str, Any]  # field -> value; None: left open
STRATEGY_MEANINGS = "josh: the paper's Algorithm 1. greedy: one conversation per scenario, for comparison."
PAPER_MEANINGS = (
    "Appendix B, for llama-3-8B: beam 8, branching 2, temperature 1.5, top-p 0.75, top-k 50; "
    "depth 15 and 3 generations per turn as in the authors' code."
)
FIRST_SCENARIOS = 20  # enough to see the search work, done in seconds with the offline players
FIRST, FILTER, IDS = "The first", "By filter", "By id"
PICKS = (FIRST, FILTER, IDS)
LIMIT_FIELDS = ("concurrency", "budget_calls", "budget_usd")
PICK_FIELDS = ("pick", "domains", "least", "most", "text", "ids")
OPTIONS: Mapping[str, Sequence[str]] = {
    "goal_rule": ("paper", "authors"),
    "order": ("sorted", "list"),
    "strict_arguments": ("off", "on"),
}


def _fields(config: RunConfig) -> dict[str, Any]:
    """What a configuration says, field by field."""
    return {
        "strategy": config.strategy.name,
        "beam": config.strategy.max_beam,
        "branching": config.strategy.branching_factor,
        "depth": config.strategy.max_depth,
        "temperature": config.sampling.temperature,
        "top_p": config.sampling.top_p,
        "top_k": config.sampling.top_k,
        "max_tokens": config.sampling.max_tokens,
        "user_temperature": config.user_sampling.temperature,
        "max_generations": config.max_generations,
    }


_PLAIN = RunConfig(world=catalog.DEFAULT_WORLD, split="train", scenarios=())
PAPER: Choices = _fields(paper_preset(_PLAIN))
DEFAULTS: Choices = {
    "world": catalog.DEFAULT_WORLD,
    "split": "train",
    "pick": FIRST,
    "limit": FIRST_SCENARIOS,
    "domains": (),
    "least": 0,
    "most": None,
    "text": "",
    "ids": "",
    "agent": catalog.DEFAULT_AGENT,
    "user": catalog.DEFAULT_USER,
    "model": catalog.EMBEDDED_MODEL,
    "user_model": None,
    "extras": "",
    "user_extras": "",
    **_fields(_PLAIN),
    "seed": _PLAIN.seed,
    "trials": _PLAIN.trials,
    **dict.fromkeys(OPTIONS),
    "concurrency": RunLimits().concurrency,
    "budget_calls": None,
    "budget_usd": None,
    "prompts": {},
}
STRATEGY_NAMES = STRATEGIES
OPTION_MEANINGS = {
    "goal_rule": "Which calls pay a goal: as the paper says, or as its public code has it.",
    "order": "ToolWOZ only: the order of its test split.",
    "strict_arguments": "τ-bench retail only. On: arguments of other types than the tools' schema names are refused."
    " The benchmark takes them, so its figures are those with it off.",
}


def suited_fields(world: str) -> dict[str, Any]:
    """The fields that go with another world."""
    suited = catalog.suited(world)
    return {
        "agent": suited.agent,
        "user": suited.user,
        "model": DEFAULTS["model"] if suited.agent == catalog.DEFAULT_AGENT else None,
        "depth": suited.depth or DEFAULTS["depth"],
        "max_generations": suited.max_generations or DEFAULTS["max_generations"],
    }


def request(chosen: Choices, lines: Sequence[ScenarioLine] = ()) -> RunRequest:
    """`lines`: the scenarios of the chosen split; needed unless the first so many are wanted."""
    apart = (*LIMIT_FIELDS, *PICK_FIELDS, *OPTIONS, "limit")
    plain = {name: value for name, value in chosen.items() if name not in apart}
    options = {name: chosen[name] for name in OPTIONS if chosen[name] is not None}
    if chosen["pick"] == FIRST:
        return RunRequest(**plain, limit=chosen["limit"], options=options)
    if chosen["pick"] == IDS:
        return RunRequest(**plain, scenarios=pasted(chosen["ids"], [line.id for line in lines]), options=options)
    found = tuple(line.id for line in filtered(lines, scenario_filter(chosen)))
    return RunRequest(**plain, scenarios=found, limit=chosen["limit"], options=options)


def scenario_filter(chosen: Choices) -> ScenarioFilter:
    return ScenarioFilter(tuple(chosen["domains"]), chosen["least"] or 0, chosen["most"], chosen["text"])


def limits(chosen: Choices) -> RunLimits:
    """Raises ConfigError."""
    return RunLimits(**{name: chosen[name] for name in LIMIT_FIELDS}).checked()


def cloned(run: Run, known: Sequence[str]) -> dict[str, Any]:
    """A run's settings as the form's. `known`: the ids of its split, in order; the first so many are told as such."""
    config = run.config
    first = tuple(known[: len(config.scenarios)]) == config.scenarios
    return {
        **DEFAULTS,
        **_fields(config),
        "world": config.world,
        "split": config.split,
        "pick": FIRST if first else IDS,
        "limit": len(config.scenarios) if first else FIRST_SCENARIOS,
        "ids": "" if first else "\n".join(config.scenarios),
        "agent": config.agent,
        "user": config.user,
        "model": config.model,
        "user_model": config.user_model,
        "extras": in_words(config.extras),
        "user_extras": in_words(config.user_extras),
        "seed": config.seed,
        "trials": config.trials,
        **{name: config.options.get(name) for name in OPTIONS},
        "concurrency": run.limits.concurrency,
        "budget_calls": run.limits.budget_calls,
        "budget_usd": run.limits.budget_usd,
        "prompts": edited_prompts(config.prompts),
    }


def edited_prompts(texts: Mapping[str, str]) -> dict[str, str]:
    """Those that are not the shipped ones."""
    return {name: text for name, text in texts.items() if text != prompt_text(name)}


def beyond_the_form(chosen: Choices, offered: Mapping[str, Sequence[str | None]]) -> tuple[str, ...]:
    """Which of a former run's parts the form does not offer, in words: those named as module:attribute, for a page
    runs no code by name."""
    return tuple(f"{name.replace('_', ' ')} {chosen[name]}" for name in offered if chosen[name] not in offered[name])
