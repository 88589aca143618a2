"""A store of its own for every test, and requests that play the fake parts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import services
from josh_engine.config import Run, RunConfig
from tests.app import fake_parts

REQUEST = services.RunRequest(
    world=fake_parts.WORLD, agent=fake_parts.AGENT, user=fake_parts.USER, model=fake_parts.MODEL
)


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
