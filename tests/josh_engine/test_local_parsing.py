"""Calls are read out of a model's text as it wrote them; what is broken stays visible."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from josh_engine.messages import parse_arguments
from josh_engine.models.local.parsing import parse_reply

TOOLS = {"find_hotel", "find_train"}


def read(text: str) -> tuple[str, list[tuple[str, str]]]:
    content, calls = parse_reply(text, TOOLS)
    return content, [(call.name, call.raw) for call in calls]


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ('<tool_call>\n{"name": "find_hotel", "arguments": {"area": "north"}}\n</tool_call>', 1),
        ('<tool_call>{"arguments": {"area": "north"}, "name": "find_hotel"}</tool_call>', 1),
        ('<tool_call>{"name": "find_hotel", "arguments": {"area": "north"}}', 1),
        ('{"name": "find_hotel", "parameters": {"area": "north"}}', 1),
        ('<|python_tag|>{"name": "find_hotel", "parameters": {"area": "north"}}', 1),
        ('[TOOL_CALLS] [{"name": "find_hotel", "arguments": {"area": "north"}}]', 1),
        ('{"type": "function", "function": {"name": "find_hotel", "arguments": {"area": "north"}}}', 1),
        ('{"name": "find_hotel", "parameters": {"area": "north"}}; ' * 2, 2),
        ('[{"name": "find_hotel", "arguments": {"area": "north"}}, ' * 1 + '{"name": "find_hotel", "arguments": '
         '{"area": "north"}}]', 2),
    ],
)  # fmt: skip
def test_every_form_gives_name_and_arguments(text, calls):
    assert read(text) == ("", [("find_hotel", '{"area": "north"}')] * calls)


def test_several_calls_keep_their_order_and_the_words_around_them():
    text = (
        'Let me look.\n<tool_call>{"name": "find_hotel", "arguments": {}}</tool_call>\n'
        '<tool_call>{"name": "find_train", "arguments": {"day": "monday"}}</tool_call> Done.'
    )
    assert read(text) == ("Let me look.\n\n Done.", [("find_hotel", "{}"), ("find_train", '{"day": "monday"}')])


def test_arguments_keep_the_models_own_spelling():
    raw = '{ "name":"caf\\u00e9",\n"stars" : 4.0 }'
    assert read(f'<tool_call>{{"name": "find_hotel", "arguments": {raw}}}</tool_call>')[1] == [("find_hotel", raw)]


def test_arguments_written_as_text_are_that_text():
    assert read('<tool_call>{"name": "find_hotel", "arguments": "{\\"area\\": 1}"}</tool_call>')[1] == [
        ("find_hotel", '{"area": 1}')
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('<tool_call>{"name": "find_hotel", "arguments": {"area": north}}</tool_call>', "find_hotel"),
        ('<tool_call>{"name": "find_hotel", "arguments": {"area": "nor', "find_hotel"),
        ('{"name": "find_hotel", "parameters": {"area"', "find_hotel"),
        ("<tool_call>find_hotel(area)</tool_call>", ""),
        ("<tool_call></tool_call>x<tool_call>[1, 2]</tool_call>", ""),
        ("[TOOL_CALLS] nothing that could be read", ""),
    ],
)
def test_a_broken_call_is_a_call_with_unreadable_arguments(text, name):
    _, calls = read(text)
    assert calls[-1][0] == name
    assert parse_arguments(calls[-1][1]) is None


def test_a_call_without_arguments_has_none():
    assert read('<tool_call>{"name": "find_hotel"}</tool_call>')[1] == [("find_hotel", "")]


@pytest.mark.parametrize(
    "text",
    [
        "The Alpha is in the north.",
        '{"name": "The Alpha", "area": "north"}',
        '[{"name": "The Alpha"}, {"name": "The Beta"}]',
        'I found {"name": "find_hotel", "arguments": {}} for you.',
        "{braces} and [brackets]",
    ],
)
def test_plain_words_and_plain_json_are_said(text):
    assert read(text) == (text, [])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.text(min_size=1), st.dictionaries(st.text(), JSON), st.booleans())
def test_whatever_is_called_comes_back(name, arguments, escaped):
    raw = json.dumps(arguments, ensure_ascii=escaped)
    if "<tool_call>" in name + raw or "</tool_call>" in name + raw:
        return
    body = f'{{"name": {json.dumps(name)}, "arguments": {raw}}}'
    assert read(f"<tool_call>{body}</tool_call>") == ("", [(name, raw)])


@given(st.text(alphabet='{}[]":,\\ <>/tool_callnameargumentsx1'))
def test_no_text_breaks_the_reader(text):
    content, calls = parse_reply(text, TOOLS)
    assert isinstance(content, str) and all(isinstance(call.raw, str) for call in calls)
