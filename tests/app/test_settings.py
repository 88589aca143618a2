"""From choices to a checked configuration: presets, defaults, scenario ids; and every choice that cannot be."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from app import services
from app.choices import suited_fields
from app.settings import RunRequest, build_config, data_path, store_path
from josh_engine.config import RunConfig, StrategyConfig
from josh_engine.errors import ConfigError
from josh_engine.values import Sampling
from tests.app.conftest import REQUEST
from tests.taubench.small_shop import imported_shop


def _built(**choices: object) -> RunConfig:
    return build_config(replace(REQUEST, **choices), Path("josh-data"))  # type: ignore[arg-type]


def test_what_is_not_chosen_is_the_default() -> None:
    built = _built()
    assert (built.strategy, built.sampling, built.max_generations) == (StrategyConfig(), Sampling(), 10)
    assert built.scenarios == tuple(f"train/{number}" for number in range(12))


def test_the_papers_preset_is_appendix_b_and_a_choice_of_ones_own_goes_before_it() -> None:
    paper = _built(preset="paper", strategy="josh")
    assert paper.sampling == Sampling(temperature=1.5, top_p=0.75, top_k=50)
    assert (paper.max_generations, paper.strategy) == (3, StrategyConfig(max_beam=8, branching_factor=2, max_depth=15))
    own = _built(preset="paper", temperature=0.7, beam=4)
    assert (own.sampling, own.strategy.max_beam) == (Sampling(temperature=0.7, top_p=0.75, top_k=50), 4)


def test_scenarios_are_those_listed_or_the_first_so_many() -> None:
    assert _built(limit=2).scenarios == ("train/0", "train/1")
    assert _built(scenarios=["train/7", "train/3"]).scenarios == ("train/7", "train/3")


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"world": "nope"}, "Unknown world 'nope'.*toolwoz-generated, toolwoz"),
        ({"world": "no_such_module:x"}, "no module 'no_such_module'"),
        ({"world": "tests.app.fake_parts:nope"}, "has no 'nope'"),
        ({"split": "nope"}, "no split 'nope'.*train, test, empty, aimless"),
        ({"split": "empty"}, "No scenario was chosen"),
        ({"agent": "nope"}, "Unknown agent 'nope'.*scripted"),
        ({"user": "nope"}, "Unknown user 'nope'.*agenda"),
        ({"agent": "tests.app.fake_parts:nope"}, "has no 'nope'"),
        ({"model": "llama"}, "Unknown model 'llama'.*NAME@URL"),
        ({"user_temperature": 9.0}, "user temperature is 9"),
        ({"top_p": 0.0}, "top-p is 0"),
        ({"max_tokens": 0}, "max-tokens is 0"),
        ({"user_model": "tests.app.fake_parts:nope"}, "has no 'nope'"),
        ({"strategy": "nope"}, "Unknown strategy 'nope'.*josh, greedy"),
        ({"beam": 0}, "beam is 0"),
        ({"branching": 0}, "branching is 0"),
        ({"depth": 0}, "depth is 0"),
        ({"trials": 0}, "trials is 0"),
        ({"limit": 0}, "limit is 0"),
        ({"max_generations": 0}, "max generations is 0"),
        ({"temperature": -1.0}, "temperature is -1"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": 0.0}, "At temperature 0 all branches"),
        ({"preset": "nope"}, "Unknown preset 'nope'.*paper"),
        ({"scenarios": ["train/0", "x", "y"]}, "no scenario 'x' \\(nor 1 more\\).*'train/0'"),
        ({"scenarios": ["train/0", "train/0"]}, "listed twice"),
        ({"scenarios": []}, "No scenario was chosen"),
    ],
)
def test_a_choice_that_cannot_be_is_told_with_what_can(choices: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _built(**choices)
    assert re.search(said, str(caught.value)), str(caught.value)


def test_a_cheap_mistake_is_told_before_a_world_is_opened() -> None:
    with pytest.raises(ConfigError, match="beam is 0"):
        _built(world="no_such_module:x", beam=0)


def test_temperature_0_is_fine_where_nothing_branches() -> None:
    assert _built(temperature=0.0, branching=1).sampling.temperature == 0.0
    assert _built(temperature=0.0, strategy="greedy").strategy.name == "greedy"


def test_a_part_that_asks_for_what_is_not_offered_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "greedy_parts.py").write_text("def open_world(data, colour): ...\nraised = 1\n")
    (tmp_path / "broken_parts.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match="asks for 'colour'"):
        _built(world="greedy_parts:open_world")
    with pytest.raises(ConfigError, match="ZeroDivisionError"):
        _built(world="broken_parts:open_world")


def test_the_store_and_the_data_are_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JOSH_STORE", str(tmp_path / "x.db"))
    assert store_path() == tmp_path / "x.db"
    assert data_path(store_path()) == tmp_path / "josh-data"
    monkeypatch.setenv("JOSH_DATA", str(tmp_path / "elsewhere"))
    assert data_path(store_path()) == tmp_path / "elsewhere"
    monkeypatch.delenv("JOSH_STORE")
    monkeypatch.chdir(tmp_path)
    assert store_path() == tmp_path / "josh.db"


def test_a_world_is_played_with_what_suits_it_unless_a_person_says(tmp_path: Path) -> None:
    data = imported_shop(tmp_path / "data")
    models = {"model": "m@http://127.0.0.1:9/v1", "user_model": "u@http://127.0.0.1:9/v1"}
    plain = build_config(RunRequest(world="tau-retail", split="test", strategy="greedy", **models), data)
    assert (plain.agent, plain.user, plain.trials) == ("tau_function_calling", "shopper", 10)
    assert (plain.strategy.max_depth, plain.max_generations, plain.user_sampling.temperature) == (30, 30, 0.0)
    assert build_config(RunRequest(world="tau-retail", **models), data).trials == 1, "a search is played once"
    chosen = RunRequest(
        world="tau-retail", strategy="greedy", agent="tau_react", depth=5, max_generations=4, trials=2, **models
    )
    said = build_config(chosen, data)
    assert (said.agent, said.strategy.max_depth, said.max_generations, said.trials) == ("tau_react", 5, 4, 2)
    with pytest.raises(ConfigError, match="trials is 0"):
        build_config(replace(chosen, trials=0), data)
    with pytest.raises(ConfigError, match="'tau_function_calling' needs a model"):
        build_config(RunRequest(world="tau-retail"), data)
    assert suited_fields("tau-retail")["model"] is None and suited_fields("toolwoz")["model"] == "embedded"


def test_what_there_is_to_choose_from_is_listed(tmp_path: Path) -> None:
    assert services.list_worlds()[0] == RunRequest().world
    agents = ("react", "scripted", "act", "function_calling", "tau_function_calling", "tau_react", "tau_act")
    agents += ("gold_follower",)
    assert services.list_agents() == agents
    assert services.list_users() == ("agenda", "goal", "guide", "shopper", "gold_reader")
    assert services.world_splits(REQUEST.world, tmp_path) == ("train", "test", "empty", "aimless")
    assert services.scenario_ids(REQUEST.world, "test", tmp_path)[:2] == ("test/0", "test/1")
