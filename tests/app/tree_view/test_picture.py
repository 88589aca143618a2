"""The drawing's data, on the sample search."""

from __future__ import annotations

from app.tree_view.picture import picture
from josh_engine.tree import EMPTY, fold, label_turns
from josh_engine.values import Verdict
from tests.app.sample_search import HOSTILE, sample_tree, search_events

TREE = sample_tree()
DRAWN = picture(TREE, label_turns(TREE), seq=17, selected="0.1")
NODES = {node["id"]: node for node in DRAWN["nodes"]}


def test_every_turn_is_drawn_once_in_tree_order_parents_first():
    ids = [node["id"] for node in DRAWN["nodes"]]
    assert len(ids) == len(set(ids)) == len(TREE.nodes)
    assert all(node["parent"] is None or ids.index(node["parent"]) < ids.index(node["id"]) for node in DRAWN["nodes"])
    assert [each for each in ids if not each.endswith("u")] == sorted(each for each in ids if not each.endswith("u"))


def test_labels_are_those_of_the_rows_and_the_ideal_path_runs_through_both_speakers():
    assert {node: NODES[node]["label"] for node in label_turns(TREE)} == label_turns(TREE)
    assert [node["id"] for node in DRAWN["nodes"] if node["path"]] == ["u", "0", "0u", "0.1", "0.1u", "0.1.0"]


def test_a_star_is_what_the_search_booked_not_what_a_turn_reached():
    assert {node: drawn["won"] for node, drawn in NODES.items() if drawn["won"]} == {"0.1": [1], "0.1.0": [2]}
    assert NODES["1.0"]["reached"] == ["hotel.book"]


def test_rows_alternate_between_user_and_agent():
    assert [NODES[node]["level"] for node in ("u", "0", "0u", "0.1", "0.1u", "0.1.0")] == [1, 2, 3, 4, 5, 6]


def test_the_checklist_says_where_each_goal_was_reached():
    assert [(goal["number"], goal["name"], goal["node"], goal["exchange"]) for goal in DRAWN["goals"]] == [
        (1, "book_hotel", "0.1", 2),
        (2, "book_train", "0.1.0", 3),
    ]
    assert DRAWN["goals"][0]["arguments"] == "people=2"


def test_the_hover_card_has_name_words_and_reason():
    card = NODES["0.1"]["tip"]
    assert card[0] == "Agent turn 0.1 · ideal"
    assert HOSTILE[5] in card[1]
    assert card[2] == "calls book_hotel"
    assert len(card) == 4


def test_a_choice_that_is_not_in_the_tree_is_no_choice():
    assert DRAWN["selected"] == "0.1"
    assert picture(TREE, {}, selected="9.9")["selected"] is None


def test_a_running_search_is_drawn_as_far_as_it_is():
    running = fold(search_events()[:7])
    drawn = picture(running, label_turns(running), seq=6)
    assert [node["label"] for node in drawn["nodes"] if node["kind"] == "agent"] == ["open"] * 3
    assert [goal["node"] for goal in drawn["goals"]] == [None, None]
    assert picture(EMPTY, {})["nodes"] == []


def test_a_promotion_moves_the_ideal_path():
    promote = Verdict("v", "r", "1.0", "promote", "ann", "2026-01-01T00:00:00Z")
    drawn = picture(TREE, label_turns(TREE, [promote]), verdicts=[promote])
    assert [node["id"] for node in drawn["nodes"] if node["path"]] == ["u", "1", "1u", "1.0"]
