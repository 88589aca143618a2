"""Opens the models a run names: an endpoint, a folder with a local model, or code of a person's own.

The one place that reads a key from the environment; it goes straight into the client. Agent and user share a model
that both name, and the limits of an endpoint (address and key) that both use.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app import declaring, extras
from app.catalog import EMBEDDED_MODEL, Declared
from app.endpoints import typed_endpoint
from embedded.weights import checked_model
from josh_engine.config import RunNotice
from josh_engine.errors import ConfigError, MissingKey
from josh_engine.models.endpoint import Endpoint, Extras
from josh_engine.models.notices import Notice
from josh_engine.ports import ChatModel, Table

if TYPE_CHECKING:
    from josh_engine.models.limits import Limits
    from josh_engine.models.openai_chat import OpenAIChat

MEMORY_VARIABLE = "JOSH_MODEL_MEMORY"

Source = Endpoint | Path | None  # None: code, named as module:attribute


def model_source(name: str, recorded: Mapping[str, str] | None = None) -> Source:
    """What a model's name stands for. `recorded`: the addresses that endpoints had when the run was made.

    Raises ConfigError where a name now stands for another model than it did: the run would not be the same one. A
    server that moved is no such case. DatasetError where the embedded model is damaged.
    """
    if name == EMBEDDED_MODEL:
        return checked_model()
    own = declaring.own_parts()
    before = typed_endpoint((recorded or {}).get(name, ""))
    now = own.endpoints.get(name)
    if now is not None and before is not None and now.model != before.model:
        raise ConfigError(
            f"{own.file}: models.{name} is now {now.model!r}, but the run was made with {before.model!r}.",
            remedy="Give the new model a name of its own, or start a new run.",
        )
    if now is not None or before is not None:
        return now or before
    if name in own.named("model"):
        return None
    typed = typed_endpoint(name)
    if typed is not None:
        return _described(typed, own)
    folder = Path(name).expanduser()
    return folder.absolute() if folder.is_dir() else None


def endpoint_named(name: str) -> Endpoint:
    """Raises ConfigError for a name that is no endpoint's."""
    source = model_source(name)
    if isinstance(source, Endpoint):
        return source
    known = ", ".join(declaring.own_parts().endpoints) or "none yet"
    raise ConfigError(f"{name!r} is no endpoint.", remedy=f"Give NAME@URL, or a name from josh.toml ({known}).")


def asked_with(name: str, source: Source, kept: Extras) -> Source:
    """The source as a run asks it (`RunConfig.extras`). Raises ConfigError where that can't be."""
    if isinstance(source, Endpoint):
        return replace(source, extras=extras.played(kept, source.extras, name))
    if kept != Extras():
        raise ConfigError(
            f"{name!r} is no endpoint, so nothing can be added to its requests.", remedy="Leave that out."
        )
    return source


def key_of(endpoint: Endpoint) -> str:
    """The key in the endpoint's variable; empty where it names none. Raises MissingKey naming the variable."""
    return _secret(endpoint, endpoint.key_env) if endpoint.key_env else ""


def headers_of(endpoint: Endpoint) -> tuple[dict[str, str], tuple[str, ...]]:
    """The endpoint's headers with their values, and which of these come from the environment and appear nowhere.

    Raises MissingKey naming the variable that is not set."""
    headers, begins = endpoint.extras.headers, extras.FROM_ENVIRONMENT
    named = {name: value.removeprefix(begins) for name, value in headers.items() if value.startswith(begins)}
    secrets = {name: _secret(endpoint, variable) for name, variable in named.items()}
    return {**headers, **secrets}, tuple(secrets.values())


def _secret(endpoint: Endpoint, variable: str) -> str:
    secret = os.environ.get(variable, "").strip()
    if not secret:
        raise MissingKey(
            f"{endpoint.url} wants a key in {variable}, which is not set.",
            remedy=f"export {variable}=... and start again.",
        )
    if not secret.isascii() or not secret.isprintable():
        raise MissingKey(f"The key in {variable} holds characters that no key has.", remedy="Set it again.")
    return secret


def opened_endpoint(endpoint: Endpoint, limits: Limits) -> OpenAIChat:
    """The client, with the secrets it needs. Raises MissingKey."""
    from josh_engine.models.openai_chat import open_endpoint

    headers, secrets = headers_of(endpoint)
    return open_endpoint(endpoint, key_of(endpoint), limits, headers, secrets)


def key_is_set(endpoint: Endpoint) -> bool | None:
    """None: the endpoint names no variable."""
    return bool(os.environ.get(endpoint.key_env, "").strip()) if endpoint.key_env else None


class OpenedModels:
    """The models of one run, each opened once."""

    def __init__(self, table: Table | None = None) -> None:
        self._table = table
        self._models: dict[tuple[Endpoint | Path, Path | None], ChatModel] = {}
        self._limits: dict[tuple[str, str], Limits] = {}
        self._others: list[ChatModel] = []

    def opened(self, source: Endpoint | Path, adapter: Path | None = None) -> ChatModel:
        """`adapter`: a LoRA folder for a local model."""
        named = (source, adapter)
        if named not in self._models:
            opened = self._endpoint(source) if isinstance(source, Endpoint) else _local(source, adapter)
            self._models[named] = opened
        return self._models[named]

    def person(self) -> ChatModel:
        """Whoever sits at the table. Raises ConfigError where there is none."""
        from josh_engine.models.person import PersonModel

        if self._table is None:
            raise ConfigError("A person can play in a run of the app only.", remedy="Open the Talk page.")
        return PersonModel(self._table)

    def also(self, model: ChatModel) -> ChatModel:
        """A model of a person's own, to be closed with the others where it can be."""
        self._others.append(model)
        return model

    def _endpoint(self, endpoint: Endpoint) -> ChatModel:
        from josh_engine.models.openai_chat import limits_of

        place = (endpoint.url, endpoint.key_env)
        if place not in self._limits:
            self._limits[place] = limits_of(endpoint)
        return opened_endpoint(endpoint, self._limits[place])

    def notices(self) -> tuple[RunNotice, ...]:
        """What a person is to be told of these models so far; a model of a person's own may have `notices` too."""
        named = [(_shown_as(source), model) for (source, _), model in self._models.items()]
        named += [(type(model).__name__, model) for model in self._others]
        return tuple(
            RunNotice(name, each.kind, each.text, each.remedy)
            for name, model in named
            for each in getattr(model, "notices", ())
            if isinstance(each, Notice)
        )

    async def close(self) -> None:
        """Ends connections and processes; a model without `close` has none."""
        await self._each("close")

    async def give_up_local(self) -> None:
        """Ends what local models do, whatever it is: the turns that wait for one are left to a resume."""
        await self._each("give_up")

    async def _each(self, verb: str) -> None:
        """Whatever of this name the models have."""
        for model in (*self._models.values(), *self._others):
            act = getattr(model, verb, None)
            acting = act() if callable(act) else None
            if inspect.isawaitable(acting):
                await acting


def _shown_as(source: Endpoint | Path) -> str:
    return source.address if isinstance(source, Endpoint) else str(source)


def _local(folder: Path, adapter: Path | None) -> ChatModel:
    from josh_engine.models.local_chat import open_local

    return open_local(folder, adapter, processes=None, memory=local_memory())


def local_memory() -> int | None:
    """Bytes that each process of a local model may keep of what it read, as JOSH_MODEL_MEMORY says in megabytes.
    Raises ConfigError."""
    said = os.environ.get(MEMORY_VARIABLE, "").strip()
    if said and not (said.isdecimal() and int(said)):
        raise ConfigError(f"{MEMORY_VARIABLE} is {said!r}, but must be megabytes.", remedy="For example: 800")
    return int(said) * 1_000_000 if said else None


def _described(typed: Endpoint, own: Declared) -> Endpoint:
    """The endpoint as josh.toml describes it, where it does: a key's variable, prices, limits."""
    same = (each for each in own.endpoints.values() if (each.model, each.url) == (typed.model, typed.url))
    return next(same, typed)
