"""The conversation's data, on the sample search: nothing is left out, nothing is changed."""

from __future__ import annotations

import json

from app.tree_view.transcript import transcript
from josh_engine.tree import fold, label_turns, lineage
from josh_engine.values import Message, Node, NodeAdded, ToolCall, Turn
from tests.app.sample_search import HOSTILE, PREAMBLE, WRONG, sample_tree

TREE = sample_tree()
LABELS = label_turns(TREE)


def turn(node: str) -> dict:
    return transcript(TREE, LABELS, node)["turns"][-1]


def test_it_runs_from_the_first_turn_to_the_chosen_one():
    told = transcript(TREE, LABELS, "0.1.0")
    assert [each["id"] for each in told["turns"]] == ["u", "0", "0u", "0.1", "0.1u", "0.1.0"]
    assert transcript(TREE, LABELS, None)["turns"] == []


def test_every_message_stands_there_word_for_word_with_role_and_author():
    told = transcript(TREE, LABELS, "0.1.0")
    shown = [(each["role"], each["text"], each["sampled"]) for part in told["turns"] for each in part["messages"]]
    assert shown == [
        (message.role, message.content, message.sampled)
        for node in lineage(TREE, "0.1.0")
        for message in node.turn.messages
    ]
    assert HOSTILE[0] in shown[0][1]


def test_what_the_agent_was_given_is_there_too():
    given = transcript(TREE, LABELS, "u")["preamble"]
    assert given["messages"][0]["text"] == PREAMBLE.messages[0].content
    assert HOSTILE[4] in given["tools"][0]["text"]


def test_a_call_shows_its_arguments_and_its_message_the_answer():
    first, answer, _ = turn("0.1")["messages"]
    assert first["calls"][0]["name"] == "book_hotel"
    assert json.loads(first["calls"][0]["arguments"]) == {"people": "2"}
    assert first["calls"][0]["answer"] is None
    assert answer["answers"] == "book_hotel (call_1)"
    assert answer["fault"] is None


def test_an_error_is_typed_and_shown_with_the_call_that_caused_it():
    asked, answer, _ = turn("0.0")["messages"]
    assert json.loads(asked["calls"][0]["arguments"]) == {"who": HOSTILE[0]}
    assert (answer["text"], answer["fault"]) == (WRONG.error, "unknown tool")


def test_calls_without_messages_of_their_own_are_shown_with_their_answers():
    """An agent that writes its calls into the text: role user carries the result."""
    made = ToolCall("call_1", "search_hotel", {"area": "north"}, result="[]")
    broken = ToolCall("call_2", "", {}, raw="{area:", error="Not JSON.", fault="format")
    said = Turn("agent", (Message("assistant", "PLAN APICALL", sampled=True),), (made, broken), "Nothing.")
    tree = fold([NodeAdded(Node("2", "u", said))], onto=TREE)
    shown = transcript(tree, {}, "2")["turns"][-1]["calls"]
    assert [(call["name"], call["answer"], call["fault"], call["raw"]) for call in shown] == [
        ("search_hotel", "[]", None, ""),
        ("", "Not JSON.", "format", "{area:"),
    ]


def test_a_branch_point_offers_its_alternatives():
    chips = turn("0.1")["branch"]
    assert [(chip["id"], chip["word"], chip["current"]) for chip in chips] == [
        ("0.0", "negative", False),
        ("0.1", "ideal", True),
    ]
    assert turn("u")["branch"] == []


def test_goals_stops_and_reasons_are_said_in_words():
    assert turn("0.1")["goals"] == ["goal 1/2 book_hotel"]
    assert turn("1.1")["stop"].startswith("failed")
    assert turn("0.0")["why"]["link"] == "0.1"
    assert turn("u")["why"] is None


def test_only_the_chosen_turn_says_what_the_rows_make_of_it():
    told = transcript(TREE, LABELS, "0.1.0")["turns"]
    assert [part["id"] for part in told if part["use"]] == ["0.1.0"]
