"""What every world, agent, user and model must keep (`josh_engine.ports`), as questions that answer with findings.

A finding is a sentence about what a part gets wrong; none means it keeps its contract. Tests, the command line and the
page ask the same questions. Whatever the part itself raises becomes a finding, for a part that fails the check must
not fail the checker. Checking runs the part's own code, so a caller who does not trust it runs this in a process of
its own.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace

from josh_engine.encoding import dump, load
from josh_engine.errors import JoshError
from josh_engine.ports import Agent, ChatModel, Environment, UserSimulator, World
from josh_engine.values import Goal, Preamble, Scenario, ToolCall, Turn

NO_SUCH_TOOL = ToolCall("call_1", "no_such_tool")
STRANGE_ARGUMENTS = {"no_such_argument": [1, {"x": None}]}


def world_findings(world: World, split: str, *, scenarios: int = 5) -> tuple[str, ...]:
    """Scenarios are sound; environments answer, fork and fingerprint as the driver needs them to; rewards are paid."""
    return _gathered(_of_world(world, split, scenarios))


def environment_findings(environment: Environment, goals: Sequence[Goal]) -> tuple[str, ...]:
    return _gathered(_of_environment(environment, goals))


def player_findings(
    agent: Agent,
    user: UserSimulator,
    world: World,
    scenario: Scenario,
    *,
    model: ChatModel,
    exchanges: int = 4,
) -> tuple[str, ...]:
    """Same path and seed give the same turn; turns are sound. `model` answers both sides."""

    async def converse() -> tuple[str, ...]:
        found = []
        try:
            async for finding in _of_players(agent, user, world, scenario, model, exchanges):
                found.append(finding)
        except Exception as error:  # noqa: BLE001 - the part's own failure is what we are here to find
            found.append(_raised(error))
        return tuple(found)

    return asyncio.run(converse())


def _gathered(findings: Iterator[str]) -> tuple[str, ...]:
    found = []
    try:
        for finding in findings:
            found.append(finding)
    except Exception as error:  # noqa: BLE001 - the part's own failure is what we are here to find
        found.append(_raised(error))
    return tuple(found)


def _raised(error: Exception) -> str:
    return str(error) if isinstance(error, JoshError) else f"It raised {type(error).__name__}: {error}"


def _of_world(world: World, split: str, scenarios: int) -> Iterator[str]:
    played = list(world.scenarios(split)[:scenarios])
    if not played:
        yield f"Split {split!r} has no scenario."
    if len({each.id for each in played}) != len(played):
        yield f"Split {split!r} names two scenarios alike."
    for scenario in played:
        for finding in _of_scenario(world, scenario):
            yield f"{scenario.id}: {finding}"


def _of_scenario(world: World, scenario: Scenario) -> Iterator[str]:
    if load(Scenario, dump(scenario)) != scenario:
        yield "The scenario does not survive being written as JSON."
    if scenario.world != world.name:
        yield f"The scenario says its world is {scenario.world!r}, but that is called {world.name!r}."
    if not scenario.split:
        yield "The scenario names no split."
    if len({goal.id for goal in scenario.goals}) != len(scenario.goals):
        yield "Two goals have the same id."
    yield from _of_environment(world.environment(scenario), scenario.goals)
    yield from _of_rewards(world, scenario)


def _of_environment(environment: Environment, goals: Sequence[Goal]) -> Iterator[str]:
    if not environment.policy.strip():
        yield "The policy is empty: the agent would not know its job."
    names = [tool.name for tool in environment.tools]
    if len(set(names)) != len(names):
        yield "Two tools have the same name."
    json.dumps([dict(tool.parameters) for tool in environment.tools])
    fresh = environment.fingerprint()
    if not environment.fork().fingerprint() == fresh == environment.fingerprint():
        yield "A fork's fingerprint differs from its origin's, though nothing was called."
    yield from _of_refusals(environment, names, fresh)
    yield from _of_forks(environment, goals, fresh)


def _of_refusals(environment: Environment, names: Sequence[str], fresh: str) -> Iterator[str]:
    unknown = environment.call(NO_SUCH_TOOL)
    if not unknown.error or unknown.fault != "unknown_tool" or unknown.result is not None:
        yield "A call of an unknown tool must be answered with an error and fault 'unknown_tool'."
    for name in names:
        tried = environment.fork()
        answered = tried.call(ToolCall("call_1", name, STRANGE_ARGUMENTS))
        if (answered.result is None) == (answered.error is None):
            yield f"{name}: a call must be answered with a result or an error, and with one of them."
        ended = getattr(tried, "over", False)  # a handover that failed may end the conversation, and nothing else
        if answered.error is not None and not ended and tried.fingerprint() != fresh:
            yield f"{name}: a refused call changed the environment."
    if environment.fingerprint() != fresh:
        yield "Calls on forks changed their origin."


def _of_forks(environment: Environment, goals: Sequence[Goal], fresh: str) -> Iterator[str]:
    left, right = environment.fork(), environment.fork()
    for goal in goals:
        done = left.call(ToolCall("call_1", goal.name, goal.arguments))
        if done.error is not None or done.result is None:
            yield f"Goal {goal.id}: its own call is refused: {done.error}"
        if (done.id, done.name) != ("call_1", goal.name):
            yield f"Goal {goal.id}: the answered call has another id or name."
    if not right.fingerprint() == environment.fingerprint() == fresh:
        yield "Forks are not independent: a call on one changed another."
    for goal in goals:
        right.call(ToolCall("call_1", goal.name, goal.arguments))
    if left.fingerprint() != right.fingerprint():
        yield "The same calls lead to different fingerprints."


def _of_rewards(world: World, scenario: Scenario) -> Iterator[str]:
    """Each goal's own call is credited; a call that returned an error is not; one call pays one goal."""
    environment = world.environment(scenario)
    remaining = list(scenario.goals)
    for goal in scenario.goals:
        call = environment.call(ToolCall("call_1", goal.name, goal.arguments))
        reached = world.reward.reached(remaining, Turn("agent", (), (call,)), environment)
        if len(reached) > 1:
            yield f"Goal {goal.id}: one call was paid {len(reached)} goals."
        if goal.id not in reached:
            yield f"Goal {goal.id} is not credited by its own call."
        remaining = [each for each in remaining if each.id not in reached]
        broken = replace(call, result=None, error="broken", fault="refused")
        if world.reward.reached([goal], Turn("agent", (), (broken,)), environment):
            yield f"Goal {goal.id} is credited by a call that was answered with an error."
    if world.reward.reached(scenario.goals, Turn("agent", ()), environment):
        yield "A turn without calls is credited."


async def _of_players(
    agent: Agent, user: UserSimulator, world: World, scenario: Scenario, model: ChatModel, exchanges: int
) -> AsyncIterator[str]:
    environment, path = world.environment(scenario), list[Turn]()
    preamble = agent.preamble(environment)
    if not isinstance(preamble, Preamble) or preamble != agent.preamble(environment):
        yield "The agent's preamble must be a Preamble, and the same one each time."
    for exchange in range(exchanges):
        said = await user.turn(scenario, _replies(path), environment.fork(), model, exchange)
        if said != await user.turn(scenario, _replies(path), environment.fork(), model, exchange):
            yield "The user's turn differs for the same path and seed."
        for finding in _of_user_turn(said):
            yield finding
        path.append(said)
        if said.stop == "ended":
            return
        seen = tuple(replace(turn, notes={}) if turn.speaker == "user" else turn for turn in path)
        answer = await agent.turn(seen, environment.fork(), model, exchange)
        if answer != await agent.turn(seen, environment.fork(), model, exchange):
            yield "The agent's turn differs for the same path and seed."
        for finding in (*_of_agent_turn(answer, path), *_of_replay(answer, environment)):
            yield finding
        path.append(answer)
        if answer.stop != "spoke":
            return


def _of_user_turn(turn: Turn) -> Iterator[str]:
    if turn.speaker != "user" or not turn.reply or len(turn.messages) != 1 or turn.calls:
        yield "A user's turn holds one message, a reply, and no calls."
    elif turn.messages[0].content != turn.reply or turn.messages[0].role != "user":
        yield "A user's message has role 'user', and its content is the reply."


def _of_agent_turn(turn: Turn, path: Sequence[Turn]) -> Iterator[str]:
    before = sum(len(each.calls) for each in path)
    if turn.speaker != "agent" or (turn.reply is None) != (turn.stop == "failed"):
        yield "An agent's turn has a reply unless it failed."
    if load(Turn, dump(turn)) != turn:
        yield "The agent's turn does not survive being written as JSON."
    made = [call.id for call in turn.calls]
    if made != [f"call_{before + number}" for number in range(1, len(made) + 1)]:
        yield f"Calls are numbered along the path from call_{before + 1}, but here: {', '.join(made)}."
    asked = [call.id for message in turn.messages for call in message.tool_calls]
    if [each for each in made if each in asked] != asked:
        yield f"The calls that the messages ask for ({', '.join(asked)}) are not the turn's."
    answered = {message.tool_call_id: message.content for message in turn.messages if message.role == "tool"}
    for call in turn.calls:
        if (call.error is None) != (call.fault is None) or (call.error is None) == (call.result is None):
            yield f"{call.id}: a call has a result, or an error with its fault."
        if answered.get(call.id, call.answer) != call.answer:
            yield f"{call.id}: the tool's message is not the call's answer."
    if any(message.sampled != (message.role == "assistant") for message in turn.messages):
        yield "`sampled` is true for the messages the model wrote, and for no others."


def _of_replay(turn: Turn, environment: Environment) -> Iterator[str]:
    """The calls, made again on the environment before the turn, are answered alike; this also moves it on."""
    for call in turn.calls:
        if call.reached:
            asked = ToolCall(call.id, call.name, call.arguments, call.raw)
            if environment.call(asked) != call:
                yield f"{call.id}: made again it is answered otherwise; an environment changes through `call` only."


def _replies(path: Sequence[Turn]) -> tuple[Turn, ...]:
    return tuple(
        turn if turn.speaker == "user" else Turn("agent", (), reply=turn.reply, stop=turn.stop) for turn in path
    )
