"""The fields of the Run page's form: their defaults, the paper's preset, and what a filled form asks for.

Nothing is used that the form does not show. Names are those of `RunRequest` and `RunLimits`; defaults are those of
`josh_engine.config`, so the page and the command line start from the same values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app import catalog
from app.settings import RunRequest
from josh_engine.config import STRATEGIES, RunConfig, RunLimits, paper_preset

Choices = Mapping[str, Any]  # field -> value; None: left open
STRATEGY_MEANINGS = "josh: the paper's Algorithm 1. greedy: one conversation per scenario, for comparison."
PAPER_MEANINGS = (
    "Appendix B, for llama-3-8B: beam 8, branching 2, temperature 1.5, top-p 0.75, top-k 50; "
    "depth 15 and 3 generations per turn as in the authors' code."
)
FIRST_SCENARIOS = 20  # enough to see the search work, done in seconds with the offline players
LIMIT_FIELDS = ("concurrency", "budget_calls")


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
        "max_generations": config.max_generations,
    }


_PLAIN = RunConfig(world=catalog.DEFAULT_WORLD, split="train", scenarios=())
PAPER: Choices = _fields(paper_preset(_PLAIN))
DEFAULTS: Choices = {
    "world": catalog.DEFAULT_WORLD,
    "split": "train",
    "limit": FIRST_SCENARIOS,
    "agent": catalog.DEFAULT_AGENT,
    "user": catalog.DEFAULT_USER,
    **_fields(_PLAIN),
    "seed": _PLAIN.seed,
    "trials": _PLAIN.trials,
    "concurrency": RunLimits().concurrency,
    "budget_calls": None,
}
STRATEGY_NAMES = STRATEGIES


def request(chosen: Choices) -> RunRequest:
    return RunRequest(**{name: value for name, value in chosen.items() if name not in LIMIT_FIELDS})


def limits(chosen: Choices) -> RunLimits:
    """Raises ConfigError."""
    return RunLimits(**{name: chosen[name] for name in LIMIT_FIELDS}).checked()
