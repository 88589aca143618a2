"""Every gold call of every task, the official hash, and what doing nothing earns: τ-bench's own numbers."""

from __future__ import annotations

import json

import pytest

from app.reference_rows import RETAIL_NOTE
from josh_engine.values import Message, ToolCall, Turn
from taubench.actions import ACTIONS
from taubench.environment import RetailEnvironment, played
from taubench.records import Overlay
from taubench.reward import RetailReward, said
from taubench.schema import PARAMETERS, TOOLS, WRITES
from taubench.tasks import UNTOUCHED, scenario
from taubench.world import open_world
from tests.contracts import check_world

UNACHIEVABLE = [24, 27, 81, 148, 161, 214, 229, 252, 253, 288, 314, 349, 351, 369, 376, 427, 431, 441, 469]
NOTHING_PAYS = {"train": [161, 214, 229, 288, 349], "dev": [17], "test": [10, 12, 25, 50, 57, 65, 106]}


def test_the_untouched_database_has_the_official_hash(base):
    assert Overlay(base).official_hash() == UNTOUCHED


def test_all_1375_gold_calls_are_answered_as_documented(base, tasks):
    calls = {split: [played(base, task["actions"])[1] for task in found] for split, found in tasks.items()}
    every = [call for found in calls.values() for answered in found for call in answered]
    failed = [call for call in every if call.error is not None]
    assert (len(every), len(failed), sum(call.name in WRITES for call in failed)) == (1375, 44, 24)
    lost = [number for number, answered in enumerate(calls["train"]) if any(call.error for call in answered)]
    assert lost == UNACHIEVABLE
    assert {call.error.split(" to pay")[0] for call in failed[:20]} == {"Error: insufficient gift card balance"}
    assert all(call.fault == "refused" and call.error.startswith("Error: ") for call in failed)


def test_gold_and_its_outputs_are_graded_1_in_every_task_and_doing_nothing_as_documented(base, tasks):
    for split, found in tasks.items():
        scenarios = [scenario(base, task, split) for task in found]
        reward = RetailReward(base)
        nothing = [reward.graded(each, (), RetailEnvironment(base)).reward for each in scenarios]
        assert [number for number, paid in enumerate(nothing) if paid] == NOTHING_PAYS[split]
        for each in scenarios:
            environment, answered = played(base, each.setup["actions"])
            path = [Turn("agent", (Message("assistant", "x"),), (), f"That is {out}.") for out in each.setup["outputs"]]
            before = environment.fingerprint()
            assert reward.graded(each, path, environment).reward == 1
            assert environment.fingerprint() == before
            turn = Turn("agent", (), tuple(answered), "done")
            assert reward.reached(each.goals, turn, environment) == {goal.id for goal in each.goals}
            if each.setup["outputs"]:
                assert reward.graded(each, (), environment).reward == 0


def test_digests_are_equal_iff_the_official_hashes_are(base, tasks):
    some = [task for task in tasks["test"] if len(task["actions"]) > 3][:12]
    ends = [played(base, task["actions"])[0].shop for task in some] + [Overlay(base), Overlay(base)]
    told = [(each.digest(), each.official_hash()) for each in ends]
    assert all((one[0] == other[0]) == (one[1] == other[1]) for one in told for other in told)


def test_a_fork_does_not_touch_its_origin_and_the_base_is_never_written(base, tasks):
    before = json.dumps(base.users) + json.dumps(base.orders)
    for task in tasks["test"][:40]:
        environment = RetailEnvironment(base)
        for number, action in enumerate(task["actions"], start=1):
            fork = environment.fork()
            told = environment.fingerprint()
            fork.call(ToolCall(f"call_{number}", action["name"], action["kwargs"]))
            assert environment.fingerprint() == told
            environment = fork
    assert json.dumps(base.users) + json.dumps(base.orders) == before
    assert Overlay(base).official_hash() == UNTOUCHED


def test_the_world_keeps_its_contract_and_leaves_the_unachievable_out(real):
    world = open_world(real)
    assert [len(world.scenarios(split)) for split in world.splits] == [481, 20, 115, 500]
    assert {int(each.id[-3:]) for each in world.scenarios("train_all")} - {
        int(each.id[-3:]) for each in world.scenarios("train")
    } == set(UNACHIEVABLE)
    for split in world.splits:
        check_world(world, split, scenarios=8)
    assert all(f"{number}" in world.note("train") for number in UNACHIEVABLE)
    assert world.note("train").startswith("19 of 500 train tasks are left out")
    assert world.note("test").startswith("11 of 115 tasks have no goal") and world.note("dev").startswith("1 of 20")
    told = world.note("test")
    assert "The gold writes of test-012, test-013, test-064 and test-106 cannot all succeed" in told
    assert told.endswith("Doing nothing earns 1.0 in test-012 and test-106.")
    assert world.unachievable(world.scenarios("test")) == ("test-012", "test-013", "test-064", "test-106")
    assert "train-024, train-027" in world.note("train_all") and "gold writes" not in world.note("dev")


@pytest.mark.parametrize("name", sorted(ACTIONS))
@pytest.mark.parametrize("strict", [False, True])
def test_wrong_missing_and_further_arguments_change_nothing(base, name, strict):
    known = PARAMETERS[name]
    wrong = [{}, dict.fromkeys((*known, "more"), "x"), dict.fromkeys((*known, "data"), "x")]
    if strict:
        wrong += [dict.fromkeys(known, 7), dict.fromkeys(known), {key: ["x"] for key in known}]
    for arguments in wrong:
        if set(arguments) == set(known) and not known:
            continue
        environment = RetailEnvironment(base, strict=strict)
        before = environment.shop.digest()
        answered = environment.call(ToolCall("call_1", name, arguments))
        assert answered.error and answered.error.startswith("Error: "), (name, arguments)
        assert answered.fault == "bad_argument" and environment.shop.digest() == before


def test_an_unknown_tool_is_an_unknown_action(base):
    answered = RetailEnvironment(base).call(ToolCall("call_1", "fly", {}))
    assert (answered.error, answered.fault) == ("Unknown action fly", "unknown_tool")


SUMS = {
    "1 / 3": "0.33", "2 * (3 + 4)": "14.0", "-0.001": "-0.0", "7 // 2": "3.0", "2 ** 3": "8.0", "4": "4.0",
    "1/0": "Error: division by zero", "__import__('os')": "Error: invalid characters in expression",
    "9**9**9": "Error: the expression cannot be worked out", "(": "Error: the expression cannot be worked out",
}  # fmt: skip


@pytest.mark.parametrize(("expression", "answer"), SUMS.items())
def test_arithmetic_is_python_s_without_python(base, expression, answer):
    told = RetailEnvironment(base).call(ToolCall("call_1", "calculate", {"expression": expression}))
    assert told.answer == answer


def test_the_tools_are_the_16_in_their_order():
    assert len(TOOLS) == 16 and [tool.name for tool in TOOLS] == sorted(ACTIONS)
    assert all(tool.parameters["required"] == list(tool.parameters["properties"]) for tool in TOOLS)


def test_what_was_said_is_looked_for_without_case_and_commas():
    path = [Turn("agent", (), (), "The total is $1,102.50, OK?"), Turn("user", (), (), "77")]
    assert said(path, "1102.5") and said(path, "ok?") and not said(path, "77")


def test_what_the_page_says_of_the_overlap_is_so(tasks):
    users = [{task["user_id"] for task in tasks[split]} for split in ("test", "train")]
    calls = [[action["kwargs"] for task in tasks[split] for action in task["actions"]] for split in ("test", "train")]
    orders = [{each["order_id"] for each in made if "order_id" in each} for made in calls]
    counts = (len(users[0] & users[1]), len(users[0]), len(orders[0] & orders[1]), len(orders[0]))
    assert counts == (43, 53, 68, 117)
    assert "43 of the 53 test users, and 68 of the 117 orders" in RETAIL_NOTE
