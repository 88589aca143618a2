from __future__ import annotations

from pathlib import Path

import pytest

import toolwoz
from josh_engine.errors import ConfigError, DatasetError
from josh_engine.ports import World
from tests.toolwoz.multiwoz_sample import files, write_folder
from tests.toolwoz.small_town import call
from toolwoz.multiwoz import import_multiwoz
from toolwoz.world import MultiwozWorld, open_world


@pytest.fixture
def data(tmp_path: Path) -> Path:
    import_multiwoz(write_folder(tmp_path / "source", files()), tmp_path / "josh-data")
    return tmp_path / "josh-data"


def test_the_world_is_offered_by_the_package_and_fits_the_port(data: Path) -> None:
    world: World = toolwoz.open_world(data)
    assert (world.name, world.splits) == ("toolwoz", ("train", "val", "test", "full_test"))
    (scenario,) = world.scenarios("val")
    assert (scenario.id, scenario.world, scenario.split) == ("MUL2", "toolwoz", "val")
    environment = world.environment(scenario)
    assert "TR2" in environment.call(call("search_train", **scenario.goals[0].arguments)).answer


def test_scenarios_come_sorted_by_id_or_in_list_order(data: Path) -> None:
    ids = {
        order: [scenario.id for scenario in open_world(data, {"order": order}).scenarios("test")]
        for order in ("sorted", "list")
    }
    assert ids == {"sorted": ["MUL1", "SNG1"], "list": ["SNG1", "MUL1"]}


def test_the_official_test_is_the_first_part_of_the_full_one(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolwoz.world.OFFICIAL_TEST", 1)
    world = open_world(data)
    assert [(one.id, one.split) for one in world.scenarios("test")] == [("MUL1", "test")]
    assert [(one.id, one.split) for one in world.scenarios("full_test")] == [
        ("MUL1", "full_test"),
        ("SNG1", "full_test"),
    ]


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    world = open_world(tmp_path / "nowhere")
    assert world.splits and "MIT" in world.attribution
    with pytest.raises(DatasetError, match="has not been imported") as caught:
        world.scenarios("val")
    assert "python -m app data multiwoz PATH" in caught.value.remedy


def test_an_unknown_split_is_an_error_that_names_the_splits(data: Path) -> None:
    with pytest.raises(ConfigError, match=r"'dev'.*train, val, test, full_test"):
        open_world(data).scenarios("dev")


def test_a_split_that_the_files_did_not_hold_is_an_error(data: Path) -> None:
    with pytest.raises(DatasetError, match="no scenario in split 'train'"):
        open_world(data).scenarios("train")


@pytest.mark.parametrize("options", [{"goal_rule": "strict"}, {"order": "random"}, {"colour": "red"}])
def test_an_unknown_option_or_value_is_an_error(options: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        open_world(tmp_path, options)


def test_the_goal_rule_is_an_option(data: Path) -> None:
    assert open_world(data).reward.rule == "paper"
    assert open_world(data, {"goal_rule": "authors"}).reward.rule == "authors"


def test_a_damaged_line_is_named(data: Path) -> None:
    path = data / "toolwoz/val.jsonl"
    path.write_text(path.read_text() + '{"id": 3}\n')
    with pytest.raises(DatasetError, match=r"val\.jsonl, line 2: Scenario\.id: expected"):
        open_world(data).scenarios("val")


def test_scenarios_survive_unusual_line_separators(data: Path) -> None:
    path = data / "toolwoz/val.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("goodbye", "good\u2028bye"), encoding="utf-8")
    assert open_world(data).scenarios("val")[0].guide[1] == "good\u2028bye!"


def test_environments_of_one_world_share_their_tables(data: Path) -> None:
    world = open_world(data)
    assert isinstance(world, MultiwozWorld)
    one, other = (world.environment(scenario) for scenario in world.scenarios("full_test"))
    assert one.database is other.database
    assert one.fingerprint() != other.fingerprint()
