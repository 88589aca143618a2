"""Where the searches of two runs part, on the sample search and variants of it."""

from __future__ import annotations

from dataclasses import replace

from app.results import OpenedRollout
from app.tree_view.comparison import comparison, in_words, main_line
from josh_engine.config import Run, RunConfig, RunLimits
from josh_engine.tree import fold, label_turns
from josh_engine.values import Event, Node, NodeAdded, Rollout
from tests.app.sample_search import agent, search_events, user


def opened(run: str, events: list[Event]) -> OpenedRollout:
    config = RunConfig("scripted", "all", ("s",))
    tree = fold(events)
    return OpenedRollout(
        run=Run(run, "a name", config, RunLimits(), "done", "2026-01-01T00:00:00Z", "v"),
        rollout=Rollout(f"{run}.1", run, "s", 0, "done", goals=2, won=len(tree.won)),
        tree=tree,
        verdicts=(),
        labels=label_turns(tree),
        last_seq=len(events) - 1,
    )


def changed(node: str, words: str) -> list[Event]:
    """The sample search, in which a turn says something else."""

    def other(event: Event) -> Event:
        if not isinstance(event, NodeAdded) or event.node.id != node:
            return event
        turn = user(words) if event.node.turn.speaker == "user" else agent(words, *event.node.turn.calls)
        return NodeAdded(replace(event.node, turn=turn))

    return [other(event) for event in search_events()]


WHOLE = opened("one", search_events())


def shared(*trees: OpenedRollout) -> set[str]:
    return {node["id"] for node in comparison(trees)["trees"][0]["nodes"] if node["shared"]}


def test_equal_searches_share_every_turn_and_part_nowhere():
    drawn = comparison([WHOLE, opened("two", search_events())])
    assert drawn["parting"] is None
    assert "are the same" in drawn["said"]
    assert all(node["shared"] for tree in drawn["trees"] for node in tree["nodes"])


def test_the_first_difference_is_flagged_in_every_tree():
    drawn = comparison([WHOLE, opened("two", changed("0u", "In the village."))])
    assert drawn["said"] == "First difference: exchange 2, the user's turn."
    assert drawn["parting"] == 3
    assert [tree["parts"] for tree in drawn["trees"]] == ["0u", "0u"]


def test_below_a_turn_that_differs_nothing_is_shared():
    assert shared(WHOLE, opened("two", changed("0u", "In the village."))) == {"u", "0", "1", "1u", "1.0", "1.1"}
    assert shared(WHOLE, opened("two", changed("u", "Hello."))) == set()
    third = opened("three", changed("1u", "Monday."))
    assert shared(WHOLE, opened("two", changed("0.1.1", "Which?")), third) == {
        *("u", "0", "1", "0u", "0.0", "0.1", "0.1u", "0.1.0")
    }


def test_a_difference_off_the_main_line_is_no_parting():
    assert comparison([WHOLE, opened("two", changed("1u", "Monday."))])["parting"] is None


def test_a_conversation_that_ends_earlier_parts_at_its_end():
    short = opened("two", search_events()[:12])
    drawn = comparison([WHOLE, short])
    assert main_line(short)[-1].id == "0.1"
    assert drawn["said"] == "First difference: exchange 3, the user's turn, which not every conversation has."
    assert [tree["parts"] for tree in drawn["trees"]] == ["0.1u", None]


def test_without_a_reward_the_conversation_to_the_last_turn_counts():
    nothing = opened("two", search_events()[:4])
    assert [node.id for node in main_line(nothing)] == ["u", "1"]
    assert in_words([main_line(WHOLE), main_line(nothing)]) == "First difference: exchange 1, the agent's turn."


def test_a_search_without_a_turn_parts_at_once():
    nothing = opened("two", search_events()[:1])
    assert comparison([WHOLE, nothing])["parting"] == 1
    assert comparison([nothing, nothing])["parting"] is None


def test_goals_are_listed_with_the_exchange_of_arrival_in_each_run():
    rows = comparison([WHOLE, opened("two", search_events()[:12])])["goals"]
    assert [(row["number"], row["name"], row["exchanges"]) for row in rows] == [
        (1, "book_hotel", [2, 2]),
        (2, "book_train", [3, None]),
    ]


def test_each_tree_leads_to_its_own_page():
    drawn = comparison([WHOLE, opened("two", search_events())])
    assert [tree["leads"] for tree in drawn["trees"]] == ["tree?run=one&scenario=s", "tree?run=two&scenario=s"]


def test_what_a_turn_cost_makes_no_difference():
    events = [
        NodeAdded(Node(event.node.id, event.node.parent, replace(event.node.turn, notes={"n": 1}), event.node.goals))
        if isinstance(event, NodeAdded)
        else event
        for event in search_events()
    ]
    assert comparison([WHOLE, opened("two", events)])["parting"] is None
