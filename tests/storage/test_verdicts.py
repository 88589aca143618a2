"""Verdicts are appended; of two who change the same one, the second is told."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from josh_engine.config import Run
from josh_engine.errors import NotFound
from josh_engine.values import Verdict
from josh_engine.verdicts import standing
from storage.database import Store
from storage.verdicts import Superseded, add_verdict, answer_verdicts, list_run_verdicts, list_verdicts


@pytest.fixture
def first(store: Store, run: Run) -> Verdict:
    verdict = Verdict("v1", f"{run.id}.1", "0", "bad", "ann", "2026-01-01T00:00:00Z", reason="wrong <b>area</b>")
    add_verdict(store, verdict)
    return verdict


def test_verdicts_come_back_in_the_order_they_were_given(store: Store, run: Run, first: Verdict) -> None:
    pair = Verdict("v0", first.rollout, "0", "left", "bob", "2026-01-01T00:00:01Z", rival="1", blind=True, side="left")
    add_verdict(store, pair)
    add_verdict(store, Verdict("v2", f"{run.id}.2", "0", "good", "ann", "2026-01-01T00:00:02Z"))
    assert list_verdicts(store, first.rollout) == (first, pair)
    assert {key: len(value) for key, value in list_run_verdicts(store, [run.id]).items()} == {
        f"{run.id}.1": 2,
        f"{run.id}.2": 1,
    }
    assert list_run_verdicts(store, ["other"]) == {}


def test_a_changed_mind_supersedes_and_the_slower_of_two_is_told(store: Store, first: Verdict) -> None:
    second = Verdict("v2", first.rollout, "0", "good", "ann", "2026-01-02T00:00:00Z", supersedes="v1")
    add_verdict(store, second)
    late = Verdict("v3", first.rollout, "0", "partial", "bob", "2026-01-02T00:00:01Z", supersedes="v1")
    with pytest.raises(Superseded):
        add_verdict(store, late)
    assert standing(list_verdicts(store, first.rollout)) == (second,)


@pytest.mark.parametrize("edit", ["UPDATE verdicts SET verdict = 'good'", "DELETE FROM verdicts"])
def test_a_verdict_is_never_edited(store: Store, first: Verdict, edit: str) -> None:
    stranger = sqlite3.connect(store.path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        stranger.execute(edit)
    stranger.close()
    assert list_verdicts(store, first.rollout) == (first,)


def test_a_verdict_on_nothing_is_refused(store: Store, first: Verdict) -> None:
    with pytest.raises(NotFound):
        add_verdict(store, Verdict("v2", "nope.1", "0", "good", "ann", "2026-01-01T00:00:00Z"))
    with pytest.raises(NotFound):
        add_verdict(store, Verdict("v2", first.rollout, "0", "good", "ann", "", supersedes="nope"))


def test_an_answer_is_made_of_what_stands_in_the_same_transaction_and_a_refusal_keeps_nothing(
    store: Store, first: Verdict
) -> None:
    def answer(given: tuple[Verdict, ...]) -> Verdict:
        assert given == (first,)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            stranger.execute("BEGIN IMMEDIATE")
        return replace(first, id="v2", verdict="good", supersedes="v1")

    stranger = sqlite3.connect(store.path, timeout=0)
    assert answer_verdicts(store, first.rollout, answer) == list_verdicts(store, first.rollout)[-1]
    stranger.close()

    def refuse(given: tuple[Verdict, ...]) -> Verdict:
        raise NotFound(f"{len(given)} stand")

    with pytest.raises(NotFound, match="2 stand"):
        answer_verdicts(store, first.rollout, refuse)
    assert len(list_verdicts(store, first.rollout)) == 2
