"""A store of its own for every test, requests that play the fake parts, and the command line called in process."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import services
from app.__main__ import main
from josh_engine.config import Run, RunConfig
from tests.app import fake_parts

REQUEST = services.RunRequest(
    world=fake_parts.WORLD, agent=fake_parts.AGENT, user=fake_parts.USER, model=fake_parts.MODEL
)

PLAYERS = ["--world", fake_parts.WORLD, "--agent", fake_parts.AGENT, "--user", fake_parts.USER]
PLAYERS += ["--model", fake_parts.MODEL]


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FAKE_SECONDS", "FAKE_LEDGER", "FAKE_FAULT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[services.Store]:
    with services.open_store(tmp_path / "josh.db") as opened:
        yield opened


@pytest.fixture
def config(tmp_path: Path) -> RunConfig:
    return services.build_config(REQUEST, tmp_path)


@pytest.fixture
def run(store: services.Store, config: RunConfig) -> Run:
    return services.create_run(store, config)


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("JOSH_STORE", str(tmp_path / "josh.db"))
    monkeypatch.delenv("JOSH_DATA", raising=False)
    before = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:], logging.root.level = before


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], at_home: None) -> Any:
    """Calls the command line: (exit code, standard output, standard error)."""

    def call(*words: str) -> tuple[int, str, str]:
        code = main(words)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def ask(say: Any) -> Any:
    """Calls a command with --json: (exit code, the object)."""

    def call(*words: str) -> tuple[int, Any]:
        code, out, _ = say(*words, "--json")
        assert out.count("\n") == 1, "exactly one JSON object"
        return code, json.loads(out)

    return call


@pytest.fixture
def played(ask: Any) -> str:
    code, given = ask("run", *PLAYERS, "--split", "train", "--limit", "8")
    assert code == 0
    return str(given["run"])
