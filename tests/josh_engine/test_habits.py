"""What an endpoint will not take is asked otherwise and remembered; what nothing helps is said once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from fake_openai.asking import ASKED, KEY, TOOL, chat, using
from fake_openai.chats import called, said
from fake_openai.server import Programme, Refused, Running, running

from josh_engine.errors import BadResponse, MissingKey, ModelError, RateLimited
from josh_engine.models.endpoint import Extras
from josh_engine.models.finishes import no_move
from josh_engine.models.habits import HABITS, fitted
from josh_engine.models.openai_chat import OpenAIChat
from josh_engine.values import Message, Sampling, ToolCall

Body = dict[str, Any]
TWO = (ToolCall("call00001", "find", raw="{}"), ToolCall("call00002", "book", raw="{}"))
PLAYED = (
    *ASKED,
    Message("assistant", "One moment.", TWO),
    Message("tool", "found", tool_call_id="call00001"),
    Message("tool", "booked", tool_call_id="call00002"),
)


def refusing(words: str, when: Callable[[Body], bool], status: int = 400, answer: Any = None) -> Callable[[Body], Any]:
    refused = Refused(status, {"error": {"message": words}})
    return lambda body: refused if when(body) else (answer or said("ok"))


def played(answer: Callable[[Body], Any], *paths: tuple[Message, ...], **settings: Any) -> tuple[OpenAIChat, Running]:
    """The model after it was asked these, one after another."""

    async def all_of_them(model: OpenAIChat) -> None:
        for path in paths or (ASKED, ASKED):
            await model.complete(path, (TOOL,), Sampling(temperature=0.7, top_p=0.9), 7)

    with running(Programme(answer)) as server:
        model = chat(server.url, **settings)
        using(model, all_of_them)
    return model, server


def roles(body: Body) -> list[str]:
    return [message["role"] for message in body["messages"]]


def test_a_refused_temperature_is_left_out_remembered_and_told_once():
    words = "Unsupported value: 'temperature' does not support 0.7 with this model."
    model, server = played(refusing(words, lambda body: "temperature" in body))
    assert ["temperature" in each for each in server.requests] == [True, False, False]
    assert all(each["top_p"] == 0.9 for each in server.requests), "nothing else is left out"
    assert [notice.kind for notice in model.notices] == ["habit:temperature"] and words[:40] in str(model.notices[0])


def test_two_habits_are_learned_one_after_the_other():
    def answer(body: Body) -> Any:
        for field in ("temperature", "top_p"):
            if field in body:
                return Refused(400, {"error": {"message": f"Unknown parameter: '{field}'.", "param": field}})
        return said("ok")

    model, server = played(answer)
    assert len(server.requests) == 4 and model.refused == {"temperature", "top_p"}


def test_system_words_go_in_front_of_the_users_where_the_role_is_refused():
    model, server = played(refusing("System role not supported", lambda body: "system" in roles(body)))
    assert [roles(each) for each in server.requests] == [["system", "user"], ["user"], ["user"]]
    assert server.requests[1]["messages"][0]["content"] == "You book hotels.\n\nA cheap one, please."
    assert model.notices == () and model.met[0].kind == "habit:no_system", "nothing else is asked, so no one is told"


def test_a_system_message_later_on_joins_the_words_around_it():
    late = (Message("user", "Hi"), Message("assistant", "Hello"), Message("system", "Be brief."), Message("user", "Go"))
    _, server = played(refusing("System message must be at the beginning.", lambda body: "system" in roles(body)), late)
    assert [each["content"] for each in server.requests[-1]["messages"]] == ["Hi", "Hello", "Be brief.\n\nGo"]


def test_neighbours_of_one_role_are_joined_where_roles_must_alternate():
    def uneven(body: Body) -> bool:
        return any(one == other for one, other in zip(roles(body), roles(body)[1:], strict=False))

    twice = (
        *ASKED,
        Message("user", "Soon."),
        Message("assistant", "A"),
        Message("assistant", "B"),
        Message("user", "C"),
    )
    _, server = played(refusing("Conversation roles must alternate user/assistant/...", uneven), twice)
    assert roles(server.requests[-1]) == ["system", "user", "assistant", "user"]
    assert server.requests[-1]["messages"][2]["content"] == "A\n\nB"


def test_a_template_without_a_system_role_that_only_speaks_of_alternation_is_met_too():
    words = "Conversation roles must alternate user/assistant/user/assistant/..."
    model, server = played(refusing(words, lambda body: roles(body)[0] == "system"))
    assert roles(server.requests[-1]) == ["user"] and "no_system" in model.refused


@pytest.mark.parametrize(
    "words", ["This model only supports single tool-calls at once!", "Multiple tool calls are not supported."]
)
def test_one_call_a_message_is_played_where_the_template_takes_no_more(words):
    two = called("find", "{}")
    two["choices"][0]["message"]["tool_calls"] *= 2

    async def twice(model: OpenAIChat) -> list[int]:
        return [len((await model.complete(path, (TOOL,))).tool_calls) for path in (ASKED, PLAYED, ASKED)]

    with running(
        Programme(
            refusing(
                words, lambda body: any(len(each.get("tool_calls", ())) > 1 for each in body["messages"]), answer=two
            )
        )
    ) as server:
        assert using(chat(server.url), twice) == [2, 1, 1], "from the refusal on only the first is made"
    asked = server.requests[2]
    assert asked["parallel_tool_calls"] is False and roles(asked)[2:] == ["assistant", "tool", "assistant", "tool"]
    assert [each.get("content") for each in asked["messages"][2:]] == ["One moment.", "found", "", "booked"]
    assert [each["tool_call_id"] for each in asked["messages"] if each["role"] == "tool"] == ["call00001", "call00002"]


def test_a_server_that_takes_one_call_but_not_the_field_that_asks_for_it_is_asked_without():
    def answer(body: Body) -> Any:
        if "parallel_tool_calls" in body:
            return Refused(400, {"error": {"message": "Unknown parameter: 'parallel_tool_calls'."}})
        if any(len(each.get("tool_calls", ())) > 1 for each in body["messages"]):
            return Refused(500, {"error": {"message": "Only one tool call is supported"}})
        return said("ok")

    model, server = played(answer, PLAYED)
    assert len(server.requests) == 3 and model.refused == {"one_call", "parallel_tool_calls"}


def test_a_server_that_refuses_whatever_is_tried_shows_its_words_and_is_not_asked_for_ever():
    with (
        running(
            Programme(lambda body: Refused(400, {"error": {"message": "System role not supported, sorry"}}))
        ) as server,
        pytest.raises(ModelError, match="System role not supported, sorry"),
    ):
        using(chat(server.url), lambda model: model.complete(ASKED))
    assert len(server.requests) == 2, "as it was, and once for the habit"


@pytest.mark.parametrize("name", HABITS)
def test_a_habit_applied_twice_is_applied_once_and_leaves_its_request_alone(name):
    messages = [
        {"role": "system", "content": "s"}, {"role": "user", "content": "a"}, {"role": "user", "content": "b"},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "1"}, {"id": "2"}]},
        {"role": "tool", "content": "x", "tool_call_id": "2"}, {"role": "tool", "content": "y", "tool_call_id": "1"},
    ]  # fmt: skip
    body = {"messages": messages, "tools": [{}], "temperature": 0, "top_p": 1, "top_k": 1, "seed": 1, "max_tokens": 1}
    body |= {"parallel_tool_calls": True}
    before = repr(body)
    once = fitted(body, {name})
    assert fitted(once, {name}) == once and repr(body) == before
    assert name == "system_only" or once != body


# What nothing helps


def calls_made(answer: Any, **asked: Any) -> tuple[int, list[Any]]:
    """Requests of twenty scenarios, four at once, and their errors."""

    async def scenarios(model: OpenAIChat) -> list[Any]:
        gate = asyncio.Semaphore(4)

        async def one(number: int) -> Any:
            async with gate:
                path = (*ASKED[:1], Message("user", f"Scenario {number}"))
                return await asyncio.gather(model.complete(path, **asked), return_exceptions=True)

        return [error for errors in await asyncio.gather(*map(one, range(20))) for error in errors]

    with running(Programme(lambda body: answer, seconds=0.01)) as server:
        errors = using(chat(server.url), scenarios)
    return len(server.requests), errors


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Refused(403, "<!DOCTYPE html><html><title>Blocked</title><p>by us</html>"), "Blocked by us"),
        (Refused(402, {"error": {"message": "Insufficient Balance"}}), "Insufficient Balance"),
        (Refused(404, {"error": {"message": "No endpoints found matching your data policy"}}), "data policy"),
        (Refused(400, {"error": {"message": "Unheard of: 17 things are wrong"}}), "Unheard of"),
        (Refused(302, "", {"Location": "https://login.example/"}), "https://login.example/"),
        ({"error": {"message": "Insufficient credits", "code": 402}}, "Insufficient credits"),
        ({"error": {"message": f"Invalid API key {KEY}", "code": 401}}, "(the key)"),
    ],
)
def test_what_no_further_call_can_cure_is_said_after_a_few(answer, told):
    calls, errors = calls_made(answer)
    assert calls <= 8 and len(errors) == 20
    assert all(isinstance(error, ModelError) and told in str(error) and KEY not in str(error) for error in errors)
    assert "<" not in str(errors[0]) and errors[-1].final


def test_a_server_without_tools_is_asked_no_more_with_tools_but_still_without():
    words = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
    with running(Programme(refusing(words, lambda body: "tools" in body))) as server:

        async def work(model: OpenAIChat) -> str:
            for _ in range(3):
                with pytest.raises(ModelError, match="tool-call-parser"):
                    await model.complete(ASKED, (TOOL,))
            return (await model.complete(ASKED)).content

        assert using(chat(server.url), work) == "ok"
    assert len(server.requests) == 2


def test_a_refusal_of_one_conversation_does_not_end_the_others():
    def answer(body: Body) -> Any:
        bad = "curse" in body["messages"][-1]["content"]
        return Refused(400, {"error": {"message": "Unheard of: this one"}}) if bad else said("ok")

    with running(Programme(answer)) as server:

        async def work(model: OpenAIChat) -> list[str]:
            await model.complete(ASKED)
            for _ in range(5):
                with pytest.raises(ModelError):
                    await model.complete((Message("user", "a curse"),))
            return [(await model.complete(ASKED)).content]

        assert using(chat(server.url), work) == ["ok"]
    assert len(server.requests) == 7


@pytest.mark.parametrize(
    "answer", [{"error": {"message": "Rate limit: upstream", "code": 429}}, {"error": "too many requests"}]
)
def test_a_limit_inside_an_answer_slows_the_pace_and_is_tried_six_times(answer):
    with running(Programme(lambda body: answer)) as server:
        model = chat(server.url)
        allowed = model.limits.pace.allowed
        with pytest.raises(RateLimited):
            using(model, lambda opened: opened.complete(ASKED))
    assert len(server.requests) == 6 and model.limits.pace.allowed < allowed


def test_a_wait_in_the_headers_of_an_answer_with_an_error_is_waited_for():
    limited = Refused(200, {"error": {"message": "slow down", "code": 429}}, {"Retry-After": "0.4"})
    answers = iter([limited, said("ok")])
    started = time.monotonic()
    played(lambda body: next(answers), ASKED)
    assert time.monotonic() - started >= 0.4


def test_an_odd_answer_that_quotes_the_key_is_told_without_it():
    with running(Programme(lambda body: {"odd": KEY})) as server, pytest.raises(BadResponse) as caught:
        using(chat(server.url), lambda model: model.complete(ASKED))
    assert KEY not in str(caught.value) and "(the key)" in str(caught.value)


# Redirects and extras


def test_a_redirect_on_the_same_server_is_followed_and_kept():
    moved = Refused(301, "", {"Location": "/v1/chat/completions?there=1"})
    answers = iter([moved, said("ok"), said("ok")])
    _, server = played(lambda body: next(answers))
    assert ["there=1" in path for path in server.endpoint.paths] == [False, True, True]


def test_a_redirect_in_a_circle_ends():
    here = Refused(307, "", {"Location": "/v1/chat/completions?a"})
    with running(Programme(lambda body: here)) as server, pytest.raises(ModelError, match="leads on"):
        using(chat(server.url), lambda model: model.complete(ASKED))
    assert len(server.requests) == 2


def test_extras_go_into_the_request_its_address_and_its_headers():
    extras = Extras(
        {"chat_template_kwargs": {"enable_thinking": False}, "parallel_tool_calls": False},
        query={"api-version": "2024-10-21"},
        omit=("temperature", "seed"),
    )
    headers = {"api-key": "hidden-4711", "X-Title": "josh"}
    _, server = played(lambda body: said("ok"), ASKED, extras=extras, headers=headers, key="", secrets=("hidden-4711",))
    asked = server.requests[0]
    assert asked["chat_template_kwargs"] == {"enable_thinking": False} and asked["parallel_tool_calls"] is False
    assert "temperature" not in asked and "seed" not in asked and asked["top_p"] == 0.9
    assert server.endpoint.paths == ["/v1/chat/completions?api-version=2024-10-21"]
    sent = server.endpoint.headers[0]
    assert (sent["api-key"], sent["x-title"]) == ("hidden-4711", "josh") and "authorization" not in sent


def test_fields_about_tools_are_not_sent_without_tools():
    with running(Programme(lambda body: said("ok"))) as server:
        extras = Extras({"tool_choice": "auto", "reasoning_effort": "low"})
        using(chat(server.url, extras=extras), lambda model: model.complete(ASKED))
    assert server.requests[0]["reasoning_effort"] == "low" and "tool_choice" not in server.requests[0]


def test_a_header_that_is_quoted_back_is_hidden():
    refused = Refused(401, {"error": {"message": 'No such key: hid"den-4711'}})
    with running(Programme(lambda body: refused)) as server, pytest.raises(MissingKey) as caught:
        model = chat(server.url, headers={"api-key": 'hid"den-4711'}, secrets=('hid"den-4711',))
        using(model, lambda opened: opened.complete(ASKED))
    assert "den-4711" not in str(caught.value) and "(the key)" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "error", "written"),
    [
        (
            400,
            {"message": "Failed to call a function.", "code": "tool_use_failed", "failed_generation": "<find{"},
            "<find{",
        ),
        (500, "error parsing tool call: raw='{\"name\": ', err=unexpected end of JSON input", ""),
        (500, {"message": "Failed to parse input at pos 12: {", "type": "server_error"}, ""),
    ],
)
def test_a_call_that_the_server_could_not_read_is_the_models_answer_and_no_move(status, error, written):
    with running(Programme(lambda body: Refused(status, {"error": error}))) as server:
        completion = using(chat(server.url), lambda model: model.complete(ASKED, (TOOL,), Sampling(), 7))
    fault = no_move(completion)
    assert (completion.content, fault.fault) == (written, "cut") and "could not read its call" in fault.why
    assert len(server.requests) == 1, "whether to ask again is the journal's to say"
