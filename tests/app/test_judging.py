"""Judging turns in a store: what is foretold happens to the files, and two who judge the same turn both know it."""

from __future__ import annotations

import json
import threading
from collections import Counter

import pytest

from app import services
from app.relabelling import Conflict, Preview, undoable
from josh_engine.config import Run
from josh_engine.errors import ConfigError, NotFound
from josh_engine.extract import RowPolicy
from josh_engine.tree import ideal_path
from tests.app.sample_search import HOSTILE

FORMATS = ("sft", "kto", "dpo")


@pytest.fixture
def played(store: services.Store, run: Run) -> Run:
    services.run_here(store, run.id)
    return run


def files(store: services.Store, run: Run, *, filtered: bool = True) -> dict[str, bytes]:
    return services.export_files(store, [run.id], formats=FORMATS, policy=RowPolicy(filtered=filtered))[1]


def negatives(store: services.Store, run: Run) -> list[tuple[str, str]]:
    """(rollout, node) of the negative turns of the finished trees."""
    opened = [services.open_rollout(store, each.id) for each in services.list_rollouts(store, run.id)]
    return [(each.rollout.id, node) for each in opened for node, label in each.labels.items() if label == "negative"]


def give(store: services.Store, rollout: str, node: str, judgement: str, **more: object) -> str:
    more = {"auditor": "Ada", "seen": None} | more
    return services.give_verdict(store, rollout, node, judgement, **more).id  # type: ignore[arg-type]


def changed(before: dict[str, bytes], after: dict[str, bytes], row_format: str) -> tuple[int, int]:
    old, new = (Counter(some[f"{row_format}.jsonl"].splitlines()) for some in (before, after))
    return (new - old).total(), (old - new).total()


def foretold(told: Preview, row_format: str) -> tuple[int, int]:
    rows = [each.comes for each in told.rows if each.row_format == row_format]
    return rows.count(True), rows.count(False)


@pytest.mark.parametrize("filtered", [True, False])
def test_a_promotion_changes_the_runs_export_as_foretold_and_undo_restores_every_file(
    store: services.Store, played: Run, filtered: bool
) -> None:
    changes = 0
    for rollout, node in dict(negatives(store, played)).items():
        before = files(store, played, filtered=filtered)
        told = services.preview_promotion(store, rollout, node, filtered=filtered)
        given = give(store, rollout, node, "promote", reason="It is kinder.")
        after = files(store, played, filtered=filtered)
        for row_format in FORMATS:
            assert changed(before, after, row_format) == foretold(told, row_format)
        changes += len(told.rows)
        services.undo_verdict(store, rollout, given, auditor="Bob")
        assert files(store, played, filtered=filtered) == before
    assert changes


def test_every_row_of_the_export_is_shown_with_the_turn_it_is_of_and_no_other(
    store: services.Store, played: Run
) -> None:
    shown: dict[str, Counter[str]] = {name: Counter() for name in FORMATS}
    for rollout in services.list_rollouts(store, played.id):
        for node in services.open_rollout(store, rollout.id).tree.nodes:
            found = services.node_rows(store, rollout.id, node)
            assert bool(found.none) == (not found.lines or found.unfiltered)
            for line in () if found.unfiltered else found.lines:
                shown[line.kind[:3]][line.text] += 1
                assert json.loads(line.text)["row_id"] == line.row_id
    for name, body in files(store, played).items():
        row_format = name.removesuffix(".jsonl")
        if row_format in FORMATS:
            twice = 2 if row_format == "dpo" else 1  # a pair's row is shown with both its turns
            assert shown[row_format] == Counter(dict.fromkeys(body.decode().splitlines(), twice))


def test_a_branch_that_earns_less_is_promoted_only_with_a_reason(store: services.Store, played: Run) -> None:
    rollout, node = next(
        (rollout, node)
        for rollout, node in negatives(store, played)
        if services.preview_promotion(store, rollout, node).earns_less
    )
    with pytest.raises(ConfigError, match="earns less"):
        give(store, rollout, node, "promote", reason=" \n")
    assert services.open_rollout(store, rollout).verdicts == ()
    give(store, rollout, node, "promote", reason=HOSTILE[0])
    opened = services.open_rollout(store, rollout)
    assert opened.verdicts[0].reason == HOSTILE[0]
    assert ideal_path(opened.tree, opened.verdicts)[-1] == node


def test_the_second_of_two_learns_what_the_first_said_and_may_insist(store: services.Store, played: Run) -> None:
    rollout, node = negatives(store, played)[0]
    first = give(store, rollout, node, "bad", reason="Rude.")
    with pytest.raises(Conflict) as told:
        give(store, rollout, node, "good", auditor="Bob")
    assert told.value.word is not None
    assert (told.value.word.auditor, told.value.word.verdict, told.value.word.reason) == ("Ada", "bad", "Rude.")
    give(store, rollout, node, "good", auditor="Bob", seen=told.value.word.id)
    opened = services.open_rollout(store, rollout)
    assert [each.verdict for each in opened.verdicts] == ["bad", "good"], "nothing is lost"
    assert opened.labels[node] == "ideal"
    assert undoable(opened.verdicts, "Ada") is None
    with pytest.raises(Conflict):
        services.undo_verdict(store, rollout, first, auditor="Ada")


def test_of_many_at_once_one_speaks_first(store: services.Store, played: Run) -> None:
    rollout, node = negatives(store, played)[0]
    outcomes: list[str] = []

    def speak(number: int) -> None:
        with services.open_store(store.path) as own:
            try:
                give(own, rollout, node, "bad", auditor=f"person {number}")
                outcomes.append("said")
            except Conflict:
                outcomes.append("conflict")

    threads = [threading.Thread(target=speak, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict"] * 3 + ["said"]
    assert len(services.open_rollout(store, rollout).verdicts) == 1


def test_what_cannot_be_judged_is_refused_with_a_remedy(store: services.Store, played: Run) -> None:
    rollout, node = negatives(store, played)[0]
    for refused, expected in (
        (lambda: give(store, rollout, "u", "bad"), ConfigError),
        (lambda: give(store, rollout, node, "bad", auditor=" "), ConfigError),
        (lambda: give(store, "nope.1", node, "bad"), NotFound),
        (lambda: services.undo_verdict(store, rollout, "none", auditor=""), ConfigError),
        (lambda: services.undo_verdict(store, rollout, "none", auditor="Ada"), Conflict),
    ):
        with pytest.raises(expected):
            refused()
    assert services.open_rollout(store, rollout).verdicts == ()
