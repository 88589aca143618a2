"""A chat template is tested before a local model plays: what takes an answer's ground away ends the run in words, what
only has to be known is told once."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any

import pytest
from chat_templates import DEEPSEEK_R1, GEMMA_3, LLAMA_3_1, MISTRAL_0_3, QWEN_2_5
from tiny_model import CHAT_TEMPLATE, tiny_tokenizer

from josh_engine.errors import BadResponse
from josh_engine.models.local.loading import Loaded, render
from josh_engine.models.local.speaking import template_of
from josh_engine.models.local_chat import LocalChat

SYSTEM, USER = {"role": "system", "content": "Sell."}, {"role": "user", "content": "A coat."}
TOOLS = [{"type": "function", "function": {"name": "find", "parameters": {}}}]
CALL = {"type": "function", "id": "call00001", "function": {"name": "find", "arguments": {"size": 4}}}
CALLED = [
    SYSTEM, USER, {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "content": "two", "tool_call_id": "call00001"},
]  # fmt: skip


def loaded(template: str) -> Loaded:
    tokenizer = tiny_tokenizer(["coat"], template)
    return Loaded(None, tokenizer, None, frozenset(), template_of(tokenizer))


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (GEMMA_3, "ignores the tools that are offered"),
        (DEEPSEEK_R1, "ignores the tools that are offered"),
        (QWEN_2_5.replace("{{ m.content }}\n</tool_response>", "</tool_response>"), "leaves out what tools answered"),
        (CHAT_TEMPLATE.replace("{{ call.function.name }}", ""), "leaves calls or their arguments out"),
    ],
)
def test_tools_are_not_played_under_a_template_that_takes_the_ground_away(template: str, said: str) -> None:
    with pytest.raises(BadResponse, match=said) as caught:
        render(loaded(template), CALLED, TOOLS)
    assert caught.value.final and not caught.value.retry and "ReACT" in caught.value.remedy


def test_the_same_template_plays_an_agent_without_tools() -> None:
    assert render(loaded(GEMMA_3), [SYSTEM, USER], [])


def test_a_template_without_a_system_role_names_what_helps_and_not_the_agent_that_is_playing() -> None:
    strict = "{% if messages[0].role == 'system' %}{{ raise_exception('none of that') }}{% endif %}" + CHAT_TEMPLATE
    with pytest.raises(BadResponse, match="refuses the system role") as caught:
        render(loaded(strict), [SYSTEM, USER], [])
    assert "first user message" in caught.value.remedy and "ReACT" not in caught.value.remedy


def test_another_refusal_is_told_in_the_template_s_own_words() -> None:
    strict = "{% if messages | length > 4 %}{{ raise_exception('Four at most.') }}{% endif %}" + CHAT_TEMPLATE
    with pytest.raises(BadResponse, match="Four at most"):
        render(loaded(strict), [*CALLED, {"role": "user", "content": "?"}], TOOLS)


class Worker:
    """One that loaded a model of this template and always says the same."""

    def __init__(self, template: str) -> None:
        self.habits = [each.name for each in loaded(template).template.test.habits]

    def ready(self) -> Future[Any]:
        return done({"habits": self.habits})

    def ask(self, request: Any) -> tuple[int, Future[Any]]:
        return 1, done({"content": "Good."})


def done(result: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(result)
    return future


@pytest.mark.parametrize(
    ("template", "messages", "tools", "kinds"),
    [
        (MISTRAL_0_3, CALLED, TOOLS, ["system_late"]),
        (MISTRAL_0_3, [USER], [], []),
        (LLAMA_3_1, [SYSTEM, USER], TOOLS, ["today"]),
        (QWEN_2_5, CALLED, TOOLS, []),
    ],
)
def test_what_has_to_be_known_is_noticed_once(
    template: str, messages: list[Any], tools: list[Any], kinds: list[str]
) -> None:
    chat = LocalChat([Worker(template)])  # type: ignore[list-item]
    for _ in range(2):
        asyncio.run(chat.ask({"messages": messages, "tools": tools}))
    assert [each.kind for each in chat.notices] == kinds
    if kinds == ["system_late"]:
        assert "the policy vanishes after a call" in chat.notices[0].text


def test_a_template_that_wants_text_gets_arguments_as_text() -> None:
    template = template_of(tiny_tokenizer(["coat"], DEEPSEEK_R1))
    assert '```json\n{"size": 4}\n```' in template.text(CALLED, TOOLS, True)
