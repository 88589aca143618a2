"""The world `toolwoz-generated`: invented towns, endless scenarios, no download.

ToolWOZ's tools, rules and scenario structure over places that do not exist. A scenario is a pure function of its
split and index, so its id is all that is needed to have it again; fifty scenarios share a town. Train, validation and
test use towns, names and scenarios that no other split can have (`toolwoz.generated_names` says why), and so does
`pretrain`, which `scenarios` does not list: it is what a model may be pretrained on.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import overload

from josh_engine.errors import ConfigError
from josh_engine.values import Scenario
from toolwoz.attribution import GENERATED
from toolwoz.database import Database, Row
from toolwoz.environment import TownEnvironment, scenario_environment
from toolwoz.generated_briefs import make_brief
from toolwoz.generated_names import SPLIT_LANES
from toolwoz.generated_parts import goals_of, make_parts
from toolwoz.generated_town import Town, build_town, town_by_id
from toolwoz.goals import GoalReward, parse_rule
from toolwoz.world import check_options, check_split

NAME = "toolwoz-generated"
# As many as the paper plays: 926 rollouts (section 4), 450 test scenarios (table 3). Validation: ours.
LISTED: Mapping[str, int] = {"train": 926, "val": 200, "test": 450}
SCENARIOS_PER_TOWN = 50
_ID = re.compile(r"gen-(?P<split>[a-z]+)-(?P<index>[0-9]{5}|[1-9][0-9]{5,8})")


class GeneratedScenarios(Sequence[Scenario]):
    """The first scenarios of a split, each made when it is first looked at."""

    def __init__(self, split: str, count: int) -> None:
        self._split, self._count = split, count
        self._made: dict[int, Scenario] = {}

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Scenario: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Scenario]: ...
    def __getitem__(self, place: int | slice) -> Scenario | Sequence[Scenario]:
        if isinstance(place, slice):
            return tuple(self[each] for each in range(*place.indices(self._count)))
        if not -self._count <= place < self._count:
            raise IndexError(f"{self._split} lists {self._count} scenarios")
        index = place % self._count
        if index not in self._made:
            self._made[index] = make_scenario(self._split, index)
        return self._made[index]

    def __iter__(self) -> Iterator[Scenario]:
        return (self[index] for index in range(self._count))


class GeneratedWorld:
    def __init__(self, reward: GoalReward) -> None:
        self._reward = reward
        self._listed = {split: GeneratedScenarios(split, count) for split, count in LISTED.items()}

    @property
    def name(self) -> str:
        return NAME

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(LISTED)

    @property
    def reward(self) -> GoalReward:
        return self._reward

    @property
    def attribution(self) -> str:
        """Licence and source of the texts, for whatever is exported from this world."""
        return GENERATED

    def scenarios(self, split: str) -> Sequence[Scenario]:
        check_split(split, self.splits, world=NAME)
        return self._listed[split]

    def scenario(self, identity: str) -> Scenario:
        """Any scenario by its id, `gen-<split>-<index>`, beyond those listed too; splits include `pretrain`."""
        found = _ID.fullmatch(identity)
        if found is None or found["split"] not in SPLIT_LANES:
            raise ConfigError(f"World {NAME} has no scenario {identity!r}.", remedy="Ids look like gen-train-00042.")
        return make_scenario(found["split"], int(found["index"]))

    def environment(self, scenario: Scenario) -> TownEnvironment:
        return scenario_environment(scenario, _database(scenario))

    def tables(self, scenario: Scenario) -> Mapping[str, Sequence[Row]]:
        """The tables of the scenario's town, for a person to look into."""
        return {domain: table.rows for domain, table in _database(scenario).tables.items()}


def _database(scenario: Scenario) -> Database:
    return town_by_id(str(scenario.setup.get("town", ""))).database


def open_world(data: Path, options: Mapping[str, str] | None = None) -> GeneratedWorld:
    """The world; `data` is not looked at. Raises ConfigError for unknown options."""
    chosen = {"goal_rule": "paper", **(options or {})}
    check_options(chosen, ("goal_rule",), world=NAME)
    return GeneratedWorld(GoalReward(parse_rule(chosen["goal_rule"])))


def town(seed: int, split: str = "train") -> Town:
    """The invented town with this seed; towns of different splits share no name."""
    if split not in SPLIT_LANES:
        raise ConfigError(f"No towns are invented for {split!r}.", remedy=f"Use one of: {', '.join(SPLIT_LANES)}.")
    return build_town(split, seed)


def make_scenario(split: str, index: int) -> Scenario:
    """The scenario with this index in the split; the same arguments give the same scenario, on every machine."""
    here = build_town(split, index // SCENARIOS_PER_TOWN)
    dice = random.Random(f"scenario {split} {index}")
    parts = make_parts(here, dice)
    brief = make_brief(here.name, parts, dice)
    setup = {"parts": parts, "town": here.id}
    return Scenario(scenario_id(split, index), NAME, split, brief, goals_of(parts), setup=setup)


def scenario_id(split: str, index: int) -> str:
    return f"gen-{split}-{index:05d}"
