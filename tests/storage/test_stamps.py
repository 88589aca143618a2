"""A stamp changes with whatever could change the rows, and with nothing else."""

from __future__ import annotations

from josh_engine.config import Run
from josh_engine.values import Rollout, Verdict
from storage import curation, runs
from storage.database import Store
from storage.stamps import export_stamp
from storage.verdicts import add_verdict
from tests.storage.events import whole
from tests.storage.test_runs import _record


def test_events_states_and_verdicts_change_the_stamp(store: Store, run: Run) -> None:
    rollout = runs.list_rollouts(store, run.id)[0]
    stamps = [export_stamp(store, [run.id])]
    _record(store, run, Rollout(rollout.id, run.id, "a", 0, state="running", events=len(whole())))
    stamps.append(export_stamp(store, [run.id]))
    with store.write() as connection:
        connection.execute("UPDATE rollouts SET state = 'done' WHERE id = ?", (rollout.id,))
    stamps.append(export_stamp(store, [run.id]))
    add_verdict(store, Verdict("v", rollout.id, "0", "bad", "Ada", "2026-01-01T00:00:00Z"))
    stamps.append(export_stamp(store, [run.id]))
    assert len(set(stamps)) == 4


def test_names_and_other_runs_do_not(store: Store, run: Run) -> None:
    before = export_stamp(store, [run.id])
    curation.describe(store, run.id, name="Mine", tags=(), note="")
    other = runs.create_run(store, run.config, limits=run.limits, name="other", code_version="")
    assert export_stamp(store, [run.id]) == before
    assert export_stamp(store, [run.id, other.id]) == export_stamp(store, [other.id, run.id]) != before
