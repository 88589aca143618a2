"""The chat model over OpenAI's wire, against the fake endpoint: what is sent, and what is made of every odd answer."""

from __future__ import annotations

import pytest
from fake_openai.asking import ASKED, KEY, TOOL, answered, ask, chat, using
from fake_openai.chats import called, said
from fake_openai.server import Programme, running

from josh_engine.messages import parse_arguments
from josh_engine.models.openai_chat import OpenAIChat
from josh_engine.models.prices import Price
from josh_engine.ports import ChatModel
from josh_engine.values import Completion, Message, Sampling, ToolCall, Usage

# What is sent


def test_a_request_holds_messages_tools_sampling_and_seed_and_nothing_else():
    made = ToolCall("call_1", "find_hotel", {"area": "north"}, raw='{"area": "north"}')
    path = (
        *ASKED,
        Message("assistant", "", (made,), sampled=True),
        Message("tool", "[]", tool_call_id="call_1"),
    )
    with running(Programme(lambda body: said("ok"), key=KEY)) as server:
        sampling = Sampling(temperature=1.5, top_p=0.75, top_k=50, max_tokens=99)
        using(chat(server.url), lambda model: model.complete(path, (TOOL,), sampling, 7))
    assert server.requests == [
        {
            "model": "tiny",
            "messages": [
                {"role": "system", "content": "You book hotels."},
                {"role": "user", "content": "A cheap one, please."},
                {
                    "role": "assistant",
                    "content": "",
                    "tool_calls": [
                        {
                            "type": "function",
                            "id": "call00001",
                            "function": {"name": "find_hotel", "arguments": '{"area": "north"}'},
                        }
                    ],
                },
                {"role": "tool", "content": "[]", "tool_call_id": "call00001"},
            ],
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "find_hotel",
                        "description": "Finds a hotel.",
                        "parameters": {"type": "object", "properties": {"area": {"type": "string"}}},
                    },
                }
            ],
            "temperature": 1.5,
            "top_p": 0.75,
            "top_k": 50,
            "max_tokens": 99,
            "seed": 7,
        }
    ]


def test_what_is_not_chosen_is_not_sent():
    with running(Programme(lambda body: said("ok"))) as server:
        ask(chat(server.url))
    assert set(server.requests[0]) == {"model", "messages", "temperature"}


def test_another_accounts_key_and_names_in_the_environment_are_not_sent(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "of-another-account")
    with running(Programme(lambda body: said("ok"))) as server:
        ask(chat(server.url, key="", key_env=""))
    assert "of-another-account" not in str(server.endpoint.headers)


def test_it_is_a_chat_model():
    model: ChatModel = OpenAIChat("http://127.0.0.1:1/v1", "tiny")
    assert model


# What is made of an answer


@pytest.mark.parametrize(
    ("content", "read"),
    [
        ("Hello.", "Hello."),
        (None, ""),
        ("", ""),
        ([{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo."}], "Hello."),
        ("half \ud800 a pair", "half \ufffd a pair"),
        ("line\nbreak \\ {brace}", "line\nbreak \\ {brace}"),
        (17, ""),
    ],
)
def test_content_is_text_whatever_it_was(content, read):
    completion = answered(said(content))
    assert completion == Completion(read, usage=Usage(1, 10, 5), usd=None)
    completion.content.encode()


@pytest.mark.parametrize(
    ("arguments", "raw", "parsed"),
    [
        ('{"area": "north"}', '{"area": "north"}', {"area": "north"}),
        ({"area": "north"}, '{"area": "north"}', {"area": "north"}),
        (["north"], '["north"]', None),
        ('"north"', '"north"', None),
        (float("nan"), "NaN", None),
        ('{"area": ', '{"area": ', None),
        ('{"area": NaN}', '{"area": NaN}', None),
        ({"area": float("inf")}, '{"area": Infinity}', None),
        ('{"area": "\\ud800"}', '{"area": "\\ud800"}', None),
        (None, "", {}),
        ("", "", {}),
        (3, "3", None),
    ],
)
def test_arguments_of_any_type_reach_the_agent_as_text(arguments, raw, parsed):
    completion = answered(called("find_hotel", arguments))
    assert completion.tool_calls == (ToolCall("server-1", "find_hotel", raw=raw),)
    assert parse_arguments(completion.tool_calls[0].raw) == parsed
    assert (completion.content, completion.finish) == ("", "tool_calls")


@pytest.mark.parametrize(
    ("calls", "names"),
    [
        (None, ()),
        ([], ()),
        ("none", ()),
        ([{"function": {"name": None, "arguments": "{}"}}], ("",)),
        (["find_hotel()"], ("",)),
        ([{"function": {"name": "a"}}, {"function": {"name": "b"}}], ("a", "b")),
    ],
)
def test_several_odd_or_no_calls_survive_in_order(calls, names):
    assert tuple(call.name for call in answered(said("", calls)).tool_calls) == names


@pytest.mark.parametrize(
    ("usage", "price", "counted", "usd"),
    [
        ({"prompt_tokens": 2_000_000, "completion_tokens": 500_000}, Price(0.15, 0.6), (2_000_000, 500_000), 0.6),
        ({"prompt_tokens": 7, "completion_tokens": 5}, Price(), (7, 5), None),
        ({"prompt_tokens": 7, "completion_tokens": 5}, Price(0.0, 0.0), (7, 5), 0.0),
        ({"prompt_tokens": 7, "completion_tokens": 5}, Price(prompt=1.0), (7, 5), None),
        ({}, Price(1.0, 1.0), (0, 0), None),
        ({"prompt_tokens": "7", "completion_tokens": None}, Price(1.0, 1.0), (0, 0), None),
        ("many", Price(1.0, 1.0), (0, 0), None),
    ],
)
def test_usd_is_tokens_times_price_and_unknown_where_either_is(usage, price, counted, usd):
    completion = answered(said("ok", usage=usage), price=price)
    assert completion.usage == Usage(1, *counted)
    assert completion.usd == (usd if usd is None else pytest.approx(usd))


def test_answers_of_any_size_come_whole():
    words = "word " * 200_000
    assert answered(said(words)).content == words


# What an endpoint does not take


@pytest.mark.parametrize(
    ("refused", "sampling", "missing", "instead"),
    [
        ("seed", Sampling(), "seed", None),
        ("max_tokens", Sampling(max_tokens=9), "max_tokens", "max_completion_tokens"),
    ],
)
def test_what_changes_nothing_is_left_out_and_that_is_remembered(refused, sampling, missing, instead):
    with running(Programme(lambda body: said("ok"), refuses=(refused,))) as server:

        async def twice(model: OpenAIChat) -> None:
            for _ in range(2):
                await model.complete(ASKED, (), sampling, 5)

        using(chat(server.url), twice)
    assert [missing in each for each in server.requests] == [True, False, False]
    assert instead is None or all(instead in each for each in server.requests[1:])


def test_what_changes_the_answers_is_left_out_too_and_told_once():
    with running(Programme(lambda body: said("ok"), refuses=("top_k",))) as server:
        model = chat(server.url)

        async def twice(model: OpenAIChat) -> None:
            for _ in range(2):
                await model.complete(ASKED, (), Sampling(top_k=5), 5)

        using(model, twice)
    assert ["top_k" in each for each in server.requests] == [True, False, False]
    assert [notice.kind for notice in model.notices] == ["habit:top_k"]
    assert "top_k" in model.notices[0].text and "Unsupported parameter" in model.notices[0].text


def test_a_lone_system_prompt_becomes_the_users_words_where_the_endpoint_insists():
    with running(Programme(lambda body: said("ok"), system_only=False)) as server:
        using(chat(server.url), lambda model: model.complete(ASKED[:1]))
    assert [each["messages"][-1]["role"] for each in server.requests] == ["system", "user"]
