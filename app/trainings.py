"""Training jobs: making one, running it here or in a child process, stopping it and going on, looking at it.

Jobs train one after another: a launched one waits, in a process that has not loaded torch yet, until nobody trains
and no older one waits. The rows are checked against their export before anything is made.
"""

from __future__ import annotations

import _thread
import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from app import catalog, demo, jobs, launching
from app.models import model_source
from app.settings import data_path
from app.training_words import setting_words
from josh_engine.encoding import load
from josh_engine.errors import ConfigError, JoshError, TrainingError
from josh_engine.models.local.adapter import MANIFEST, manifests
from josh_engine.training.config import Progress, Report, TrainConfig, preset
from josh_engine.training.merge import Merged
from josh_engine.training.precision import Precision
from josh_engine.training.preflight import Preflight
from josh_engine.training.samples import Sample
from josh_engine.values import Json
from storage import locks
from storage.database import Store
from storage.trainings import (
    ENDED,
    Training,
    add_training,
    beat_training,
    begin_training,
    end_training,
    list_trainings,
    load_training,
    queue_training,
    release_folder,
    tell_training,
    training_in,
    training_points,
    want_training,
    wanted_of,
)
from storage.trainings import delete_training as forget_training

__all__ = [
    "Preflight",
    "Training",
    "TrainingRequest",
    "active_trainings",
    "cancel_training",
    "create_training",
    "delete_training",
    "dry_run",
    "follow_training",
    "is_worked_on",
    "job_facts",
    "job_samples",
    "launch_training",
    "list_trainings",
    "load_training",
    "merge_adapter",
    "preflight_training",
    "queue_training",
    "run_training",
    "shown_state",
    "training_points",
]

CANCELLED = "cancelled"
TURN = "training"  # the lock of whoever trains
LOOK_SECONDS = 0.5  # between two looks whether it is one's turn
BEAT_SECONDS = 2.0
STEP_SECONDS = 6.0  # that a step gets to end after somebody asked for it: a stop is obeyed within ten
FOLDER = "trainings"  # in the data folder


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """What a person may choose. `model`: the embedded one, or a folder. `settings`: those of TrainConfig that differ
    from the preset; None: as it says. `out` None: a folder of its own in the data folder."""

    rows: Path
    model: str = catalog.EMBEDDED_MODEL
    trainer: str = "sft"
    preset: str = "tiny"
    settings: Mapping[str, Any] = field(default_factory=dict)
    out: Path | None = None
    name: str = ""

    def config(self) -> TrainConfig:
        """Raises ConfigError."""
        given = {name: value for name, value in self.settings.items() if value is not None}
        return replace(preset(self.preset, self.trainer), **given).checked()


def create_training(store: Store, request: TrainingRequest, *, data: Path | None = None) -> Training:
    """A queued job; the one that is in `out` already, where it is the same. A folder that was deleted is free.
    Raises ConfigError and DatasetError."""
    from josh_engine.training.job import check_rows

    settings = request.config()
    config, base = asdict(settings), trained_folder(request.model)
    rows = request.rows.expanduser().absolute()
    check_rows(base, rows, settings, known_as=name_in_runs(request.model))
    out = None if request.out is None else str(request.out.expanduser().absolute())
    before = training_in(store, out) if out else None
    if before is not None and _is_gone(store, before):
        release_folder(store, before.id)
    elif before is not None:
        if (before.model, before.rows, before.config) != (request.model, str(rows), config):
            raise ConfigError(
                f"{out} is the folder of another job: {before.name} ({before.id}).",
                remedy="Give another folder, or delete it.",
            )
        return before
    name = request.name or f"{request.trainer} on {rows.parent.name}/{rows.name}"
    folder = (data or data_path(store.path)) / FOLDER
    return add_training(
        store, name=name, model=request.model, rows=str(rows), out=out, config=config, folder=str(folder.absolute())
    )


def _is_gone(store: Store, job: Training) -> bool:
    """Whether nobody is at a job any more, and its folder is not there. One that was never begun has none yet."""
    over = job.started is not None and shown_state(store, job) in (*ENDED, "interrupted")
    return over and not Path(job.out).exists()


def preflight_training(request: TrainingRequest, *, waiting: Callable[[], object] = lambda: None) -> Preflight:
    """What the job would do, found out in a process of its own: this one loads no model. Raises what is wrong.

    `waiting` is called a few times a second meanwhile; what it raises ends that process."""
    demo.refuse("Training")
    words = ["train", str(request.rows), "--model", request.model, "--trainer", request.trainer]
    words += ["--preset", request.preset, "--dry-run", "--json"]
    words += setting_words(request.settings)
    request.config()
    asked = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "app", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": launching.search_path()},
    )
    told, complaints = _waited_for(asked, waiting)
    if asked.returncode:
        said = complaints.strip().splitlines()[-1:] or ["Its process ended without a word."]
        raise TrainingError(said[0].removeprefix("error: "))
    return load(Preflight, told.strip().splitlines()[-1])


def _waited_for(process: subprocess.Popen[str], waiting: Callable[[], object]) -> tuple[str, str]:
    """What it said on both streams; where nobody waits any more it is ended."""
    try:
        while True:
            try:
                return process.communicate(timeout=LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                waiting()
    except BaseException:
        process.kill()
        process.communicate()
        raise


def dry_run(request: TrainingRequest) -> Preflight:
    """The same in this process."""
    from josh_engine.training.job import check_export
    from josh_engine.training.preflight import preflight

    config, rows = request.config(), request.rows.expanduser().absolute()
    check_export(rows)
    _spare_threads(request.model)
    return preflight(trained_folder(request.model), rows, config, known_as=name_in_runs(request.model))


def name_in_runs(model: str) -> str:
    """What runs call the model where that is not its folder; empty where it is."""
    return model if model == catalog.EMBEDDED_MODEL else ""


def trained_folder(model: str) -> Path:
    """Raises ConfigError for what cannot be trained here."""
    source = model_source(model)
    if not isinstance(source, Path):
        raise ConfigError(f"{model!r} cannot be trained here.", remedy="Give a model's folder, or: embedded.")
    return source


def run_training(store: Store, training_id: str, *, report: Report | None = None, waits: bool = False) -> Training:
    """Trains in this process until the job is done, failed or cancelled. `waits`: for its turn; without, it is the
    caller's concern that the machine is free. Raises what ended it but a wish to cancel; Ctrl-C cancels too."""
    with ExitStack() as held:
        held.enter_context(locks.holding(store.path, lock_of(training_id)))
        if waits and not _take_turn(store, training_id, held):
            end_training(store, training_id, CANCELLED)
            return load_training(store, training_id)
        return _train(store, training_id, report)


def follow_training(request: TrainingRequest) -> None:
    """This process's share of a job that a launcher started in several (`team`): the first keeps it in its store."""
    from josh_engine.training.job import train

    if request.out is None:
        raise ConfigError("Several processes need one folder.", remedy="Name it with --out.")
    _spare_threads(request.model)
    out, rows = request.out.expanduser().absolute(), request.rows.expanduser().absolute()
    base, known_as = trained_folder(request.model), name_in_runs(request.model)
    train(base, rows, out, request.config(), lambda progress: None, known_as=known_as)


def merge_adapter(adapter: Path, out: Path, *, model: str | None = None) -> Merged:
    """`model` None: the base that the adapter's manifest names. Raises ConfigError, DatasetError and TrainingError."""
    from josh_engine.training.merge import merge

    folder = adapter.expanduser().absolute()
    return merge(trained_folder(model or _base_of(folder)), folder, out.expanduser().absolute())


def _base_of(adapter: Path) -> str:
    named = [str(manifest["model"]) for manifest in manifests(adapter) if "model" in manifest]
    if not named:
        raise ConfigError(
            f"No manifest tells which base {adapter} is for.", remedy="Name the base's folder with --model."
        )
    return named[0]


def launch_training(store: Store, training_id: str, *, data: Path | None = None) -> Training:
    """Starts, or resumes, the job in a child process that outlives this one; returns at once. Raises RunHeld where
    one is at it."""
    if is_worked_on(store, training_id):
        raise locks.RunHeld(f"Another process is working on training {training_id}.", remedy="Watch it on its page.")
    queue_training(store, training_id)
    words = ["train", "--launched", training_id]
    launching.launch(
        store.path, training_id, words, data=data or data_path(store.path), failed=partial(_fail, training_id)
    )
    return load_training(store, training_id)


def cancel_training(store: Store, training_id: str) -> Training:
    """Asks for the end after the step in flight; the adapter as it is then is saved. Where nobody works on the job,
    it has ended at once."""
    job = load_training(store, training_id)
    if job.state in ENDED:
        return job
    if is_worked_on(store, training_id):
        want_training(store, training_id, CANCELLED)
    else:
        end_training(store, training_id, CANCELLED)
    return load_training(store, training_id)


def job_samples(job: Training) -> tuple[Sample, ...]:
    """Newest first. Raises DatasetError for a damaged file."""
    from josh_engine.training.samples import read_samples

    return read_samples(Path(job.out))


def job_facts(job: Training) -> dict[str, str]:
    """What its manifest tells of whose the rows are and of what it computes in; empty before it has begun."""
    place = Path(job.out) / MANIFEST
    try:
        told = json.loads(place.read_text(encoding="utf-8")) if place.is_file() else {}
        found = {"origin": str(told["origin"]), "precision": str(Precision(**told["precision"]))} if told else {}
    except (OSError, ValueError, LookupError, TypeError):
        return {}  # of an older version, or not ours
    return found


def delete_training(store: Store, training_id: str) -> None:
    """The record; the folder with adapter and log stays. Raises ConfigError while somebody works on it."""
    if is_worked_on(store, training_id):
        raise ConfigError(f"Training {training_id} is being worked on.", remedy="Stop it first.")
    forget_training(store, training_id)


def is_worked_on(store: Store, training_id: str) -> bool:
    return locks.is_held(store.path, lock_of(training_id))


def shown_state(store: Store, job: Training) -> str:
    """The state to show: "interrupted" where the store says that somebody is at it, and nobody is."""
    if job.state in ENDED or locks.is_held(store.path, lock_of(job.id)):
        return job.state
    return "interrupted" if jobs.is_stale(job.heartbeat) else job.state


def active_trainings(store: Store) -> tuple[Training, ...]:
    """Those that wait or train, oldest first."""
    alive = (job for job in list_trainings(store) if job.state not in ENDED)
    return tuple(job for job in alive if shown_state(store, job) != "interrupted")[::-1]


def lock_of(training_id: str) -> str:
    return f"train-{training_id}"


def _take_turn(store: Store, training_id: str, held: ExitStack) -> bool:
    """Waits for it, and holds it with the rest; False: the job was cancelled before."""
    while wanted_of(store, training_id) is None:
        older = [each for each in list_trainings(store) if each.id < training_id and _waits(store, each)]
        if not older:
            try:
                held.enter_context(locks.holding(store.path, TURN, patience=0.0))
                return True
            except locks.RunHeld:
                pass  # somebody trains; look again
        beat_training(store, training_id)
        time.sleep(LOOK_SECONDS)
    return False


def _waits(store: Store, job: Training) -> bool:
    """Or trains. One that was launched a moment ago may not hold its lock yet."""
    return job.state not in ENDED and (locks.is_held(store.path, lock_of(job.id)) or not jobs.is_stale(job.heartbeat))


class _Wanted(KeyboardInterrupt):
    """Somebody asked for the end. A KeyboardInterrupt, so that the loop keeps a checkpoint as for Ctrl-C."""


@contextmanager
def _cut_off(store: Store, training_id: str) -> Iterator[threading.Event]:
    """Interrupts this thread, as Ctrl-C does, where the end was asked for and nothing came of it within STEP_SECONDS:
    a large model may load, or take a step, for minutes. The event says that it did; there is only a main thread's."""
    over, cut = threading.Event(), threading.Event()

    def watch() -> None:
        asked = math.inf
        while not over.wait(LOOK_SECONDS):
            wanted = wanted_of(store, training_id) == CANCELLED
            asked = min(asked, time.monotonic()) if wanted else math.inf
            if time.monotonic() > asked + STEP_SECONDS:
                cut.set()
                _thread.interrupt_main()
                return

    watching = threading.Thread(target=watch, daemon=True)
    if threading.current_thread() is threading.main_thread():
        watching.start()
    try:
        yield cut
    finally:
        over.set()
        if watching.ident is not None:
            watching.join()


def _train(store: Store, training_id: str, report: Report | None) -> Training:
    job = load_training(store, training_id)
    begin_training(store, training_id)

    def told(progress: Progress) -> None:
        wanted = tell_training(store, training_id, asdict(progress))
        if report:
            report(progress)
        if wanted == CANCELLED:
            raise _Wanted

    _spare_threads(job.model)
    try:
        with _cut_off(store, training_id) as cut:
            from josh_engine.training.job import train

            base, config = trained_folder(job.model), TrainConfig(**job.config)
            made = train(base, Path(job.rows), Path(job.out), config, told, known_as=name_in_runs(job.model))
    except KeyboardInterrupt as stopped:
        end_training(store, training_id, CANCELLED, adapter=saved_adapter(job))
        if not isinstance(stopped, _Wanted) and not cut.is_set():
            raise
    except BaseException as error:
        said = str(error) if isinstance(error, JoshError) else f"{type(error).__name__}: {error}"
        end_training(store, training_id, "failed", error=said)
        raise
    else:
        found: dict[str, Json] = {name: getattr(made, name) for name in ("good", "bad", "sequences", "too_long")}
        found |= {"left_out": [str(each) for each in made.omitted]} if made.omitted else {}
        end_training(store, training_id, "done", adapter=made.adapter, found=found)
    return load_training(store, training_id)


def _spare_threads(model: str) -> None:
    """Before torch is loaded. Small matrices: a second thread waits more than it works, much more where another
    process works too."""
    if model == catalog.EMBEDDED_MODEL:
        os.environ.setdefault("OMP_NUM_THREADS", "1")


def saved_adapter(job: Training) -> str | None:
    """The adapter's folder, where it lies on disk."""
    folder = Path(job.out) / "adapter"
    return str(folder) if (folder / "adapter_model.safetensors").is_file() else None


def _fail(training_id: str, store: Store, said: str) -> None:
    """A job whose process ended without a word is failed; one that said why keeps that."""
    if load_training(store, training_id).state not in ENDED:
        end_training(store, training_id, "failed", error=said)
