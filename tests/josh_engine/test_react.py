"""The ReACT and ACT agents: what a turn holds, what the model reads back, and rows that equal the requests."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace

import pytest
from contracts import check_players
from one_turn import Listed, agent_says, turn_of, user_says
from small import HOTEL, TOOLS, TRAIN

from josh_engine.agents.act import ActAgent
from josh_engine.agents.react import ReactAgent
from josh_engine.config import RunConfig, StrategyConfig
from josh_engine.extract import RowPolicy, Source, extract
from josh_engine.memory import MemoryJournal, MemoryRecorder
from josh_engine.messages import row
from josh_engine.metrics import error_analysis
from josh_engine.models.absent import AbsentModel
from josh_engine.models.scripted import ScriptedModel, say, use
from josh_engine.rollout import Players, roll_out
from josh_engine.rows import rows
from josh_engine.search import open_strategy
from josh_engine.tree import Tree, fold
from josh_engine.users.scripted import ScriptedUser
from josh_engine.values import Rollout, Scenario, ToolCall
from josh_engine.worlds.scripted import Notebook, ScriptedWorld

CALL = 'PLAN look <COMMAND_END>\nAPICALL {"name": "find_hotel", "parameters": {"area": "north"}} <COMMAND_END>'
OTHER = 'PLAN look <COMMAND_END>\nAPICALL {"name": "find_train", "parameters": {"day": "monday"}} <COMMAND_END>'
REPLY = "PLAN tell <COMMAND_END>\nSPEAK Found it. <COMMAND_END>"
SCENARIO = Scenario("s", "scripted", "train", ("a hotel",), (HOTEL, TRAIN))


def roles(turn) -> list[str]:
    return [message.role for message in turn.messages]


def returned(turn) -> list:
    """What each APIRETURN said."""
    contents = [message.content for message in turn.messages if message.role == "user"]
    assert all(content.startswith("APIRETURN ") for content in contents)
    return [json.loads(content.removeprefix("APIRETURN ")) for content in contents]


def test_a_turn_is_calls_and_their_answers_until_it_speaks():
    turn, model = turn_of(ReactAgent(), [CALL, OTHER, REPLY])
    assert (turn.stop, turn.reply) == ("spoke", "Found it.")
    assert roles(turn) == ["assistant", "user", "assistant", "user", "assistant"]
    assert [(call.id, call.name, dict(call.arguments), call.result) for call in turn.calls] == [
        ("call_1", "find_hotel", {"area": "north"}, "ok"),
        ("call_2", "find_train", {"day": "monday"}, "ok"),
    ]
    assert returned(turn) == ["ok", "ok"]
    assert [message.sampled for message in turn.messages] == [True, False, True, False, True]
    assert len(model.asked) == 3


def test_tools_stand_in_the_prompt_and_not_in_the_request():
    agent = ReactAgent()
    preamble = agent.preamble(Notebook(TOOLS))
    (system,) = preamble.messages
    assert preamble.tools == () and system.role == "system"
    for tool in TOOLS:
        assert json.dumps({"name": tool.name, "description": tool.description, "parameters": tool.parameters}) in (
            system.content.splitlines()
        )
    _, model = turn_of(agent, [CALL, REPLY])
    assert all(tools == () for _, tools in model.asked)
    assert "{{" not in system.content and "<!--" not in system.content


def test_the_model_reads_the_whole_conversation_as_it_was_written():
    first, _ = turn_of(ReactAgent(), [CALL, REPLY])
    path = (user_says("Hello."), first, user_says("And a train?"))
    turn, model = turn_of(ReactAgent(), [OTHER, REPLY], path=path)
    said = [(message.role, message.content) for message in model.asked[0][0]]
    assert [role for role, _ in said] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert said[2][1] == CALL and said[4][1] == REPLY
    assert [call.id for call in turn.calls] == ["call_2"]


def test_json_answers_come_back_as_they_are_and_others_as_a_json_string():
    class Answers(Notebook):
        def call(self, call: ToolCall) -> ToolCall:
            return replace(call, result=self.answer)

    for answer, read in (('[{"name": "x"}]', [{"name": "x"}]), ('a "b"\nc', 'a "b"\nc'), ("NaN", "NaN")):
        place = Answers(TOOLS)
        place.answer = answer
        turn, _ = turn_of(ReactAgent(), [CALL, REPLY], environment=place)
        assert returned(turn) == [read] and turn.calls[0].result == answer


def test_an_unknown_name_is_answered_with_failure_and_why():
    wrong = CALL.replace("find_hotel", "find_castle")
    turn, _ = turn_of(ReactAgent(), [wrong, REPLY])
    (call,) = turn.calls
    assert (call.fault, call.name, call.result) == ("unknown_tool", "find_castle", None)
    assert returned(turn) == [{"status": "FAILURE", "reason": "There is no tool 'find_castle'."}]
    assert turn.reply == "Found it."


MALFORMED = [
    "Hello there!",
    REPLY.removesuffix("<COMMAND_END>"),
    CALL + REPLY,
    CALL + OTHER.partition("<COMMAND_END>")[2],
    CALL.replace('"north"', "north"),
    CALL.replace('{"area": "north"}', '["north"]'),
    "SPEAK No plan. <COMMAND_END>",
]


@pytest.mark.parametrize("content", MALFORMED)
def test_a_malformed_generation_is_kept_typed_answered_and_never_done(content):
    place = Notebook(TOOLS)
    before = place.fingerprint()
    turn, model = turn_of(ReactAgent(), [content, REPLY], environment=place)
    assert turn.messages[0].content == content and turn.messages[0].sampled
    (call,) = turn.calls
    assert (call.id, call.fault, call.result) == ("call_1", "format", None)
    (answer,) = returned(turn)
    assert answer["status"] == "FAILURE" and answer["reason"] == call.error
    assert answer["reason"].endswith("Nothing was done.")
    assert place.fingerprint() == before
    assert (turn.stop, turn.reply) == ("spoke", "Found it.")
    assert model.asked[1][0][-2:] == turn.messages[:2]


def test_tool_calls_of_the_api_are_not_react():
    turn, _ = turn_of(ReactAgent(), [use("find_hotel"), REPLY])
    assert turn.calls[0].fault == "format" and turn.messages[0].tool_calls == ()


def test_a_turn_without_a_reply_in_max_generations_failed():
    turn, model = turn_of(ReactAgent(max_generations=3), [CALL, "?", OTHER, REPLY])
    assert (turn.stop, turn.reply, len(model.asked)) == ("failed", None, 3)
    assert [call.fault for call in turn.calls] == [None, "format", None]


def test_act_is_the_same_without_the_thought_line():
    call, reply = CALL.partition("<COMMAND_END>\n")[2], REPLY.partition("<COMMAND_END>\n")[2]
    turn, _ = turn_of(ActAgent(), [call, CALL, reply])
    assert [each.fault for each in turn.calls] == [None, "format"] and turn.reply == "Found it."
    system = ActAgent().preamble(Notebook(TOOLS)).messages[0].content
    assert "PLAN" not in system and '"find_hotel"' in system


def test_an_edited_prompt_is_sent_in_place_of_the_shipped_one():
    agent = ReactAgent(prompts={"react": "<!-- mine -->Do it.\n{{tools}}", "act": "{{tools}} not mine"})
    text = agent.preamble(Notebook(TOOLS)).messages[0].content
    assert text.startswith("Do it.\n{") and "not mine" not in text


@pytest.mark.parametrize("agent", [ReactAgent(), ActAgent()])
def test_the_agents_keep_their_contract(agent):
    def answer(messages, seed):
        thought = "PLAN x <COMMAND_END>" if agent.planned else ""
        if messages[-1].content.startswith("APIRETURN"):
            return say(f"{thought} SPEAK done {seed} <COMMAND_END>")
        name = ("find_hotel", "find_castle", "find_train")[len(messages) % 3]
        return say(f'{thought} APICALL {{"name": "{name}", "parameters": {{}}}} <COMMAND_END>')

    world = ScriptedWorld([SCENARIO], TOOLS)
    check_players(agent, ScriptedUser(["a", "b", "c"]), world, SCENARIO, model=ScriptedModel(answer))
    garbage = ScriptedModel(lambda messages, seed: say(MALFORMED[len(messages) % len(MALFORMED)]))
    check_players(agent, ScriptedUser(["a", "b", "c"]), world, SCENARIO, model=garbage)


@dataclass(frozen=True)
class Played:
    tree: Tree
    rollout: Rollout
    asked: list

    def source(self) -> Source:
        return Source(self.rollout, RunConfig("scripted", "train", ("s",)), self.tree)


def searched(answers: dict[str, list[str]], agent: ReactAgent, *, strategy: str = "josh", seed: int = 3) -> Played:
    """A search in which each agent turn answers from the list of its place: the number of turns so far."""

    asked: list = []

    def answer(messages, at):
        asked.append(tuple(messages))
        spoken = sum("SPEAK" in message.content for message in messages if message.role == "assistant")
        tries = len([m for m in messages if m.role == "assistant"]) - spoken
        choices = answers["call" if at % 2 and not messages[-1].content.startswith("APIRETURN") else "say"]
        return say(choices[(spoken + tries) % len(choices)].replace("Found", f"Found {at % 7}"))

    world, recorder = ScriptedWorld([SCENARIO], TOOLS), MemoryRecorder()
    players = Players(agent, ScriptedUser(["a", "b", "c", "d"]), ScriptedModel(answer), AbsentModel("-"))
    rollout = asyncio.run(
        roll_out(
            Rollout("r", "run", "s", 0), SCENARIO, world, players, open_strategy(StrategyConfig(strategy)),
            recorder=recorder, journal=MemoryJournal(), seed=seed,
        )
    )  # fmt: skip
    assert rollout.error is None
    return Played(fold(recorder.stored("r")), rollout, asked)


@pytest.mark.parametrize("agent", [ReactAgent(4), ActAgent(4)])
def test_every_rows_prompt_is_what_the_model_was_called_with(agent):
    texts = {"call": [CALL, OTHER, "oops"], "say": [REPLY]}
    if not agent.planned:
        texts = {kind: [text.split("<COMMAND_END>\n")[-1] for text in each] for kind, each in texts.items()}
    played = searched(texts, agent)
    extraction = extract([played.source()], RowPolicy(filtered=False))
    asked = [[row(message) for message in messages] for messages in played.asked]
    found = [*rows(extraction, "sft"), *rows(extraction, "kto"), *rows(extraction, "dpo")]
    assert {len(rows(extraction, name)) > 0 for name in ("sft", "kto", "dpo")} == {True}
    for line in found:
        assert line["prompt"] in asked
        assert "tools" not in line
        assert line["prompt"][0]["role"] == "system"


def test_malformed_generations_and_unknown_names_are_counted_as_the_paper_counts_them():
    wrong = CALL.replace("find_hotel", "find_castle")
    for answers, bad_use, bad_format in ((CALL, 0, 0), (wrong, 1, 0), ("nonsense", 0, 1)):
        played = searched({"call": [answers], "say": [REPLY]}, ReactAgent(4), strategy="greedy", seed=5)
        found = error_analysis([played.tree])
        assert any(node.turn.calls for node in played.tree.nodes.values())
        assert (found.kinds["bad_api_use"], found.kinds["incorrect_format"]) == (bad_use, bad_format)


def test_agents_keep_nothing_between_turns():
    agent = ReactAgent()
    path = (user_says("Hello."), agent_says("Hi."), user_says("Again."))
    first = asyncio.run(agent.turn(path, Notebook(TOOLS), Listed([CALL, REPLY]), 0))
    turn_of(agent, ["nonsense", REPLY])
    assert asyncio.run(agent.turn(path, Notebook(TOOLS), Listed([CALL, REPLY]), 0)) == first
