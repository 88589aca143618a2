"""Short names stand for parts; any module:attribute stands for itself; anything else is told with the choices."""

from __future__ import annotations

import importlib

import pytest

from app import catalog
from josh_engine.errors import ConfigError


@pytest.mark.parametrize("kind", ["world", "agent", "user"])
def test_every_short_name_leads_to_something_that_is_there(kind: catalog.Kind) -> None:
    for name in catalog.names(kind):
        module, _, attribute = catalog.address(kind, name).partition(":")
        assert callable(getattr(importlib.import_module(module), attribute))


def test_the_defaults_are_in_the_catalog() -> None:
    assert catalog.names("world")[0] == catalog.DEFAULT_WORLD
    assert catalog.DEFAULT_AGENT in catalog.names("agent")
    assert catalog.DEFAULT_USER in catalog.names("user")


def test_a_module_and_attribute_is_a_name() -> None:
    assert catalog.address("agent", "my_pkg.agents:Mine.build") == "my_pkg.agents:Mine.build"


@pytest.mark.parametrize("name", ["", "nope", "os.system", "a:b:c", "a b:c", "../x:y", ":x", "x:"])
def test_an_unknown_name_is_told_with_the_choices(name: str) -> None:
    with pytest.raises(ConfigError, match="Unknown world") as caught:
        catalog.address("world", name)
    assert "toolwoz-generated, toolwoz" in caught.value.remedy


def test_an_unknown_model_is_told_with_the_ways_to_name_one() -> None:
    with pytest.raises(ConfigError, match=r"NAME@URL.*folder.*module:attribute"):
        catalog.address("model", "nope")
