"""Verdicts overlay the derived labels; they never edit a tree, and a pair an auditor took out leaves the rows."""

from __future__ import annotations

from small import FIND_HOTEL, HOTEL, TRAIN, search, strategy

from josh_engine.extract import RowPolicy, extract, preference_pairs
from josh_engine.models.scripted import say
from josh_engine.tree import ideal_path, label_turns
from josh_engine.values import Verdict

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
    agreed = on("0", "left", rival="1", side="left")
    assert kto(searched, policy=RowPolicy(audit="audited")) == []
    assert set(kto(searched, agreed, policy=RowPolicy(audit="agreed"))) == {("0", True), ("1", False)}
    turned = on("0", "right", rival="1", side="left")
    assert kto(searched, turned, policy=RowPolicy(audit="agreed")) == []
    assert {node for node, _ in kto(searched, on("0", "good"), policy=RowPolicy(audit="agreed"))} == {"0"}


def test_preference_pairs_are_turns_at_the_same_user_turn():
    searched = search(SCRIPT, [HOTEL, TRAIN], strategy(depth=2))
    (pair,) = preference_pairs(searched.source())
    assert pair.chosen == searched.tree.nodes["0"].turn
    assert pair.rejected == searched.tree.nodes["1"].turn
    assert pair.prompt == (searched.tree.nodes["u"].turn,)
