"""Results that others made: read as turns, kept as runs, graded again; and what does not parse is named."""

from __future__ import annotations

import json

import pytest

from app import services
from app.__main__ import main
from app.foreign import Imported, import_results, in_words
from app.world_changes import changes_of, grade_of
from josh_engine.errors import ConfigError, DatasetError
from taubench.environment import played
from taubench.tasks import scenario
from taubench.trajectories import read_results
from taubench.world import open_world
from tests.taubench.small_shop import TASKS


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
    info = {"user_cost": 0.01, "task": {name: task[name] for name in ("user_id", "instruction", "actions", "outputs")}}
    return {"task_id": task["id"], "trial": trial, "reward": reward, "info": info, "traj": traj}


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


@pytest.fixture
def of_the_small_shop(data):
    """Gold of its test tasks, and one that the harness broke off, one that says nothing of its trial."""
    base = open_world(data).reward.base
    made = [first(task, played(base, task["actions"])[1], task["outputs"]) for task in TASKS["test"]]
    made += [{"task_id": 0, "trial": 1, "reward": 0, "info": {"error": "quota"}, "traj": []}]
    return [*made, {"task_id": 1, "trial": 1, "reward": "1", "info": {}, "traj": []}]


def test_what_cannot_be_read_is_named_and_the_rest_is_kept(of_the_small_shop, data, tmp_path, capsys):
    (tmp_path / "r.json").write_text(json.dumps(of_the_small_shop))
    words = ["--store", str(tmp_path / "josh.db"), "--data", str(data), "--json"]
    assert main(["import", str(tmp_path / "r.json"), *words]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["conversations"], made["success"], made["failed"], made["regraded"]) == (5, 1.0, 1, 4)
    assert (made["finished"], made["asked"], made["success_low"]) == (4, 8, 0.5), "two trials of each of four tasks"
    assert made["rejected"] == ["r.json, result 5: reward is absent or of another kind."]
    with services.open_store(tmp_path / "josh.db") as store:
        told = services.run_result(store, made["run"])
        assert (told.finished, told.failed, told.success_rate) == (4, 4, 1.0), "no figure comes from a fault"
        assert (told.pass_k, told.pass_k_n, told.pass_k_low) == ((1.0,), (4,), (0.5,))
        unread = services.open_rollout(store, f"{made['run']}/test-001/1").rollout
        assert unread.error == "It cannot be read: r.json, result 5: reward is absent or of another kind."
        broken = services.open_rollout(store, f"{made['run']}/test-000/1").rollout
        assert (broken.state, broken.error) == ("failed", "The file says: quota")
        assert told.usd is None and told.agent_usage.usd is None, "v1 does not say what the agent cost"
        assert told.user_usage.usd == pytest.approx(0.04)
        opened = services.open_rollout(store, f"{made['run']}/test-000")
        graded = grade_of(opened, data)
        assert graded is not None and graded.words.startswith("Graded 1.")
        assert changes_of(opened, "0", data)[0].startswith("order #W0000003: status: delivered → return requested")
        _, files = services.export_files(store, [made["run"]], formats=["sft"], data=data)
        assert len(files["sft.jsonl"].splitlines()) == 7, "the outputs up to the last reward, where there are goals"
        with pytest.raises(ConfigError, match="was imported"):
            services.resume_run(store, made["run"], failed_only=True)
        assert services.run_result(store, made["run"]).state == told.state
    told = in_words(Imported(**made))
    assert "1 were broken off" in told and "Left out: r.json, result 5" in told
    assert "success by the file 1.000 (≥0.500), 4 of 8 finished" in told


def test_whose_tasks_they_are_is_told_by_what_their_users_were_told(data, tmp_path):
    """Task 0 of train is another one than task 0 of test."""
    base = open_world(data).reward.base
    trained = [first(task, played(base, task["actions"])[1], task["outputs"]) for task in TASKS["train"]]
    (tmp_path / "r.json").write_text(json.dumps(trained))
    changed = [first({**TASKS["test"][0], "instruction": "You want a train ticket."}, [], [])]
    (tmp_path / "other.json").write_text(json.dumps(changed))
    with services.open_store(tmp_path / "josh.db") as store:
        made = import_results(store, tmp_path / "r.json", data)
        assert made.regraded == len(trained) and made.differing == ()
        run = services.load_run(store, made.run)
        assert (run.config.world, run.config.split) == ("tau-retail", "train_all")
        assert run.config.scenarios[0] == "train-000"
        other = import_results(store, tmp_path / "other.json", data)
        assert other.regraded == 0, "a task of that number is known, and it is another one"
        opened = services.open_rollout(store, f"{other.run}/test-000")
        assert opened.tree.scenario.brief == ("You want a train ticket.",) and not opened.tree.scenario.goals


def test_where_the_imported_shop_is_damaged_nothing_is_taken_for_unknown(of_the_small_shop, data, tmp_path):
    (tmp_path / "r.json").write_text(json.dumps(of_the_small_shop))
    (data / "tau-retail" / "tasks_test.json").write_text("[{")
    with services.open_store(tmp_path / "josh.db") as store:
        with pytest.raises(DatasetError, match=r"tasks_test\.json"):
            import_results(store, tmp_path / "r.json", data)
        assert services.list_runs(store) == ()


def test_the_airline_s_results_are_not_taken_for_retail_s(data, tmp_path):
    asked = {"name": "book_reservation", "arguments": "{}"}
    gold = [{"name": "get_user_details", "kwargs": {}}, {"name": "book_reservation", "kwargs": {}}]
    flight = {"user_id": "a", "instruction": "You want to fly.", "actions": gold, "outputs": []}
    told = [
        {"role": "user", "content": "I want to fly."},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": asked}]},
        {"role": "tool", "tool_call_id": "1", "content": "{}"},
        {"role": "assistant", "content": "Booked."},
        {"role": "user", "content": "###STOP###"},
    ]
    made = {"task_id": 0, "trial": 0, "reward": 1.0, "info": {"task": flight}, "traj": told}
    for name, results in {"said": [made], "silent": [{**made, "info": {}}]}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(results))
        with services.open_store(tmp_path / "josh.db") as store:
            kept = import_results(store, tmp_path / f"{name}.json", data)
            run = services.load_run(store, kept.run)
        assert (run.config.world, kept.regraded, kept.success) == ("tau1-airline", 0, 1.0)


def test_a_folder_of_simulations_is_read_and_what_was_broken_off_counts_nowhere(tmp_path):
    simulation = SECOND["simulations"][0]
    (tmp_path / "told" / "simulations").mkdir(parents=True)
    told = {**SECOND, "simulations": [], "tasks": [TASK]}
    (tmp_path / "told" / "results.json").write_text(json.dumps(told))
    off = {"id": "b", "task_id": "7", "trial": 1, "termination_reason": "infrastructure_error", "messages": []}
    for number, each in enumerate((simulation, off, {**simulation, "trial": 2, "messages": "x"})):
        (tmp_path / "told" / "simulations" / f"{number}.json").write_text(json.dumps(each))
    with services.open_store(tmp_path / "josh.db") as store:
        made = import_results(store, tmp_path / "told", tmp_path)
        assert (made.conversations, made.failed, made.success) == (2, 1, 1.0)
        assert (made.finished, made.asked, made.success_low) == (1, 3, pytest.approx(1 / 3))
        assert made.rejected == ("simulations/2.json: messages is absent or of another kind.",)
        run = services.load_run(store, made.run)
        assert (run.config.world, run.config.split, run.config.trials) == ("tau2-retail", "base", 3)
        result = services.run_result(store, made.run)
        assert (result.agent_usage.usd, result.user_usage.usd, result.agent_usage.calls) == (0.02, 0.01, 2)
        opened = services.open_rollout(store, f"{made.run}/7/0")
        assert opened.tree.scenario.brief == ("A kettle leaks.", "You are Ben.")
        graded = grade_of(opened, tmp_path)
        assert graded is not None and "user_stop" in graded.words and '"DB": 1.0' in graded.words
        assert services.evaluate_run(store, made.run, data=tmp_path).floor is None


TASK = {"id": "7", "user_scenario": {"instructions": {
    "domain": "retail", "reason_for_call": "A kettle leaks.", "known_info": "You are Ben.", "unknown_info": None,
}}}  # fmt: skip
SECOND = {
    "info": {"agent_info": {"llm": "gpt-x"}, "user_info": {"llm": "gpt-y"},
             "environment_info": {"domain_name": "retail"}}, "tasks": [],
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


def test_a_customer_s_own_calls_stand_in_its_turn_and_are_not_the_agent_s_errors(tmp_path):
    """As in τ²-bench's telecom, where the customer has a phone in hand."""
    said = [
        {"role": "assistant", "content": "Hi!"},
        {"role": "user", "content": "No signal."},
        {"role": "assistant", "content": "Please switch airplane mode off."},
        {"role": "user", "content": None, "tool_calls": [
            {"id": "u1", "name": "toggle_airplane_mode", "arguments": {}, "requestor": "user"},
            {"id": "u2", "name": "check_sim", "arguments": {"slot": 1}, "requestor": "user"}]},
        {"role": "tool", "id": "u2", "content": "Error: no such slot", "requestor": "user", "error": True},
        {"role": "tool", "id": "u1", "content": "Airplane mode is off.", "requestor": "user"},
        {"role": "user", "content": "Done, and it works."},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "a1", "name": "get_line", "arguments": {"line": "L1"}, "requestor": "assistant"}]},
        {"role": "tool", "id": "a1", "content": "{}", "requestor": "assistant"},
        {"role": "assistant", "content": "Good."},
        {"role": "user", "content": None, "tool_calls": [{"id": "u3", "name": "reboot", "arguments": {}}]},
    ]  # fmt: skip
    simulation = {**SECOND["simulations"][0], "messages": said}
    info = {**SECOND["info"], "environment_info": {"domain_name": "telecom"}}
    (tmp_path / "r.json").write_text(json.dumps({**SECOND, "info": info, "simulations": [simulation]}))
    (one,) = read_results((tmp_path / "r.json").read_text(), "r.json").trajectories
    assert [turn.speaker for turn in one.turns] == ["user", "agent", "user", "agent", "user"]
    calls = [[(call.id, call.name, call.answer) for call in turn.calls] for turn in one.turns]
    assert calls[2] == [
        ("call_1", "toggle_airplane_mode", "Airplane mode is off."), ("call_2", "check_sim", "Error: no such slot"),
    ]  # fmt: skip
    assert calls[3] == [("call_3", "get_line", "{}")] and calls[4] == [("call_4", "reboot", "")] and not calls[1]
    assert (one.turns[2].reply, one.turns[3].reply) == ("Done, and it works.", "Good.")
    with services.open_store(tmp_path / "josh.db") as store:
        made = import_results(store, tmp_path / "r.json", tmp_path)
        judged = services.evaluate_run(store, made.run, data=tmp_path)
        assert (judged.errors_by_api, judged.bad_api_use) == ({}, 0.0)
        opened = services.open_rollout(store, f"{made.run}/7/0")
    assert [call.name for call in opened.tree.nodes["0u"].turn.calls] == ["toggle_airplane_mode", "check_sim"]


def test_an_answer_goes_to_the_call_that_it_names(tmp_path):
    asked = [{"id": "x", "name": "think", "arguments": {}}, {"id": "y", "name": "calculate", "arguments": {}}]
    said = [
        {"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": asked},
        {"role": "tool", "id": "y", "content": "2"}, {"role": "tool", "id": "x", "content": "Hm."},
    ]  # fmt: skip
    told = {"simulations": [{**SECOND["simulations"][0], "messages": said}]}
    turn = read_results(json.dumps(told), "r").trajectories[0].turns[1]
    assert [call.answer for call in turn.calls] == ["Hm.", "2"]
    assert [(each.tool_call_id, each.content) for each in turn.messages[1:]] == [("call_2", "2"), ("call_1", "Hm.")]


def test_act_agents_results_are_read_from_user_messages(base, tasks):
    """They are told in the user's role, with a prefix."""
    traj = [
        {"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Action: {}"},
        {"role": "user", "content": "API output: {}"}, {"role": "assistant", "content": "Done."},
    ]  # fmt: skip
    (one,) = read_results(json.dumps([{"task_id": 1, "reward": 0, "traj": traj}]), "r").trajectories
    assert [turn.speaker for turn in one.turns] == ["user", "agent"] and one.turns[1].reply == "Done."
    assert scenario(base, tasks["test"][1], "test").id == "test-001"
