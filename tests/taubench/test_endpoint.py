"""The whole loop over an OpenAI-compatible endpoint, in τ-bench's three forms of an agent, with its user simulator."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from app import services
from tests.fake_openai.chats import called, said
from tests.fake_openai.server import Programme, running
from tests.taubench.small_shop import TASKS

AGENTS = ("tau_function_calling", "tau_react", "tau_act")
DONE = "Done. We have 1,102 lamps."
Chat = list[dict[str, Any]]


def answer(body: dict[str, Any]) -> dict[str, Any]:
    messages: Chat = body["messages"]
    if "###STOP###" in messages[0]["content"]:
        return customer(messages)
    chance = random.Random(f"{body.get('seed')}/{len(messages)}")
    if "tools" not in body:
        return said(in_text(messages, chance))
    action = wanted(messages, chance, told=lambda each: each["role"] == "tool")
    if isinstance(action, str):
        return said(action)
    first, second = (called(name, json.dumps(arguments)) for name, arguments in (action, action))
    both = [each["choices"][0]["message"]["tool_calls"][0] for each in (first, second)]
    return said("One moment.", both, finish="tool_calls")


def in_text(messages: Chat, chance: random.Random) -> str:
    action = wanted(messages, chance, told=lambda each: str(each["content"]).startswith("API output: "))
    name, arguments = ("respond", {"content": action}) if isinstance(action, str) else action
    thought = "Thought: I look.\n" if "Thought:" in messages[0]["content"] else ""
    return f"{thought}Action:\n{json.dumps({'name': name, 'arguments': arguments})}"


def wanted(messages: Chat, chance: random.Random, *, told: Any) -> str | tuple[str, dict[str, Any]]:
    """The next of the task's gold calls, which the user's words tell; now and then it only asks back."""
    asked = [each["content"] for each in messages if each["role"] == "user" and not told(each)]
    task = next(each for tasks in TASKS.values() for each in tasks if each["instruction"] == asked[-1])
    made = sum(map(told, messages))
    if made == 0 and chance.random() < 0.4:
        return "Could you say that again?"
    left = task["actions"][made:]
    return (left[0]["name"], left[0]["kwargs"]) if left else DONE


def customer(messages: Chat) -> dict[str, Any]:
    """Says its instruction until all is done."""
    if messages[-1]["content"] == DONE:
        return said("###STOP###")
    instruction = next(
        each["instruction"]
        for tasks in TASKS.values()
        for each in tasks
        if each["instruction"] in messages[0]["content"]
    )
    return said(instruction)


@pytest.mark.parametrize("agent", AGENTS)
def test_agents_and_user_play_tasks_to_their_grade(agent, data, tmp_path):
    with running(Programme(answer)) as endpoint, services.open_store(tmp_path / "josh.db") as store:

        def played(strategy, split):
            asked = services.RunRequest(
                world="tau-retail", split=split, agent=agent, strategy=strategy, model=f"m@{endpoint.url}",
                user_model=f"u@{endpoint.url}",
            )  # fmt: skip
            run = services.create_run(store, services.build_config(asked, data)).id
            return services.run_here(store, run, data=data)

        judged = played("greedy", "test")
        assert (judged.failed, judged.finished, judged.success_rate) == (0, 40, 1.0)
        assert [f"{each:.2f}" for each in judged.pass_k] == ["1.00"] * 10
        assert judged.agent_usage.calls > 0 and judged.user_usage.calls > 0
        opened = services.open_rollout(store, f"{judged.run}/test-000/0")
        calls = [call.name for node in opened.tree.nodes.values() for call in node.turn.calls]
        assert calls == [each["name"] for each in TASKS["test"][0]["actions"]], "one call of an output, in order"
        searched = played("josh", "train")
        assert searched.success_rate == 1.0
        _, files = services.export_files(store, [searched.run], formats=["kto"], data=data)
        rows = [json.loads(line) for line in files["kto.jsonl"].splitlines()]
        assert {row["label"] for row in rows} == {True, False}
        assert bool(rows[0].get("tools")) == (agent == "tau_function_calling")
