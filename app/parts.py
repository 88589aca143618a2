"""Opens the parts a configuration names: world, agent, user, models. The one place that imports by name.

A part is "module:attribute". If the attribute can be called (a class, a function), it is called with those of the
offered keywords that its signature names; so a part asks for what it needs and nothing else.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from app import catalog, declaring
from app.models import OpenedModels, asked_with, headers_of, key_of, model_source
from josh_engine.config import RunConfig, RunLimits
from josh_engine.errors import ConfigError
from josh_engine.models.absent import AbsentModel
from josh_engine.models.endpoint import Endpoint, Extras
from josh_engine.models.local.adapter import check_adapter
from josh_engine.models.local.folder import check_model
from josh_engine.models.local.hashes import folder_hash
from josh_engine.ports import ChatModel, Strategy, Table, World
from josh_engine.rollout import Players
from josh_engine.search import open_strategy
from josh_engine.values import Scenario

VERSION = "0.1.0"
SOURCES = ("josh_engine", "toolwoz", "taubench")  # what decides how a run goes
KINDS = ("*.py", "*.md")  # code and prompts


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a run plays with. `scenarios`: those of the configuration, by id. `models` want to be closed, in the
    event loop that used them."""

    world: World
    scenarios: Mapping[str, Scenario]
    players: Players
    strategy: Strategy
    models: OpenedModels


def open_parts(config: RunConfig, data: Path, table: Table | None = None) -> Parts:
    """`table`: where a person who plays in the run is asked; None: no person can."""
    world = open_world(config.world, data, config.options)
    found = listed(world, config)
    if missing := [each for each in config.scenarios if each not in found]:
        raise ConfigError(
            f"Scenario {missing[0]!r} is no longer in {config.world}/{config.split}.",
            remedy="The world's data changed since the run was made; start a new run.",
        )
    _check_recorded(config)
    offered, models = _offered(config), OpenedModels(table)
    players = Players(
        agent=_open("agent", config.agent, offered),
        user=_open("user", config.user, offered),
        model=_open_model(config.model, "--model", config, models, extras=config.extras, adapter=config.adapter),
        user_model=_open_model(config.user_model, "--user-model", config, models, extras=config.user_extras),
        sampling=config.sampling,
        user_sampling=config.user_sampling,
    )
    return Parts(world, found, players, open_strategy(config.strategy), models)


def open_world(name: str, data: Path, options: Mapping[str, str]) -> World:
    """Raises ConfigError naming the worlds there are."""
    world: World = _open("world", name, {"data": data, "options": dict(options)})
    return world


def open_player(kind: catalog.Kind, name: str) -> Any:
    """An agent, user or model alone, with the defaults of everything a run would offer it."""
    plain = RunConfig(catalog.DEFAULT_WORLD, "", ())
    if kind == "model":
        return _open_model(name, "--model", plain, OpenedModels())
    return _open(kind, name, _offered(plain))


def scenarios(world: World, split: str) -> Sequence[Scenario]:
    """In the world's order. Raises ConfigError naming the splits there are."""
    if split not in world.splits:
        raise ConfigError(
            f"World {world.name!r} has no split {split!r}.", remedy=f"Use one of: {', '.join(world.splits)}."
        )
    return world.scenarios(split)


def _offered(config: RunConfig) -> dict[str, Any]:
    return {
        "max_generations": config.max_generations,
        "options": config.options,
        "seed": config.seed,
        "prompts": config.prompts,
    }


def listed(world: World, config: RunConfig) -> dict[str, Scenario]:
    """The configuration's scenarios by id. Worlds may make scenarios as they are listed, so this stops at the last."""
    wanted = set(config.scenarios)
    found: dict[str, Scenario] = {}
    for scenario in scenarios(world, config.split):
        if scenario.id in wanted:
            found[scenario.id] = scenario
        if len(found) == len(wanted):
            break
    return found


def check(config: RunConfig) -> None:
    """Raises ConfigError for a player that cannot be found, MissingKey for a key; nothing is built yet."""
    for kind, player in (("agent", config.agent), ("user", config.user)):
        _find(kind, player)  # type: ignore[arg-type]
    for name, kept in ((config.model, config.extras), (config.user_model, config.user_extras)):
        if name == catalog.PERSON:
            _check_table(config)
        if name in (None, catalog.PERSON):
            continue
        source = asked_with(name, model_source(name, config.endpoints), kept)
        if source is None:
            _find("model", name)
        elif isinstance(source, Endpoint):
            key_of(source)
            headers_of(source)
        else:
            check_model(source)
    if config.adapter is not None:
        base = None if config.model is None else model_source(config.model, config.endpoints)
        if not isinstance(base, Path):
            raise ConfigError("An adapter goes with a local model.", remedy="Give the model's folder with --model.")
        check_adapter(Path(config.adapter), base)


def _check_table(config: RunConfig) -> None:
    if config.strategy.name != "greedy":
        raise ConfigError("A person plays one conversation, not a search.", remedy="Choose the strategy greedy.")


def check_budget(config: RunConfig, limits: RunLimits) -> None:
    """Raises ConfigError for a cap in usd on an endpoint whose price nobody said: it could not be held."""
    if limits.budget_usd is None:
        return
    for name in _models(config) - {catalog.PERSON}:
        source = model_source(name, config.endpoints)
        if isinstance(source, Endpoint) and None in (source.price.prompt, source.price.completion):
            raise ConfigError(
                f"The price of {name!r} is unknown, so budget-usd cannot be held.",
                remedy="Give price_prompt and price_completion in josh.toml (usd per million), or use budget-calls.",
            )


def recorded_endpoints(config: RunConfig) -> dict[str, str]:
    """The addresses behind the endpoints' names that the run uses, for its configuration."""
    sources = {name: model_source(name) for name in sorted(_models(config) - {catalog.PERSON})}
    return {name: source.address for name, source in sources.items() if isinstance(source, Endpoint)}


def recorded_hashes(config: RunConfig) -> dict[str, str]:
    """Of the folders that the run plays with, by the names it has for them, for its configuration."""
    sources = {name: model_source(name, config.endpoints) for name in sorted(_models(config) - {catalog.PERSON})}
    if config.adapter is not None:
        sources[config.adapter] = Path(config.adapter)
    return {name: folder_hash(source) for name, source in sources.items() if isinstance(source, Path)}


def _check_recorded(config: RunConfig) -> None:
    """Raises ConfigError where a folder holds something else than when the run was made."""
    now = recorded_hashes(config) if config.hashes else {}
    for name, recorded in config.hashes.items():
        if now.get(name, recorded) != recorded:
            raise ConfigError(
                f"{name} is no longer what the run was made with: its sha256 is {now[name]}, but it was {recorded}.",
                remedy="Put its files back as they were, chat template included, or start a new run.",
            )


def _models(config: RunConfig) -> set[str]:
    return {name for name in (config.model, config.user_model) if name is not None}


def declares(kind: catalog.Kind, name: str, what: str) -> Any:
    """What a part says of itself by an attribute (see `app.demands`); None where it says nothing."""
    return getattr(_find(kind, name), what, None)


@cache
def code_version() -> str:
    """The version, and a digest of the sources that decide how a run goes; so an edited copy is told apart."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for source in sorted(path for package in SOURCES for kind in KINDS for path in (root / package).rglob(kind)):
        digest.update(source.relative_to(root).as_posix().encode())
        digest.update(source.read_bytes())
    return f"{VERSION}+{digest.hexdigest()[:12]}"


def _open_model(
    name: str | None,
    option: str,
    config: RunConfig,
    models: OpenedModels,
    *,
    extras: Extras = Extras(),  # noqa: B008 - frozen
    adapter: str | None = None,
) -> ChatModel:
    if name is None:
        return AbsentModel(option)
    if name == catalog.PERSON:
        return models.person()
    source = asked_with(name, model_source(name, config.endpoints), extras)
    if source is None:
        return models.also(_open("model", name, _offered(config)))
    return models.opened(source, None if adapter is None else Path(adapter))


def _open(kind: catalog.Kind, name: str, offered: Mapping[str, Any]) -> Any:
    part = _find(kind, name)
    if not callable(part):
        return part
    asked = inspect.signature(part).parameters.values()
    if any(each.kind is each.VAR_KEYWORD for each in asked):
        return part(**offered)
    needed = [each.name for each in asked if each.default is each.empty and each.kind is not each.VAR_POSITIONAL]
    if strange := [each for each in needed if each not in offered]:
        raise ConfigError(
            f"The {kind} {name!r} asks for {strange[0]!r}, which is not offered.",
            remedy=f"Give it a default, or ask for: {', '.join(offered)}.",
        )
    return part(**{each.name: offered[each.name] for each in asked if each.name in offered})


def _find(kind: catalog.Kind, name: str) -> Any:
    module_name, _, attribute = catalog.address(kind, name, declaring.own_parts()).partition(":")
    declaring.make_importable(kind, name)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"The {kind} {name!r} cannot be loaded: there is no module {error.name!r}.",
            remedy="Run from the folder that holds it, or put that on PYTHONPATH.",
        ) from error
    except Exception as error:
        raise ConfigError(f"The {kind} {name!r} cannot be loaded: {type(error).__name__}: {error}.") from error
    found: Any = module
    for step in attribute.split("."):
        if not hasattr(found, step):
            raise ConfigError(f"The {kind} {name!r} cannot be loaded: {module_name} has no {attribute!r}.")
        found = getattr(found, step)
    return found
