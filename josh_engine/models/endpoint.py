"""An OpenAI-compatible endpoint as a person describes it. No key: the name of the variable that holds one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from josh_engine.models.prices import Price
from josh_engine.values import Json

USUAL_TRIES = 6  # with doubling pauses from half a second: a quarter of a minute


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds. `connect`: until something answers at all; `first_byte`: until the answer begins, which without
    streaming is when it is generated; `total`: until it is here."""

    connect: float = 4.0  # a wrong address is told within five seconds
    first_byte: float = 300.0
    total: float = 600.0


@dataclass(frozen=True, slots=True)
class Extras:
    """How a person wants an endpoint asked beyond what is asked anyway. `body`: fields that go into each request;
    `omit`: fields that are left out of it; `query`: what goes behind the address's "?"; `headers`: sent along, a value
    "env:NAME" being what the variable NAME holds when the run starts.

    A run keeps the headers' names alone: what they hold may be a key.
    """

    body: Mapping[str, Json] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    omit: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`model` as the endpoint calls it; `url` its base, usually ending in /v1. None: not bounded by the person."""

    model: str
    url: str
    key_env: str = ""
    price: Price = Price()
    max_concurrency: int | None = None
    requests_per_minute: float | None = None
    timeouts: Timeouts = Timeouts()
    tries: int = USUAL_TRIES
    extras: Extras = field(default=Extras(), hash=False)  # mappings have no hash; equality counts them

    @property
    def address(self) -> str:
        """What `--model` takes for it."""
        return f"{self.model}@{self.url}"
