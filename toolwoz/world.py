"""The world `toolwoz`: MultiWOZ's scenarios as a person imported them, read when they are asked for.

Source: arXiv 2409.04617, section 3 and table 3. The order behind "the first 450 of test" is not published: option
`order` is `sorted` (by id, as the authors' code has it; no single-domain scenario is among the 450) or `list`
(MultiWOZ's own test list, the more representative). Option `goal_rule` is explained in `toolwoz.goals`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from josh_engine.encoding import load
from josh_engine.errors import ConfigError, DatasetError
from josh_engine.values import Scenario
from toolwoz.attribution import MULTIWOZ
from toolwoz.database import Database, Row, from_files
from toolwoz.environment import TownEnvironment, scenario_environment
from toolwoz.goals import GoalReward, parse_rule

NAME = "toolwoz"
OFFICIAL_TEST = 450  # table 3
FILES = {"train": "train", "val": "val", "test": "full_test", "full_test": "full_test"}
ORDERS = ("sorted", "list")
IMPORT = "Import MultiWOZ 2.1: python -m app data multiwoz PATH (or --download)."


class MultiwozWorld:
    """Imported ToolWOZ. Files are read on first use and kept."""

    def __init__(self, folder: Path, *, reward: GoalReward, order: str) -> None:
        self._folder, self._reward, self._order = folder, reward, order
        self._database: Database | None = None
        self._scenarios: dict[str, tuple[Scenario, ...]] = {}

    @property
    def name(self) -> str:
        return NAME

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(FILES)

    @property
    def reward(self) -> GoalReward:
        return self._reward

    @property
    def attribution(self) -> str:
        """Licence and source of the texts, for whatever is exported from this world."""
        return MULTIWOZ

    def scenarios(self, split: str) -> Sequence[Scenario]:
        """In the order of option `order`; `test` is the official first 450 of `full_test`."""
        check_split(split, self.splits, world=NAME)
        if split not in self._scenarios:
            self._scenarios[split] = self._read(split)
        return self._scenarios[split]

    def environment(self, scenario: Scenario) -> TownEnvironment:
        return scenario_environment(scenario, self._town())

    def tables(self, scenario: Scenario) -> Mapping[str, Sequence[Row]]:
        """The town's tables, for a person to look into."""
        return {domain: table.rows for domain, table in self._town().tables.items()}

    def _town(self) -> Database:
        if self._database is None:
            self._database = from_files(self._folder)
        return self._database

    def _read(self, split: str) -> tuple[Scenario, ...]:
        if split == "test":
            return tuple(replace(scenario, split=split) for scenario in self.scenarios("full_test")[:OFFICIAL_TEST])
        found = _stored(self._folder / f"{FILES[split]}.jsonl")
        if not found:
            raise DatasetError(
                f"The imported MultiWOZ has no scenario in split {split!r}.",
                remedy="Import MultiWOZ's own folder or zip, whose data.json holds every dialogue.",
            )
        return found if self._order == "list" else tuple(sorted(found, key=lambda scenario: scenario.id))


def open_world(data: Path, options: Mapping[str, str] | None = None) -> MultiwozWorld:
    """The world over `data` (the josh-data folder). Nothing is read yet. Raises ConfigError for unknown options."""
    chosen = {"goal_rule": "paper", "order": "sorted", **(options or {})}
    check_options(chosen, ("goal_rule", "order"), world=NAME)
    if chosen["order"] not in ORDERS:
        raise ConfigError(f"Unknown order {chosen['order']!r}.", remedy=f"Use one of: {', '.join(ORDERS)}.")
    reward = GoalReward(parse_rule(chosen["goal_rule"]))
    return MultiwozWorld(data / NAME, reward=reward, order=chosen["order"])


def check_split(split: str, splits: Sequence[str], *, world: str) -> None:
    if split not in splits:
        raise ConfigError(f"World {world} has no split {split!r}.", remedy=f"Use one of: {', '.join(splits)}.")


def check_options(options: Mapping[str, str], known: Sequence[str], *, world: str) -> None:
    if unknown := options.keys() - set(known):
        raise ConfigError(
            f"World {world} has no option {min(unknown)!r}.", remedy=f"It takes: {', '.join(known) or 'none'}."
        )


def _stored(path: Path) -> tuple[Scenario, ...]:
    try:
        lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except FileNotFoundError as error:
        raise DatasetError("MultiWOZ has not been imported yet.", remedy=IMPORT) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read: {error}.", remedy=IMPORT) from error
    return tuple(_scenario(line, number, path) for number, line in enumerate(lines, start=1) if line)


def _scenario(line: str, number: int, path: Path) -> Scenario:
    try:
        return load(Scenario, line)
    except DatasetError as error:
        raise DatasetError(f"{path}, line {number}: {error.message}.", remedy=IMPORT) from error
