"""What the panes say of a turn, on the sample search."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from app.node_rows import NodeRows, RowLine
from app.relabelling import preview
from app.tree_view.row_sheets import changes_in_words, data_sheet, promotion_sheet
from app.tree_view.turn_sheets import pair_sheet, raw_sheet
from app.tree_view.why_sheet import why_sheet
from josh_engine.config import RunConfig, StrategyConfig
from josh_engine.encoding import to_json
from josh_engine.extract import RowPolicy, Source
from josh_engine.tree import fold, label_turns
from josh_engine.values import Json, Rollout, Verdict
from tests.app.sample_search import HOSTILE, sample_tree, search_events

TREE = sample_tree()
LABELS = label_turns(TREE)
JOSH = StrategyConfig()
SOURCE = Source(Rollout("r", "run", "s", 0, state="done", goals=2, won=2), RunConfig("w", "all", ("s",)), TREE)


def word(node: str, judgement: str, **more: Json) -> Verdict:
    return Verdict("v1", "r", node, judgement, "Ada", "2026-01-01T00:00:00Z", **more)  # type: ignore[arg-type]


def said(blocks: list[dict[str, Json]]) -> str:
    return "\n".join(block["text"] for block in blocks if block["kind"] in ("text", "head"))


def why(node: str, *verdicts: Verdict, strategy: StrategyConfig = JOSH) -> list[dict[str, Json]]:
    return why_sheet(TREE, label_turns(TREE, verdicts), node, strategy=strategy, verdicts=verdicts)


def test_a_pruned_turn_says_who_won_and_links_there() -> None:
    reason = why("0.0")[1]
    assert "turn 0.1 reached book_hotel in this round" in reason["text"]
    assert reason["link"] == "0.1"


def test_where_several_reached_a_goal_the_first_in_tree_order_won() -> None:
    assert "Several reached a goal in this exchange" in said(why("1.0"))
    assert "Several" not in said(why("0.1.1"))


def test_the_beam_is_read_off_the_tree() -> None:
    def of(node: str, strategy: StrategyConfig) -> tuple[dict[str, str], str]:
        blocks = why(node, strategy=strategy)
        facts = next(dict(block["rows"]) for block in blocks if block["kind"] == "facts")
        return facts, said(blocks)

    facts, words = of("0.0", JOSH)
    assert (facts["Exchange"], facts["Live conversations"], facts["Answers played"]) == (
        "2",
        "2 of at most 8 (beam)",
        "4",
    )
    assert "Branched: 2 × 2 answers fit into 8" in words
    assert "Not branched: beam full. 2 × 2 answers are more than 2" in of("0.0", replace(JOSH, max_beam=2))[1]
    assert "strategy greedy" in said(why("0", strategy=StrategyConfig("greedy")))


def test_what_the_goal_asked_for_stands_beside_what_was_called() -> None:
    blocks = why("0.1")
    (row,) = next(block for block in blocks if block["kind"] == "compare")["rows"]
    assert "reached here" in row["title"]
    assert row["arguments"] == [{"name": "people", "mark": "same", "word": "= same", "left": "2", "right": "2"}]
    uncalled = [block for block in blocks if block["kind"] == "facts"][-1]["rows"]
    assert uncalled == [["Goal 2", "book_train · not called in this turn · not reached"]]
    besides = said(why("0.0"))
    assert f"Called besides: book_hotell(who={HOSTILE[0]})" in besides
    assert "reached here too, booked elsewhere" in str(why("1.0"))


def test_a_persons_word_and_its_reason_stand_under_the_searchs() -> None:
    words = said(why("0.0", word("0.0", "good", reason="Kind enough.")))
    assert "✎ Called good by Ada, was negative. Reason: Kind enough." in words
    assert "A person called it good: trained towards." in words
    demoted = said(why("0.1", word("1.0", "promote")))
    assert "✎ Taken off the ideal path by a person" in demoted


def test_a_running_search_has_not_settled_its_turns() -> None:
    running = fold(search_events()[:7])
    blocks = why_sheet(running, label_turns(running), "0.0", strategy=JOSH)
    assert "The search has not settled this turn yet." in said(blocks)
    assert "went on from this turn to a later reward" in said(why("0"))


@pytest.mark.parametrize("node", sorted(TREE.nodes))
def test_every_pane_has_something_to_say_of_every_turn(node: str) -> None:
    for blocks in (why(node), pair_sheet(TREE, LABELS, node, None), raw_sheet(TREE.nodes[node], (), ())):
        assert blocks
        assert json.loads(json.dumps(blocks)) == blocks


def test_a_pair_is_beside_the_ideal_turn_unless_another_is_chosen() -> None:
    chips, compared = pair_sheet(TREE, LABELS, "0.0", None)
    assert [(chip["id"], chip["word"], chip["current"]) for chip in chips["chips"]] == [("0.1", "ideal", True)]
    assert (compared["left"], compared["right"]) == ("This turn: 0.0", "Turn 0.1")
    assert [row["mark"] for row in compared["rows"]] == ["changed", "changed", "changed"]
    assert pair_sheet(TREE, LABELS, "0.1", None)[1]["right"] == "Turn 0.0"
    assert pair_sheet(TREE, LABELS, "0.1", "not there")[1]["right"] == "Turn 0.0"


def test_a_turn_without_alternative_names_the_nearest_branch_point() -> None:
    (told,) = pair_sheet(TREE, LABELS, "0.1u", None)
    assert told["link"] == "0.1"
    assert pair_sheet(TREE, LABELS, "u", None)[0]["link"] is None


def test_raw_is_the_turn_its_events_and_every_verdict_on_it() -> None:
    verdicts = (word("0.0", "bad"), word("0.0", "good", supersedes="v1"), word("1.0", "bad"))
    blocks = raw_sheet(TREE.nodes["0.0"], list(enumerate(search_events())), verdicts)
    titles = [block["title"] for block in blocks if block["kind"] == "code"]
    assert titles == ["The turn", "Event 6: NodeAdded", "Event 11: Collapsed", "Verdict v1", "Verdict v1"]
    assert json.loads(blocks[2]["text"]) == to_json(TREE.nodes["0.0"])


def test_data_shows_the_lines_or_says_why_there_are_none() -> None:
    line = RowLine("kto down", "abc", 0, 3, '{"prompt": "<b>"}')
    blocks = data_sheet(NodeRows((line,)), "0.0")
    assert blocks[-1]["title"] == "KTO row, down ↓"
    assert (blocks[-1]["note"], blocks[-1]["text"]) == ("generation 1 · prompt of 3 messages · row abc", line.text)
    assert "full reward" in said(blocks)
    assert said(data_sheet(NodeRows((), "No row."), "0.0")) == "Rows of turn 0.0\nNo row."
    assert "An unfiltered export" in said(data_sheet(NodeRows((line,), "Left out.", True), "0.0"))


def test_a_promotion_is_foretold_in_numbers_and_rows() -> None:
    filtered, free = (preview([SOURCE], word("1.0", "promote"), RowPolicy(filtered=each)) for each in (True, False))
    blocks = promotion_sheet(filtered, free, {"r": "SCN"})
    facts = dict(next(block for block in blocks if block["kind"] == "facts")["rows"])
    assert "The ideal path changes at exchange 1: 1, 1.0 come onto it and 0, 0.1, 0.1.0 leave it." in said(blocks)
    assert facts["Reward"] == "2/2 → 1/2 goals  ⚠ earns less"
    ups = filtered.count("sft", comes=False)
    assert facts["SFT rows"].startswith(f"+0 −{ups}; unfiltered: +{free.count('sft', comes=True)}")
    assert "After this the tree is left out of it: not every goal" in said(blocks)
    lists = [block for block in blocks if block["kind"] == "list"]
    assert [len(block["lines"]) for block in lists] == [len(filtered.rows), len(free.rows)]
    assert changes_in_words(filtered).startswith(f"Rows: SFT +0 −{ups} · KTO")
    assert changes_in_words(replace(filtered, rows=())) == "No row of a filtered export changes"
