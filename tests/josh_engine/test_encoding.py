"""Foreign data is validated once, and what is written is read back as it was."""

from __future__ import annotations

import collections.abc
import dataclasses
import json
import types
import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from josh_engine.config import RunConfig, StrategyConfig
from josh_engine.encoding import compact, dump, load, load_event, to_json
from josh_engine.errors import DatasetError
from josh_engine.values import Goal, JournalEntry, Node, Rollout, Scenario, Tool, ToolCall, Turn, Verdict

text = st.text()
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
KINDS = (ToolCall, Goal, Scenario, Turn, Node, Verdict, Rollout, JournalEntry, Tool, RunConfig)


def fitting(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type hint; what stands for "any JSON" is any JSON."""
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        fields = {each.name: fitting(hints[each.name]) for each in dataclasses.fields(hint)}
        return st.builds(hint, **fields)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return json_values
    if origin is tuple:
        return st.lists(fitting(arguments[0]), max_size=2).map(tuple)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*map(fitting, arguments))
    if origin is collections.abc.Mapping:
        return st.dictionaries(text, fitting(arguments[1]), max_size=2)
    if hint is float:
        return st.floats(allow_nan=False)
    return st.from_type(hint)


def values() -> st.SearchStrategy[object]:
    return st.one_of(*map(fitting, KINDS))


@given(values())
def test_every_value_survives_json(value: object) -> None:
    written = dump(value)
    assert load(type(value), written) == value
    written.encode()  # always storable
    assert dump(load(type(value), written)) == written


def test_defaults_are_left_out_so_older_files_stay_readable():
    assert to_json(StrategyConfig()) == {}
    assert to_json(StrategyConfig(max_beam=4)) == {"max_beam": 4}


def test_sets_are_written_in_order():
    node = Node("0", "u", Turn("agent", ()), frozenset({"b", "a", "c"}))
    assert json.loads(dump(node))["goals"] == ["a", "b", "c"]


def test_half_a_surrogate_pair_is_escaped():
    assert compact({"x": "\ud800"}) == '{"x":"\\ud800"}'
    assert compact({"x": "ä"}) == '{"x":"ä"}'


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        (Goal, '{"id": "g"}', "Goal"),
        (Goal, '{"id": "g", "name": 3}', "Goal.name"),
        (Goal, '{"id": "g", "name": "n", "colour": "red"}', "unknown field 'colour'"),
        (Goal, "[]", "expected an object"),
        (Turn, '{"speaker": "narrator", "messages": []}', "Turn.speaker: 'narrator'"),
        (RunConfig, '{"world": "w", "split": "s", "scenarios": "all"}', "RunConfig.scenarios: expected a list"),
        (Goal, "{", "not JSON"),
    ],
)
def test_what_does_not_fit_is_named(kind, body, says):
    with pytest.raises(DatasetError, match=says.replace("[", "\\[")):
        load(kind, body)


def test_an_unknown_event_kind_is_named():
    with pytest.raises(DatasetError, match="Exploded"):
        load_event("Exploded", "{}")
