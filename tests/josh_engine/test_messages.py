"""JSON that a model wrote: what is taken, and what would break whoever writes it down again."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from josh_engine.encoding import dump, load
from josh_engine.messages import expressible, parse_arguments, read_json, row, wire, wire_id, wire_name
from josh_engine.values import Message, ToolCall


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


names = st.text(max_size=80) | st.sampled_from(["find_hotel", "functions.find_hotel", "find hotel", "", "find_hotel\n"])
raws = st.sampled_from(
    ['{"area": "north"}', ' {"a": 1}', "", "{}", '{"area": north', "[1]", '"x"', "null", '{"a": NaN}']
)
ids = (
    st.sampled_from(["call_1", "call_99999", "call_100000", "", "D681PevKs", "toolu_01A09q90qw90lq917835lq9"])
    | st.text()
)


@given(st.text(max_size=9), st.lists(st.tuples(ids, names, raws), max_size=3))
def test_what_is_sent_back_is_what_every_strict_server_takes_and_rows_equal_it(content, calls):
    message = Message("assistant", content, tuple(ToolCall(made, name, raw=raw) for made, name, raw in calls))
    sent, written = wire(message), row(message)
    assert sent["content"].strip() or sent.get("tool_calls")
    for call, kept in zip(sent.get("tool_calls", []), written.get("tool_calls", []), strict=True):
        assert re.fullmatch(r"[A-Za-z0-9]{9}", call["id"]) and re.fullmatch(
            r"[\w-]{1,64}", call["function"]["name"], re.A
        )
        arguments = json.loads(call["function"]["arguments"])
        assert isinstance(arguments, dict)
        assert kept == call | {"function": call["function"] | {"arguments": arguments}}
    if expressible(message):
        assert [call["function"]["name"] for call in sent.get("tool_calls", [])] == [name for _, name, _ in calls]
        assert sent["content"] == content


def test_ids_stay_apart_and_answers_keep_the_id_of_their_call():
    made = [f"call_{number}" for number in (1, 2, 11, 12, 111, 99_999, 100_000, 1_000_000)]
    assert len({wire_id(each) for each in made}) == len(made) and wire_id("call_12") == "call00012"
    assert wire(Message("tool", "[]", tool_call_id="call_12"))["tool_call_id"] == "call00012"


@pytest.mark.parametrize(("name", "sent"), [("functions.find", "functions_find"), ("a b", "a_b"), ("", "unnamed")])
def test_a_name_that_no_server_takes_is_made_one_and_trains_nothing(name, sent):
    assert wire_name(name) == sent
    assert not expressible(Message("assistant", "", (ToolCall("call_1", name, raw="{}"),)))
