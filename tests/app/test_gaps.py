"""A log with a hole: what is known is kept, what builds on the hole is not, and both are said."""

from __future__ import annotations

import pytest

from app.gaps import Gap, gaps, in_words, known
from josh_engine.tree import fold
from tests.app.sample_search import search_events

WHOLE = list(enumerate(search_events()))


def without(*numbers: int) -> list[tuple[int, object]]:
    return [each for each in WHOLE if each[0] not in numbers]


def test_a_whole_log_has_no_gap_and_nothing_is_left_out():
    assert gaps(WHOLE) == ()
    assert known(WHOLE) == tuple(WHOLE)
    assert in_words(()) == ""
    assert gaps(WHOLE[:5]) == ()


def test_a_gap_is_counted_and_placed():
    assert gaps(without(4, 5, 6)) == (Gap(after=3, count=3),)
    assert gaps(without(0, 9)) == (Gap(after=-1, count=1), Gap(after=8, count=1))
    assert in_words([Gap(412, 3)]).startswith("⚠ 3 events missing after #412.")
    assert in_words([Gap(-1, 1)], left_out=2).startswith(
        "⚠ 1 event missing from the start. 2 later events built on them and cannot be drawn."
    )


def test_turns_below_a_lost_turn_are_left_out_and_the_others_stay():
    kept = known(without(4))  # the user's turn after turn 0, on which the whole ideal path is built
    tree = fold(event for _, event in kept)
    assert set(tree.nodes) == {"u", "0", "1", "1u", "1.0", "1.1"}
    assert tree.won == {}


@pytest.mark.parametrize("lost", range(len(WHOLE)))
def test_any_single_event_may_be_missing(lost: int):
    fold(event for _, event in known(without(lost)))
