"""The world `tau-retail`: τ-bench retail as a person imported it, read when it is asked for.

Source: Yao et al. 2024 (arXiv 2406.12045) and its public code; the JOSH paper rolls out on the train tasks and judges
on the 115 test tasks (section 4). Split `train` leaves out the tasks whose gold writes cannot all succeed, `train_all`
has them; dev and test are whole, for they are graded, not searched. Options: `goal_rule`, see `taubench.reward`, and
`strict_arguments`, see `taubench.environment`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from josh_engine.errors import ConfigError
from josh_engine.values import Scenario, Turn
from taubench.attribution import ATTRIBUTION, NAME
from taubench.changes import changes
from taubench.environment import RetailEnvironment
from taubench.files import SPLITS
from taubench.records import Base, Record
from taubench.reward import GOAL_RULES, GoalRule, RetailReward
from taubench.tasks import read_base, read_tasks, scenario, unachievable

ALL_OF_TRAIN = "train_all"
STRICT = ("off", "on")  # of `strict_arguments`; the benchmark's own is off


class RetailWorld:
    """Files are read on first use and kept."""

    def __init__(self, folder: Path, rule: GoalRule = "paper", *, strict: bool = False) -> None:
        self._folder, self._rule, self._strict = folder, rule, strict
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
            self._reward = RetailReward(self._shop(), self._rule)
        return self._reward

    def scenarios(self, split: str) -> Sequence[Scenario]:
        """In the tasks' order. Raises ConfigError, and DatasetError where nothing was imported."""
        if split not in self.splits:
            raise ConfigError(f"World {NAME} has no split {split!r}.", remedy=f"Use one of: {', '.join(self.splits)}.")
        if split not in self._scenarios:
            of = "train" if split == ALL_OF_TRAIN else split
            base = self._shop()
            found = tuple(scenario(base, task, of, self._rule) for task in read_tasks(self._folder, of))
            left_out = {each.id for each in unachievable(found)} if split == "train" else set[str]()
            self._scenarios[split] = tuple(each for each in found if each.id not in left_out)
        return self._scenarios[split]

    def note(self, split: str) -> str:
        """What a person should know who chooses this split; "" where there is nothing."""
        if split == "train":
            lost = [each.id for each in unachievable(self.scenarios(ALL_OF_TRAIN))]
            numbers = ", ".join(str(int(each.partition("-")[2])) for each in lost)
            return (
                f"{len(lost)} of {len(self.scenarios(ALL_OF_TRAIN))} train tasks are left out, whose gold writes cannot"
                f" all succeed; {ALL_OF_TRAIN} has them. Tasks {numbers}."
            )
        if split in ("dev", "test"):
            bare = sum(not each.goals for each in self.scenarios(split))
            return (
                f"{bare} of {len(self.scenarios(split))} tasks have no goal: a search skips them, plain play is graded."
                f" {self.caveat(self.scenarios(split))}"
            ).strip()
        return self.caveat(self.scenarios(split))

    def caveat(self, scenarios: Sequence[Scenario]) -> str:
        """What a grade of these must be read with: whose gold writes cannot all succeed; "" where all can."""
        lost = unachievable(scenarios)
        if not lost:
            return ""
        idle = self.won_by_doing_nothing(lost)
        told = f"The gold writes of {_and(each.id for each in lost)} cannot all succeed; the grade asks for the others."
        return told + (f" Doing nothing earns 1.0 in {_and(idle)}." if idle else "")

    def unachievable(self, scenarios: Sequence[Scenario]) -> tuple[str, ...]:
        """Ids of those whose gold writes cannot all succeed."""
        return tuple(each.id for each in unachievable(scenarios))

    def won_by_doing_nothing(self, scenarios: Sequence[Scenario]) -> tuple[str, ...]:
        """Ids of those in which doing nothing is graded a success."""
        return tuple(each.id for each in scenarios if self.reward.graded(each, (), self.environment(each)).reward)

    def floor(self, scenarios: Sequence[Scenario]) -> float:
        """The share of these in which doing nothing is graded a success."""
        return len(self.won_by_doing_nothing(scenarios)) / len(scenarios) if scenarios else 0.0

    def environment(self, scenario: Scenario) -> RetailEnvironment:
        return RetailEnvironment(self._shop(), strict=self._strict)

    def tables(self, scenario: Scenario) -> Mapping[str, Sequence[Mapping[str, str]]]:
        """The shop's tables, for a person to look into."""
        base = self._shop()
        named = {"users": base.users, "orders": base.orders, "products": base.products}
        return {name: [_row(key, record) for key, record in table.items()] for name, table in named.items()}

    def changes(self, turns: Sequence[Turn]) -> Sequence[Sequence[str]]:
        """For every turn of a conversation, in lines, what it changed in the records."""
        return changes(RetailEnvironment(self._shop(), strict=self._strict), turns)

    def _shop(self) -> Base:
        if self._base is None:
            self._base = read_base(self._folder)
        return self._base


def _row(key: str, record: Record) -> dict[str, str]:
    cells = {name: value if isinstance(value, str) else json.dumps(value) for name, value in record.items()}
    return {"id": key, **cells}


def _and(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def open_world(data: Path, options: Mapping[str, str] | None = None) -> RetailWorld:
    """The world over `data` (the josh-data folder). Nothing is read yet. Raises ConfigError for unknown options."""
    chosen = {"goal_rule": "paper", "strict_arguments": STRICT[0], **(options or {})}
    if unknown := chosen.keys() - {"goal_rule", "strict_arguments"}:
        raise ConfigError(
            f"World {NAME} has no option {min(unknown)!r}.", remedy="It takes: goal_rule, strict_arguments."
        )
    if chosen["strict_arguments"] not in STRICT:
        raise ConfigError(
            f"strict_arguments is {chosen['strict_arguments']!r}.", remedy=f"Use one of: {', '.join(STRICT)}."
        )
    for rule in GOAL_RULES:
        if rule == chosen["goal_rule"]:
            return RetailWorld(data / NAME, rule, strict=chosen["strict_arguments"] == "on")
    raise ConfigError(f"Unknown goal rule {chosen['goal_rule']!r}.", remedy=f"Use one of: {', '.join(GOAL_RULES)}.")
