"""The estimate: the frontier's growth as the paper has it, and totals that hold for what is then played."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app import services
from app.estimate import FEWEST, Estimate, Growth, Played, certainty, estimate, expected, grown
from josh_engine.config import RunConfig, RunLimits, StrategyConfig
from josh_engine.search import open_strategy
from josh_engine.search.growth import users_turn
from josh_engine.tree import EMPTY, fold
from josh_engine.values import Goal, Preamble, Scenario, SearchStarted, Turn
from josh_engine.values import Played as Answer

CONFIG = RunConfig("w", "s", ("a", "b"))


def really_grown(strategy: StrategyConfig, exchanges: int) -> Growth:
    """The search itself, with turns that reach nothing."""
    search, said = open_strategy(strategy), {"user": 0, "agent": 0}
    scenario = Scenario("a", "w", "s", (), (Goal("g", "g", {}),))
    tree = fold([SearchStarted(scenario, Preamble())], onto=EMPTY)
    while tree.depth < exchanges or not users_turn(tree):
        asked = search.ask(tree)
        for each in asked:
            said[each.speaker] += 1
        tree = fold(search.tell(tree, [Answer(each, Turn(each.speaker, ())) for each in asked]), onto=tree)
    return Growth(**said)


@pytest.mark.parametrize("exchanges", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("shape", [(8, 2), (4, 2), (1, 2), (9, 3), (16, 1)])
def test_the_frontier_grows_as_in_the_search_itself(shape: tuple[int, int], exchanges: int) -> None:
    strategy = StrategyConfig(max_beam=shape[0], branching_factor=shape[1], max_depth=99)
    assert grown(strategy, exchanges) == really_grown(strategy, exchanges)
    greedy = replace(strategy, name="greedy")
    assert grown(greedy, exchanges) == really_grown(greedy, exchanges) == Growth(exchanges, exchanges)


def test_a_goal_takes_two_exchanges_as_far_as_the_depth_goes() -> None:
    assert expected(StrategyConfig(), 3) == Growth(9, 18)
    assert expected(StrategyConfig(max_depth=3), 3) == Growth(4, 8)
    assert expected(StrategyConfig("greedy"), 3) == Growth(6, 6)


def test_without_a_past_the_model_speaks_and_its_range_runs_from_every_goal_at_once_to_none() -> None:
    found = estimate(CONFIG, [1, 3])
    assert (found.rollouts, found.calls, found.turns) == (2, 48, 36)
    assert found.calls_low == 8
    assert found.calls_high == 2 * grown(CONFIG.strategy, 15).agent * 10
    assert found.seconds is None and "Modelled" in certainty(found)


def test_trials_are_played_apart_and_scenarios_without_goals_cost_nothing() -> None:
    assert estimate(replace(CONFIG, trials=3), [1, 0]).calls == 3 * estimate(CONFIG, [1]).calls
    assert estimate(replace(CONFIG, user_model="m"), [1]).calls == 12 + 3


PAST = [Played(StrategyConfig(), 1, calls, 12) for calls in (20, 24, 28)]


def test_with_a_past_it_is_scaled_to_what_that_took() -> None:
    found = estimate(CONFIG, [1] * 10, past=PAST, pace=0.5)
    assert (found.calls, found.basis, found.past, found.turns) == (240, "measured", 3, 120)
    assert found.calls_low < 240 < found.calls_high
    assert found.seconds == 120 and found.seconds_low == pytest.approx(found.calls_low / 2)
    assert estimate(CONFIG, [1] * 10, past=PAST[: FEWEST - 1]).basis == "model"


def test_a_past_with_other_settings_is_less_sure() -> None:
    wider = replace(CONFIG, strategy=StrategyConfig(max_beam=16))
    same, other = estimate(CONFIG, [1] * 10, past=PAST), estimate(wider, [1] * 10, past=PAST)
    assert other.basis == "scaled" and "other search settings" in certainty(other)
    assert other.calls_high - other.calls_low > same.calls_high - same.calls_low


def test_a_larger_past_is_surer() -> None:
    few, many = estimate(CONFIG, [1] * 10, past=PAST), estimate(CONFIG, [1] * 10, past=PAST * 20)
    assert many.calls_high - many.calls_low < few.calls_high - few.calls_low


def test_the_budget_caps_it_and_that_is_said() -> None:
    found = estimate(CONFIG, [1] * 10, past=PAST, pace=1.0, budget=100)
    assert (found.calls, found.calls_high, found.seconds, found.capped) == (100, 100, 100, True)
    assert "cap" in certainty(found)
    assert not estimate(CONFIG, [1], past=PAST, budget=10_000).capped


def test_what_a_run_takes_lies_within_what_its_like_foretold(tmp_path: Path) -> None:
    """The embedded world and players: 40 scenarios foretell the next 40; the model alone is within a factor of two."""
    lines = services.scenario_lines("toolwoz-generated", "train", tmp_path)[:80]
    first, second = ([line.id for line in part] for part in (lines[:40], lines[40:]))
    goals = [line.goals for line in lines[40:]]
    with services.open_store(tmp_path / "josh.db") as store:
        config = services.build_config(services.RunRequest(scenarios=second, agent="scripted"), tmp_path)
        blind = services.estimate_run(store, config, goals)
        former = services.create_run(
            store, services.build_config(services.RunRequest(scenarios=first, agent="scripted"), tmp_path)
        )
        services.run_here(store, former.id)
        found = services.estimate_run(store, config, goals, limits=RunLimits())
        run = services.create_run(store, config)
        services.keep_estimate(store, run.id, found)
        taken = services.run_here(store, run.id)
        assert services.kept_estimate(store, run) == found
        assert services.kept_estimate(store, former) is None
    assert (blind.basis, found.basis, found.past) == ("model", "measured", 40)
    assert blind.calls / 2 < taken.calls < blind.calls * 2
    assert found.calls_low <= taken.calls <= found.calls_high
    assert found.seconds is not None and isinstance(found, Estimate)
