"""What an answer costs: tokens times a price that the person looked up. Nobody's prices are built in: they change.

An unknown price, and tokens an endpoint does not report, make the cost unknown, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from josh_engine.values import Usage


@dataclass(frozen=True, slots=True)
class Price:
    """In usd per million tokens; None: unknown."""

    prompt: float | None = None
    completion: float | None = None


def usd(price: Price, usage: Usage, *, reported: bool = True) -> float | None:
    """What this usage costs; None where price or tokens are unknown (`reported`: the endpoint told the tokens)."""
    if price.prompt == 0 and price.completion == 0:
        return 0.0
    if price.prompt is None or price.completion is None or not reported:
        return None
    return (usage.prompt_tokens * price.prompt + usage.completion_tokens * price.completion) / 1_000_000
