"""Each event of the sample search in words."""

from __future__ import annotations

from app.captions import QUOTE_LENGTH, caption
from josh_engine.tree import EMPTY, Tree, fold
from josh_engine.values import (
    Event,
    GoalsWon,
    NodeAdded,
    Preamble,
    Scenario,
    SearchEnded,
    SearchStarted,
    Why,
)
from tests.app.sample_search import HOSTILE, search_events


def captions() -> list[str]:
    tree: Tree = EMPTY
    told = []
    for event in search_events():
        told.append(caption(event, tree))
        tree = fold([event], tree)
    return told


TOLD = captions()


def of(kind: type[Event]) -> list[str]:
    return [text for text, event in zip(TOLD, search_events(), strict=True) if isinstance(event, kind)]


def test_a_search_begins_with_its_goals_and_ends_with_why():
    assert TOLD[0] == "The search begins, with 2 goals to reach: book_hotel and book_train."
    assert TOLD[-1] == "The search is over. Every goal was reached."
    nothing = SearchStarted(Scenario("s", "w", "all", (), ()), Preamble())
    assert caption(nothing, EMPTY) == "The search begins. The scenario has no goals."


def test_a_turn_is_told_by_who_speaks_what_is_called_and_what_it_reaches():
    added = of(NodeAdded)
    assert added[0].startswith("Exchange 1, the user says: “I need a hotel.")
    wrong = next(text for text in added if text.startswith("Agent turn 0.0 "))
    assert wrong.startswith("Agent turn 0.0 calls book_hotell, then says: “Sorry, nothing.”")
    assert wrong.endswith("1 call came back with an error.")
    right = next(text for text in added if text.startswith("Agent turn 0.1 "))
    assert right.endswith("It reaches book_hotel.")
    failed = next(text for text in added if text.startswith("Agent turn 1.1 "))
    assert failed == "Agent turn 1.1 says nothing. No reply within the generations allowed: the turn failed."


def test_a_win_is_told_with_number_and_what_is_left():
    assert of(GoalsWon) == [
        "★ Turn 0.1 wins goal 1 of 2, book_hotel; 1 goal left.",
        "★ Turn 0.1.0 wins goal 2 of 2, book_train; none left.",
    ]


def test_a_collapse_says_from_where_and_how_many_turns_went():
    collapsed = [text for text in TOLD if text.startswith("The search continues")]
    assert collapsed == [
        "The search continues from turn 0.1 only; 4 turns are pruned.",
        "The search continues from turn 0.1.0 only; 1 turn is pruned.",
    ]


def test_every_way_to_end_has_its_sentence():
    whys: tuple[Why, ...] = ("all_goals_won", "no_live_leaf", "depth_exhausted", "ended")
    assert len({caption(SearchEnded(why), EMPTY) for why in whys}) == len(whys)


def test_hostile_words_are_quoted_as_they_are_and_long_ones_shortened():
    assert any(HOSTILE[0] in text for text in TOLD)
    assert all(len(text) < QUOTE_LENGTH + 120 for text in TOLD)
