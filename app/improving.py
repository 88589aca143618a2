"""One turn of the loop: search, export, train, and judge the new model against the old one on held-out scenarios.

A folder holds the turn: `improve.json` says what it is made of and how far it is, `rows/` the export, and a folder
for every adapter. The same call goes on where it stopped, whatever stopped it; another plan in the same folder is
refused. Runs and training jobs are in the store like any other.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from app import catalog, launching, services, trainings
from app.evaluating import AT_ONCE, compare_runs
from app.results import Comparison, Interval
from app.settings import RunRequest, build_config
from app.trainings import TrainingRequest
from josh_engine.config import RunConfig, RunLimits
from josh_engine.errors import ConfigError, JoshError, StorageError, TrainingError
from josh_engine.metrics import Estimate, summarise
from josh_engine.rates import Rate
from josh_engine.training.config import TRAINERS, preset
from josh_engine.values import Json
from storage import locks
from storage.database import Store

STATE, RESULT = "improve.json", "result.json"
ROWS = {"sft": "sft.jsonl", "kto_packed": "kto.jsonl"}
LEAST_SCENARIOS = 1
Tell = Callable[[str], None]


class Stopped(JoshError):
    """A step was stopped by a person or a cap; the same call goes on."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`scenarios` of `split` are searched, `judged` ones of `judged_split` are played plainly, the first of each; None:
    all. `temperature`: of the search, and the first at which models are judged; `also_at`: further ones, with the first
    seed only. `seeds`: one training and one judgement each."""

    world: str = catalog.DEFAULT_WORLD
    split: str = "train"
    judged_split: str = "test"
    scenarios: int | None = 300
    judged: int | None = 300
    agent: str = catalog.DEFAULT_AGENT
    user: str = catalog.DEFAULT_USER
    model: str = catalog.EMBEDDED_MODEL
    user_model: str | None = None
    beam: int = 8
    temperature: float = 1.0
    also_at: tuple[float, ...] = (0.0,)
    trainers: tuple[str, ...] = ("sft", "kto_packed")
    preset: str = "tiny"
    seeds: tuple[int, ...] = (0,)
    options: Mapping[str, str] = field(default_factory=dict)

    def checked(self) -> Plan:
        """Itself, or a ConfigError."""
        for name in self.trainers:
            preset(self.preset, name)
        if strange := [name for name in self.trainers if name not in ROWS]:
            raise ConfigError(f"Unknown trainer {strange[0]!r}.", remedy=f"Use one of: {', '.join(TRAINERS)}.")
        if not self.trainers or not self.seeds:
            raise ConfigError("Name at least one trainer and one seed.")
        for given in (self.scenarios, self.judged):
            if given is not None and given < LEAST_SCENARIOS:
                raise ConfigError(f"{given} scenarios are too few.", remedy="Give 1 or more.")
        return self


@dataclass(frozen=True, slots=True)
class Judged:
    """A model's plain play, over the `finished` of the `scenarios`; figures that end in `_low` count the others as 0.
    `model`: "base", or trainer and seed. `paired`: against the base's run with the same seed and temperature; None for
    the base. `verdict`: better, worse, undecided, or not decisive, with the reason; empty for the base."""

    model: str
    temperature: float
    seed: int
    run: str
    average_reward: Estimate | None
    average_reward_low: float | None
    success_rate: Estimate | None
    success_rate_low: float | None
    finished: int
    scenarios: int
    paired: Comparison | None = None
    adapter: str | None = None
    verdict: str = ""

    @property
    def success(self) -> Rate:
        over = self.success_rate
        return Rate(over.value if over else None, self.success_rate_low, self.finished, self.scenarios)

    @property
    def interval(self) -> Interval | None:
        return (self.success_rate.low, self.success_rate.high) if self.success_rate else None


@dataclass(frozen=True, slots=True)
class Improved:
    """`search`: the run that was exported, `searched`: its figures. `rows`, `positives`, `negatives`: of the export."""

    folder: str
    search: str
    search_success: Estimate | None
    rows: int
    positives: int
    negatives: int
    judged: tuple[Judged, ...]
    searched: Judged


def improve(store: Store, plan: Plan, folder: Path, *, data: Path, tell: Tell = lambda said: None) -> Improved:
    """Does what is left, and tells what it does. Ctrl-C stops a step. Raises ConfigError, DatasetError, TrainingError,
    StorageError and Stopped."""
    place = folder.expanduser().absolute()
    with locks.holding(store.path, lock_of(place)):
        done = _improved(_Turn(store, plan.checked(), place, data, tell))
        _write(place / RESULT, asdict(done))
    return done


def lock_of(folder: Path) -> str:
    return f"turn-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"


def _improved(turn: _Turn) -> Improved:
    plan = turn.plan
    bases = {(seed, at): turn.judge("base", seed, at, None) for seed in plan.seeds for at in turn.temperatures(seed)}
    search = turn.play("search", turn.search_config(), RunLimits())
    exported = turn.export(search)
    judged = list(bases.values())
    for trainer in plan.trainers:
        for seed in plan.seeds:
            adapter = turn.train(trainer, seed)
            name = f"{trainer}-{seed}"
            judged += [turn.judge(name, seed, at, adapter, bases[seed, at]) for at in turn.temperatures(seed)]
    searched = turn.told("search", 0, plan.temperature, search)
    return Improved(str(turn.folder), search, searched.success_rate, *exported, tuple(judged), searched)


@dataclass(slots=True)
class _Known:
    """What `improve.json` holds: runs and training jobs by name; of the export rows, positives and negatives."""

    plan: Mapping[str, Json]
    store: str
    runs: dict[str, str] = field(default_factory=dict)
    trainings: dict[str, str] = field(default_factory=dict)
    export: tuple[int, int, int] | None = None


class _Turn:
    """The steps; each knows from `improve.json` whether it was begun, and from the store whether it is done."""

    def __init__(self, store: Store, plan: Plan, folder: Path, data: Path, tell: Tell) -> None:
        self.store, self.plan, self.folder, self.data, self.tell = store, plan, folder, data, tell
        self.known = self._open()

    def temperatures(self, seed: int) -> tuple[float, ...]:
        also = self.plan.also_at if seed == self.plan.seeds[0] else ()
        return tuple(dict.fromkeys((self.plan.temperature, *also)))

    def play(self, name: str, config: RunConfig, limits: RunLimits) -> str:
        """The run's id, once it is done. Rollouts that failed are counted in its figures, not scored."""
        run_id = self.known.runs.get(name)
        if run_id is None:
            run_id = services.create_run(self.store, config, limits=limits, name=f"{self.folder.name}: {name}").id
            self.known.runs[name] = run_id
            self._keep()
        run = services.load_run(self.store, run_id)
        if run.state not in ("done", "failed"):
            self.tell(f"{name}: playing {run.scenario_count} scenarios, run {run_id}")
            run_state = services.resume_run(self.store, run_id, data=self.data).state
            if run_state not in ("done", "failed"):
                raise Stopped(f"{name} was stopped.", remedy="The same command goes on.")
        done = summarise(services.list_rollouts(self.store, run_id))
        if not done.success.finished:
            raise Stopped(f"No scenario of {name} could be played.", remedy=f"See run {run_id} for why.")
        return str(run_id)

    def search_config(self) -> RunConfig:
        plan = self.plan
        request = RunRequest(
            world=plan.world, split=plan.split, limit=plan.scenarios, agent=plan.agent, user=plan.user,
            model=plan.model, user_model=plan.user_model, strategy="josh", beam=plan.beam,
            temperature=plan.temperature, options=plan.options,
        )  # fmt: skip
        return build_config(request, self.data)

    def judge(self, name: str, seed: int, at: float, adapter: str | None, base: Judged | None = None) -> Judged:
        plan = self.plan
        request = RunRequest(
            world=plan.world, split=plan.judged_split, limit=plan.judged, agent=plan.agent, user=plan.user,
            model=plan.model, user_model=plan.user_model, strategy="greedy", temperature=at, seed=seed,
            adapter=adapter or None, options=plan.options,
        )  # fmt: skip
        config = build_config(request, self.data)
        run_id = self.play(f"{name} at {at:g}, seed {seed}", config, RunLimits(concurrency=AT_ONCE))
        judged = self.told(name, seed, at, run_id)
        if base is None:
            return judged
        paired = compare_runs(self.store, run_id, base.run)
        return replace(judged, paired=paired, adapter=adapter, verdict=paired.told)

    def told(self, name: str, seed: int, at: float, run_id: str) -> Judged:
        """What a run's rollouts say."""
        summary = summarise(services.list_rollouts(self.store, run_id))
        reward, success = summary.reward, summary.success
        return Judged(
            name, at, seed, run_id, summary.average_reward, reward.low, summary.success_rate, success.low,
            success.finished, success.asked,
        )  # fmt: skip

    def export(self, run_id: str) -> tuple[int, int, int]:
        """Rows, positives and negatives."""
        if self.known.export is None:
            self.tell("exporting")
            formats = ["sft", "kto"]
            made = services.export_rows(self.store, [run_id], formats=formats, out=self.folder / "rows", data=self.data)
            self.known.export = (made.rows, made.positives, made.negatives)
            self._keep()
        if not self.known.export[1]:
            raise TrainingError("The search found no path to learn from.", remedy="Search more scenarios.")
        return self.known.export

    def train(self, trainer: str, seed: int) -> str:
        """The adapter's folder. In a process of its own, which gives its memory back."""
        name = f"{trainer}-{seed}"
        job = self._job(name, trainer, seed)
        if trainings.is_worked_on(self.store, job.id):  # by a process that outlived the one that began this turn
            self.tell(f"{name}: waiting for job {job.id}, which is being trained already")
            while trainings.is_worked_on(self.store, job.id):
                time.sleep(trainings.LOOK_SECONDS)
            job = trainings.load_training(self.store, job.id)
        if job.state != "done":
            self.tell(f"{name}: training, job {job.id}")
            trainings.queue_training(self.store, job.id)
            words = ["train", "--launched", job.id, "--store", str(self.store.path), "--data", str(self.data)]
            subprocess.run(
                [sys.executable, "-m", "app", *words], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": launching.search_path()},
            )  # fmt: skip
            job = trainings.load_training(self.store, job.id)
        if job.state == "cancelled":
            raise Stopped(f"{name} was stopped.", remedy="The same command goes on.")
        if job.state != "done" or job.adapter is None:
            raise TrainingError(
                f"{name}: {job.error or 'Its process ended without a word.'}", remedy="The same command goes on."
            )
        return job.adapter

    def _job(self, name: str, trainer: str, seed: int) -> trainings.Training:
        known = self.known.trainings.get(name)
        if known is not None:
            return trainings.load_training(self.store, known)
        request = TrainingRequest(
            self.folder / "rows" / ROWS[trainer], self.plan.model, trainer, self.plan.preset, {"seed": seed},
            self.folder / name, f"{self.folder.name}: {name}",
        )  # fmt: skip
        job = trainings.create_training(self.store, request, data=self.data)
        self.known.trainings[name] = job.id
        self._keep()
        return job

    def _open(self) -> _Known:
        place = self.folder / STATE
        fresh = _Known(json.loads(json.dumps(asdict(self.plan))), str(self.store.path))
        if not place.exists():
            return fresh
        try:
            before = _Known(**json.loads(place.read_text(encoding="utf-8")))
            before.export = None if before.export is None else (before.export[0], before.export[1], before.export[2])
        except (OSError, ValueError, TypeError, IndexError) as error:
            raise StorageError(f"{place} cannot be read: {error}.", remedy="Give another folder.") from error
        for name in ("plan", "store"):
            if getattr(before, name) != getattr(fresh, name):
                raise ConfigError(
                    f"{self.folder} holds a turn with another {name}.", remedy="Give another folder with --out."
                )
        return before

    def _keep(self) -> None:
        _write(self.folder / STATE, asdict(self.known))


def _write(place: Path, told: Mapping[str, Json]) -> None:
    """Whole or not at all."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        new = place.with_name(f"{place.name}.new")
        new.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        new.replace(place)
    except OSError as error:
        raise StorageError(f"{place} cannot be written: {error.strerror}.") from error
