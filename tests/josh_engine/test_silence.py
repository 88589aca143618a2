"""What a server does without a word is told, and what is as it should be is not."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import Future
from typing import Any

import pytest

from josh_engine.messages import parse_arguments, row
from josh_engine.models.local_chat import LocalChat
from josh_engine.models.notices import Notice
from josh_engine.models.silence import Listener, holds_call, same_model
from josh_engine.values import Message, Tool, ToolCall

TOOLS = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in ("find_hotel", "book")]
RULES = "You book hotels for guests of the town. " * 200  # 8,000 characters: some 1,700 tokens


def asked(*said: str, tools: Any = (), model: str = "tiny") -> dict[str, Any]:
    roles = ("user", "assistant")
    chat = [{"role": roles[place % 2], "content": words} for place, words in enumerate(said)]
    messages = [{"role": "system", "content": RULES}, *chat]
    return {"model": model, "messages": messages, **({"tools": tools} if tools else {})}


def answer(
    content: str | None = "Gladly.", *, finish: str = "stop", model: str = "tiny", **message: Any
) -> dict[str, Any]:
    usage = message.pop("usage", {"prompt_tokens": 2_000, "completion_tokens": 20})
    choice = {"message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}
    return {"model": model, "choices": [choice], "usage": usage}


def heard(body: dict[str, Any], given: dict[str, Any]) -> list[Notice]:
    return list(Listener().heard(body, given))


def kinds(body: dict[str, Any], given: dict[str, Any]) -> list[str]:
    return [notice.kind for notice in heard(body, given)]


def called(arguments: str) -> list[dict[str, Any]]:
    return [{"id": "c", "type": "function", "function": {"name": "book", "arguments": arguments}}]


# Nothing to tell


@pytest.mark.parametrize(
    "given",
    [
        answer(),
        answer("<think>They want a bed.</think>Gladly."),
        answer(None, tool_calls=called("{}"), reasoning_content="I book."),
        answer("Gladly.", reasoning="They want a bed."),
        answer("Your order is {'id': 3}; see {\"id\": 3} for <b>more</b>."),
        answer(usage={}),
        answer(usage={"prompt_tokens": None}),
        answer("", usage={"prompt_tokens": 2_000, "completion_tokens": 1}),
        {"choices": "none", "usage": 3, "model": None},
    ],
)
def test_of_an_answer_that_is_what_it_says_nothing_is_told(given):
    assert heard(asked("Hello", tools=TOOLS), given) == []


# Words that are missing


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_thoughts_without_words_are_told_whatever_the_server_calls_them(field):
    (notice,) = heard(asked("Hello"), answer(None, **{field: "Hello, what can I do for you?"}))
    assert notice.kind == "words_missing" and "thoughts and no words" in notice.text
    assert "reasoning parser" in notice.remedy


@pytest.mark.parametrize("words", ["<think>They want", "They want a bed.</think>\n", "<thinking>No."])
def test_words_that_are_all_thought_are_told(words):
    assert kinds(asked("Hello"), answer(words)) == ["words_missing"]


def test_thoughts_that_ran_into_the_cap_name_the_cap():
    (notice,) = heard(asked("Hello"), answer("", finish="length", reasoning_content="Let me see"))
    assert "--max-tokens" in notice.remedy


def test_tokens_that_were_counted_and_never_arrived_are_told():
    (notice,) = heard(asked("Hello"), answer(None, usage={"prompt_tokens": 2_000, "completion_tokens": 57}))
    assert notice.kind == "words_missing" and "57" in notice.text and "parser" in notice.remedy


# Calls that nobody read


@pytest.mark.parametrize(
    "words",
    [
        'Let me look.\n<tool_call>\n{"name": "book", "arguments": {}}\n</tool_call>',
        '[TOOL_CALLS][{"name": "book", "arguments": {}}]',
        '<|python_tag|>{"name": "book", "parameters": {}}',
        "<function=book>\n<parameter=people>\n2\n</parameter>\n</function>",
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>book",
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.book:0<|tool_call_argument_begin|>{}",
        '<|tool_call|>[{"name": "book", "arguments": {}}]',
        "<start_function_call>call:book{}<end_function_call>",
        '<minimax:tool_call>\n<invoke name="book">\n</invoke>',
        '<TOOLCALL>[{"name": "book", "arguments": {}}]</TOOLCALL>',
        "<|channel|>commentary to=functions.book <|constrain|>json<|message|>{}",
        "```tool_code\nbook(people=2)\n```",
        '{"name": "book", "arguments": {"people": 2}}',
        'Sure:\n```json\n{"name": "book", "parameters": {"people": 2}}\n```',
        '[{"type": "function", "function": {"name": "book", "arguments": "{}"}}]',
        "[book(people=2), find_hotel(area='north')]",
    ],
)
def test_a_call_in_the_words_is_told_and_the_remedy_names_the_tool_parser(words):
    (notice,) = heard(asked("Book it", tools=TOOLS), answer(words))
    assert notice.kind == "call_in_words" and "tool parser" in notice.text + notice.remedy
    assert "--tool-call-parser" in notice.remedy


def test_without_tools_a_call_in_the_words_is_the_agents_own_business():
    assert kinds(asked("Book it"), answer('APICALL {"name": "book", "parameters": {}} <COMMAND_END>')) == []
    assert not holds_call("<tool_call>", ())


def test_a_call_that_a_reasoning_parser_swallowed_is_told():
    given = answer(None, reasoning_content="<tool_call><function=book></function></tool_call>")
    assert kinds(asked("Book it", tools=TOOLS), given) == ["words_missing", "call_in_words"]


# Prompts that were not read whole


def test_usage_that_stands_still_while_the_prompt_grows_is_told():
    listener = Listener()
    usage = {"prompt_tokens": 2_048, "completion_tokens": 9}
    assert listener.heard(asked("Hello"), answer(usage=usage)) == ()
    (notice,) = listener.heard(asked("Hello", "Hi. " * 40, "And now " * 20), answer(usage=usage))
    assert notice.kind == "window" and "2,048" in notice.text
    assert all(word in notice.remedy for word in ("truncates", "num_ctx", "--ctx-size"))


def test_usage_that_sinks_as_the_prompt_grows_is_told():
    """Ollama drops half of its window where the prompt no longer fits."""
    listener = Listener()
    listener.heard(asked("Hello"), answer(usage={"prompt_tokens": 3_974, "completion_tokens": 9}))
    longer = asked("Hello", "Gladly.", "x y " * 200)
    assert [each.kind for each in listener.heard(longer, answer(usage={"prompt_tokens": 2_051}))] == ["window"]


def test_usage_far_below_what_was_sent_is_told_at_the_first_answer():
    (notice,) = heard(asked("Hello"), answer(usage={"prompt_tokens": 512, "completion_tokens": 9}))
    assert notice.kind == "window" and "512 tokens of 8,0" in notice.text
    nothing = heard(asked("Hello"), answer(usage={"prompt_tokens": 0, "completion_tokens": 9}))
    assert [each.kind for each in nothing] == ["window"]


def test_a_prompt_that_holds_the_conversation_in_its_middle_is_known_again():
    """The goal user's: the conversation, and then how to answer."""
    listener, ending = Listener(), "Write the customer's next message."
    usage = {"prompt_tokens": 2_048, "completion_tokens": 9}
    for told, expected in (("A: Hello\n", 0), ("A: Hello\nC: " + "A bed, please. " * 20 + "\n", 1)):
        assert len(listener.heard(asked(told + ending), answer(usage=usage))) == expected


def test_another_conversation_with_as_many_tokens_is_no_window():
    """Numbers take more tokens than words do, so a shorter prompt may have as many."""
    listener, usage = Listener(), {"prompt_tokens": 2_100, "completion_tokens": 9}
    assert listener.heard(asked("4917 " * 50), answer(usage=usage)) == ()
    assert listener.heard(asked("the town is nice " * 40), answer(usage=usage)) == ()


def test_tokens_from_a_cache_that_are_counted_apart_count():
    usage = {"prompt_tokens": 12, "completion_tokens": 9, "cache_read_input_tokens": 1_900}
    assert kinds(asked("Hello"), answer(usage=usage)) == []


def test_tools_are_part_of_what_was_sent():
    many = [{"type": "function", "function": {"name": f"t{n}", "description": "d" * 900}} for n in range(20)]
    assert kinds(asked("Hello"), answer()) == []
    assert kinds(asked("Hello", tools=many), answer()) == ["window"]


# Other models


@pytest.mark.parametrize(
    ("asked_for", "answered"),
    [
        ("gpt-4o", "gpt-4o-2024-08-06"),
        ("gpt-4", "gpt-4-0613"),
        ("openai/gpt-4o", "gpt-4o"),
        ("models/gemini-2.0-flash", "gemini-2.0-flash-001"),
        ("llama3", "llama3:latest"),
        ("claude-latest", "claude-20241022"),
        ("tiny", "/models/Tiny.gguf"),
    ],
)
def test_a_snapshot_of_the_same_model_is_no_other(asked_for, answered):
    assert same_model(asked_for, answered) and same_model(answered, asked_for)


@pytest.mark.parametrize(
    ("asked_for", "answered"),
    [
        ("gpt-4o", "gpt-4o-mini"),
        ("gpt-4", "gpt-4.1"),
        ("qwen2.5:7b", "qwen2.5:14b"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-08-06"),
        ("mine", "default"),
    ],
)
def test_another_models_name_is_told_and_fails_nothing(asked_for, answered):
    (notice,) = heard(asked("Hello", model=asked_for), answer(model=answered))
    assert notice.kind == "other_model" and answered in notice.text


def test_a_servers_words_are_shown_without_what_a_terminal_obeys():
    (notice,) = heard(asked("Hello"), answer(model="\x1b[2Jevil\n" + "x" * 500))
    assert "\x1b" not in notice.text and "\n" not in notice.text and len(notice.text) < 250


# Arguments that were encoded twice


def test_arguments_encoded_twice_are_read_and_told():
    twice = json.dumps(json.dumps({"people": "2"}))
    assert parse_arguments(twice) == {"people": "2"}
    made = Message("assistant", "", (ToolCall("call_1", "book", raw=twice),))
    assert row(made)["tool_calls"][0]["function"]["arguments"] == {"people": "2"}
    assert kinds(asked("Book it", tools=TOOLS), answer(None, tool_calls=called(twice))) == ["encoded_twice"]


@pytest.mark.parametrize(
    "raw",
    [
        '"two"',
        '""',
        json.dumps(json.dumps(["a"])),
        json.dumps(json.dumps(json.dumps({}))),
        json.dumps('{"a": NaN}'),
        '"{',
    ],
)
def test_nothing_else_in_a_string_is_arguments(raw):
    assert parse_arguments(raw) is None
    assert kinds(asked("Book it", tools=TOOLS), answer(None, tool_calls=called(raw))) == []


# Local models


def test_a_local_model_whose_calls_nothing_reads_is_told_of_once():
    class Worker:
        def ask(self, request: Any) -> tuple[int, Future[Any]]:
            answer: Future[Any] = Future()
            words = "<|START_ACTION|>[]" if request["tools"] else "<|START_ACTION|> is a mark."
            usage = {"prompt_tokens": 9, "completion_tokens": 9}
            answer.set_result({"content": words, "tool_calls": [], "finish": "stop", "usage": usage})
            return 1, answer

        def ready(self) -> Future[Any]:
            loaded: Future[Any] = Future()
            loaded.set_result({})
            return loaded

    chat = LocalChat([Worker()])  # type: ignore[list-item]
    ask = [Message("user", "Book it")]
    asyncio.run(chat.complete(ask))
    assert chat.notices == ()
    for _ in range(2):
        asyncio.run(chat.complete(ask, [Tool("book", "", {})]))
    assert [notice.kind for notice in chat.notices] == ["call_in_words"] and "react" in chat.notices[0].remedy
