"""What is paid under either rule, and how a conversation is graded; on the small shop."""

from __future__ import annotations

import pytest

from josh_engine.errors import ConfigError
from josh_engine.values import ToolCall, Turn
from taubench.world import open_world
from tests.contracts import check_world
from tests.taubench.small_shop import BLUE, CANCEL, RED, RETURN, TOO_DEAR


def paid(world, scenario, *calls):
    """The goals that one turn with these calls reaches."""
    environment = world.environment(scenario)
    answered = tuple(
        environment.call(ToolCall(f"call_{number}", name, arguments))
        for number, (name, arguments) in enumerate(calls, start=1)
    )
    return world.reward.reached(scenario.goals, Turn("agent", (), answered, "Done."), environment)


def named(world, split, number):
    return next(each for each in world.scenarios(split) if each.id == f"{split.removesuffix('_all')}-{number:03d}")


def test_a_goal_is_a_gold_write_that_succeeds(data):
    world = open_world(data)
    assert [goal.name for goal in named(world, "test", 0).goals] == ["return_delivered_order_items"]
    assert named(world, "test", 2).goals == named(world, "train_all", 2).goals == ()
    assert [each.id for each in world.scenarios("train")] == ["train-000", "train-001", "train-003"]
    assert world.note("train") == (
        "1 of 4 train tasks are left out, whose gold writes cannot all succeed; train_all has them. Tasks 2."
    )
    for split in world.splits:
        check_world(world, split)


def test_by_the_paper_order_does_not_matter_where_it_has_no_effect(data):
    world = open_world(data)
    scenario = named(world, "train", 1)
    turned = (RETURN[0], {**RETURN[1], "item_ids": [RED, BLUE]})
    assert paid(world, scenario, turned, CANCEL) == {goal.id for goal in scenario.goals}
    assert paid(world, scenario, CANCEL, CANCEL) == {"cancel_pending_order#1"}, "the second one fails"
    assert paid(world, scenario, (RETURN[0], {**RETURN[1], "item_ids": [RED]})) == set()


def test_by_the_authors_every_gold_call_pays_literally_even_when_it_fails(data):
    world = open_world(data, {"goal_rule": "authors"})
    reads = named(world, "test", 0)
    assert [goal.name for goal in reads.goals] == [each["name"] for each in reads.setup["actions"]]
    failing = named(world, "train_all", 2)
    assert paid(world, failing, TOO_DEAR) == {"modify_pending_order_items#1"}
    turned = (RETURN[0], {**RETURN[1], "item_ids": [RED, BLUE]})
    scenario = named(world, "train", 1)
    assert paid(world, scenario, turned) == set(), "literally"
    assert paid(world, scenario, RETURN, CANCEL) == {goal.id for goal in scenario.goals}, "in whatever sequence"


def test_a_rule_that_there_is_not_is_refused(data):
    for options in ({"goal_rule": "mine"}, {"order": "list"}):
        with pytest.raises(ConfigError, match=r"goal rule|no option"):
            open_world(data, options)


def test_the_grade_is_of_the_records_and_of_what_was_said(data):
    world = open_world(data)
    scenario = named(world, "test", 0)
    environment = world.environment(scenario)
    call = environment.call(ToolCall("call_1", scenario.goals[0].name, scenario.goals[0].arguments))
    silent = (Turn("agent", (), (call,), "Done."),)
    assert world.reward.graded(scenario, silent, environment).detail == "Never said: 1102."
    said = (*silent, Turn("agent", (), (), "There are 1,102 lamps."))
    assert world.reward.graded(scenario, said, environment).reward == 1
    by_user = (*silent, Turn("user", (), (), "1102?"))
    assert world.reward.graded(scenario, by_user, environment).reward == 0
    nothing = named(world, "test", 2)
    assert world.reward.graded(nothing, (), world.environment(nothing)).reward == 1
