"""JSON that a model wrote: what is taken, and what would break whoever writes it down again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from josh_engine.encoding import dump, load
from josh_engine.messages import parse_arguments, read_json
from josh_engine.values import ToolCall


@pytest.mark.parametrize("raw", ["", "  ", "{}", '{"a": 1}', '{"a": [1, {"b": null}]}'])
def test_objects_are_arguments_and_nothing_is_an_empty_one(raw):
    assert parse_arguments(raw) == (json.loads(raw) if raw.strip() else {})


@pytest.mark.parametrize(
    "raw",
    ['{"a": north', "[1]", '"a"', "null", "3", '{"a": NaN}', '{"a": -Infinity}', '{"a": 1e999}', '{"a": "b\nc"}',
     '{"a": ' + "9" * 5000 + "}", '{"a": ' + "[" * 300 + "]" * 300 + "}", "[" * 100_000],
)  # fmt: skip
def test_anything_else_is_no_arguments(raw):
    assert parse_arguments(raw) is None


@given(st.text(max_size=40) | st.lists(st.sampled_from([*'{}[]:,"a1e9.-', "NaN", "null"])).map("".join))
def test_arguments_that_are_taken_survive_being_stored(raw):
    arguments = parse_arguments(raw)
    if arguments is not None:
        call = ToolCall("call_1", "x", arguments, raw)
        assert load(ToolCall, dump(call)) == call


def test_a_line_break_inside_a_string_is_taken_where_it_is_said_so():
    assert read_json('{"a": "b\nc"}', strict=False) == {"a": "b\nc"}
