"""Every error on the command line: one line, the right exit code, and nothing half-written."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.services import Store, create_run
from josh_engine.config import RunConfig
from tests.app.conftest import PLAYERS

WRONG = [
    (["run", "--world", "nope"], "Unknown world 'nope'"),
    (["run", *PLAYERS, "--split", "nope"], "Use one of: train, test"),
    (["run", *PLAYERS, "--agent", "nope"], "Unknown agent 'nope'"),
    (["run", *PLAYERS, "--user", "nope"], "Unknown user 'nope'"),
    (["run", *PLAYERS, "--model", "gpt"], "NAME@URL"),
    (["run", *PLAYERS, "--model", "gpt@http://me:secret@localhost:1"], "more than an address"),
    (["run", *PLAYERS, "--model", "gpt@http://"], "no http address"),
    (["run", *PLAYERS, "--user-top-p", "1.5"], "user top-p is 1.5"),
    (["probe", "nope"], "is no endpoint"),
    (["run", *PLAYERS, "--strategy", "nope"], "Unknown strategy 'nope'"),
    (["run", *PLAYERS, "--beam", "0"], "beam is 0"),
    (["run", *PLAYERS, "--beam", "many"], "--beam"),
    (["run", *PLAYERS, "--temperature", "0"], "At temperature 0"),
    (["run", *PLAYERS, "--concurrency", "0"], "concurrency is 0"),
    (["run", *PLAYERS, "--budget-usd", "-1"], "budget-usd is -1"),
    (["run", *PLAYERS, "--scenarios", "no-such-file"], "no-such-file"),
    (["run", *PLAYERS, "--limit", "2", "--scenarios", "x"], "not allowed with"),
    (["run", *PLAYERS, "--goal-rule", "mine"], "--goal-rule"),
    (["run", "--world", "toolwoz"], "data multiwoz"),
    (["run", "--nonsense"], "run has no option --nonsense (python -m app run --help)"),
    (["improve", "--adapter", "x"], "one of run, evaluate, serve-model (python -m app improve --help)"),
    (["train", "rows", "--learnin-rate=3"], "did you mean --learning-rate? (python -m app train --help)"),
    (["data", "multiwoz", "--downloads"], "did you mean --download? (python -m app data multiwoz --help)"),
    (["resume", "x", "--beam", "3"], "it is one of run, evaluate, improve (python -m app resume --help)"),
    (["list", "everything"], "list takes no further 'everything' (python -m app list --help)"),
    (["--world", "embedded"], "--world"),
    (["evaluate", *PLAYERS, "--against", "nope"], "There is no store"),
    (["resume", "nope"], "There is no store"),
    (["cancel", "nope"], "There is no store"),
    (["tree", "nope"], "There is no store"),
    (["export", "nope", "--out", "rows"], "There is no store"),
    (["export", "nope"], "--out"),
    (["data", "multiwoz"], "Name one source"),
    (["data", "multiwoz", "x", "--download"], "Name one source"),
    (["data", "multiwoz", "no-such-folder"], "no-such-folder"),
    (["data"], "WORLD"),
    (["fly"], "fly"),
    ([], "COMMAND"),
]


@pytest.mark.parametrize(("words", "said"), WRONG, ids=lambda each: " ".join(each)[-40:] if each else "nothing")
def test_wrong_input_is_exit_2_in_one_line_and_leaves_nothing(
    say: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = say(*words)
    assert code == 2 and out == ""
    assert err.startswith("error: ") and err.count("\n") == 1 and said in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["resume", "cancel", "tree"])
def test_what_is_not_in_the_store_is_exit_2(say: Any, played: str, command: str) -> None:
    code, out, err = say(command, "nope")
    assert (code, out) == (2, "") and "'nope' is not in" in err and err.count("\n") == 1


def test_an_unknown_baseline_is_told_before_anything_is_played(say: Any, ask: Any, played: str) -> None:
    code, _, err = say("evaluate", *PLAYERS, "--against", "nope")
    assert code == 2 and "'nope'" in err
    assert len(ask("list")[1]["runs"]) == 1


def test_a_broken_multiwoz_folder_is_exit_2_and_imports_nothing(say: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "data.json").write_text('{"MUL0001.json": {"goal": ')
    code, out, err = say("data", "multiwoz", str(broken))
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert not (tmp_path / "josh-data" / "toolwoz").exists()


@pytest.mark.parametrize("place", ["/proc/josh.db", "taken/josh.db", "notes.txt"])
def test_an_unusable_store_is_exit_2(say: Any, tmp_path: Path, place: str) -> None:
    (tmp_path / "taken").write_text("a file")
    (tmp_path / "notes.txt").write_text("my notes\n" * 100)
    code, out, err = say("run", *PLAYERS, "--store", str(tmp_path / place))
    assert (code, out) == (2, "") and err.count("\n") == 1 and "--store" in err
    assert (tmp_path / "notes.txt").read_text() == "my notes\n" * 100


@pytest.mark.parametrize("full", [False, True])
def test_a_run_that_cannot_be_played_is_exit_1_even_if_that_cannot_be_written_down(
    say: Any, store: Store, config: RunConfig, *, full: bool
) -> None:
    run = create_run(store, replace(config, scenarios=("gone",)))
    if full:
        with store.write() as connection:
            connection.execute(
                "CREATE TRIGGER full BEFORE UPDATE ON runs WHEN NEW.state = 'failed'"
                " BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
            )
    code, out, err = say("resume", run.id, "--json")
    assert code == 1 and err.count("\n") == 1 and ("disk is full" if full else "'gone'") in err
    assert json.loads(out)["state"] == ("running" if full else "failed")


def test_a_newer_store_is_exit_2(say: Any, played: str, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "josh.db")) as newer, newer:
        newer.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('josh', 'teleport', '')"
        )
    for words in (["list"], ["run", *PLAYERS], ["resume", played]):
        code, out, err = say(*words)
        assert (code, out) == (2, "") and "newer version" in err and err.count("\n") == 1


def test_what_nobody_foresaw_is_one_line_that_names_a_log(
    say: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.open_store", lambda *_, **__: 1 / 0)
    (tmp_path / "josh.db").touch()
    code, out, err = say("list")
    log = tmp_path / "josh.db.logs" / "errors.log"
    assert (code, out) == (1, "") and err.count("\n") == 1 and str(log) in err and "Traceback" not in err
    assert "Traceback" in log.read_text() and "ZeroDivisionError" in log.read_text()


def test_a_part_that_raises_shows_no_traceback(say: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clumsy.py").write_text(
        "from tests.app.fake_parts import Agent\n"
        "class Clumsy(Agent):\n"
        "    async def turn(self, path, environment, model, seed):\n"
        "        raise RuntimeError('I fell')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    code, out, err = say("run", *PLAYERS, "--agent", "clumsy:Clumsy", "--limit", "1")
    assert code == 1 and "I fell" in out and "Traceback" not in out + err
    assert "I fell" in (tmp_path / "josh.db.logs" / "errors.log").read_text()
