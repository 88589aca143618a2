"""Many trees small: the outlines are those of the trees, remembered, and grown by what is new."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app import forest, services
from app.forest import MARKS, Forest, outline
from app.ticking import captions
from app.tree_view.saplings import MOST_CELLS, SEED, looped
from app.tree_view.saplings import forest as drawn
from josh_engine.config import Run
from josh_engine.extract import Source, preference_pairs
from josh_engine.tree import EMPTY, fold, tree_order
from josh_engine.values import Rollout, Verdict
from storage.verdicts import add_verdict
from tests.app.sample_search import HOSTILE

Store = services.Store


@pytest.fixture
def played(store: Store, run: Run) -> tuple[Rollout, ...]:
    services.run_here(store, run.id)
    return services.list_rollouts(store, run.id)


def test_an_outline_has_every_turn_its_parent_and_its_label(store: Store, run: Run, played) -> None:
    found = Forest(store).saplings(run.id, played)
    assert found.keys() == {each.id for each in played}
    for rollout in played:
        opened, sapling = services.open_rollout(store, rollout.id), found[rollout.id]
        ids = sorted(opened.tree.nodes, key=tree_order)
        assert [ids[each] if each >= 0 else None for each in sapling.parents] == [
            opened.tree.nodes[each].parent for each in ids
        ]
        for each, mark in zip(ids, sapling.marks, strict=True):
            assert mark == MARKS[opened.labels.get(each)] or (mark == "i" and each.endswith("u"))
        assert {ids[each] for each in sapling.stars} == set(opened.tree.won.values())
        assert all(parent < place for place, parent in enumerate(sapling.parents))


def test_pairs_are_the_paper_s_of_trees_with_full_reward(store: Store, run: Run, played) -> None:
    full = [each for each in played if each.success]
    expected = 0
    for rollout in full:
        opened = services.open_rollout(store, rollout.id)
        expected += len(preference_pairs(Source(rollout, run.config, opened.tree)))
    counted = Forest(store).count_pairs([run.id])
    assert (counted.pairs, counted.audited, counted.looked_at, counted.trees) == (expected, 0, len(full), len(full))
    assert expected > 3 and counted.share == 0


def test_a_pair_is_audited_once_a_person_judged_one_of_its_turns(store: Store, run: Run, played) -> None:
    watching = Forest(store)
    before = watching.count_pairs([run.id])
    rollout = next(each for each in played if each.success and watching.saplings(run.id, [each])[each.id].pairs)
    labels = services.open_rollout(store, rollout.id).labels
    bad = next(node for node, label in labels.items() if label == "negative")
    add_verdict(store, Verdict("v1", rollout.id, bad, "bad", "Ada", "2026-01-01T00:00:00Z"))
    after = watching.count_pairs([run.id])
    assert (after.pairs, after.audited) == (before.pairs, 1)
    add_verdict(store, Verdict("v2", rollout.id, bad, "exclude", "Ada", "2026-01-02T00:00:00Z", supersedes="v1"))
    assert watching.count_pairs([run.id]).pairs == before.pairs - 1


def test_a_growing_tree_is_read_from_where_it_was_left(store: Store, run: Run, played, monkeypatch) -> None:
    """As the page sees it: the summary is read before the events, and may be behind them."""
    rollout, events = played[0], services.run_events(store, played[0].id)
    asked: list[int] = []

    def up_to(count: int):
        def read(_: Store, rollout_id: str, after: int = -1):
            asked.append(after)
            return tuple(each for each in events[:count] if each[0] > after)

        return read

    growing = Forest(store)
    for count in range(1, len(events) + 1):
        monkeypatch.setattr(forest.runs, "events_after", up_to(count))
        summary = replace(rollout, state="running", events=count)
        found = growing.saplings(run.id, [summary])[rollout.id]
        assert found == outline(fold((event for _, event in events[:count]), onto=EMPTY))
    assert asked == list(range(-1, len(events) - 1))
    growing.saplings(run.id, [summary])
    assert len(asked) == len(events), "nothing new, nothing read"


def test_what_there_is_no_time_for_comes_with_the_next_look(store: Store, run: Run, played, monkeypatch) -> None:
    watching = Forest(store)
    monkeypatch.setattr(forest, "PATIENCE_SECONDS", -1.0)
    assert watching.saplings(run.id, played) == {}
    first = watching.count_pairs([run.id])
    assert (first.looked_at, first.trees) == (0, sum(each.success for each in played))
    monkeypatch.setattr(forest, "PATIENCE_SECONDS", 9.0)
    assert len(watching.saplings(run.id, played)) == len(played)


def test_a_cell_says_what_the_tree_is_and_leads_to_it(store: Store, run: Run, played) -> None:
    found = Forest(store).saplings(run.id, played)
    data = drawn(played, found, chosen=played[1].id, height=200)
    cell = data["cells"][0]
    assert data["chosen"] == played[1].id and len(data["cells"]) == len(played)
    assert cell["href"] == f"run?run={run.id}&scenario=train%2F0"
    assert cell["aria"].startswith(f"train/0, done, {played[0].won} of 2 goals, {played[0].nodes} turns")
    assert len(cell["marks"]) == len(cell["parents"]) == played[0].nodes
    alone = looped(played[0], found[played[0].id], height=300)
    assert alone["loop"] and alone["cells"][0]["href"].startswith("tree?run=")


def test_of_very_many_those_being_played_come_first_and_the_rest_is_counted() -> None:
    many = [Rollout(f"r.{n}", "r", f"{HOSTILE[0]}{n}", 0, state="queued") for n in range(MOST_CELLS + 30)]
    many[-1] = replace(many[-1], state="running")
    data = drawn(many, {})
    assert len(data["cells"]) == MOST_CELLS and data["cells"][0]["id"] == many[-1].id
    assert data["note"].startswith("30 more")
    assert data["cells"][1]["marks"] == SEED.marks == ""


def test_the_ticker_tells_the_last_events_newest_first(store: Store, played) -> None:
    events = services.run_events(store, played[0].id)
    told = captions(events, last=4)
    assert [number for number, _ in told] == [number for number, _ in events[:-5:-1]]
    assert told[0][1].startswith("The search is over")
    assert captions(events, last=10_000)[-1][1].startswith("The search begins")
    assert captions((), last=3) == ()


def test_pairs_of_more_trees_than_outlines_are_kept_are_counted_once(
    store: Store, run: Run, played, monkeypatch
) -> None:
    monkeypatch.setattr(forest, "MOST_KEPT", 1)
    few = Forest(store)
    whole = few.count_pairs([run.id])
    assert whole.looked_at == whole.trees >= 2
    monkeypatch.setattr(forest.runs, "events_after", None)  # no tree is read again
    assert few.count_pairs([run.id]) == whole
