"""From what a person chose to a checked `RunConfig`: the one way in, for the command line and for the Run page.

Every choice that is None falls to the preset, and where there is none to the default in `josh_engine.config`.
Scenario ids are resolved here, so that a run's configuration says exactly what is played, in which order.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from app import catalog, declaring, demands, extras, parts
from app.models import model_source
from josh_engine.config import RunConfig, StrategyConfig, paper_preset
from josh_engine.errors import ConfigError
from josh_engine.models.endpoint import Endpoint, Extras
from josh_engine.values import Scenario

PRESETS = ("paper",)
STORE_VARIABLE = "JOSH_STORE"
DATA_VARIABLE = "JOSH_DATA"


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a person may choose for a run. None: the preset's value, else what suits the world (`app.catalog`), else the
    default. `model` None: the embedded one where the agent is the default one, which speaks its form; else none.

    `scenarios`: these ids, in this order; None: the split's own order. `limit`: only the first so many. `prompts`:
    edited prompt texts by name. `extras`: what the agent's endpoint is asked beyond the usual, as JSON with the keys of
    `app.extras`; `user_extras`: the user's.
    """

    world: str = catalog.DEFAULT_WORLD
    split: str = "train"
    scenarios: Sequence[str] | None = None
    limit: int | None = None
    agent: str | None = None
    user: str | None = None
    model: str | None = None
    user_model: str | None = None
    adapter: str | None = None
    strategy: str | None = None
    beam: int | None = None
    branching: int | None = None
    depth: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    user_temperature: float | None = None
    user_top_p: float | None = None
    user_top_k: int | None = None
    user_max_tokens: int | None = None
    max_generations: int | None = None
    seed: int = 0
    trials: int | None = None
    preset: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)
    extras: str | None = None
    user_extras: str | None = None


def store_path() -> Path:
    """Where the store is unless a person says otherwise: JOSH_STORE, else `josh.db` in the working directory."""
    return Path(os.environ.get(STORE_VARIABLE) or "josh.db").absolute()


def data_path(store: Path) -> Path:
    """Where worlds read their data: JOSH_DATA, else `josh-data` beside the store."""
    chosen = os.environ.get(DATA_VARIABLE)
    return Path(chosen).absolute() if chosen else store.absolute().parent / "josh-data"


def build_config(request: RunRequest, data: Path) -> RunConfig:
    """The checked configuration. Raises ConfigError naming what cannot be and what can; nothing is written."""
    suited = catalog.suited(request.world)
    agent = suited.agent if request.agent is None else request.agent
    user = suited.user if request.user is None else request.user
    for kind, name in (("agent", agent), ("user", user)):
        catalog.address(kind, name, declaring.own_parts())  # type: ignore[arg-type]
    plain = StrategyConfig(name=request.strategy) if request.strategy else StrategyConfig()
    defaults = RunConfig(request.world, request.split, ())
    config = RunConfig(
        world=request.world,
        split=request.split,
        scenarios=(),
        agent=agent,
        user=user,
        model=_model(_agents_model(request.model, agent)),
        user_model=_model(request.user_model),
        adapter=None if request.adapter is None else str(Path(request.adapter).expanduser().absolute()),
        strategy=replace(plain, max_depth=suited.depth or plain.max_depth),
        max_generations=suited.max_generations or defaults.max_generations,
        seed=request.seed,
        trials=_trials(request, suited.trials if plain.name == "greedy" else 1),
        options=dict(sorted(request.options.items())),
    )
    config = _chosen(_preset(config, request.preset), request)
    replace(config, scenarios=("any",)).checked()  # cheap mistakes are told before a world is opened
    config = replace(
        config,
        extras=_extras(config.model, request.extras, "--extras"),
        user_extras=_extras(config.user_model, request.user_extras, "--user-extras"),
    )
    parts.check(config)
    config = replace(config, endpoints=parts.recorded_endpoints(config), hashes=parts.recorded_hashes(config))
    demands.check_models(config)
    config = replace(config, prompts=demands.prompts(config, request.prompts))
    chosen = _scenarios(request, data)
    demands.check_guides(config, chosen)
    return replace(config, scenarios=tuple(scenario.id for scenario in chosen)).checked()


def _trials(request: RunRequest, default: int) -> int:
    return default if request.trials is None else request.trials


def _agents_model(chosen: str | None, agent: str) -> str | None:
    """The embedded model is the default one's, whose form it speaks; an agent that needs none goes without it, a
    shipped one without any, so that no run names a model that said nothing in it."""
    if chosen is None:
        return catalog.EMBEDDED_MODEL if agent == catalog.DEFAULT_AGENT else None
    shipped = chosen == catalog.EMBEDDED_MODEL or agent in catalog.CATALOG["agent"]
    idle = shipped and not parts.declares("agent", agent, "needs_model")
    return None if idle else chosen


def _model(name: str | None) -> str | None:
    """A folder by its whole path, so that the run finds it from anywhere; any other name as it is."""
    apart = (catalog.EMBEDDED_MODEL, catalog.PERSON)
    source = None if name is None or name in apart else model_source(name)
    return str(source) if isinstance(source, Path) else name


def _extras(model: str | None, chosen: str | None, where: str) -> Extras:
    """What the endpoint's table says, and what was chosen for the run over it; as the run keeps it."""
    typed = extras.typed_extras(chosen, where)
    source = None if model in (None, catalog.PERSON) else model_source(model)
    return extras.recorded(extras.merged(source.extras if isinstance(source, Endpoint) else Extras(), typed))


def _preset(config: RunConfig, name: str | None) -> RunConfig:
    if name is None:
        return config
    if name not in PRESETS:
        raise ConfigError(f"Unknown preset {name!r}.", remedy=f"Use one of: {', '.join(PRESETS)}.")
    return paper_preset(config)


def _chosen(config: RunConfig, request: RunRequest) -> RunConfig:
    """The configuration with the person's own choices laid over the preset's."""

    def given(**choices: Any) -> dict[str, Any]:
        return {name: value for name, value in choices.items() if value is not None}

    sampling = given(
        temperature=request.temperature,
        top_p=request.top_p,
        top_k=request.top_k,
        max_tokens=request.max_tokens,
    )
    user_sampling = given(
        temperature=request.user_temperature,
        top_p=request.user_top_p,
        top_k=request.user_top_k,
        max_tokens=request.user_max_tokens,
    )
    strategy = given(
        max_beam=request.beam,
        branching_factor=request.branching,
        max_depth=request.depth,
    )
    return replace(
        config,
        sampling=replace(config.sampling, **sampling),
        user_sampling=replace(config.user_sampling, **user_sampling),
        strategy=replace(config.strategy, **strategy),
        **given(max_generations=request.max_generations),
    )


def _scenarios(request: RunRequest, data: Path) -> tuple[Scenario, ...]:
    if request.limit is not None and request.limit < 1:
        raise ConfigError(f"limit is {request.limit}, but must be at least 1.")
    world = parts.open_world(request.world, data, request.options)
    listed = parts.scenarios(world, request.split)
    if request.scenarios is None:
        return tuple(islice(listed, request.limit))
    known, wanted = {scenario.id: scenario for scenario in listed}, tuple(request.scenarios)
    if strangers := sorted(set(wanted) - known.keys()):
        raise ConfigError(
            f"Split {request.split!r} of {request.world} has no scenario {strangers[0]!r}"
            + (f" (nor {len(strangers) - 1} more)." if len(strangers) > 1 else "."),
            remedy=f"It has {len(known)}" + (f", for example {next(iter(known))!r}." if known else "."),
        )
    if len(set(wanted)) != len(wanted):
        raise ConfigError("A scenario is listed twice.", remedy="Use trials to play scenarios more than once.")
    return tuple(known[each] for each in wanted[: request.limit])
