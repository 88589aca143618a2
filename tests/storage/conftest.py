"""A fresh store, and a run of three scenarios in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from josh_engine.config import Run, RunConfig, RunLimits
from storage import runs
from storage.database import Store, open_store

CONFIG = RunConfig("fake", "train", ("a", "b", "c"), trials=2, options={"order": "list"})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "josh.db") as opened:
        yield opened


@pytest.fixture
def run(store: Store) -> Run:
    return runs.create_run(store, CONFIG, limits=RunLimits(concurrency=3), name="ours", code_version="1")
