"""The function-calling agent: every call in order under canonical ids, malformed ones typed, rows equal to requests."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from contracts import check_players
from one_turn import turn_of, user_says
from small import FIND_HOTEL, FIND_TRAIN, HOTEL, TOOLS, TRAIN

from josh_engine.agents.function_calling import NO_JSON, FunctionCallingAgent
from josh_engine.messages import row, wire
from josh_engine.models.scripted import ScriptedModel, say, use
from josh_engine.play import play
from josh_engine.users.scripted import ScriptedUser
from josh_engine.values import Completion, Scenario, ToolCall
from josh_engine.worlds.scripted import Notebook, ScriptedWorld

SCENARIO = Scenario("s", "scripted", "train", ("a hotel",), (HOTEL, TRAIN))


def calls(*asked: tuple[str, str], content: str = "") -> Completion:
    """One answer with several calls, under the endpoint's own ids."""
    made = tuple(ToolCall(f"chatcmpl-{n}", name, raw=raw) for n, (name, raw) in enumerate(asked))
    return Completion(content, made, finish="tool_calls")


def test_every_call_of_a_generation_is_made_in_order_under_canonical_ids():
    both = calls(("find_train", '{"day": "monday"}'), ("find_hotel", '{"area": "north"}'), content="Let me see.")
    place = Notebook(TOOLS)
    turn, model = turn_of(FunctionCallingAgent(), [both, FIND_HOTEL, say("Here.")], environment=place)
    assert [(call.id, call.name) for call in turn.calls] == [
        ("call_1", "find_train"), ("call_2", "find_hotel"), ("call_3", "find_hotel"),
    ]  # fmt: skip
    assert [message.role for message in turn.messages] == [
        "assistant",
        "tool",
        "tool",
        "assistant",
        "tool",
        "assistant",
    ]
    assert [message.tool_call_id for message in turn.messages if message.role == "tool"] == [
        "call_1", "call_2", "call_3",
    ]  # fmt: skip
    assert turn.messages[0].content == "Let me see." and turn.reply == "Here."
    assert [line.partition("(")[0] for line in place.written] == ["find_train", "find_hotel", "find_hotel"]
    assert all(tools == TOOLS for _, tools in model.asked)


def test_ids_go_on_along_the_path():
    first, _ = turn_of(FunctionCallingAgent(), [FIND_HOTEL, say("Here.")])
    second, _ = turn_of(
        FunctionCallingAgent(), [FIND_TRAIN, say("There.")], path=(user_says("a"), first, user_says("b"))
    )
    assert [call.id for call in second.calls] == ["call_2"]


@pytest.mark.parametrize("raw", ['{"area": north', '["north"]', '"north"', '{"area": NaN}', "null", '{"a":' * 60])
def test_malformed_arguments_are_typed_kept_as_written_and_never_reach_the_environment(raw):
    place = Notebook(TOOLS)
    turn, model = turn_of(FunctionCallingAgent(), [use("find_hotel", raw), say("Sorry.")], environment=place)
    (call,) = turn.calls
    assert (call.fault, call.error, call.raw, call.name) == ("format", NO_JSON + raw, raw, "find_hotel")
    assert place.written == ()
    assert [message.role for message in turn.messages] == ["assistant", "tool", "assistant"]
    assert turn.messages[1].content == NO_JSON + raw
    sent = wire(model.asked[1][0][-2])
    assert sent["tool_calls"][0]["function"]["arguments"] == "{}", "strict servers refuse what is no JSON object"


def test_an_unknown_tool_is_an_error_the_model_reads():
    turn, _ = turn_of(FunctionCallingAgent(), [use("find_castle"), say("Sorry.")])
    assert turn.calls[0].fault == "unknown_tool" and "find_castle" in turn.messages[1].content


def test_a_reasoning_models_thoughts_stay_in_its_message_and_are_not_said():
    turn, _ = turn_of(FunctionCallingAgent(), [say("<think>Say hello.</think>\n\nHello.")])
    assert turn.reply == "Hello." and turn.messages[0].content.startswith("<think>")


@pytest.mark.parametrize(("content", "fault"), [("", "empty"), ("  \n", "empty"), ("<think>and no end", "cut")])
def test_a_generation_with_neither_words_nor_calls_fails_the_turn_by_a_fault_of_its_own(content, fault):
    turn, _ = turn_of(FunctionCallingAgent(), [FIND_HOTEL, say(content)])
    assert [(call.id, call.fault) for call in turn.calls] == [("call_1", None), ("call_2", fault)]
    assert (turn.stop, turn.reply, turn.messages[-1].content) == ("failed", None, content)
    assert turn.cut and not turn.calls[1].reached


def test_a_turn_that_only_calls_fails_after_max_generations():
    turn, model = turn_of(FunctionCallingAgent(max_generations=2), [FIND_HOTEL] * 3)
    assert (turn.stop, turn.reply, len(model.asked)) == ("failed", None, 2)


def test_the_prompt_holds_the_policy_and_no_header():
    preamble = FunctionCallingAgent().preamble(Notebook(TOOLS))
    assert preamble.messages[0].content.startswith(Notebook.policy)
    assert "<!--" not in preamble.messages[0].content and preamble.tools == TOOLS


def _by_seed(messages, seed):
    last = messages[-1]
    if last.role == "tool":
        return say(f"Done {seed}.")
    answers = (FIND_HOTEL, FIND_TRAIN, use("find_hotel", "{oops"), say(""), calls(("find_train", "{}"), ("x", "{}")))
    return answers[seed % len(answers)]


def test_the_agent_keeps_its_contract():
    world = ScriptedWorld([SCENARIO], TOOLS)
    user = ScriptedUser(["a", "b", "c", "d", "e"])
    for shift in range(5):
        model = ScriptedModel(lambda messages, seed, shift=shift: _by_seed(messages, seed + shift))
        check_players(FunctionCallingAgent(), user, world, SCENARIO, model=model)


def test_every_rows_prompt_and_tools_are_what_the_model_was_called_with():
    asked = []

    def answer(messages, seed):
        asked.append([row(message) for message in messages])
        return _by_seed(messages, seed)

    outcome = play([HOTEL, TRAIN], FunctionCallingAgent(), ScriptedUser(list("abcdef")), model=ScriptedModel(answer))
    from josh_engine.extract import RowPolicy

    found = [line for name in ("sft", "kto") for line in outcome.rows(name, RowPolicy(filtered=False))]
    assert len(found) > 4
    for line in found:
        assert line["prompt"] in asked
        assert [each["function"]["name"] for each in json.loads(line["tools"])] == ["find_hotel", "find_train"]


def test_equal_turns_are_equal_whatever_ids_the_endpoint_gave():
    one, _ = turn_of(FunctionCallingAgent(), [calls(("find_hotel", "{}")), say("x")])
    other = replace(calls(("find_hotel", "{}")), tool_calls=(ToolCall("abc", "find_hotel", raw="{}"),))
    assert turn_of(FunctionCallingAgent(), [other, say("x")])[0] == one
