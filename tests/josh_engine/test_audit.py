"""Pairs to be judged: which, in what order, and on which side; nothing about them gives the label away."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from small import FIND_HOTEL, HOTEL, TRAIN, search, strategy

from josh_engine.audit import AuditPair, in_order, margin, opinion, pairs_of, sides
from josh_engine.extract import preference_pairs
from josh_engine.models.scripted import say
from josh_engine.pair_verdicts import pair_of
from josh_engine.values import Verdict

APIS, REASONS = ("book_train", "search_hotel", "no call"), ("lost_race", "conversation_ended")


def pair(number: int, api: str = "book_train", reason: str = "lost_race") -> AuditPair:
    good = f"0.{number % 2}"
    return AuditPair(f"p{number:04d}", f"r.{number}", f"s{number}", good, f"0.{1 - number % 2}", api, reason)


def test_a_tree_s_pairs_are_the_preference_pairs_of_section_2_2():
    searched = search({"0": [FIND_HOTEL, say("a")], "1": [say("wrong")]}, [HOTEL, TRAIN], strategy(depth=2))
    source = searched.source()
    (found,) = pairs_of(source)
    (told,) = preference_pairs(source)
    assert (source.tree.nodes[found.good].turn, source.tree.nodes[found.bad].turn) == (told.chosen, told.rejected)
    assert (found.api, found.reason) == ("find_hotel", "lost_race")


def test_the_good_turn_stands_left_about_as_often_as_right():
    pairs = [pair(each) for each in range(400)]
    for auditor in ("Ada", "Bo"):
        left = sum(sides(each, auditor)[0] == each.good for each in pairs)
        assert 160 <= left <= 240
        assert 12 <= sum(sides(each, auditor)[0] == each.good for each in pairs[:40]) <= 28  # 30-70 % of 40
    differ = sum(sides(each, "Ada") != sides(each, "Bo") for each in pairs)
    assert 160 <= differ <= 240
    assert sides(pairs[0], "Ada") == sides(pairs[0], "Ada")


@given(
    st.lists(st.tuples(st.sampled_from(APIS), st.sampled_from(REASONS)), min_size=1, max_size=200), st.integers(0, 3)
)
def test_any_beginning_of_the_order_is_a_stratified_sample(strata, seed):
    pairs = [pair(number, *stratum) for number, stratum in enumerate(strata)]
    ordered = in_order(pairs, seed)
    assert sorted(ordered, key=lambda each: each.id) == pairs
    assert ordered == in_order(pairs[::-1], seed)
    sizes = Counter((each.api, each.reason) for each in pairs)
    for taken in (len(pairs) // 3, len(pairs) // 2, len(pairs)):
        held = Counter((each.api, each.reason) for each in ordered[:taken])
        for stratum, size in sizes.items():
            assert abs(held[stratum] - size * taken / len(pairs)) <= 1 + len(sizes)


def test_how_sure_a_share_is():
    assert margin(0, 100) is None and margin(100, 100) == 0
    assert round(margin(120, 2310) or 0, 3) == 0.087
    assert round(margin(120, 10**9) or 0, 3) == 0.089


def test_an_opinion_is_the_same_whichever_side_it_was_given_from():
    it = pair(0)
    for good_left in (True, False):
        node, rival = (it.good, it.bad) if good_left else (it.bad, it.good)
        for side, said in (("left", "left"), ("right", "right")):
            told = Verdict("v", it.rollout, node, said, "Ada", "", rival, side=side)  # type: ignore[arg-type]
            assert opinion(told, it) == ("good" if node == it.good else "bad")
    fine = Verdict("v", it.rollout, it.good, "both_fine", "Ada", "", it.bad)
    assert opinion(fine, it) == "both_fine"
    assert pair_of(fine) == pair_of(Verdict("w", it.rollout, it.bad, "left", "Bo", "", it.good))
