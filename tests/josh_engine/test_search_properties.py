"""What holds of every search, whatever the agent does: random scripted agents, all strategies, all shapes."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from random_searches import searches
from small import Searched, search, strategy

from josh_engine.encoding import dump_event, load_event
from josh_engine.extract import RowPolicy, extract
from josh_engine.tree import branches, fold, ideal_path, label_turns, tree_order
from josh_engine.values import Collapsed, NodeAdded, SearchEnded


@settings(max_examples=150)
@given(searches())
def test_labels_reasons_and_beam(searched: Searched) -> None:
    tree, config = searched.tree, searched.config.strategy
    labels = label_turns(tree)
    assert searched.rollout.state == "done" and tree.ended and not tree.frontier

    given_reasons = Counter(
        pruned.node
        for event in searched.events
        if isinstance(event, Collapsed | SearchEnded)
        for pruned in event.pruned
    )
    assert set(given_reasons.values()) <= {1}
    assert set(given_reasons) == {node for node, label in labels.items() if label != "ideal"}
    assert "open" not in labels.values()

    for pruned in tree.reasons.values():
        if pruned.reason == "lost_race":
            assert pruned.link in tree.won.values()
            assert len(branches(pruned.link)) == len(branches(pruned.node))
        if pruned.reason == "partial_credit":
            assert pruned.link in tree.nodes[pruned.node].goals
        if pruned.reason in ("lost_race", "depth_exhausted"):
            assert tree.nodes[pruned.node].turn.stop == "spoke"
    for end in range(len(searched.events) + 1):
        assert len(fold(searched.events[:end]).frontier) <= max(config.max_beam, 1)


@settings(max_examples=150)
@given(searches())
def test_reward_ideal_path_and_negatives(searched: Searched) -> None:
    tree = searched.tree
    labels, ideal = label_turns(tree), ideal_path(tree)
    assert (ideal[-1] == tree.root == list(tree.won.values())[-1]) if tree.won else ideal == ()
    reached = set().union(*(tree.nodes[node].goals for node in ideal)) if ideal else set()
    assert reached == set(tree.won)
    for node, label in labels.items():
        below = [each for each in tree.nodes if each == node or each.startswith((node + ".", node + "u"))]
        rewarded = any(tree.nodes[each].goals for each in below)
        if label == "negative":
            assert tree.nodes[node].parent in ideal and not rewarded
        if label == "partial":
            assert tree.nodes[node].parent in ideal and rewarded
        assert (label == "ideal") == (node in ideal)


@settings(max_examples=100)
@given(searches(), st.sampled_from(("whole_turn", "first_divergence")), st.booleans())
def test_no_text_is_ever_up_and_down_in_the_same_context(searched: Searched, rows: str, filtered: bool) -> None:
    extraction = extract([searched.source()], RowPolicy(rows=rows, filtered=filtered))  # type: ignore[arg-type]
    up = {each.key for each in extraction.positive}
    assert up.isdisjoint(each.key for each in extraction.negative)
    for pair in extraction.pairs:
        assert pair.chosen.prompt_rows == pair.rejected.prompt_rows
        assert pair.chosen.completion_rows != pair.rejected.completion_rows


@settings(max_examples=60)
@given(searches(), st.data())
def test_a_tree_is_its_events_folded_in_any_portions_and_through_json(searched: Searched, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(searched.events)))
    assert fold(searched.events[cut:], onto=fold(searched.events[:cut])) == searched.tree
    assert tuple(load_event(*dump_event(event)) for event in searched.events) == searched.events
    added = [event.node.id for event in searched.events if isinstance(event, NodeAdded)]
    assert len(added) == len(set(added))
    assert sorted(tree_order(node) for node in added) == sorted(set(map(tree_order, added)))


@settings(max_examples=40)
@given(st.integers(0, 2**31), st.integers(0, 3))
def test_same_seed_same_events(seed: int, trial: int) -> None:
    config = strategy(depth=3)
    assert (
        search({}, config=config, seed=seed, trial=trial).events
        == search({}, config=config, seed=seed, trial=trial).events
    )
    assert (
        search({}, config=config, seed=seed, trial=trial).events
        != search({}, config=config, seed=seed + 1, trial=trial).events
    )
