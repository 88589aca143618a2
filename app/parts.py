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
from josh_engine.config import RunConfig
from josh_engine.errors import ConfigError
from josh_engine.models.absent import AbsentModel
from josh_engine.ports import ChatModel, Strategy, World
from josh_engine.rollout import Players
from josh_engine.search import open_strategy
from josh_engine.values import Scenario

VERSION = "0.1.0"
SOURCES = ("josh_engine", "toolwoz")  # what decides how a run goes
KINDS = ("*.py", "*.md")  # code and prompts


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a run plays with. `scenarios`: those of the configuration, by id."""

    world: World
    scenarios: Mapping[str, Scenario]
    players: Players
    strategy: Strategy


def open_parts(config: RunConfig, data: Path) -> Parts:
    world = open_world(config.world, data, config.options)
    listed = _listed(world, config)
    if missing := [each for each in config.scenarios if each not in listed]:
        raise ConfigError(
            f"Scenario {missing[0]!r} is no longer in {config.world}/{config.split}.",
            remedy="The world's data changed since the run was made; start a new run.",
        )
    offered = _offered(config)
    players = Players(
        agent=_open("agent", config.agent, offered),
        user=_open("user", config.user, offered),
        model=_open_model(config.model, "--model", offered),
        user_model=_open_model(config.user_model, "--user-model", offered),
        sampling=config.sampling,
        user_sampling=config.user_sampling,
    )
    return Parts(world, listed, players, open_strategy(config.strategy))


def open_world(name: str, data: Path, options: Mapping[str, str]) -> World:
    """Raises ConfigError naming the worlds there are."""
    world: World = _open("world", name, {"data": data, "options": dict(options)})
    return world


def open_player(kind: catalog.Kind, name: str) -> Any:
    """An agent, user or model alone, with the defaults of everything a run would offer it."""
    plain = RunConfig(catalog.DEFAULT_WORLD, "", ())
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


def _listed(world: World, config: RunConfig) -> dict[str, Scenario]:
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
    """Raises ConfigError for a player that cannot be found; nothing is built yet."""
    named = (("agent", config.agent), ("user", config.user), ("model", config.model), ("model", config.user_model))
    for kind, name in named:
        if name is not None:
            _find(kind, name)  # type: ignore[arg-type]


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


def _open_model(name: str | None, option: str, offered: Mapping[str, Any]) -> ChatModel:
    if name is None:
        return AbsentModel(option)
    model: ChatModel = _open("model", name, offered)
    return model


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
