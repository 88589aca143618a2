"""A run stops where it is told to, survives what it is not told, and always yields the same rows in the end."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app import jobs, launching, listings, rendering, services
from app.results import Progress
from josh_engine.config import Run, RunConfig, RunLimits
from josh_engine.errors import ConfigError, StorageError
from josh_engine.models.local import process
from storage import runs
from storage.locks import RunHeld

Store = services.Store
LIFE = process._Life


@pytest.fixture
def rows(store: Store, config: RunConfig) -> dict[str, bytes]:
    """What the run yields when nothing happens to it."""
    undisturbed = services.create_run(store, config)
    services.run_here(store, undisturbed.id)
    return _rows(store, undisturbed.id)


def _rows(store: Store, run_id: str) -> dict[str, bytes]:
    _, files = services.export_files(store, [run_id], formats=["sft", "kto", "dpo"])
    return {name: body for name, body in files.items() if name in ("sft.jsonl", "kto.jsonl", "dpo.jsonl")}


def _states(store: Store, run_id: str) -> list[str]:
    return [rollout.state for rollout in services.list_rollouts(store, run_id)]


def _until(claim: Callable[[], bool], seconds: float = 120.0) -> None:
    """Patience, not a measure."""
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def test_a_run_is_played_to_its_end_and_tells_how_far_it_is(store: Store, run: Run) -> None:
    told: list[Progress] = []
    result = services.run_here(store, run.id, progress=told.append)
    assert (result.state, result.finished, result.failed) == ("done", 12, 0)
    assert _states(store, run.id) == ["done"] * 12
    assert [each.finished for each in told] == sorted(each.finished for each in told)
    assert (told[-1].finished, told[-1].total, told[-1].calls) == (12, 12, result.calls)
    assert told[-1].average_reward == pytest.approx(result.average_reward)
    ended = services.load_run(store, run.id)
    assert ended.finished is not None and ended.heartbeat is not None and ended.seconds > 0


@pytest.mark.parametrize("concurrency", [1, 8, 64])
def test_concurrency_changes_no_row(store: Store, config: RunConfig, rows: dict[str, bytes], concurrency: int) -> None:
    run = services.create_run(store, config, limits=RunLimits(concurrency=concurrency))
    services.run_here(store, run.id)
    assert _rows(store, run.id) == rows
    assert all(body.count(b"\n") > 3 for body in rows.values())


def test_a_stopped_run_is_resumed_to_the_same_rows(
    store: Store, run: Run, rows: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SECONDS", "0.05")
    worker = _in_thread(store, run)
    _until(lambda: services.run_progress(store, run.id).calls > 5)
    assert services.shown_state(store, services.load_run(store, run.id)) == "running"
    stopped = services.stop_run(store, run.id, wait=60)
    worker.join()
    assert (stopped.state, stopped.paused_by, stopped.stop_requested) == ("paused", "person", False)
    assert "paused" in _states(store, run.id)
    monkeypatch.setenv("FAKE_SECONDS", "0")
    assert services.resume_run(store, run.id).state == "done"
    assert _rows(store, run.id) == rows


def test_a_cancelled_run_yields_only_what_was_finished_until_a_person_resumes_it(
    store: Store, run: Run, rows: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SECONDS", "0.05")
    services.launch_run(store, run.id, limits=RunLimits(concurrency=2))
    _until(lambda: services.run_progress(store, run.id).finished > 1)
    assert services.cancel_run(store, run.id, wait=60).state == "cancelled"
    assert set(_states(store, run.id)) == {"done", "cancelled"}
    assert services.run_here(store, run.id).state == "cancelled", "only resume takes it up again"
    assert len(_rows(store, run.id)["kto.jsonl"]) < len(rows["kto.jsonl"])
    monkeypatch.setenv("FAKE_SECONDS", "0")
    assert services.resume_run(store, run.id).state == "done"
    assert _rows(store, run.id) == rows


def test_a_run_nobody_works_on_is_ended_at_once(store: Store, config: RunConfig) -> None:
    cancelled = services.cancel_run(store, services.create_run(store, config).id)
    assert cancelled.state == "cancelled" and set(_states(store, cancelled.id)) == {"cancelled"}
    stopped = services.stop_run(store, services.create_run(store, config).id)
    assert (stopped.state, stopped.paused_by) == ("paused", "person")
    assert services.run_here(store, stopped.id).state == "paused", "a wish before the start is heeded"
    assert services.cancel_run(store, stopped.id).state == "cancelled"


def test_a_done_run_stays_done(store: Store, run: Run) -> None:
    first = services.run_here(store, run.id)
    assert services.cancel_run(store, run.id).state == "done"
    assert services.stop_run(store, run.id).state == "done"
    again = services.resume_run(store, run.id)
    assert (again.state, again.calls) == ("done", first.calls)


def test_a_budget_pauses_the_run_and_a_higher_one_resumes_it(
    store: Store, config: RunConfig, rows: dict[str, bytes]
) -> None:
    limits = RunLimits(concurrency=2, budget_calls=20)
    run = services.create_run(store, config, limits=limits)
    paused = services.run_here(store, run.id)
    assert (paused.state, paused.paused_by) == ("paused", "budget")
    assert 20 <= paused.calls < 20 + 2 * 8 * 10, "over by no more than the turns in flight"
    still = services.resume_run(store, run.id)
    assert (still.state, still.paused_by, still.calls) == ("paused", "budget", paused.calls)
    done = services.resume_run(store, run.id, limits=replace(limits, budget_calls=10_000))
    assert (done.state, done.paused_by) == ("done", None)
    assert _rows(store, run.id) == rows


def test_money_is_capped_alike_and_an_unknown_price_cannot_be_held_to_a_cap(store: Store, config: RunConfig) -> None:
    priced = replace(config, model="tests.app.fake_parts:open_priced_model")
    run = services.create_run(store, priced, limits=RunLimits(concurrency=1, budget_usd=0.05))
    paused = services.run_here(store, run.id)
    assert (paused.state, paused.paused_by) == ("paused", "budget")
    assert paused.usd == pytest.approx(0.01 * paused.calls) and paused.usd >= 0.05
    unpriced = replace(config, model="tests.app.fake_parts:open_unpriced_model")
    run = services.create_run(store, unpriced, limits=RunLimits(concurrency=1, budget_usd=100.0))
    paused = services.run_here(store, run.id)
    assert (paused.state, paused.paused_by, paused.usd) == ("paused", "budget", None)


def test_a_fault_fails_its_rollout_only_and_can_be_mended(
    store: Store, run: Run, rows: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fault = tmp_path / "fault"
    fault.write_text("train/3")
    monkeypatch.setenv("FAKE_FAULT", str(fault))
    failed = services.run_here(store, run.id)
    assert (failed.state, failed.failed, failed.finished) == ("failed", 1, 11)
    assert failed.error == "The model did not answer in time."
    assert "train/3" not in {row["scenario"] for row in _provenance(store, run.id)}
    fault.unlink()
    mended = services.resume_run(store, run.id, failed_only=True)
    assert (mended.state, mended.failed, mended.error) == ("done", 0, None)
    assert _rows(store, run.id) == rows


def test_failed_only_leaves_what_was_never_begun(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fault = tmp_path / "fault"
    fault.write_text("train/0")
    monkeypatch.setenv("FAKE_FAULT", str(fault))
    services.resume_run(store, run.id, limits=RunLimits(concurrency=1, budget_calls=30))
    assert _states(store, run.id)[0] == "failed" and "queued" in _states(store, run.id)
    before = _states(store, run.id)
    fault.unlink()
    result = services.resume_run(store, run.id, limits=RunLimits(), failed_only=True)
    assert result.state == "paused"
    assert _states(store, run.id) == ["done", *before[1:]]


def test_parts_that_cannot_be_opened_fail_the_run_with_the_reason(store: Store, config: RunConfig) -> None:
    run = services.create_run(store, replace(config, scenarios=("train/0", "gone")))
    with pytest.raises(ConfigError, match="'gone' is no longer in"):
        services.run_here(store, run.id)
    failed = services.load_run(store, run.id)
    assert failed.state == "failed" and "'gone'" in (failed.error or "")


def test_a_part_without_its_model_fails_saying_which_option_gives_one(store: Store, config: RunConfig) -> None:
    result = services.run_here(store, services.create_run(store, replace(config, model=None)).id)
    assert result.state == "failed" and "--model" in (result.error or "")


def test_two_never_work_on_one_run(store: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_SECONDS", "0.4")
    worker = _in_thread(store, run)
    _until(lambda: services.run_progress(store, run.id).calls > 0)
    with pytest.raises(RunHeld):
        services.resume_run(store, run.id)
    with pytest.raises(RunHeld):
        services.launch_run(store, run.id)
    services.cancel_run(store, run.id, wait=60)
    worker.join()


def test_a_launched_run_outlives_its_starter_and_says_it_is_alive(
    store: Store, run: Run, rows: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FAKE_SECONDS", "0.02")
    monkeypatch.chdir(tmp_path)
    services.launch_run(store, run.id)
    _until(lambda: services.load_run(store, run.id).state == "running")
    assert services.load_run(store, run.id).heartbeat is not None
    _until(lambda: services.load_run(store, run.id).state == "done")
    assert _rows(store, run.id) == rows
    assert launching.log_path(store.path, run.id).exists()


def test_a_killed_run_is_interrupted_resumes_at_once_and_asks_no_kept_question_again(
    store: Store, run: Run, rows: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    monkeypatch.setenv("FAKE_SECONDS", "0.02")
    monkeypatch.setenv("FAKE_LEDGER", str(ledger))
    child = _resume_in_child(store, run)
    _until(lambda: ledger.exists() and len(ledger.read_text().split()) > 40)
    child.kill()
    child.wait()
    kept = store.read("SELECT count(*) FROM journal")[0][0]
    journalled = _journalled(store, run)
    asked = len(ledger.read_text().split())
    assert 0 < journalled <= asked
    assert services.load_run(store, run.id).state == "running"
    _age_heartbeat(store, run)
    assert services.shown_state(store, services.load_run(store, run.id)) == "interrupted"
    assert next(line.state for line in services.list_runs(store) if line.run == run.id) == "interrupted"
    monkeypatch.setenv("FAKE_SECONDS", "0")
    assert services.resume_run(store, run.id).state == "done"
    assert _rows(store, run.id) == rows
    asked_again = len(ledger.read_text().split()) - asked
    assert asked_again == _journalled(store, run) - journalled, "each answer kept was paid for once"
    assert kept >= journalled


def test_an_interrupted_run_is_cancelled_at_once(store: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_SECONDS", "0.05")
    child = _resume_in_child(store, run)
    _until(lambda: services.run_progress(store, run.id).calls > 0)
    child.kill()
    child.wait()
    assert services.cancel_run(store, run.id).state == "cancelled"


@pytest.mark.parametrize(("sent", "state", "code"), [(signal.SIGTERM, "paused", 0), (signal.SIGINT, "cancelled", 130)])
def test_a_signal_ends_a_run_cleanly_and_is_told_from_a_person(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch, *, sent: signal.Signals, state: str, code: int
) -> None:
    monkeypatch.setenv("FAKE_SECONDS", "0.05")
    child = _resume_in_child(store, run)
    _until(lambda: services.run_progress(store, run.id).calls > 0)
    os.kill(child.pid, sent)
    assert child.wait(60) == code
    result = services.run_result(store, run.id)
    assert (result.state, result.paused_by) == (state, sent.name)
    assert f"{state} by {sent.name}" in rendering.result(result)
    told, _ = listings.sign_of_life(services.load_run(store, run.id), result)
    assert sent.name in told and "person" not in told


@pytest.mark.parametrize(("wish", "state"), [(services.stop_run, "paused"), (services.cancel_run, "cancelled")])
def test_a_stop_does_not_wait_for_a_local_model_that_does_not_answer(
    store: Store, config: RunConfig, monkeypatch: pytest.MonkeyPatch, *, wish: Callable[..., Run], state: str
) -> None:
    """And what it was doing is no rollout's failure: a resume plays those turns again."""
    assert jobs.LOCAL_SECONDS + 5 * jobs.POLL_SECONDS < 10, "a stop is obeyed within ten seconds"
    monkeypatch.setattr(jobs, "LOCAL_SECONDS", 0.0)
    monkeypatch.setattr(process, "WORKER", "tests.app.stuck_worker")
    opened: list[process._Life] = []
    monkeypatch.setattr(process, "_Life", lambda *given: opened.append(life := LIFE(*given)) or life)
    run = services.create_run(store, replace(config, model="tests.app.fake_parts:open_stuck_model"))
    worker = _in_thread(store, run)
    _until(lambda: bool(opened and opened[0].pending))
    assert wish(store, run.id, wait=60).state == state
    worker.join()
    assert opened[0].process.returncode == -signal.SIGKILL and len(opened) == 1, "nothing was asked after the stop"
    assert services.load_run(store, run.id).state == state
    assert set(_states(store, run.id)) <= {"queued", state}


def test_a_second_interrupt_does_not_wait_for_the_turns_in_flight(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SECONDS", "60")
    child = _resume_in_child(store, run)
    _until(lambda: services.load_run(store, run.id).state == "running" and "running" in _states(store, run.id))
    os.kill(child.pid, signal.SIGINT)
    time.sleep(1.0)  # so that it sees two, and not one
    os.kill(child.pid, signal.SIGINT)
    assert child.wait(50) == 130, "a turn takes 60 s"
    assert services.load_run(store, run.id).state == "cancelled"


def test_a_child_that_cannot_start_fails_the_run_and_names_its_log(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching.sys, "executable", "/bin/false")
    services.launch_run(store, run.id)
    _until(lambda: services.load_run(store, run.id).state == "failed")
    assert str(launching.log_path(store.path, run.id)) in (services.load_run(store, run.id).error or "")


def test_a_store_that_fails_midway_fails_the_run_not_the_rollouts(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full, say: nothing can be kept, so nothing must be labelled a rollout's failure."""
    with store.write() as connection:
        connection.execute(
            "CREATE TEMP TRIGGER full BEFORE INSERT ON main.events WHEN NEW.seq > 5"
            " BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
        )
    with pytest.raises(Exception, match="disk is full"):
        services.run_here(store, run.id)
    assert services.load_run(store, run.id).state == "failed"
    assert "failed" not in _states(store, run.id)


def test_a_heartbeat_that_cannot_be_written_ends_the_run(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SECONDS", "0.05")
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.0)
    monkeypatch.setattr(jobs, "POLL_SECONDS", 0.05)
    with store.write() as connection:
        connection.execute(
            "CREATE TEMP TRIGGER full BEFORE UPDATE OF seconds ON main.runs"
            " WHEN (SELECT sum(calls) FROM main.rollouts) > 0"
            " BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
    with pytest.raises(StorageError, match="disk is full"):
        services.run_here(store, run.id)
    assert services.load_run(store, run.id).state == "failed"
    assert "done" not in _states(store, run.id), "it ended at once"


def _in_thread(store: Store, run: Run) -> threading.Thread:
    def play() -> None:
        with services.open_store(store.path) as own:
            services.run_here(own, run.id)

    worker = threading.Thread(target=play)
    worker.start()
    return worker


def _resume_in_child(store: Store, run: Run) -> subprocess.Popen[bytes]:
    command = [launching.sys.executable, "-m", "app", "resume", run.id, "--store", str(store.path)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=launching.ROOT)


def _journalled(store: Store, run: Run) -> int:
    return int(store.read("SELECT count(*) FROM journal WHERE rollout LIKE ?", (f"{run.id}.%",))[0][0])


def _age_heartbeat(store: Store, run: Run) -> None:
    with store.write() as connection:
        connection.execute("UPDATE runs SET heartbeat = '2020-01-01T00:00:00.000Z' WHERE id = ?", (run.id,))


def _provenance(store: Store, run_id: str) -> list[dict[str, str]]:
    import json

    _, files = services.export_files(store, [run_id], formats=["kto"])
    return [json.loads(line) for line in files["provenance.jsonl"].splitlines()]


def test_a_fresh_heartbeat_is_never_shown_as_interrupted(store: Store, run: Run) -> None:
    runs.begin(store, run.id)
    assert jobs.shown_state(store, services.load_run(store, run.id)) == "running"
