"""What a judgement changes is what the export changes, to the row; and taking it back restores every byte."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_searches import searches
from small import FIND_HOTEL, HOTEL, TRAIN, Searched, search, strategy

from app.relabelling import (
    JUDGEMENTS,
    Conflict,
    answering,
    checked,
    preview,
    seen_words,
    standing_on,
    undoable,
    withdrawing,
)
from app.tree_view.overlay import marks
from josh_engine.errors import ConfigError
from josh_engine.extract import RowPolicy, Source, extract
from josh_engine.models.scripted import say
from josh_engine.rows import FORMATS, render_files
from josh_engine.tree import agent_turns, ideal_path, label_turns
from josh_engine.values import Verdict
from josh_engine.verdicts import IDEAL_PATH, standing, turn_subject

SCRIPT = {"0": [FIND_HOTEL, say("a")], "1": [say("wrong")]}


def word(node: str, judgement: str, *, number: int = 1, by: str = "ada", **more) -> Verdict:
    return Verdict(f"v{number}", "r", node, judgement, by, "2026-01-01T00:00:00Z", **more)  # type: ignore[arg-type]


def files(sources: list[Source], policy: RowPolicy | None = None) -> dict[str, bytes]:
    return render_files(extract(sources, policy), FORMATS)


def with_twin(searched: Searched, said: list[Verdict]) -> list[Source]:
    """The search, and a second trial that played it word for word: what one tree says binds the other's rows."""
    twin = replace(searched.rollout, id="twin", trial=1)
    return [searched.source(*said), Source(twin, searched.config, searched.tree)]


@st.composite
def judged(draw: st.DrawFn) -> tuple[Searched, list[Verdict]]:
    """A search that mostly reached something, and words on its turns, each answering the last on its subject. Turns
    that stand at the ideal path come up more often: only there can a word change a row."""
    searched = draw(st.one_of(searches(), *[searches().filter(lambda found: found.tree.won)] * 3))
    near = [node for node, label in label_turns(searched.tree).items() if label not in ("off_path", "open")]
    nodes = near * 4 + [node.id for node in agent_turns(searched.tree)]
    said: list[Verdict] = []
    for number in range(draw(st.integers(1, 4))):
        asked = word(draw(st.sampled_from(nodes)), draw(st.sampled_from(JUDGEMENTS)), number=number)
        seen = seen_words(searched.tree, said)
        about = IDEAL_PATH if asked.verdict == "promote" else turn_subject(asked.node)
        said.append(answering(said, asked, seen=seen[about]))
    return searched, said


@settings(max_examples=120)
@given(judged(), st.booleans(), st.sampled_from((False, False, True)))
def test_the_preview_is_what_changes_in_the_files(
    given_: tuple[Searched, list[Verdict]], twin: bool, filtered: bool
) -> None:
    searched, said = given_
    policy = RowPolicy(filtered=filtered)
    before, after = (with_twin(searched, some) if twin else [searched.source(*some)] for some in (said[:-1], said))
    foretold = preview(before, replace(said[-1], supersedes=None), policy)
    was, will = files(before, policy), files(after, policy)
    for row_format in ("sft", "kto", "dpo"):
        old, new = (Counter(some[f"{row_format}.jsonl"].splitlines()) for some in (was, will))
        for comes, lines in ((True, new - old), (False, old - new)):
            changed = Counter((row["row_id"], row.get("label")) for row in map(json.loads, lines.elements()))
            assert changed == Counter(
                (each.row_id, each.label)
                for each in foretold.rows
                if (each.row_format, each.comes) == (row_format, comes)
            )
    assert foretold.path_after == ideal_path(searched.tree, said)


@settings(max_examples=60)
@given(judged())
def test_taking_words_back_one_by_one_restores_every_byte_of_every_file(
    given_: tuple[Searched, list[Verdict]],
) -> None:
    searched, said = given_
    every = list(said)
    while (newest := undoable(every, "ada")) is not None:
        expected = [each for each in said if each.id < newest.id]
        taken_back = word("", "withdraw", number=100 + len(every))
        every.append(withdrawing(every, taken_back, target=newest.id))
        if newest == said[-1]:
            assert files(with_twin(searched, every)) == files(with_twin(searched, expected))
    assert files(with_twin(searched, every)) == files(with_twin(searched, []))


@settings(max_examples=60)
@given(judged())
def test_every_turn_off_the_ideal_path_has_a_reason_or_a_persons_mark(
    given_: tuple[Searched, list[Verdict]],
) -> None:
    searched, said = given_
    tree, labels = searched.tree, label_turns(searched.tree, said)
    marked = marks(tree, labels, said)
    for node, label in labels.items():
        if label not in ("ideal", "open"):
            assert node in tree.reasons or marked[node].override
    path, derived = ideal_path(tree, said), ideal_path(tree)
    own = {each.node for each in standing(said)}
    demoted = {node for node in derived if node in labels and node not in path} - own
    assert {node for node, mark in marked.items() if mark.override == "demoted_by_person"} == demoted


def test_a_promotion_says_what_it_earns_whom_it_demotes_and_which_audits_go_stale() -> None:
    searched = search(
        {"0": [FIND_HOTEL, say("a")], "1": [FIND_HOTEL, say("b")]}, [HOTEL], strategy(branching=2, beam=8)
    )
    pair = word("0", "left", rival="1", side="left")
    told = preview([searched.source(pair)], word("1", "promote", number=2))
    assert (told.reward_before, told.reward_after, told.goals, told.earns_less) == (1, 1, 1, False)
    assert (told.demoted, told.promoted, told.stale) == (("0",), ("1",), (pair,))
    assert told.count("sft", comes=True) == told.count("sft", comes=False) == 2
    assert told.count("kto", comes=True, label=True) == told.count("kto", comes=False, label=True) == 2


def test_a_promotion_that_earns_less_says_so_and_that_the_tree_leaves_the_export() -> None:
    searched = search(SCRIPT, [HOTEL, TRAIN], strategy(depth=2))
    told = preview([searched.source()], word("1", "promote"))
    assert (told.reward_before, told.reward_after, told.earns_less) == (1, 0, True)
    assert told.flaw_after == "reward"


def test_whoever_has_not_seen_the_last_word_is_told_whose_it_is() -> None:
    bad = answering([], word("1", "bad"), seen=None)
    late = word("1", "good", number=2, by="bob")
    with pytest.raises(Conflict) as refused:
        answering([bad], late, seen=None)
    assert refused.value.word == bad
    anyway = answering([bad], late, seen=bad.id)
    assert standing([bad, anyway]) == (anyway,)
    with pytest.raises(Conflict):
        withdrawing([bad, anyway], word("", "withdraw", number=3), target=bad.id)


def test_one_word_on_the_ideal_path_whichever_turns_were_promoted() -> None:
    first = answering([], word("1", "promote"), seen=None)
    with pytest.raises(Conflict):
        answering([first], word("0", "promote", number=2), seen=None)
    second = answering([first], word("0", "promote", number=2), seen="v1")
    undone = withdrawing([first, second], word("", "withdraw", number=3), target="v2")
    assert standing_on([first, second, undone], IDEAL_PATH) == first
    assert undone.node == "0"


def test_a_person_takes_back_only_what_is_their_own() -> None:
    said = [word("0", "bad"), word("1", "good", number=2, by="bob"), word("0", "left", number=3, rival="1")]
    assert undoable(said, "ada") == said[0]
    assert undoable(said, "bob") == said[1]
    assert undoable(said, "eve") is None


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (word("u", "bad"), "no agent turn"),
        (word("9.9", "bad"), "no agent turn"),
        (word("1", "left"), "cannot be judged"),
        (word("1", "withdraw"), "cannot be judged"),
        (word("1", "bad", by=" "), "Nobody"),
        (word("1", "bad", reason="x" * 2001), "too long"),
    ],
)
def test_a_word_that_says_nothing_about_a_turn_is_refused(refused: Verdict, why: str) -> None:
    tree = search(SCRIPT).tree
    with pytest.raises(ConfigError, match=why):
        checked(tree, refused)
    assert checked(tree, word("1", "bad")).node == "1"
