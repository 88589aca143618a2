"""An OpenAI-compatible endpoint as a person describes it. No key: the name of the variable that holds one."""

from __future__ import annotations

from dataclasses import dataclass

from josh_engine.models.prices import Price

USUAL_TRIES = 6  # with doubling pauses from half a second: a quarter of a minute


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds. `connect`: until something answers at all; `first_byte`: until the answer begins, which without
    streaming is when it is generated; `total`: until it is here."""

    connect: float = 4.0  # a wrong address is told within five seconds
    first_byte: float = 300.0
    total: float = 600.0


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

    @property
    def address(self) -> str:
        """What `--model` takes for it."""
        return f"{self.model}@{self.url}"
