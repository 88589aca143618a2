"""Verdicts overlay the derived labels; they never edit a tree, and a pair an auditor took out leaves the rows."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from small import FIND_HOTEL, HOTEL, TRAIN, search, strategy

from josh_engine.extract import RowPolicy, extract, preference_pairs
from josh_engine.models.scripted import say
from josh_engine.pair_verdicts import heeded, stale
from josh_engine.rows import FORMATS, provenance, render_files
from josh_engine.tree import ideal_path, label_turns
from josh_engine.values import Verdict
from josh_engine.verdicts import IDEAL_PATH, last_word, pair_subject, standing, turn_subject

SCRIPT = {"0": [FIND_HOTEL, say("a")], "1": [say("wrong")]}


def on(node: str, verdict: str, *, rival: str | None = None, number: int = 1, **more) -> Verdict:
    return Verdict(f"v{number}", "r", node, verdict, "ada", "2026-01-01T00:00:00Z", rival, **more)  # type: ignore[arg-type]


def kto(searched, *verdicts, policy=None) -> list[tuple[str, bool]]:
    extraction = extract([searched.source(*verdicts)], policy or RowPolicy())
    return [
        *((each.node.id, True) for each in extraction.positive),
        *((each.node.id, False) for each in extraction.negative),
    ]


def test_a_turn_verdict_overrides_the_label_and_the_last_one_stands():
    searched = search(SCRIPT)
    tree = searched.tree
    assert label_turns(tree, [on("1", "good")])["1"] == "ideal"
    assert label_turns(tree, [on("1", "exclude")])["1"] == "off_path"
    assert label_turns(tree, [on("0", "bad")])["0"] == "negative"
    undone = [on("1", "good"), on("1", "partial", number=2, supersedes="v1")]
    assert label_turns(tree, undone)["1"] == "partial"
    assert label_turns(tree)["1"] == "negative", "the tree itself is untouched"


def test_promoting_a_branch_moves_the_ideal_path_and_the_old_winner_becomes_partial():
    searched = search({"0": [FIND_HOTEL, say("a")], "1": [FIND_HOTEL, say("b")]})
    promoted = [on("1", "promote")]
    assert ideal_path(searched.tree, promoted) == ("u", "1")
    assert label_turns(searched.tree, promoted) == {"0": "partial", "1": "ideal"}
    assert set(kto(searched, *promoted)) == {("1", True)}


def test_promoting_a_branch_without_full_reward_is_filtered_like_any_other():
    searched = search(SCRIPT)
    assert kto(searched, on("1", "promote")) == []
    unfiltered = kto(searched, on("1", "promote"), policy=RowPolicy(filtered=False))
    assert set(unfiltered) == {("1", True)}


def test_a_pair_the_auditor_took_out_or_turned_round_gives_no_downvote():
    searched = search(SCRIPT)
    assert ("1", False) in kto(searched)
    for verdict in ("both_fine", "both_bad", "users_fault"):
        assert ("1", False) not in kto(searched, on("0", verdict, rival="1"))
    assert ("1", False) not in kto(searched, on("0", "right", rival="1", side="left"))
    assert ("1", False) in kto(searched, on("0", "left", rival="1", side="left"))
    assert ("1", False) in kto(searched, on("0", "cannot_tell", rival="1"))


def test_audit_policies_keep_what_was_judged_or_agreed():
    searched = search(SCRIPT)
    agreed = on("0", "left", rival="1", side="left", blind=True)
    assert kto(searched, policy=RowPolicy(audit="audited")) == []
    assert set(kto(searched, agreed, policy=RowPolicy(audit="agreed"))) == {("0", True), ("1", False)}
    turned = on("0", "right", rival="1", side="left", blind=True)
    assert kto(searched, turned, policy=RowPolicy(audit="agreed")) == []
    assert {node for node, _ in kto(searched, on("0", "good"), policy=RowPolicy(audit="agreed"))} == {"0"}


def test_a_word_on_a_pair_that_was_not_blind_takes_rows_away_but_vouches_for_none():
    searched = search(SCRIPT)
    seen = on("0", "left", rival="1", side="left")
    blind = replace(seen, id="v2", auditor="bo", blind=True)
    whole = {("0", True), ("1", False)}
    for policy in (RowPolicy(audit="audited"), RowPolicy(audit="agreed")):
        assert kto(searched, seen, policy=policy) == []
        assert set(kto(searched, seen, blind, policy=policy)) == whole
    otherwise = replace(seen, verdict="right")
    assert kto(searched, otherwise, blind, policy=RowPolicy(audit="agreed")) == []
    assert set(kto(searched, otherwise)) == {("0", True)}, "a turn that somebody prefers is never trained down"
    counted = [
        [each["counts"] for each in line["verdicts"]] for line in provenance(extract([searched.source(seen, blind)]))
    ]
    assert counted == [[False, True]] * len(counted) and counted


def test_preference_pairs_are_turns_at_the_same_user_turn():
    searched = search(SCRIPT, [HOTEL, TRAIN], strategy(depth=2))
    (pair,) = preference_pairs(searched.source())
    assert pair.chosen == searched.tree.nodes["0"].turn
    assert pair.rejected == searched.tree.nodes["1"].turn
    assert pair.prompt == (searched.tree.nodes["u"].turn,)


def test_a_withdrawal_restores_what_stood_before_with_its_author_and_place():
    first, second = on("1", "partial"), on("1", "good", number=2, supersedes="v1")
    other = on("0", "bad", number=3)
    undone = on("1", "withdraw", number=4, supersedes="v2")
    again = on("1", "withdraw", number=5, supersedes="v4")
    assert standing([first, second, other]) == (second, other)
    assert standing([first, second, other, undone]) == (first, other)
    assert standing([first, second, other, undone, again]) == (other,)
    anew = on("1", "exclude", number=6, supersedes="v5")
    assert standing([first, second, other, undone, again, anew]) == (other, anew)
    taken_back = on("1", "withdraw", number=7, supersedes="v6")
    assert standing([first, second, other, undone, again, anew, taken_back]) == (other,)


@given(st.lists(st.sampled_from(("good", "bad", "withdraw")), max_size=12))
def test_withdrawing_is_going_back_one_step_whatever_was_said(said):
    """The chain read as a stack: a judgement goes on top, a withdrawal takes the top away."""
    verdicts, stack = [], []
    for number, judgement in enumerate(said):
        verdicts.append(on("1", judgement, number=number, supersedes=f"v{number - 1}" if number else None))
        if judgement != "withdraw":
            stack.append([*(stack[-1] if stack else []), verdicts[-1]])
        else:
            stack.append((stack[-1] if stack else [])[:-1])
        assert standing(verdicts) == tuple(stack[-1][-1:])


def test_a_circle_of_verdicts_ends():
    assert standing([on("1", "withdraw", supersedes="v2"), on("1", "withdraw", number=2, supersedes="v1")]) == ()
    assert standing([on("1", "withdraw", supersedes="v1")]) == ()


def test_the_last_word_on_a_subject_is_what_the_next_must_supersede():
    bad, promoted = on("1", "bad"), on("1", "promote", number=2)
    elsewhere = on("0", "promote", number=3, supersedes="v2")
    undone = on("0", "withdraw", number=4, supersedes="v3")
    pair = on("0", "both_fine", rival="1", number=5)
    said = [bad, promoted, elsewhere, undone, pair]
    assert last_word(said, turn_subject("1")) == bad
    assert last_word(said, IDEAL_PATH) == undone
    assert last_word(said, ("pair", "0", "1", pair.auditor)) == pair
    assert last_word(said, turn_subject("0")) is None
    assert standing(said) == (bad, promoted, pair)


def test_a_withdrawn_verdict_is_no_audit_and_leaves_every_file_as_it_was():
    searched = search(SCRIPT)
    said = [on("1", "exclude"), on("1", "withdraw", number=2, supersedes="v1")]
    assert kto(searched, *said, policy=RowPolicy(audit="audited")) == []
    before, after = (render_files(extract([searched.source(*each)]), FORMATS) for each in ([], said))
    assert before == after


def test_an_adjudication_settles_what_auditors_say_of_a_pair():
    searched = search(SCRIPT)
    ada = on("0", "both_fine", rival="1")
    bo = replace(on("0", "left", rival="1", side="left", number=2), auditor="bo")
    cy = replace(on("0", "left", rival="1", side="left", number=3), auditor="cy", adjudicates=True)
    assert ("1", False) not in kto(searched, ada, bo), "one of them took the pair out"
    assert ("1", False) in kto(searched, ada, bo, cy)
    assert ("1", False) in kto(searched, ada, bo, cy, policy=RowPolicy(audit="agreed"))
    dropped = replace(cy, verdict="both_bad")
    assert ("1", False) not in kto(searched, bo, dropped)
    taken_back = replace(cy, id="v4", verdict="withdraw", supersedes="v3")
    assert ("1", False) not in kto(searched, ada, bo, cy, taken_back)


def test_each_auditor_has_a_word_of_their_own_on_a_pair():
    ada = on("0", "left", rival="1", side="left")
    bo = replace(on("1", "left", rival="0", side="left", number=2), auditor="bo")
    again = on("0", "right", rival="1", side="left", number=3, supersedes="v1")
    assert standing([ada, bo, again]) == (bo, again)
    assert last_word([ada, bo], pair_subject("1", "0", "ada")) == ada
    assert last_word([ada, bo], pair_subject("0", "1", None)) is None


def test_a_verdict_on_a_pair_is_stale_once_another_path_was_promoted_and_counts_no_more():
    searched = search({"0": [FIND_HOTEL, say("a")], "1": [FIND_HOTEL, say("b")], "00": [say("c")]})
    tree = searched.tree
    said = on("0", "both_bad", rival="1")
    promoted = on("1", "promote", number=2)
    assert stale(tree, [said]) == frozenset() == stale(tree, [promoted, on("0", "left", rival="1", number=3)])
    assert stale(tree, [said, promoted]) == {"v1"}
    assert [each.id for each in heeded(tree, [said, promoted])] == ["v2"]
    undone = on("1", "withdraw", number=4, supersedes="v2")
    assert stale(tree, [said, promoted, undone]) == frozenset(), "the path is what it was"
