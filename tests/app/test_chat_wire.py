"""OpenAI's wire: what is asked reaches the worker, what cannot be had is refused by name."""

from __future__ import annotations

import json

import pytest

from app.chat_wire import NOT_OFFERED, Refusal, completion, json_object, requests_of

HELLO = [{"role": "user", "content": "hello"}]
TOOL = {"type": "function", "function": {"name": "find", "description": "", "parameters": {"type": "object"}}}


def asked(**body) -> dict:
    (request,) = requests_of({"messages": HELLO, **body}, "mine")
    return request


def refused(**body) -> Refusal:
    with pytest.raises(Refusal) as caught:
        requests_of({"messages": HELLO, **body}, "mine")
    return caught.value


def answer(content: str = "", *calls: tuple[str, str], **more) -> dict:
    usage = {"prompt_tokens": 10, "completion_tokens": 3, "reused_tokens": 4}
    made = [{"name": name, "arguments": raw} for name, raw in calls]
    return {"content": content, "tool_calls": made, "finish": "tool_calls" if calls else "stop", "usage": usage} | more


def test_sampling_and_tools_are_passed_on():
    request = asked(temperature=0.2, top_p=0.9, top_k=40, max_tokens=7, seed=5, tools=[TOOL], model="mine")
    assert request["tools"] == [TOOL]
    assert [request[name] for name in ("temperature", "top_p", "top_k", "max_tokens", "seed")] == [0.2, 0.9, 40, 7, 5]


def test_defaults_are_openais():
    request = asked()
    assert [request[name] for name in ("temperature", "top_p", "top_k", "max_tokens")] == [1.0, None, None, None]
    assert asked()["seed"] != request["seed"]


def test_the_newer_name_of_the_cap_is_known():
    assert asked(max_completion_tokens=9)["max_tokens"] == 9


def test_choices_have_seeds_of_their_own():
    assert [each["seed"] for each in requests_of({"messages": HELLO, "n": 3, "seed": 10}, "mine")] == [10, 11, 12]


def test_a_conversation_becomes_rows():
    call = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": '{"a": 1}'}}
    broken = {"id": "call_2", "type": "function", "function": {"name": "find", "arguments": '{"a": '}}
    messages = [
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "hel"}, {"type": "text", "text": "lo"}]},
        {"role": "assistant", "content": None, "tool_calls": [call, broken]},
        {"role": "tool", "content": "[]", "tool_call_id": "call_1"},
    ]
    first, second, third, fourth = asked(messages=messages)["messages"]
    assert (first["role"], second["content"], third["content"]) == ("system", "hello", "")
    assert [each["function"]["arguments"] for each in third["tool_calls"]] == [{"a": 1}, '{"a": ']
    assert fourth["tool_call_id"] == "call_1"


def test_tools_may_be_there_and_not_wanted():
    assert asked(tools=[TOOL], tool_choice="none")["tools"] == []


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("stream", True),
        ("stop", ["x"]),
        ("tool_choice", "required"),
        ("tool_choice", {"type": "function", "function": {"name": "find"}}),
        ("response_format", {"type": "json_object"}),
        ("frequency_penalty", 0.5),
        ("top_logprobs", 3),
        ("temperature", -1),
        ("temperature", "hot"),
        ("temperature", True),
        ("top_p", 1.5),
        ("n", 0),
        ("n", 1.5),
        ("max_tokens", 0),
        ("seed", "x"),
        ("tools", [{"name": "find"}]),
        ("tools", "find"),
        ("messages", []),
        ("messages", "hello"),
    ],
)
def test_what_cannot_be_had_is_refused_by_name(param, value):
    error = refused(**{param: value})
    assert (error.param, error.status) == (param, 400)
    assert param in error.message


def test_parameters_that_ask_for_nothing_are_taken():
    for param, nothing in NOT_OFFERED.items():
        for value in nothing:
            assert asked(**{param: value})


@pytest.mark.parametrize(
    "message",
    [
        "hello",
        {"role": "robot", "content": "x"},
        {"role": "user", "content": [{"type": "image_url"}]},
        {"role": "user", "content": 5},
        {"role": "assistant", "tool_calls": [{"id": "x"}]},
        {"role": "assistant", "tool_calls": ["x"]},
        {"role": "assistant", "tool_calls": 5},
    ],
)
def test_a_message_that_is_none_is_refused_with_its_place(message):
    assert refused(messages=[*HELLO, message]).param == "messages[1]"


def test_another_models_name_is_not_found():
    error = refused(model="theirs")
    assert (error.status, error.code) == (404, "model_not_found") and "'mine'" in error.message


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'"x"', b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(body):
    with pytest.raises(Refusal):
        json_object(body)


def test_answers_become_one_completion():
    logprobs = [("hi", -0.5), (" you", -1.25)]
    made = completion("mine", [answer("hi you", logprobs=logprobs), answer("", ("find", '{"a": '))], 12)
    said, called = made["choices"]
    assert said["message"] == {"role": "assistant", "content": "hi you"}
    assert [each["logprob"] for each in said["logprobs"]["content"]] == [-0.5, -1.25]
    assert (called["message"]["content"], called["finish_reason"], called["logprobs"]) == (None, "tool_calls", None)
    assert called["message"]["tool_calls"][0]["function"] == {"name": "find", "arguments": '{"a": '}
    assert [made["usage"][name] for name in ("prompt_tokens", "completion_tokens", "total_tokens")] == [10, 6, 16]
    assert json.loads(json.dumps(made)) == made
