"""The models there are to play with, and what testing an endpoint found, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from app.results import EndpointLine
from josh_engine.models.probe import Probe

EXAMPLE = """\
# josh.toml, where the app is started; the key itself stays in the environment
[models.mine]
url = "http://127.0.0.1:8000/v1"
model = "my-model"
key_env = "MY_KEY"
"""
ABILITIES = (
    ("tools", "tool calls"),
    ("n", "several answers at once"),
    ("seed", "seeds"),
    ("logprobs", "log-probabilities"),
    ("system_only", "a system message alone"),
)
SIGNS = {True: "✓", False: "✕", None: "?"}


@dataclass(frozen=True, slots=True)
class Tested:
    """`when`: ISO 8601 in UTC."""

    probe: Probe
    when: str


def settings_in_words(line: EndpointLine) -> str:
    """Key, price and limits; the key's name and whether it is set, never the key."""
    key = "no key" if line.key_set is None else f"key {line.key_env} {'is set' if line.key_set else 'is NOT set'}"
    limits = []
    if line.max_concurrency is not None:
        limits.append(f"at most {line.max_concurrency} at once")
    if line.requests_per_minute is not None:
        limits.append(f"{line.requests_per_minute:g} requests a minute")
    more = [f"also asked {line.extras}"] if line.extras else []
    return " · ".join([key, _price(line), *(limits or ["no limits but the endpoint's own"]), *more])


def _price(line: EndpointLine) -> str:
    if line.price_prompt is None or line.price_completion is None:
        return "price unknown"
    return f"{line.price_prompt:g} + {line.price_completion:g} usd per million tokens"


def verdict_in_words(tested: Tested | None) -> str:
    """The headline of a test."""
    if tested is None:
        return "○ not tested"
    if tested.probe.error:
        return "✕ does not answer"
    return f"✓ answers in {tested.probe.seconds or 0.0:.2f} s"


def abilities_in_words(probe: Probe) -> str:
    """What works, sign and word; "?" where the answers did not tell."""
    told = [f"{SIGNS[getattr(probe, name)]} {words}" for name, words in ABILITIES]
    if probe.asked:
        told[0] += f" ({probe.parsed} of {probe.asked} read as asked)"
    return " · ".join(told)
