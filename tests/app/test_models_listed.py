"""An endpoint and its test in words: what is not known is said to be unknown, and a key is never told."""

from __future__ import annotations

import pytest

from app import models_listed
from app.models_listed import ABILITIES, abilities_in_words, settings_in_words, verdict_in_words
from app.results import EndpointLine
from josh_engine.models.probe import Probe


def line(**given: object) -> EndpointLine:
    plain = {
        "name": "mine", "model": "m", "url": "http://127.0.0.1:1/v1", "key_env": "", "key_set": None,
        "price_prompt": None, "price_completion": None, "max_concurrency": None, "requests_per_minute": None,
    }  # fmt: skip
    return EndpointLine(**{**plain, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "no key · price unknown · no limits but the endpoint's own"),
        ({"key_env": "K", "key_set": True}, "key K is set · price unknown · no limits but the endpoint's own"),
        ({"key_env": "K", "key_set": False}, "key K is NOT set · price unknown · no limits but the endpoint's own"),
        ({"price_prompt": 0.15}, "no key · price unknown · no limits but the endpoint's own"),
        (
            {"price_prompt": 0.15, "price_completion": 0.0, "max_concurrency": 8, "requests_per_minute": 90.0},
            "no key · 0.15 + 0 usd per million tokens · at most 8 at once · 90 requests a minute",
        ),
    ],
)
def test_settings(given, expected):
    assert settings_in_words(line(**given)) == expected


def test_verdicts():
    assert verdict_in_words(None) == "○ not tested"
    assert verdict_in_words(models_listed.Tested(Probe(error="refused"), "2026-01-01T00:00:00")) == "✕ does not answer"
    assert verdict_in_words(models_listed.Tested(Probe(seconds=1.234), "2026-01-01T00:00:00")) == "✓ answers in 1.23 s"


def test_each_ability_is_told_apart_by_its_sign():
    said = abilities_in_words(Probe(seconds=0.1, tools=True, n=False, seed=None, asked=4, parsed=3))
    assert said.split(" · ")[:3] == [
        "✓ tool calls (3 of 4 read as asked)", "✕ several answers at once", "? seeds",
    ]  # fmt: skip
    assert len(said.split(" · ")) == len(ABILITIES)


def test_abilities_that_were_not_counted_have_no_count():
    assert "(" not in abilities_in_words(Probe(seconds=0.1))
