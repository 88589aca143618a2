"""The replay's steps, put together as the drawing does it, are the tree at each moment."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from test_search_properties import searches

from app.tree_view.replay import replay
from josh_engine.tree import fold, ideal_path, label_turns
from josh_engine.values import Event
from tests.app.sample_search import search_events


def check_every_moment(events: Sequence[Event]) -> None:
    steps = replay(list(enumerate(events)))
    assert [step["seq"] for step in steps] == list(range(len(events)))
    labels: dict[str, str] = {}
    turns: list[str] = []
    end = None
    won: dict[str, list[int]] = {}
    for moment, step in enumerate(steps, start=1):
        turns += [step["add"]] if "add" in step else []
        labels |= step.get("labels", {})
        end = step.get("end", end)
        for node, number in step.get("won", []):
            won.setdefault(node, []).append(number)
        tree = fold(events[:moment])
        assert turns == list(tree.nodes)
        assert labels == label_turns(tree)
        assert end == (ideal_path(tree) or [None])[-1]
        assert {node: len(numbers) for node, numbers in won.items()} == {
            node: list(tree.won.values()).count(node) for node in tree.won.values()
        }
        assert step["text"]


def test_the_steps_of_the_sample_search_are_its_moments():
    check_every_moment(search_events())


@settings(max_examples=40)
@given(searches())
def test_the_steps_of_any_search_are_its_moments(searched):
    check_every_moment(searched.events)


def test_a_step_says_only_what_changed():
    steps = replay(list(enumerate(search_events())))
    assert steps[2] == {"seq": 2, "text": steps[2]["text"], "add": "0", "labels": {"0": "open"}}
    assert steps[10]["won"] == [["0.1", 1]]
    assert steps[10]["end"] == "0.1"
    assert steps[12].keys() == {"seq", "text", "add"}
