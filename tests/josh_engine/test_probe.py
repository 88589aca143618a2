"""What a probe says of endpoints that can, that cannot, and that pretend."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from fake_openai.asking import HASTY
from fake_openai.chats import called, said
from fake_openai.server import Programme, Refused, running

from app import rendering
from josh_engine.encoding import dump, load
from josh_engine.models.limits import Limits
from josh_engine.models.openai_chat import OpenAIChat
from josh_engine.models.probe import GOLDEN, Probe, probe


def able(body: Any) -> Any:
    """An endpoint that can do everything."""
    words = body["messages"][-1]["content"]
    if "tools" in body:
        golden = next(each for each in GOLDEN if each.words in words)
        return called(golden.name, json.dumps(golden.arguments))
    answer = said(f"Café {body.get('seed')}")
    answer["usage"]["prompt_tokens"] = len(words) // 4
    if body.get("logprobs"):
        answer["choices"][0]["logprobs"] = {"content": [{"token": "C", "logprob": -0.1}]}
    answer["choices"] *= body.get("n", 1)
    return answer


def probed(answer: Any, **programme: Any) -> Probe:
    async def ask(url: str) -> Probe:
        model = OpenAIChat(url, "tiny", limits=Limits(patience=HASTY))
        try:
            return await probe(model)
        finally:
            await model.close()

    with running(Programme(answer, **programme)) as server:
        return asyncio.run(ask(server.url))


def test_an_endpoint_that_can_do_everything():
    found = probed(able, models=("tiny",), seconds=0.02)
    assert found.seconds is not None and found.seconds >= 0.02
    expected = Probe("", None, True, True, True, True, True, 4, 4, ("tiny",))
    assert replace(found, seconds=None) == expected and found.parse_rate == 1.0


def test_an_endpoint_that_ignores_what_it_does_not_know():
    found = probed(lambda body: said("The same"))
    assert (found.tools, found.n, found.seed, found.logprobs, found.system_only) == (False, False, None, False, True)
    assert found.parse_rate == 0.0


def test_what_it_does_without_a_word_is_told_with_what_to_do():
    """It reads 4,096 tokens at most, has no tool parser, and is another model."""

    def silent(body: Any) -> Any:
        words = body["messages"][-1]["content"]
        answer = said('<tool_call>{"name": "find_hotel", "arguments": {}}</tool_call>' if "tools" in body else "Café")
        usage = {"prompt_tokens": min(4_096, len(words) // 4), "completion_tokens": 5}
        return answer | {"model": "another", "usage": usage}

    found = probed(silent)
    assert {notice.kind for notice in found.notices} == {"window", "call_in_words", "other_model"}
    shown = rendering.probe(found, "tiny@http://here/v1")
    assert all(word in shown for word in ("num_ctx", "4,096", "--tool-call-parser", "'another'"))
    assert load(Probe, dump(found)) == found


def test_thoughts_without_words_are_told():
    answer = said("") | {"usage": {"prompt_tokens": 9_000, "completion_tokens": 90}}
    answer["choices"][0]["message"]["reasoning_content"] = "The Gull."
    assert [notice.kind for notice in probed(lambda body: answer).notices] == ["words_missing", "window"]


def test_seeds_that_are_ignored_are_told_from_seeds_that_count():
    answers = iter(range(1000))
    assert probed(lambda body: said(f"Name {next(answers)}")).seed is False
    assert probed(lambda body: said(f"Name {body.get('seed')}")).seed is True


def test_what_an_endpoint_refuses_is_told_though_it_is_served_another_way():
    assert probed(able, system_only=False).system_only is False
    assert probed(able, refuses=("seed",)).seed is not True


@pytest.mark.parametrize(
    ("arguments", "parsed"),
    [
        ({"area": "North"}, 1),
        ('{"area": "north", "stars": "5"}', 1),
        ('{"area": "south"}', 0),
        ('{"area": ', 0),
        (float("nan"), 0),
        (None, 0),
    ],
)
def test_the_parse_rate_counts_calls_as_they_were_asked_for(arguments, parsed):
    found = probed(lambda body: called("find_hotel", arguments) if "tools" in body else said("x"))
    assert (found.tools, found.parsed, found.asked) == (True, parsed, 4)


def test_what_cannot_be_asked_is_a_result_with_its_reason():
    assert "wants a key" in probed(able, key="secret").error
    assert "no model 'tiny'" in probed(able, models=("other",)).error


# What an endpoint does not take is a finding


def refusing(words: str, when: Any, status: int = 400) -> Any:
    return lambda body: Refused(status, {"error": {"message": words}}) if when(body) else able(body)


def roles(body: Any) -> list[str]:
    return [message["role"] for message in body["messages"]]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusing("Unsupported parameter: 'temperature'", lambda body: "temperature" in body), "habit:temperature"),
        (refusing("Unsupported parameter: 'max_tokens'", lambda body: "max_tokens" in body), "habit:max_tokens"),
        (refusing("System role not supported", lambda body: "system" in roles(body)), "habit:no_system"),
        (refusing("does not support tools", lambda body: "tools" in body), "tools"),
        (refusing("No endpoints found that support tool use", lambda body: "tools" in body, 404), "tools"),
        (refusing("requires --enable-auto-tool-choice", lambda body: "tools" in body), "tools"),
    ],
)
def test_what_is_refused_is_told_in_the_endpoints_words_and_the_probe_goes_on(answer: Any, kind: str):
    found = probed(answer)
    assert found.error == "" and found.seconds is not None
    assert [notice.kind for notice in found.notices] == [kind]
    refusal = answer({"messages": [{"role": "system", "content": ""}], "temperature": 0, "max_tokens": 1, "tools": []})
    assert refusal.body["error"]["message"] in found.notices[0].text
    assert found.tools is (kind != "tools")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Refused(403, "<html><title>Blocked</title></html>"), "Blocked"),
        (Refused(402, {"error": "Insufficient Balance"}), "Insufficient Balance"),
        ({"error": {"message": "Rate limit of 5 a day", "code": 429}}, "Rate limit of 5 a day"),
    ],
)
def test_an_endpoint_that_answers_nothing_is_told_in_its_words(answer: Any, told: str):
    assert told in probed(lambda body: answer).error


def test_answers_that_are_none_are_no_failure_of_the_probe():
    found = probed(lambda body: {"choices": {"0": "odd"}})
    assert (found.error, found.n, found.tools, found.system_only) == ("", False, False, False)
