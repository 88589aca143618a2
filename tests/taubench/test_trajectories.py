"""Results that others made: read as turns, kept as runs, graded again; and what does not parse is named."""

from __future__ import annotations

import json

import pytest

from app import services
from app.foreign import import_results
from josh_engine.errors import DatasetError
from taubench.environment import played
from taubench.tasks import scenario
from taubench.trajectories import read_results


def first(task, calls, outputs, *, trial=0, reward=1.0):
    """A τ-bench v1 result of these gold calls, as its tool-calling agent writes one."""
    traj = [{"role": "system", "content": "Policy."}, {"role": "user", "content": task["instruction"]}]
    for number, call in enumerate(calls):
        function = {"name": call.name, "arguments": json.dumps(dict(call.arguments))}
        asked = [{"id": f"c{number}", "type": "function", "function": function}]
        traj.append({"role": "assistant", "content": None, "tool_calls": asked})
        traj.append({"role": "tool", "tool_call_id": f"c{number}", "name": call.name, "content": call.answer})
    traj.append({"role": "assistant", "content": f"All done. {' '.join(map(str, outputs))}"})
    traj.append({"role": "user", "content": "###STOP###"})
    return {"task_id": task["id"], "trial": trial, "reward": reward, "info": {"user_cost": 0.01}, "traj": traj}


@pytest.fixture
def results(base, tasks):
    """Gold of 20 test tasks, two trials; the second of task 1 does nothing and gets 0, that of task 0 claims 1."""
    made = []
    for task in tasks["test"][:20]:
        answered = played(base, task["actions"])[1]
        made += [first(task, answered, task["outputs"], trial=trial) for trial in (0, 1)]
    made[3] = first(tasks["test"][1], [], [], trial=1, reward=0.0)
    made[1] = first(tasks["test"][0], [], [], trial=1, reward=1.0)
    return made


def test_v1_results_become_a_run_and_are_graded_again_without_a_model(results, real, tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(results))
    with services.open_store(tmp_path / "josh.db") as store:
        made = import_results(store, tmp_path / "results.json", real)
        assert (made.kind, made.tasks, made.conversations, made.regraded) == ("tau1", 20, 40, 40)
        assert made.differing == ("test-000/1",), "it says 1 and did nothing"
        assert made.success == 39 / 40
        told = services.run_result(store, made.run)
        assert (told.state, told.finished, told.failed) == ("done", 40, 0)
        assert told.pass_k == pytest.approx((39 / 40, 19 / 20))
        opened = services.open_rollout(store, f"{made.run}/test-000/0")
        assert opened.tree.scenario.goals and set(opened.tree.won) == {goal.id for goal in opened.tree.scenario.goals}
        assert [node.turn.speaker for node in opened.tree.nodes.values()] == ["user", "agent", "user"]
        judged = services.evaluate_run(store, made.run)
        assert judged.result.success_rate == pytest.approx(39 / 40)


def test_without_the_tasks_the_file_s_own_rewards_stand(results, tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(results))
    with services.open_store(tmp_path / "josh.db") as store:
        made = import_results(store, tmp_path / "results.json", tmp_path / "no-data")
        assert (made.regraded, made.differing, made.success) == (0, (), 39 / 40)


SECOND = {
    "info": {"agent_info": {"llm": "gpt-x"}, "user_info": {"llm": "gpt-y"}}, "tasks": [],
    "simulations": [
        {
            "id": "a", "task_id": "7", "trial": 0, "termination_reason": "user_stop", "agent_cost": 0.02,
            "user_cost": 0.01,
            "reward_info": {"reward": 1.0, "reward_basis": ["DB"], "reward_breakdown": {"DB": 1.0}},
            "messages": [
                {"role": "assistant", "content": "Hi! How can I help you today?"},
                {"role": "user", "content": "Cancel #W1."},
                {"role": "assistant", "content": None, "tool_calls": [
                    {"id": "x", "name": "get_order_details", "arguments": {"order_id": "#W1"}},
                    {"id": "y", "name": "think", "arguments": "{broken", "requestor": "assistant"}]},
                {"role": "tool", "id": "x", "content": "Error: Order not found", "error": True},
                {"role": "tool", "id": "y", "content": "what?"},
                {"role": "assistant", "content": "There is no such order."},
                {"role": "user", "content": "Bye ###STOP###"},
            ],
        }
    ],
}  # fmt: skip


def test_tau2_results_are_read_with_calls_costs_and_breakdown(tmp_path):
    told = read_results(json.dumps(SECOND), "r.json")
    (one,) = told.trajectories
    assert (told.kind, told.agent, told.user, one.reward, one.agent_usd) == ("tau2", "gpt-x", "gpt-y", 1.0, 0.02)
    assert one.opening[0].content.startswith("Hi!") and "reward_breakdown" in one.detail
    user, agent, stop = one.turns
    assert (user.reply, agent.reply, stop.stop) == ("Cancel #W1.", "There is no such order.", "ended")
    assert [(call.id, call.fault) for call in agent.calls] == [("call_1", "refused"), ("call_2", "format")]
    (tmp_path / "r.json").write_text(json.dumps(SECOND))
    with services.open_store(tmp_path / "josh.db") as store:
        made = import_results(store, tmp_path / "r.json", tmp_path)
        line = services.run_result(store, made.run)
        assert (made.kind, line.agent_model, line.user_model, line.usd) == ("tau2", "gpt-x", "gpt-y", 0.03)


BROKEN = {
    "not JSON": "{", "neither": "{}", "result 0: task_id": json.dumps([{"reward": 1}]),
    "result 0: reward": json.dumps([{"task_id": 1, "reward": True, "traj": []}]),
    "result 0: traj": json.dumps([{"task_id": 1, "reward": 1}]),
    "result 0, message 0: role": json.dumps([{"task_id": 1, "reward": 1, "traj": [{"content": "x"}]}]),
    "no user says": json.dumps([{"task_id": 1, "reward": 1, "traj": []}]),
    "simulation 0, reward_info: reward": json.dumps({"simulations": [{"task_id": "1", "messages": []}]}),
    "message 1: a tool call names": json.dumps([{"task_id": 1, "reward": 1, "traj": [
        {"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": [{"function": {}}]}]}]),
}  # fmt: skip


@pytest.mark.parametrize(("said", "text"), BROKEN.items())
def test_what_does_not_parse_is_named_by_file_index_and_field(tmp_path, said, text):
    (tmp_path / "r.json").write_text(text)
    with services.open_store(tmp_path / "josh.db") as store:
        with pytest.raises(DatasetError, match=r"r\.json") as told:
            import_results(store, tmp_path / "r.json", tmp_path)
        assert said.split(",")[-1].strip() in str(told.value)
        assert services.list_runs(store) == ()


def test_act_agents_results_are_read_from_user_messages(base, tasks):
    """They are told in the user's role, with a prefix."""
    traj = [
        {"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Action: {}"},
        {"role": "user", "content": "API output: {}"}, {"role": "assistant", "content": "Done."},
    ]  # fmt: skip
    (one,) = read_results(json.dumps([{"task_id": 1, "reward": 0, "traj": traj}]), "r").trajectories
    assert [turn.speaker for turn in one.turns] == ["user", "agent"] and one.turns[1].reply == "Done."
    assert scenario(base, tasks["test"][1], "test").id == "test-001"
