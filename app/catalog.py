"""Short names for the parts a run is made of, as "module:attribute". Pure: nothing is imported from here.

A person's own parts get short names in `josh.toml` (`app.declaring` reads it; `declared` checks what it holds). Any
"module:attribute" is a name too, so a part needs no entry. The page offers the short names only: a name typed into a
page must never run code. A model is mostly no code but an endpoint (`app.endpoints`) or a folder (`app.models`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from app.endpoints import declared_endpoint
from josh_engine.errors import ConfigError
from josh_engine.models.endpoint import Endpoint

Kind = Literal["world", "agent", "user", "model"]
KINDS: tuple[Kind, ...] = get_args(Kind)

DEFAULT_WORLD = "toolwoz-generated"  # the embedded default: no key, no GPU, no download
DEFAULT_AGENT = "react"
DEFAULT_USER = "agenda"
PERSON = "person"  # the model and the user of a side that a person plays, on the Talk page
EMBEDDED_MODEL = "embedded"  # the model that comes with the product: no code and no endpoint, but a folder
OFFLINE_AGENT = "scripted"  # plays without any model
FOREIGN_AGENT, FOREIGN_USER = "foreign:agent", "foreign:user"  # of imported results: nobody here plays them

CATALOG: Mapping[Kind, Mapping[str, str]] = {
    "world": {
        "toolwoz-generated": "toolwoz.generated:open_world",
        "toolwoz": "toolwoz:open_world",
        "tau-retail": "taubench:open_world",
    },
    "agent": {
        "react": "josh_engine.agents.react:ReactAgent",
        "scripted": "toolwoz.scripted:ScriptedAgent",
        "act": "josh_engine.agents.act:ActAgent",
        "function_calling": "josh_engine.agents.function_calling:FunctionCallingAgent",
        "tau_function_calling": "josh_engine.agents.tau:TauFunctionCallingAgent",
        "tau_react": "josh_engine.agents.tau:TauReactAgent",
        "tau_act": "josh_engine.agents.tau:TauActAgent",
        "gold_follower": "taubench.offline:GoldFollower",
    },
    "user": {
        "agenda": "toolwoz.agenda:AgendaUser",
        "goal": "josh_engine.users.goal:GoalUser",
        "guide": "josh_engine.users.guide:GuideUser",
        "shopper": "josh_engine.users.shopper:ShopperUser",
        "gold_reader": "taubench.offline:GoldReader",
    },
    "model": {},
}


@dataclass(frozen=True, slots=True)
class Suited:
    """What a world is played with where a person does not say. `depth` and `max_generations` None: the defaults of
    `josh_engine.config`. `trials`: of plain play."""

    agent: str = DEFAULT_AGENT
    user: str = DEFAULT_USER
    depth: int | None = None
    max_generations: int | None = None
    trials: int = 1


# τ-bench ends a conversation after 30 agent steps, calls and replies together; arXiv 2409.04617, section 4, averages 10
# runs on it.
SUITED: Mapping[str, Suited] = {
    "tau-retail": Suited("tau_function_calling", "shopper", depth=30, max_generations=30, trials=10)
}


def suited(world: str) -> Suited:
    return SUITED.get(world, Suited())


_ADDRESS = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_NAME = re.compile(r"[\w][\w.-]{0,63}")
EXAMPLE = '[agents]\nmine = "my_module:MyAgent"'


@dataclass(frozen=True, slots=True)
class Declared:
    """A person's own names, by kind, and the file that gives them ("" where there is none). Models that are
    endpoints stand apart: they are no code."""

    file: str = ""
    parts: Mapping[Kind, Mapping[str, str]] = field(default_factory=dict)
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)

    def named(self, kind: Kind) -> Mapping[str, str]:
        return self.parts.get(kind, {})


NOTHING_DECLARED = Declared()


def declared(parsed: Mapping[str, Any], file: str) -> Declared:
    """What a `josh.toml` declares: tables `worlds`, `agents`, `users` and `models` of name = "module:attribute", and
    a table of its own for each model that is an endpoint.

    Raises ConfigError naming file and key for anything else; a misspelt key must not be a part that is quietly absent.
    """
    tables: dict[str, Kind] = {f"{kind}s": kind for kind in KINDS}
    for key in parsed:
        if key not in tables:
            raise ConfigError(f"{file}: unknown key {key!r}.", remedy=f"It may hold: {', '.join(tables)}.")
    models = parsed.get("models", {})
    apart = (
        {name: each for name, each in models.items() if isinstance(each, Mapping)}
        if isinstance(models, Mapping)
        else {}
    )
    named = dict(parsed)
    if apart:
        named["models"] = {name: each for name, each in models.items() if name not in apart}
    return Declared(
        file,
        {tables[key]: _table(key, named[key], tables[key], file=file) for key in named},
        {name: _endpoint(name, table, file) for name, table in apart.items()},
    )


def names(kind: Kind, own: Declared = NOTHING_DECLARED) -> tuple[str, ...]:
    """The short names of this kind: the default first, a person's own last."""
    if kind == "model":
        return (EMBEDDED_MODEL, *own.named(kind), *own.endpoints)
    return (*CATALOG[kind], *own.named(kind))


def address(kind: Kind, name: str, own: Declared = NOTHING_DECLARED) -> str:
    """The "module:attribute" behind a name, MODEL@URL for an endpoint. Raises ConfigError naming the choices."""
    if (kind, name) == ("user", PERSON):
        return "josh_engine.users.person:PersonUser"
    known = {**CATALOG[kind], **own.named(kind)}
    if name in known:
        return known[name]
    if _ADDRESS.fullmatch(name):
        return name
    if kind == "model":
        if name in (EMBEDDED_MODEL, PERSON):
            return name
        if name in own.endpoints:
            return own.endpoints[name].address
        known_models = ", ".join((*own.named("model"), *own.endpoints))
        raise ConfigError(
            f"Unknown model {name!r}.",
            remedy=f"Give {EMBEDDED_MODEL!r}, NAME@URL, the folder of a local model, a name from josh.toml"
            + (f" ({known_models})" if known_models else "")
            + ", or your own as module:attribute.",
        )
    raise ConfigError(
        f"Unknown {kind} {name!r}.", remedy=f"Use one of: {', '.join(known)}; or your own as module:attribute."
    )


def _endpoint(name: str, table: Mapping[str, Any], file: str) -> Endpoint:
    where = f"{file}: models.{name}"
    if not _NAME.fullmatch(name) or name in (EMBEDDED_MODEL, PERSON):
        raise ConfigError(f"{where} cannot be a name.", remedy="Use letters, digits, dots and dashes.")
    return declared_endpoint(table, where)


def _table(key: str, given: object, kind: Kind, *, file: str) -> dict[str, str]:
    if not isinstance(given, Mapping):
        raise ConfigError(f"{file}: {key} must be a table of names.", remedy=f"For example:\n{EXAMPLE}")
    for name, value in given.items():
        where = f"{key}.{name}"
        if not _NAME.fullmatch(name):
            raise ConfigError(f"{file}: {where} cannot be a name.", remedy="Use letters, digits, dots and dashes.")
        if name in CATALOG[kind] or (kind == "model" and name == EMBEDDED_MODEL) or name == PERSON:
            raise ConfigError(
                f"{file}: {where} is the name of a {kind} that comes with the product.", remedy="Choose another."
            )
        if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
            raise ConfigError(
                f'{file}: {where} must be a text like "my_module:attribute".', remedy=f"For example:\n{EXAMPLE}"
            )
    return dict(given)
