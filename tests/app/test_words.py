"""The sentences, on the sample search."""

from __future__ import annotations

from dataclasses import replace

from app.words import described, ending, exchange, goal_names, goal_numbers, siblings, turn_name, use, won_by
from josh_engine.tree import fold, label_turns
from josh_engine.values import Node, NodeAdded, Pruned
from tests.app.sample_search import agent, sample_tree, search_events, user

TREE = sample_tree()
LABELS = label_turns(TREE)


def why(node: str) -> str:
    found = ending(TREE, TREE.nodes[node])
    return found.text if found else ""


def link(node: str) -> str | None:
    found = ending(TREE, TREE.nodes[node])
    return found.link if found else None


def test_an_exchange_is_opened_by_the_user_and_closed_by_the_agent():
    assert [exchange(node) for node in ("u", "0", "0u", "0.1", "0.1u", "0.1.0")] == [1, 1, 2, 2, 3, 3]


def test_goals_are_numbered_as_the_scenario_lists_them_and_called_by_their_calls():
    assert goal_numbers(TREE) == {"hotel.book": 1, "train.book": 2}
    assert goal_names(TREE, ["hotel.book", "train.book"]) == "book_hotel and book_train"
    assert won_by(TREE, "0.1") == ("hotel.book",)
    assert won_by(TREE, "1.0") == ()


def test_a_lost_race_names_the_winner_what_it_reached_and_links_to_it():
    assert why("0.0") == (
        "Pruned at exchange 2: turn 0.1 reached book_hotel in this round; the search continued from 0.1 only."
    )
    assert link("0.0") == "0.1"


def test_partial_credit_says_who_won_by_order():
    assert why("1.0") == "This turn reached book_hotel too, but turn 0.1 comes first in tree order and won by order."
    assert link("1.0") == "0.1"


def test_a_failed_turn_and_a_turn_not_continued_say_so():
    assert "failed" in why("1.1")
    assert "continued elsewhere" in why("1")
    assert link("1") == "0.1.0"


def test_a_winner_says_what_it_reached_and_the_last_one_how_the_search_ended():
    assert why("0.1") == "This turn reached book_hotel; the search continued from here only."
    assert why("0.1.0") == "This turn reached book_train, the last reward. Every goal was reached."


def test_the_search_s_other_ends_are_told():
    early = fold([*search_events()[:4], NodeAdded(Node("1u", "1", user("Bye.", "ended")))])
    out = replace(early, reasons={"0": Pruned("0", "depth_exhausted"), "1": Pruned("1", "conversation_ended")})
    assert ending(out, out.nodes["0"]).text.startswith("The exchanges allowed (1) were used up")
    assert ending(out, out.nodes["1"]).text == "The conversation ended here: the user hung up."
    handed_over = Node("2", "u", agent("I pass you on.", stop="ended"))
    out = replace(out, nodes={**out.nodes, "2": handed_over}, reasons={"2": Pruned("2", "conversation_ended")})
    assert ending(out, handed_over).text == "The conversation ended here: the agent handed over."


def test_a_user_s_turn_ends_a_branch_only_where_it_ends_the_conversation():
    assert ending(TREE, TREE.nodes["0u"]) is None
    assert ending(TREE, Node("0u", "0", user("Bye.", "ended"))).text == "The user ended the conversation here."


def test_an_unsettled_turn_has_no_ending():
    running = fold(search_events()[:6])
    assert ending(running, running.nodes["0"]) is None


def test_a_turn_is_described_by_name_label_and_goal():
    assert turn_name(TREE.nodes["0.1"]) == "Agent turn 0.1"
    assert described(TREE, TREE.nodes["0.1"], LABELS["0.1"]) == "Agent turn 0.1, ideal, reached goal 1 of 2: book_hotel"
    assert described(TREE, TREE.nodes["1.1"], LABELS["1.1"]).endswith("the turn failed")
    assert described(TREE, TREE.nodes["u"], None) == "User turn u"


def test_siblings_stand_in_tree_order():
    assert [each.id for each in siblings(TREE, TREE.nodes["0.1"])] == ["0.0", "0.1"]


def test_the_use_of_a_turn_is_told_and_a_twin_of_the_ideal_turn_is_named():
    assert use(TREE, TREE.nodes["0.0"], "negative").endswith("trained away from.")
    twin = replace(TREE.nodes["0.1"], id="0.2")
    with_twin = replace(TREE, nodes={**TREE.nodes, "0.2": twin})
    assert "word for word what it wrote in the ideal turn 0.1" in use(with_twin, twin, "off_path")
