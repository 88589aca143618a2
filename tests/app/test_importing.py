"""MultiWOZ is imported by a child process that the page may leave; what came of it, and what is there, is told."""

from __future__ import annotations

import io
import json
import os
import time
from pathlib import Path

import pytest

from app import browsing, importing, services
from app.importing import ImportState
from josh_engine.errors import ConfigError, DatasetError
from storage import locks
from tests.toolwoz.multiwoz_sample import files, write_folder, write_zip


def ended(data: Path, world: str = "toolwoz") -> ImportState:
    for _ in range(200):
        if (state := services.import_state(world, data)).state != "running":
            return state
        time.sleep(0.05)
    raise AssertionError("the import does not end")


def test_an_upload_is_imported_told_and_removed(tmp_path: Path) -> None:
    data = tmp_path / "josh-data"
    assert services.import_state("toolwoz", data) == ImportState("none") and services.imported("toolwoz", data) is None
    upload = services.keep_upload("toolwoz", io.BytesIO(write_zip(tmp_path / "sent.zip", files()).read_bytes()), data)
    before = services.data_stamp("toolwoz", data)
    services.start_import("toolwoz", upload, data)
    assert services.import_state("toolwoz", data).state == "running"
    state = ended(data)
    assert (state.state, state.report["validation"]) == ("done", 1)
    assert not upload.exists()
    there = services.imported("toolwoz", data)
    assert there is not None and there.report == state.report and there.changed == ()
    assert there.attribution.startswith("Scenarios, database and transcripts derived from MultiWOZ")
    assert services.data_stamp("toolwoz", data) != before


def test_a_folder_on_the_server_stays_where_it_is(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "josh-data" / "multiwoz", files())
    services.start_import("toolwoz", folder, tmp_path / "josh-data")
    assert ended(tmp_path / "josh-data").state == "done"
    assert (folder / "data.json").exists()


def test_a_file_that_was_changed_afterwards_is_named(tmp_path: Path) -> None:
    services.import_data("toolwoz", write_folder(tmp_path / "source", files()), tmp_path)
    (tmp_path / "toolwoz" / "val.jsonl").write_text("")
    (tmp_path / "toolwoz" / "hotel_db.json").unlink()
    there = services.imported("toolwoz", tmp_path)
    assert there is not None and there.changed == ("hotel_db.json", "val.jsonl")


def test_what_is_no_multiwoz_fails_with_what_to_do_and_changes_nothing(tmp_path: Path) -> None:
    services.import_data("toolwoz", write_folder(tmp_path / "source", files()), tmp_path)
    before = services.data_stamp("toolwoz", tmp_path)
    services.start_import("toolwoz", services.keep_upload("toolwoz", io.BytesIO(b"no zip"), tmp_path), tmp_path)
    state = ended(tmp_path)
    assert state.state == "failed" and "not a readable zip" in state.error and "valListFile" in state.remedy
    assert services.data_stamp("toolwoz", tmp_path) == before


def test_one_import_goes_on_at_a_time(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "source", files())
    with locks.holding(tmp_path / "toolwoz", "import"):
        assert services.import_state("toolwoz", tmp_path).state == "running"
        for again in (services.start_import, services.import_data):
            with pytest.raises(DatasetError, match="going on already"):
                again("toolwoz", source, tmp_path)
    assert services.import_data("toolwoz", source, tmp_path).validation == 1
    with pytest.raises(DatasetError, match="There is no"):
        services.start_import("toolwoz", tmp_path / "absent", tmp_path)


def test_an_import_that_was_killed_is_told_to_have_ended(tmp_path: Path) -> None:
    place = tmp_path / ".import" / "toolwoz"
    place.mkdir(parents=True)
    (place / "result.json").write_text(json.dumps({"state": "running"}))
    assert services.import_state("toolwoz", tmp_path).state == "running"
    long_ago = time.time() - 2 * importing.START_SECONDS
    os.utime(place / "result.json", (long_ago, long_ago))
    state = services.import_state("toolwoz", tmp_path)
    assert state.state == "failed" and str(place / "log") in state.remedy


def test_a_scenario_is_opened_with_the_tables_of_its_world(tmp_path: Path) -> None:
    services.import_data("toolwoz", write_folder(tmp_path / "source", files()), tmp_path)
    for world, split in (("toolwoz", "val"), ("toolwoz-generated", "train")):
        first = services.scenario_ids(world, split, tmp_path)[0]
        scenario, tables = services.open_scenario(world, split, first, tmp_path)
        assert scenario.id == first and set(tables) == {"restaurant", "hotel", "train", "attraction"}
        assert all(tables.values())
    assert services.open_scenario("tests.app.fake_parts:open_world", "train", "train/1", tmp_path)[1] == {}
    with pytest.raises(ConfigError, match="`nope` is not in toolwoz/val"):
        services.open_scenario("toolwoz", "val", "nope", tmp_path)


def test_a_world_is_opened_at_a_split_that_holds_something(tmp_path: Path) -> None:
    assert browsing.first_split("toolwoz", tmp_path) == "train", (
        "nothing is there yet: the world itself says what to do"
    )
    services.import_data("toolwoz", write_folder(tmp_path / "source", files()), tmp_path)
    assert browsing.first_split("toolwoz", tmp_path) == "val"
    assert browsing.first_split("toolwoz-generated", tmp_path) == "train"


def test_rows_are_found_by_words_in_any_column() -> None:
    rows = [{"name": "Pine Lodge", "area": "east"}, {"name": "pine house", "area": "west"}]
    assert browsing.matching(rows, "PINE east") == rows[:1]
    assert browsing.matching(rows, "") == rows
    assert browsing.matching(rows, "oak") == []
