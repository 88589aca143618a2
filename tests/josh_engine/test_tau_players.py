"""Agents in τ-bench's form, and its user simulator: what they send, and what they make of what comes back."""

from __future__ import annotations

import asyncio

import pytest

from josh_engine.agents.generations import HANDED_OVER
from josh_engine.agents.tau import TauActAgent, TauFunctionCallingAgent, TauReactAgent, hear
from josh_engine.users.shopper import OPENING, ShopperUser
from josh_engine.values import Completion, Message, Scenario, ToolCall, Turn

SCENARIO = Scenario("s", "tau-retail", "test", ("You are Ada and want order #W1 cancelled.",), ())


class Desk:
    """An environment of one tool, which ends the conversation."""

    tools = ()
    policy = "Be brief."
    over = False

    def call(self, call):
        self.over = call.name == "transfer"
        return ToolCall(call.id, call.name, call.arguments, call.raw, result="{}")


class Model:
    def __init__(self, *told):
        self.told, self.asked, self.calls = list(told), [], []

    async def complete(self, messages, tools=(), sampling=None, seed=None):
        self.asked.append(messages)
        return Completion(self.told.pop(0), self.calls.pop(0) if self.calls else ())


def turn(agent, model, desk=None, path=()):
    said = path or (Turn("user", (Message("user", "Hello"),), reply="Hello"),)
    return asyncio.run(agent.turn(said, desk or Desk(), model, 0))


def test_an_action_is_called_and_its_answer_read_in_the_user_s_role_until_it_responds():
    model = Model(
        'Thought: look.\nAction:\n{"name": "get", "arguments": {"id": "1"}}',
        'Thought: tell.\nAction: {"name": "respond", "arguments": {"content": "It is done."}}',
    )
    found = turn(TauReactAgent(), model)
    assert found.reply == "It is done." and [call.name for call in found.calls] == ["get"]
    assert model.asked[1][-1] == Message("user", "API output: {}")
    system = model.asked[0][0].content
    assert "Be brief." in system and "#Available tools" in system and "Thought:" in system
    assert "Thought:" not in TauActAgent().preamble(Desk()).messages[0].content


@pytest.mark.parametrize(
    ("written", "reply", "name", "fault"),
    [
        ("Hello there.", "Hello there.", None, None),
        ('Action: {"name": "x", "arguments": {}} no, Action: {"name": "y", "arguments": {}}', None, "y", None),
        ('Action:\n```json\n{"name": "x", "arguments": {"a": "}"}}\n```', None, "x", None),
        ('Action: {"name": "x"}', None, "x", "format"),
        ("Action: [1]", None, "", "format"),
        ("", None, "", "format"),
        ('Action: {"name": "respond", "arguments": {}}', None, "respond", None),
    ],
)
def test_what_a_model_writes_is_a_reply_a_call_or_a_malformed_output(written, reply, name, fault):
    heard = hear(Completion(written), 4)
    assert heard.reply == reply
    if name is not None:
        (call,) = heard.calls
        assert (call.id, call.name, call.fault) == ("call_4", name, fault)


def test_of_several_calls_in_an_output_the_first_is_made_and_kept():
    asked = tuple(ToolCall(f"theirs{n}", name, raw='{"id": "1"}') for n, name in enumerate(("get", "transfer")))
    model = Model("Let me see.", "It is done.")
    model.calls = [asked, ()]
    found = turn(TauFunctionCallingAgent(), model)
    assert [(call.id, call.name) for call in found.calls] == [("call_1", "get")] and found.stop == "spoke"
    assert [call.id for call in model.asked[1][-2].tool_calls] == ["call_1"]
    assert found.reply == "It is done.", "words beside a call are not said"
    assert model.asked[0][0].content == "Be brief.", "the policy alone"


def test_a_turn_fails_with_the_last_call_that_the_world_takes():
    desk = Desk()
    desk.spent = False
    asked = []

    def call(each):
        asked.append(each)
        desk.spent = len(asked) == 3
        return ToolCall(each.id, each.name, result="{}")

    desk.call = call
    found = turn(TauActAgent(), Model(*['Action: {"name": "get", "arguments": {}}'] * 9), desk)
    assert (found.stop, found.reply, len(found.calls)) == ("failed", None, 3)


def test_handing_over_ends_the_conversation():
    found = turn(TauActAgent(), Model('Action: {"name": "transfer", "arguments": {}}', "never asked"))
    assert (found.stop, found.reply, len(found.calls)) == ("ended", HANDED_OVER, 1)


def test_the_shopper_is_asked_in_flipped_roles_and_hangs_up_only_after_the_agent_could_act():
    agent = Turn("agent", (Message("assistant", "Shall I?"),), (), "Shall I?")
    first = Turn("user", (Message("user", "Cancel it."),), reply="Cancel it.")
    model = Model("Yes, please. ###STOP###", "###STOP###")
    user = ShopperUser()
    early = asyncio.run(user.turn(SCENARIO, (first, agent), Desk(), model, 0))
    assert (early.reply, early.stop) == ("Yes, please.", "spoke")
    roles = [(message.role, message.content) for message in model.asked[0]]
    assert roles[1:] == [("user", OPENING), ("assistant", "Cancel it."), ("user", "Shall I?")]
    assert SCENARIO.brief[0] in roles[0][1]
    late = asyncio.run(user.turn(SCENARIO, (first, agent, early, agent), Desk(), model, 0))
    assert late.stop == "ended"


@pytest.mark.parametrize("last", ["###STOP###", "**###STOP###**", "### STOP ###", "Thanks!\n`###STOP###`", "STOP"])
def test_the_shoppers_stop_is_taken_with_what_stands_around_it_and_never_said(last):
    path = (Turn("user", (), reply="Hi."), Turn("agent", (), reply="Done."))
    turn = asyncio.run(ShopperUser().turn(SCENARIO, path, Desk(), Model(last), 0))
    assert turn.stop == "ended" and "STOP" not in turn.reply and not set("#*`") & set(turn.reply)


def test_a_shopper_who_says_nothing_or_both_sides_is_asked_again_or_cut():
    model = Model("", "Agent: How can I help?", "User: Hi.\nAgent: I have returned your lamp.\nUser: Great!")
    turn = asyncio.run(ShopperUser().turn(SCENARIO, (), Desk(), model, 0))
    assert turn.reply == "Hi." and len(model.asked) == 3
    assert model.asked[2][-1].content.startswith(OPENING), "the conversation stays as it was"


@pytest.mark.parametrize(
    "content",
    ["Thought: hm.\nAction:", 'Action: {"name": "respond", "arguments": {"content": " "}}',
     'Action: {"name": "respond"}', "Action: " + "[" * 100_000 + "]" * 100_000],
)  # fmt: skip
def test_a_generation_without_an_action_ends_in_a_turn(content):
    found = turn(TauReactAgent(), Model(content, 'Action: {"name": "respond", "arguments": {"content": "Hello."}}'))
    assert found.stop == "spoke" and found.reply.strip()
