"""Training jobs as a person starts, stops, kills and resumes them: nothing is lost, and what is wrong is told."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import services, trainings
from app.trainings import TrainingRequest
from josh_engine.errors import ConfigError, DatasetError, TrainingError
from storage import locks
from storage.trainings import end_training, tell_training, training_points
from tests.tiny_model import save_tiny_model

SETTINGS = {"max_steps": 6, "sequences_per_step": 2, "checkpoint_steps": 2}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("model"), ["Please book it.", "Of course.", "What?"] * 20)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    told = [
        {
            "prompt": [{"role": "user", "content": f"Please book hotel {number}."}],
            "completion": [{"role": "assistant", "content": "Of course." if good else "What?"}],
            "label": good,
        }
        for number in range(6)
        for good in (True, False)
    ]
    (tmp_path / "rows").mkdir()
    file = tmp_path / "rows" / "kto.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in told))
    return file


@pytest.fixture
def store(tmp_path: Path) -> Iterator[services.Store]:
    with services.open_store(tmp_path / "josh.db") as opened:
        yield opened


def request(rows: Path, model: Path, **given: Any) -> TrainingRequest:
    return TrainingRequest(rows, str(model), preset="smoke", **{"settings": SETTINGS, **given})


def waited(store: services.Store, job_id: str, until: Any, seconds: float = 170) -> trainings.Training:
    deadline = time.monotonic() + seconds
    while not until(job := trainings.load_training(store, job_id)):
        assert time.monotonic() < deadline, job
        time.sleep(0.05)
    return job


def ended(job: trainings.Training) -> bool:
    return job.state in ("done", "failed", "cancelled")


def test_a_job_is_trained_and_told_step_by_step(store, rows, model):
    job = trainings.create_training(store, request(rows, model))
    assert (job.state, job.step, job.adapter) == ("queued", 0, None)
    seen: list[str] = []
    made = trainings.run_training(
        store, job.id, report=lambda step: seen.append(trainings.load_training(store, job.id).state)
    )
    assert seen == ["running"] * 5 + ["saving"]
    assert (made.state, made.step, made.steps, made.error) == ("done", 6, 6, None)
    assert made.found == {"good": 6, "bad": 0, "sequences": 6, "too_long": 0}
    points = training_points(store, job.id)
    assert [point["step"] for point in points] == [1, 2, 3, 4, 5, 6] and points[-1]["loss"] == made.loss
    assert made.adapter and (Path(made.adapter) / "adapter_model.safetensors").is_file()
    assert trainings.list_trainings(store) == (made,)


def test_a_job_asked_to_end_saves_its_adapter_and_goes_on_to_the_same_loss(store, rows, model):
    whole = trainings.run_training(store, trainings.create_training(store, request(rows, model)).id)
    job = trainings.create_training(store, request(rows, model))

    def ask(step: Any) -> None:
        if step.step == 3:
            trainings.cancel_training(store, job.id)

    stopped = trainings.run_training(store, job.id, report=ask)
    assert stopped.state == "cancelled" and stopped.step in (3, 4)
    assert stopped.adapter and (Path(stopped.adapter) / "adapter_model.safetensors").is_file()
    trainings.queue_training(store, job.id)
    again = trainings.run_training(store, job.id)
    assert (again.state, again.loss) == ("done", whole.loss)


def test_a_deleted_folder_is_free_again(store, rows, model, tmp_path):
    """For any job, and the one that was in it does not show what is another's."""
    out = tmp_path / "adapter"
    first = trainings.create_training(store, request(rows, model, out=out))
    assert trainings.create_training(store, request(rows, model, out=out)) == first, "one that waits has no folder yet"
    trainings.run_training(store, first.id)
    with pytest.raises(ConfigError, match="or delete it"):
        trainings.create_training(store, request(rows, model, trainer="kto_packed", out=out))
    shutil.rmtree(out)
    second = trainings.create_training(store, request(rows, model, trainer="kto_packed", out=out))
    assert second.id != first.id and second.state == "queued"
    gone = trainings.load_training(store, first.id)
    assert (gone.state, gone.adapter, gone.out) == ("done", None, f"{out} (deleted)")


def test_a_stop_does_not_wait_for_a_step_that_does_not_end(store, rows, model, monkeypatch):
    """Loading a large model, or one step of it, takes minutes on a CPU."""
    assert trainings.STEP_SECONDS + 3 * trainings.LOOK_SECONDS < 10, "a stop is obeyed within ten seconds"
    monkeypatch.setattr(trainings, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(trainings, "LOOK_SECONDS", 0.01)
    job = trainings.create_training(store, request(rows, model))

    def endless(*given: Any, **named: Any) -> None:
        trainings.cancel_training(store, job.id)
        while True:
            time.sleep(0.01)

    monkeypatch.setattr("josh_engine.training.job.train", endless)
    stopped = trainings.run_training(store, job.id)
    assert (stopped.state, stopped.adapter, stopped.error) == ("cancelled", None, None)


def test_whoever_no_longer_waits_for_a_preflight_ends_it(rows, model, monkeypatch):
    class Left(BaseException):
        """As Streamlit's, where a person left the page."""

    def leave() -> None:
        raise Left

    started: list[subprocess.Popen[str]] = []
    opened = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *given, **named: started.append(p := opened(*given, **named)) or p)
    monkeypatch.setattr(trainings, "LOOK_SECONDS", 0.01)
    with pytest.raises(Left):
        trainings.preflight_training(request(rows, model), waiting=leave)
    assert [each.returncode for each in started] == [-signal.SIGKILL]


@pytest.mark.long(20)
def test_jobs_in_processes_of_their_own_train_one_after_the_other(store, rows, model):
    first = trainings.create_training(store, request(rows, model))
    second = trainings.create_training(store, request(rows, model))
    for job in (first, second):
        trainings.launch_training(store, job.id)
    with pytest.raises(locks.RunHeld):
        waited(store, second.id, lambda job: locks.is_held(store.path, trainings.lock_of(job.id)))
        trainings.launch_training(store, second.id)
    done = [waited(store, each.id, ended) for each in (first, second)]
    assert [each.state for each in done] == ["done", "done"]
    assert done[0].ended <= done[1].started, "the second began when the first had ended"


@pytest.mark.long(20)
def test_a_killed_job_is_resumed_to_the_same_loss(store, rows, model):
    whole = trainings.run_training(store, trainings.create_training(store, request(rows, model)).id)
    settings = {**SETTINGS, "checkpoint_steps": 1}
    job = trainings.create_training(store, request(rows, model, settings=settings))
    trainings.launch_training(store, job.id)
    waited(store, job.id, lambda each: each.step >= 2)
    processes = (place for place in Path("/proc").iterdir() if place.name.isdigit())
    killed = [int(place.name) for place in processes if job.id in _words(place)]
    for process in killed:
        os.kill(process, signal.SIGKILL)
    assert killed
    gone = waited(store, job.id, ended)
    assert gone.state in ("failed", "done") and (gone.state == "done" or "code -9" in (gone.error or ""))
    if gone.state == "failed":
        trainings.launch_training(store, job.id)
    again = waited(store, job.id, ended)
    assert (again.state, again.loss, again.error) == ("done", whole.loss, None)


def _words(process: Path) -> str:
    try:
        return (process / "cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def test_a_waiting_job_can_be_cancelled(store, rows, model):
    job = trainings.create_training(store, request(rows, model))
    assert trainings.cancel_training(store, job.id).state == "cancelled", "nobody had taken it up"
    with locks.holding(store.path, trainings.TURN):
        trainings.launch_training(store, job.id)
        waited(store, job.id, lambda each: locks.is_held(store.path, trainings.lock_of(job.id)))
        trainings.cancel_training(store, job.id)
        assert waited(store, job.id, ended).state == "cancelled"


def test_changed_rows_are_refused_with_both_hashes_before_a_job_is_made(store, rows, model):
    (rows.parent / "manifest.json").write_text(json.dumps({"files": {"kto.jsonl": {"sha256": "0" * 64}}}))
    with pytest.raises(DatasetError, match=r"its sha256 is [0-9a-f]{64}, but the manifest says 0{64}"):
        trainings.create_training(store, request(rows, model))
    assert trainings.list_trainings(store) == ()


def test_rows_of_another_are_refused_before_a_job_is_made_unless_they_are_meant(store, rows, model):
    runs = [{"run": "r", "config": {"world": "toolwoz", "split": "train", "scenarios": ["one"]}}]
    (rows.parent / "manifest.json").write_text(json.dumps({"runs": runs}))
    told = [{**json.loads(line), "row_id": str(place)} for place, line in enumerate(rows.read_text().splitlines())]
    rows.write_text("".join(json.dumps(each) + "\n" for each in told))
    origins = [{"row_id": str(place), "run": "r"} for place in range(5)]
    (rows.parent / "provenance.jsonl").write_text("".join(json.dumps(each) + "\n" for each in origins))
    with pytest.raises(ConfigError, match=r"5 of 12 rows are another's .agent scripted, without a model"):
        trainings.create_training(store, request(rows, model))
    assert trainings.list_trainings(store) == ()
    meant = request(rows, model, settings={**SETTINGS, "rows_of_others": True})
    assert trainings.create_training(store, meant).state == "queued"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"trainer": "ppo"}, "Unknown trainer 'ppo'"),
        ({"settings": {"learning_rate": -1.0}}, "learning_rate is -1.0"),
        ({"model": "name@http://127.0.0.1:1/v1"}, "cannot be trained here"),
    ],
)
def test_wrong_words_are_refused_before_a_job_is_made(store, rows, model, given, said):
    with pytest.raises(ConfigError, match=said):
        trainings.create_training(store, TrainingRequest(**{"rows": rows, "model": str(model), **given}))
    assert trainings.list_trainings(store) == ()


def test_the_same_words_again_are_the_same_job_and_others_in_its_folder_are_refused(store, rows, model, tmp_path):
    job = trainings.create_training(store, request(rows, model, out=tmp_path / "one"))
    assert trainings.create_training(store, request(rows, model, out=tmp_path / "one")).id == job.id
    with pytest.raises(ConfigError, match="the folder of another job"):
        trainings.create_training(store, request(rows, model, out=tmp_path / "one", settings={"max_steps": 3}))


def test_a_job_whose_process_is_gone_is_interrupted_not_running(store, rows, model):
    job = trainings.create_training(store, request(rows, model))
    point = {"step": 1, "steps": 6, "seconds": 1.0, "tokens": 9, "loss": 0.5, "learning_rate": 1e-3, "metrics": {}}
    tell_training(store, job.id, point)
    with store.write() as connection:
        connection.execute("UPDATE trainings SET heartbeat = '2026-01-01T00:00:00.000Z'")
    assert trainings.shown_state(store, trainings.load_training(store, job.id)) == "interrupted"


def test_a_done_job_stays_done(store, rows, model):
    job = trainings.create_training(store, request(rows, model))
    end_training(store, job.id, "done", adapter="somewhere")
    end_training(store, job.id, "failed", error="late")
    trainings.queue_training(store, job.id)
    assert trainings.cancel_training(store, job.id).state == "done"
    trainings.delete_training(store, job.id)
    assert trainings.list_trainings(store) == () == training_points(store, job.id)


def test_the_command_line_trains_and_gives_back_what_is_done(rows, model, tmp_path, ask):
    words = ["train", str(rows), "--model", str(model), "--out", str(tmp_path / "made"), "--preset", "smoke"]
    code, told = ask(*words, "--max-steps", "2")
    assert (code, told["state"], told["steps"], told["good"]) == (0, "done", 2, 6)
    assert (tmp_path / "made/adapter/adapter_model.safetensors").is_file()
    code, again = ask(*words, "--max-steps", "2")
    assert code == 0 and again == told


def test_the_command_line_refuses_wrong_words_and_makes_no_store(rows, say, tmp_path):
    for words in (["train"], ["train", str(rows)], ["train", str(rows), "--out", "o", "--preset", "huge"]):
        code, _, told = say(*words)
        assert code == 2 and len(told.strip().splitlines()) == 1
    assert not (tmp_path / "josh.db").exists()


def test_a_dry_run_tells_what_would_be_trained_on_and_leaves_nothing(store, rows, model, tmp_path):
    found = trainings.preflight_training(request(rows, model, trainer="kto_packed"))
    assert (found.good, found.bad, found.too_long, found.sequences) == (6, 6, 0, 12)
    assert (found.steps, found.device) == (6, "cpu") and found.seconds and found.seconds > 0
    assert found.trained < found.parameters < 1_000_000 < found.memory_bytes
    assert (found.origin, found.refused) == ("12 of 12 rows do not tell whose they are.", False)
    assert found.precision.startswith(("float32: this CPU shows", "bfloat16: this CPU has"))
    assert [piece.trained for piece in found.first] == ["", "good", "", "bad"]
    assert "Please book hotel" in found.first[0].text and found.first[1].text.startswith("Of course.")
    assert trainings.list_trainings(store) == () and not list(tmp_path.glob("**/adapter"))


def test_a_dry_run_says_what_training_would_have_said(rows, model):
    rows.write_text(rows.read_text().replace("true", "false"))
    with pytest.raises(TrainingError, match="no good row"):
        trainings.preflight_training(request(rows, model))
