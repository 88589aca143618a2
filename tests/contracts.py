"""What every world, agent, user and model must keep. One line in a test proves a part:

def test_contract(): check_world(open_world(...), split="test")
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace

from josh_engine.encoding import dump, load
from josh_engine.models.absent import AbsentModel
from josh_engine.ports import Agent, ChatModel, Environment, UserSimulator, World
from josh_engine.values import Goal, Preamble, Scenario, ToolCall, Turn


def check_world(world: World, split: str, *, scenarios: int = 5) -> None:
    """Scenarios are sound; environments answer, fork and fingerprint as the driver needs them to."""
    played = list(world.scenarios(split))[:scenarios]
    assert played and len({each.id for each in played}) == len(played)
    for scenario in played:
        assert load(Scenario, dump(scenario)) == scenario, "a scenario is JSON"
        assert scenario.world == world.name and scenario.split
        assert len({goal.id for goal in scenario.goals}) == len(scenario.goals)
        check_environment(world.environment(scenario), scenario.goals)
        check_rewards(world, scenario)


def check_environment(environment: Environment, goals: Sequence[Goal]) -> None:
    assert environment.policy.strip()
    names = [tool.name for tool in environment.tools]
    assert len(set(names)) == len(names)
    json.dumps([dict(tool.parameters) for tool in environment.tools])
    fresh = environment.fingerprint()
    assert environment.fork().fingerprint() == fresh == environment.fingerprint()

    unknown = environment.call(ToolCall("call_1", "no_such_tool"))
    assert unknown.error and unknown.fault == "unknown_tool" and unknown.result is None
    for name in names:
        tried = environment.fork()
        strange = tried.call(ToolCall("call_1", name, {"no_such_argument": [1, {"x": None}]}))
        assert (strange.result is None) != (strange.error is None), "a call is answered, one way or the other"
        assert strange.error is None or tried.fingerprint() == fresh, "a refused call changes nothing"
    assert environment.fingerprint() == fresh

    left, right = environment.fork(), environment.fork()
    for goal in goals:
        done = left.call(ToolCall("call_1", goal.name, goal.arguments))
        assert done.error is None and done.result is not None
        assert (done.id, done.name) == ("call_1", goal.name)
    assert right.fingerprint() == environment.fingerprint() == fresh, "forks are independent"
    for goal in goals:
        right.call(ToolCall("call_1", goal.name, goal.arguments))
    assert left.fingerprint() == right.fingerprint(), "equal iff the states are"


def check_rewards(world: World, scenario: Scenario) -> None:
    """Each goal's own call is credited; a call that returned an error is not; one call pays one goal."""
    environment = world.environment(scenario)
    remaining = list(scenario.goals)
    for goal in scenario.goals:
        call = environment.call(ToolCall("call_1", goal.name, goal.arguments))
        reached = world.reward.reached(remaining, Turn("agent", (), (call,)), environment)
        assert len(reached) <= 1
        assert goal.id in reached, f"{scenario.id}: {goal.id} is not credited by its own call"
        remaining = [each for each in remaining if each.id not in reached]
        broken = replace(call, result=None, error="broken", fault="refused")
        assert not world.reward.reached([goal], Turn("agent", (), (broken,)), environment)
    assert not world.reward.reached(scenario.goals, Turn("agent", ()), environment)


def check_players(
    agent: Agent,
    user: UserSimulator,
    world: World,
    scenario: Scenario,
    *,
    exchanges: int = 4,
    model: ChatModel | None = None,
) -> None:
    """Same path and seed give the same turn; turns are sound."""

    async def converse() -> None:
        environment, path = world.environment(scenario), list[Turn]()
        preamble = agent.preamble(environment)
        assert isinstance(preamble, Preamble) and preamble == agent.preamble(environment)
        chat = model or AbsentModel("--model")
        for exchange in range(exchanges):
            first = await user.turn(scenario, _replies(path), environment.fork(), chat, exchange)
            assert first == await user.turn(scenario, _replies(path), environment.fork(), chat, exchange)
            assert first.speaker == "user" and first.reply and len(first.messages) == 1 and not first.calls
            assert first.messages[0].content == first.reply and first.messages[0].role == "user"
            path.append(first)
            if first.stop == "ended":
                return
            seen = tuple(replace(turn, notes={}) if turn.speaker == "user" else turn for turn in path)
            answer = await agent.turn(seen, environment.fork(), chat, exchange)
            assert answer == await agent.turn(seen, environment.fork(), chat, exchange)
            check_agent_turn(answer, sum(len(turn.calls) for turn in path))
            for call in answer.calls:
                if call.fault != "format":
                    asked = ToolCall(call.id, call.name, call.arguments, call.raw)
                    assert environment.call(asked) == call, "an environment changes through call only"
            path.append(answer)
            if answer.stop != "spoke":
                return

    asyncio.run(converse())


def check_agent_turn(turn: Turn, calls_before: int) -> None:
    assert turn.speaker == "agent" and (turn.reply is None) == (turn.stop == "failed")
    assert load(Turn, dump(turn)) == turn, "a turn is JSON"
    asked = [call for message in turn.messages for call in message.tool_calls]
    assert [call.id for call in asked] == [f"call_{calls_before + n + 1}" for n in range(len(asked))]
    answered = {message.tool_call_id: message.content for message in turn.messages if message.role == "tool"}
    for call in turn.calls:
        assert (call.error is None) == (call.fault is None) and (call.error is None) != (call.result is None)
        if call.id in answered:
            assert answered[call.id] == call.answer
    assert all(message.sampled == (message.role == "assistant") for message in turn.messages)


def _replies(path: Sequence[Turn]) -> tuple[Turn, ...]:
    return tuple(
        turn if turn.speaker == "user" else Turn("agent", (), reply=turn.reply, stop=turn.stop) for turn in path
    )
