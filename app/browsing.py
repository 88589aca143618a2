"""Looking into a world: one of its scenarios, and the tables its tools answer from where the world shows them.

A world shows tables by a method `tables(scenario) -> name -> rows`, and says by `note(split)` what a person should know
who chooses a split; it need not, for no run asks for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from app import parts
from josh_engine.errors import ConfigError, DatasetError
from josh_engine.values import Scenario

Tables = Mapping[str, Sequence[Mapping[str, str]]]


def open_scenario(world: str, split: str, scenario_id: str, data: Path) -> tuple[Scenario, Tables]:
    """The scenario, and its town's tables ({}: the world shows none). Raises ConfigError for one that is not there."""
    opened = parts.open_world(world, data, {})
    found = next((each for each in parts.scenarios(opened, split) if each.id == scenario_id), None)
    if found is None:
        raise ConfigError(f"Scenario `{scenario_id}` is not in {world}/{split}.", remedy="Choose one of those listed.")
    shown = getattr(opened, "tables", None)
    return found, dict(shown(found)) if shown else {}


def first_split(world: str, data: Path) -> str:
    """The first that holds scenarios, since a part of a data set may have been imported; else the first."""
    opened = parts.open_world(world, data, {})
    for split in opened.splits:
        with suppress(DatasetError):  # an empty or absent split: the next may hold some
            if len(opened.scenarios(split)):
                return split
    return opened.splits[0]


def split_note(world: str, split: str, data: Path) -> str:
    """The world's word on a split; "" where it has none, or nothing was imported yet."""
    told = getattr(parts.open_world(world, data, {}), "note", None)
    with suppress(DatasetError):  # said where the scenarios are listed
        return str(told(split)) if told else ""
    return ""


def matching(rows: Sequence[Mapping[str, str]], text: str) -> list[Mapping[str, str]]:
    """Those that hold every word somewhere, whatever the case."""
    words = text.casefold().split()
    return [row for row in rows if all(any(word in value.casefold() for value in row.values()) for word in words)]
