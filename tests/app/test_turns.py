"""Turns that a page starts: the command line's words for them, and how far each is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app import launching, services, turns
from app.arguments import parse
from app.improving import RESULT, STATE, Plan, lock_of
from josh_engine.errors import ConfigError
from storage import locks

PLAN = Plan(scenarios=5, judged=None, also_at=(0.0, 0.5), seeds=(0, 1), trainers=("sft", "kto_packed"), beam=4)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    words: list[Any] = []
    monkeypatch.setattr(launching, "launch", lambda *given, **named: words.append(given))
    return words


def test_the_words_ask_for_the_plan(tmp_path: Path) -> None:
    words = parse(["improve", "--out", str(tmp_path), *turns.plan_words(PLAN)])
    assert (words.limit, words.also_at, words.seeds, words.beam) == (5, (0.0, 0.5), 2, 4)
    assert (words.trainers, words.preset, words.user_model) == (("sft", "kto_packed"), "tiny", None)


@pytest.mark.parametrize("name", ["", "../up", "A b", "-x", "x" * 41])
def test_names_that_are_no_folder_s_are_refused(tmp_path: Path, started: list[Any], name: str) -> None:
    with (
        services.open_store(tmp_path / "josh.db") as store,
        pytest.raises(ConfigError, match="cannot be a turn's name"),
    ):
        turns.launch_turn(store, name, PLAN)
    assert started == []


def test_a_turn_is_listed_as_going_stopped_or_done(tmp_path: Path, started: list[Any]) -> None:
    with services.open_store(tmp_path / "josh.db") as store:
        turns.launch_turn(store, "one", Plan())
        folder = tmp_path / "josh-data" / "turns" / "one"
        assert started[0][2][:3] == ["improve", "--out", str(folder)]
        (begun,) = turns.list_turns(store)
        assert (begun.state, begun.runs) == ("running", ())
        runs = {"base at 1, seed 0": "b", "base at 0, seed 0": "z", "search": "s", "sft-0 at 1, seed 0": "t"}
        (folder / STATE).write_text(json.dumps({"plan": {"temperature": 1.0}, "runs": runs}))
        (stopped,) = turns.list_turns(store)
        assert (stopped.name, stopped.state, stopped.runs) == ("one", "paused", ("b", "t"))
        with locks.holding(store.path, lock_of(folder)):
            assert turns.list_turns(store)[0].state == "running"
            with pytest.raises(locks.RunHeld):
                turns.launch_turn(store, "one", Plan())
        (folder / RESULT).write_text("{}")
        (done,) = turns.list_turns(store)
        assert done.said == turns.ALL_DONE
        told = [("base", 1.0, ""), ("sft-0", 1.0, "not decisive: 5 of 6 finished on the base's side")]
        told += [("base", 0.0, ""), ("sft-0", 0.0, "better")]
        judged = [{"model": model, "temperature": at, "verdict": verdict} for model, at, verdict in told]
        (folder / RESULT).write_text(json.dumps({"judged": judged}))
        (done,) = turns.list_turns(store)
        assert done.said == "sft-0: not decisive: 5 of 6 finished on the base's side"
    (row,) = turns.turns_listed([done]).rows
    assert done.state == "done" and row["href"] == "evaluate?runs=b%2Ct&base=b"


def test_a_turn_with_a_broken_file_is_still_listed(tmp_path: Path) -> None:
    with services.open_store(tmp_path / "josh.db") as store:
        folder = tmp_path / "josh-data" / "turns" / "odd"
        folder.mkdir(parents=True)
        (folder / STATE).write_text("[")
        (turn,) = turns.list_turns(store)
    assert (turn.name, turn.runs) == ("odd", ())
    assert turns.turns_listed([turn]).rows[0]["id"] == "odd"
