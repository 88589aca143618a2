"""Naming, tagging and deleting runs; who is here; what is going on."""

from __future__ import annotations

import time

import pytest

from app import launching, services
from app.curating import LONGEST_NOTE, LONGEST_PERSON
from josh_engine.config import Run
from josh_engine.errors import ConfigError, NotFound, StorageError
from storage import locks, runs
from tests.app.sample_search import HOSTILE

Store = services.Store


def test_a_run_gets_the_name_tags_and_note_a_person_gives(store: Store, run: Run) -> None:
    tags = services.typed_tags(" paper, beam  16;paper,, ")
    assert tags == ("paper", "beam 16")
    given = services.describe_run(store, run.id, name="  My   run ", tags=tags, note=f" {HOSTILE[0]} ")
    assert (given.name, given.tags, given.note) == ("My run", tags, HOSTILE[0])
    assert services.list_runs(store)[0].tags == tags


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": " "}, "needs a name"),
        ({"name": "x" * 121}, "121 characters"),
        ({"note": "x" * (LONGEST_NOTE + 1)}, "note has"),
        ({"tags": ("x" * 31,)}, "longer than 30"),
    ],
)
def test_what_cannot_be_a_name_a_tag_or_a_note_is_told(store: Store, run: Run, given: dict[str, object], told: str):
    with pytest.raises(ConfigError, match=told):
        services.describe_run(store, run.id, **({"name": "a", "tags": (), "note": ""} | given))  # type: ignore[arg-type]
    assert services.load_run(store, run.id).name == run.name


def test_a_deleted_run_is_gone_with_its_log_and_told_as_deleted(store: Store, run: Run) -> None:
    services.run_here(store, run.id)
    log = launching.log_path(store.path, run.id)
    log.parent.mkdir(exist_ok=True)
    log.write_text("said")
    services.delete_run(store, run.id, auditor="Ada")
    assert services.list_runs(store) == () and not log.exists()
    assert [(each.id, each.auditor) for each in services.list_deleted_runs(store)] == [(run.id, "Ada")]
    with pytest.raises(NotFound):
        services.delete_run(store, run.id)


def test_a_run_that_is_being_played_is_not_deleted(store: Store, run: Run) -> None:
    with locks.holding(store.path, run.id), pytest.raises(StorageError, match="is being played") as caught:
        services.delete_run(store, run.id)
    assert "Cancel" in caught.value.remedy
    assert services.load_run(store, run.id) == run


def test_a_name_is_kept_without_what_cannot_be_printed(store: Store) -> None:
    assert services.remember_person(store, " Ada \x00\n Lovelace\u202e ") == "Ada Lovelace"
    assert services.remember_person(store, "\x07 ") == ""
    assert len(services.remember_person(store, "x" * 99)) == LONGEST_PERSON
    assert [each.name for each in services.list_people(store)] == ["Ada Lovelace", "x" * LONGEST_PERSON]


def test_what_is_going_on_is_what_somebody_works_on(store: Store, run: Run) -> None:
    assert [each.id for each in services.active_runs(store)] == [run.id], "just made: about to be taken up"
    with store.write() as connection:
        connection.execute("UPDATE runs SET created = '2020-01-01T00:00:00.000Z'")
    assert services.active_runs(store) == ()
    runs.begin(store, run.id)
    (going,) = services.active_runs(store)
    assert (going.state, going.finished, going.total) == ("running", 0, 12)
    with store.write() as connection:
        connection.execute("UPDATE runs SET heartbeat = '2020-01-01T00:00:00.000Z'")
    assert services.active_runs(store) == ()
    with locks.holding(store.path, run.id):
        assert len(services.active_runs(store)) == 1
    runs.end(store, run.id, "done")
    assert services.active_runs(store) == ()


def test_the_sample_is_really_played_in_a_process_of_its_own(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the embedded model; here a smaller one, a browser test plays it whole."""
    monkeypatch.setattr(services, "SAMPLE_SCENARIOS", 2)
    sample = services.load_sample(store)
    assert (sample.name, sample.config.world, sample.scenario_count) == ("Sample", "toolwoz-generated", 2)
    deadline = time.monotonic() + 170
    while services.load_run(store, sample.id).state in ("queued", "running") and time.monotonic() < deadline:
        time.sleep(0.1)
    result = services.run_result(store, sample.id)
    assert (result.state, result.finished) == ("done", 2) and result.calls > 10
