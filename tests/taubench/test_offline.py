"""The offline pair plays the whole loop on this world, and a search finds more than plain play."""

from __future__ import annotations

import json

import pytest

from app import services
from josh_engine.models.absent import AbsentModel
from josh_engine.values import ToolCall, Turn
from taubench.offline import GoldFollower, GoldReader
from taubench.world import open_world
from tests.contracts import check_players


def test_the_pair_keeps_its_contracts(data):
    world = open_world(data)
    for scenario in (*world.scenarios("train"), *world.scenarios("test")):
        check_players(GoldFollower(), GoldReader(), world, scenario, model=AbsentModel("--model"))


def played(store, data, strategy, split, trials=1):
    asked = services.RunRequest(
        world="tau-retail", split=split, limit=60, agent="gold_follower", user="gold_reader", model=None,
        strategy=strategy, trials=trials,
    )  # fmt: skip
    run = services.create_run(store, services.build_config(asked, data)).id
    return services.run_here(store, run, data=data)


@pytest.mark.parametrize("shop", ["data", "real"])
def test_search_rows_and_pass_k(shop, request, tmp_path):
    data = request.getfixturevalue(shop)
    with services.open_store(tmp_path / "josh.db") as store:
        searched = played(store, data, "josh", "train", trials=8 if shop == "data" else 1)
        plain = played(store, data, "greedy", "train", trials=8 if shop == "data" else 1)
        assert searched.failed == plain.failed == 0
        assert searched.success_rate > plain.success_rate
        judged = played(store, data, "greedy", "test", trials=4)
        assert len(judged.pass_k) == 4 and list(judged.pass_k) == sorted(judged.pass_k, reverse=True)
        _, files = services.export_files(store, [searched.run], formats=["sft", "kto"], data=data)
        lines = [json.loads(line) for line in files["kto.jsonl"].splitlines()]
        assert {line["label"] for line in lines} == {True, False}
        assert json.loads(lines[0]["tools"])[0]["function"]["name"] == "calculate"
        assert "Sierra" in json.loads(files["manifest.json"])["attribution"]["tau-retail"]


def test_success_is_the_world_s_grade_not_the_goals_alone(data):
    """A further write that went through leaves another database, whatever was reached."""
    world = open_world(data)
    scenario = next(each for each in world.scenarios("train") if each.goals)
    environment, answered = played_actions(world, scenario)
    turn = Turn("agent", (), tuple(answered), "Done.")
    assert world.reward.graded(scenario, (turn,), environment).reward == 1
    used = {goal.arguments.get("order_id") for goal in scenario.goals}
    orders = world.tables(scenario)["orders"]
    other = next(each["order_id"] for each in orders if each["status"] == "pending" and each["order_id"] not in used)
    spoilt = environment.fork()
    spoilt.call(ToolCall("call_9", "cancel_pending_order", {"order_id": other, "reason": "no longer needed"}))
    assert world.reward.reached(scenario.goals, turn, spoilt) == {goal.id for goal in scenario.goals}
    grade = world.reward.graded(scenario, (turn,), spoilt)
    assert grade.reward == 0 and "database differs" in grade.detail


def played_actions(world, scenario):
    environment = world.environment(scenario)
    calls = [ToolCall(f"call_{n}", goal.name, goal.arguments) for n, goal in enumerate(scenario.goals, start=1)]
    return environment, [environment.call(call) for call in calls]


def test_more_steps_than_allowed_are_graded_0(data):
    world = open_world(data)
    scenario = next(each for each in world.scenarios("test") if not each.goals and not each.setup["outputs"])
    talk = [Turn("agent", (), (), "Hm.")] * 30
    assert world.reward.graded(scenario, talk, world.environment(scenario)).reward == 1
    late = world.reward.graded(scenario, [*talk, talk[0]], world.environment(scenario))
    assert late.reward == 0 and "Out of steps" in late.detail
    silent = [Turn("agent", (), (), None, "failed")]
    assert world.reward.graded(scenario, silent, world.environment(scenario)).reward == 0
    handed_over = [*talk[:29], Turn("agent", (), (ToolCall("call_1", "transfer_to_human_agents"),), "(x)", "ended")]
    assert world.reward.graded(scenario, handed_over, world.environment(scenario)).reward == 1, "the 30th step"
