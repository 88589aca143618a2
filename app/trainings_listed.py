"""Training jobs in words and rows, and their points as frames for charts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from app.listings import NO_FIGURE, Listed, address, duration, linked, moment
from app.training_words import setting_words
from app.trainings import Preflight, Training
from josh_engine.training.config import PRESETS, SETTINGS, preset
from josh_engine.training.samples import Sample
from josh_engine.values import Json
from storage.exports import Export

JOBS = ("Job", "State", "Name", "Steps", "Loss", "Time", "Created (UTC)")
SAMPLES = ("Step", "Asked", "Said then", "The row's own answer")
SHOWN = 600  # characters of an answer
GOING = ("queued", "preparing", "running", "saving")
TRAINER_WORDS = {
    "sft": "SFT: the good turns",
    "kto_packed": "KTO: good and bad turns",
    "kto": "KTO by TRL: row by row, with a reference point",
    "dpo": "DPO by TRL: pairs of turns",
}
PRESET_MEANINGS = """\
- **tiny**: measured on models of 2-3 million parameters, the embedded one among them
- **recommended**: LoRA as TRL's guides advise it today
- **paper**: appendix B of arXiv 2409.04617, for llama-3-8B
- **smoke**: 20 steps, to see that all works
"""
PRECISION_WORDS = {"auto": "as suits the machine", "fp32": "float32", "bf16": "bfloat16"}
STATE_WORDS = {
    "queued": "Waits for its turn",
    "preparing": "Reading rows and model",
    "running": "Training",
    "saving": "Writing the adapter",
    "done": "Done: the adapter lies on disk",
    "failed": "Failed",
    "cancelled": "Stopped; the adapter as it was then is kept",
    "interrupted": "Its process is gone; it goes on from its last checkpoint",
}
RATIOS = ("log_ratio_good", "log_ratio_bad", "margin")


@dataclass(frozen=True, slots=True)
class RowFile:
    """A file of an export that a trainer takes. `label`: the export and what is in it, in words."""

    path: Path
    label: str
    trainers: tuple[str, ...]


def row_files(exports: Sequence[Export]) -> tuple[RowFile, ...]:
    """Those of written exports that are still there, newest first."""
    takes = {"kto.jsonl": ("kto_packed", "sft", "kto"), "sft.jsonl": ("sft",), "dpo.jsonl": ("dpo",)}
    return tuple(
        RowFile(
            place,
            f"{export.id} · {name} · {export.positives:,} good"
            + (f", {export.negatives:,} bad" if name != "sft.jsonl" else "")
            + f" · {place.parent.name}",
            takes[name],
        )
        for export in exports
        for name in takes
        if name in export.files and (place := Path(export.folder) / name).is_file()
    )


def settings_of(preset_name: str, trainer: str) -> dict[str, float | int | None]:
    """The numbers a form begins with."""
    chosen = preset(preset_name, trainer)
    return {name: getattr(chosen, name) for name in SETTINGS}


def four_bit_of(preset_name: str, trainer: str) -> bool:
    return preset(preset_name, trainer).four_bit


def preset_names() -> tuple[str, ...]:
    return tuple(PRESETS)


def changed(filled: Mapping[str, float | int | None], preset_name: str, trainer: str) -> dict[str, float | int]:
    """What differs from the preset; an emptied field counts as untouched."""
    usual = settings_of(preset_name, trainer)
    return {name: value for name, value in filled.items() if value is not None and value != usual[name]}


def command(rows: str, model: str, trainer: str, preset_name: str, settings: Mapping[str, Any]) -> str:
    """The same job from the command line, here or on another machine."""
    words = ["python -m app train", _quoted(rows), "--model", _quoted(model), "--trainer", trainer]
    words += ["--preset", preset_name, *setting_words(settings)]
    return " ".join([*words, "--out", "adapters/one"])


def launched_by_several(told: str) -> str:
    """The same command (of `command`) for several GPUs, by accelerate's launcher; more machines: the folders shared,
    and the same on each with its own rank."""
    _, _, rest = told.partition("python -m app ")
    return f"accelerate launch --multi_gpu --num_processes 8 --mixed_precision no -m app {rest}"


def samples_listed(samples: Sequence[Sample]) -> Listed:
    """What the model said to its own rows, newest first."""
    rows = [
        linked(
            f"{each.step}-{place}", "", ("number", str(each.step)), ("text", each.asked[-SHOWN:]),
            ("text", each.said[:SHOWN]), ("faint", each.wanted[:SHOWN]),
        )
        for place, each in enumerate(samples)
    ]  # fmt: skip
    return Listed(SAMPLES, rows, "" if rows else "The first answers come with the first checkpoint.")


def _quoted(word: str) -> str:
    return word if word.replace("/", "").replace("_", "").replace("-", "").replace(".", "").isalnum() else f"'{word}'"


def jobs_listed(jobs: Sequence[Training], states: Mapping[str, str]) -> Listed:
    """Newest first, as they come."""
    rows = [
        linked(
            job.id,
            address("train", job=job.id),
            ("name", job.id),
            ("state", states[job.id]),
            ("text", job.name),
            ("number", NO_FIGURE if job.steps is None else f"{job.step} of {job.steps}"),
            ("number", NO_FIGURE if job.loss is None else f"{job.loss:.4f}"),
            ("number", duration(job.seconds)),
            ("faint", moment(job.created)),
        )
        for job in jobs
    ]
    return Listed(JOBS, rows, "" if jobs else "No jobs yet.")


def share(job: Training, state: str) -> float:
    """How much is done; all of it only when the adapter lies on disk."""
    if state == "done":
        return 1.0
    return 0.0 if not job.steps else min(0.99, job.step / job.steps)


def in_words(job: Training, state: str) -> str:
    told = STATE_WORDS.get(state, state)
    if state != "running" or not job.steps or not job.step:
        return told
    left = job.seconds / job.step * (job.steps - job.step)
    return f"{told}: step {job.step} of {job.steps}, about {duration(left)} left"


def loss_frame(points: Sequence[Mapping[str, Json]]) -> pd.DataFrame:
    """A row per step."""
    return pd.DataFrame({"step": [each["step"] for each in points], "loss": [each["loss"] for each in points]})


def ratio_frame(points: Sequence[Mapping[str, Json]]) -> pd.DataFrame:
    """KTO's own figures, a row per step; empty for SFT."""
    told = [{"step": each["step"], **{name: each["metrics"].get(name) for name in RATIOS}} for each in points]
    frame = pd.DataFrame(told, columns=["step", *RATIOS])
    return frame.dropna(subset=list(RATIOS), how="all")


def rate_frame(points: Sequence[Mapping[str, Json]]) -> pd.DataFrame:
    return pd.DataFrame(
        {"step": [each["step"] for each in points], "learning rate": [each["learning_rate"] for each in points]}
    )


def facts(found: Preflight) -> tuple[tuple[str, str, str], ...]:
    """(label, figure, meaning) of what a job would do."""
    dropped = f"{found.too_long:,} rows are too long and left out." if found.too_long else "No row is too long."
    unfit = sum(each.rows for each in found.omitted)
    dropped += f" {unfit:,} more are left out for the model's chat template." if unfit else ""
    time = NO_FIGURE if found.seconds is None else duration(found.seconds)
    return (
        ("Good turns", f"{found.good:,}", dropped),
        ("Bad turns", f"{found.bad:,}", "SFT takes none."),
        ("Steps", f"{found.steps:,}", f"{found.sequences:,} sequences of at most {found.longest:,} tokens."),
        ("Time, about", time, "From one step, taken just now. None for a model too large to try on this CPU."),
        ("Memory, about", _bytes(found.memory_bytes), f"{found.parameters:,} parameters, {found.trained:,} trained."),
        ("Trains on", found.device, "cuda is a GPU."),
    )


def left_out(found: Preflight) -> tuple[str, ...]:
    """In words: rows that are not trained on, and what else the model's chat template does to them."""
    return (*map(str, found.omitted), *found.habits)


def left_out_of(job: Training) -> tuple[str, ...]:
    """The same of a job that is done."""
    return tuple(map(str, (job.found or {}).get("left_out", ())))


def _bytes(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
