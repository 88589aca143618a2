"""The world `taubench`: τ-bench retail as a person imported it, read when it is asked for.

Source: Yao et al. 2024 (arXiv 2406.12045) and its public code; the JOSH paper rolls out on the train tasks and judges
on the 115 test tasks (section 4). Split `train` leaves out the tasks whose gold writes cannot all succeed, `train_all`
has them; dev and test are whole, for they are graded, not searched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from josh_engine.errors import ConfigError
from josh_engine.values import Scenario, Turn
from taubench.changes import changes
from taubench.environment import RetailEnvironment
from taubench.records import Base, Record
from taubench.reward import RetailReward
from taubench.tasks import SPLITS, read_base, read_tasks, scenario, unachievable

NAME = "taubench"
ALL_OF_TRAIN = "train_all"
ATTRIBUTION = (
    "τ-bench retail (https://github.com/sierra-research/tau-bench), MIT licence, copyright 2024 Sierra; its tasks,"
    " policy and records."
)


class RetailWorld:
    """Files are read on first use and kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._base: Base | None = None
        self._reward: RetailReward | None = None
        self._scenarios: dict[str, tuple[Scenario, ...]] = {}

    @property
    def name(self) -> str:
        return NAME

    @property
    def splits(self) -> tuple[str, ...]:
        return (*SPLITS, ALL_OF_TRAIN)

    @property
    def attribution(self) -> str:
        """Licence and source of the texts, for whatever is exported from this world."""
        return ATTRIBUTION

    @property
    def reward(self) -> RetailReward:
        if self._reward is None:
            self._reward = RetailReward(self._shop())
        return self._reward

    def scenarios(self, split: str) -> Sequence[Scenario]:
        """In the tasks' order. Raises ConfigError, and DatasetError where nothing was imported."""
        if split not in self.splits:
            raise ConfigError(f"World {NAME} has no split {split!r}.", remedy=f"Use one of: {', '.join(self.splits)}.")
        if split not in self._scenarios:
            of = "train" if split == ALL_OF_TRAIN else split
            base = self._shop()
            found = tuple(scenario(base, task, of, NAME) for task in read_tasks(self._folder, of))
            left_out = {each.id for each in unachievable(found)} if split == "train" else set[str]()
            self._scenarios[split] = tuple(each for each in found if each.id not in left_out)
        return self._scenarios[split]

    def environment(self, scenario: Scenario) -> RetailEnvironment:
        return RetailEnvironment(self._shop())

    def tables(self, scenario: Scenario) -> Mapping[str, Sequence[Record]]:
        """The shop's tables, for a person to look into."""
        base = self._shop()
        return {name: list(getattr(base, name).values()) for name in ("users", "orders", "products")}

    def changes(self, turns: Sequence[Turn]) -> Sequence[Sequence[str]]:
        """For every turn of a conversation, in lines, what it changed in the records."""
        return changes(self._shop(), turns)

    def _shop(self) -> Base:
        if self._base is None:
            self._base = read_base(self._folder)
        return self._base


def open_world(data: Path, options: Mapping[str, str] | None = None) -> RetailWorld:
    """The world over `data` (the josh-data folder). Nothing is read yet. Raises ConfigError for options, of which there
    are none."""
    if options:
        raise ConfigError(f"World {NAME} has no option {min(options)!r}.", remedy="It takes: none.")
    return RetailWorld(data / NAME)
