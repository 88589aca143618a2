"""An older store is brought up to date, with a copy of it kept."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlite_utils import Database

from josh_engine.config import RunConfig, RunLimits
from josh_engine.errors import StorageError
from storage import migrations, runs
from storage.database import open_store

TODAY = migrations.NAMES[-1]


def add_colour(db: Database) -> None:
    db.execute("ALTER TABLE runs ADD COLUMN colour TEXT")


def break_down(db: Database) -> None:
    db.execute("ALTER TABLE runs ADD COLUMN shape TEXT")
    db.execute("this is no SQL")


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A store of today's version with one run, which tomorrow's is about to open."""
    place = tmp_path / "josh.db"
    with open_store(place) as store:
        runs.create_run(store, RunConfig("w", "s", ("a",)), limits=RunLimits(), name="kept", code_version="")
    return place


def _from_now_on(monkeypatch: pytest.MonkeyPatch, *steps: migrations.Step) -> None:
    known = (*migrations.STEPS, *steps)
    monkeypatch.setattr(migrations, "STEPS", known)
    monkeypatch.setattr(migrations, "NAMES", tuple(step.__name__ for step in known))


def test_an_older_store_is_migrated_and_its_former_self_is_kept(older: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _from_now_on(monkeypatch, add_colour)
    with open_store(older) as store:
        assert store.read("SELECT name, colour FROM runs")[0]["name"] == "kept"
    backup = older.with_name(f"josh.db.backup-{TODAY}")
    with sqlite3.connect(backup) as copy:
        assert [name for (name,) in copy.execute("SELECT name FROM runs")] == ["kept"]
        assert "colour" not in [row[1] for row in copy.execute("PRAGMA table_info(runs)")]


def test_a_backup_is_never_written_over(older: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    former = older.with_name(f"josh.db.backup-{TODAY}")
    former.write_text("an earlier backup")
    _from_now_on(monkeypatch, add_colour)
    open_store(older).close()
    assert former.read_text() == "an earlier backup"
    assert older.with_name(f"josh.db.backup-{TODAY}.1").exists()


def test_a_store_that_is_up_to_date_is_not_copied(older: Path) -> None:
    open_store(older).close()
    assert [each.name for each in older.parent.iterdir()] == ["josh.db"]


def test_a_migration_that_fails_changes_nothing(older: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _from_now_on(monkeypatch, add_colour, break_down)
    with pytest.raises(StorageError):
        open_store(older)
    monkeypatch.undo()
    with open_store(older) as store:
        assert {"colour", "shape"}.isdisjoint(row["name"] for row in store.read("PRAGMA table_info(runs)"))
