"""Jobs by TRL: they learn, stop and go on to the very same loss, and refuse what is wrong, as the packed ones do."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny_model import save_tiny_model

from josh_engine.errors import ConfigError, DatasetError
from josh_engine.training.config import TrainConfig, preset
from josh_engine.training.job import train
from josh_engine.training.preflight import preflight

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
GOOD, BAD = "Of course, I will book it.", "No idea what you mean!"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    os.environ["HF_HUB_OFFLINE"] = "1"
    made = tmp_path_factory.mktemp("jobs")
    save_tiny_model(made / "model", [GOOD, BAD, "Please book hotel number 5."] * 20)
    kto, dpo = [], []
    for number in range(8):
        asked = [{"role": "user", "content": f"Please book hotel number {number}."}]
        good, bad = ([{"role": "assistant", "content": words}] for words in (GOOD, BAD))
        kto += [{"prompt": asked, "completion": each, "label": each is good} for each in (good, bad)]
        dpo.append({"prompt": asked, "chosen": good, "rejected": bad})
    (made / "kto.jsonl").write_text("".join(json.dumps(each) + "\n" for each in kto))
    (made / "dpo.jsonl").write_text("".join(json.dumps(each) + "\n" for each in dpo))
    return made


def config(trainer: str, **given: Any) -> TrainConfig:
    usual = {"sequences_per_step": 8, "epochs": 6.0, "learning_rate": 5e-3, "checkpoint_steps": 2, "warmup": 0.0}
    return replace(preset("tiny", trainer), **{**usual, **given})


def run(folder: Path, out: Path, settings: TrainConfig, stop_at: int | None = None) -> tuple[list[Any], Any]:
    points: list[Any] = []

    def report(point: Any) -> None:
        points.append(point)
        if point.step == stop_at:
            raise KeyboardInterrupt

    rows = folder / f"{settings.trainer}.jsonl"
    return points, train(folder / "model", rows, out, settings, report)


@pytest.mark.parametrize("trainer", ["kto", "dpo"])
def test_a_job_learns_and_its_adapter_lies_on_disk(folder, tmp_path, trainer):
    points, made = run(folder, tmp_path, config(trainer))
    assert points[-1].loss < points[0].loss and points[-1].step == points[-1].steps == made.steps
    assert points[-1].metrics["margin"] > points[0].metrics["margin"]
    assert made.good == made.bad == 8 and made.too_long == 0
    assert (Path(made.adapter) / "adapter_model.safetensors").is_file()
    assert json.loads((tmp_path / "manifest.json").read_text())["ended"]["steps"] == made.steps


@pytest.mark.parametrize("trainer", ["kto", "dpo"])
def test_a_stopped_job_keeps_its_adapter_and_goes_on_to_the_same_loss(folder, tmp_path, trainer):
    whole, _ = run(folder, tmp_path / "whole", config(trainer))
    with pytest.raises(KeyboardInterrupt):
        run(folder, tmp_path / "parts", config(trainer), stop_at=3)
    assert (tmp_path / "parts/adapter/adapter_model.safetensors").is_file()
    again, made = run(folder, tmp_path / "parts", config(trainer))
    assert again[0].step == 4 and made.loss == pytest.approx(whole[-1].loss, rel=1e-6)


def test_rows_that_are_too_long_are_left_out_and_counted(folder, tmp_path):
    rows = [json.loads(line) for line in (folder / "kto.jsonl").read_text().splitlines()]
    rows[0]["prompt"][0]["content"] += " please" * 500
    (tmp_path / "kto.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    made = train(
        folder / "model", tmp_path / "kto.jsonl", tmp_path / "out", config("kto", max_length=200, max_steps=1), print
    )
    assert (made.too_long, made.good, made.bad) == (1, 7, 8)


def test_rows_of_another_trainer_are_refused_by_line(folder, tmp_path):
    with pytest.raises(DatasetError, match=r"kto\.jsonl, line 1: no row for this trainer"):
        train(folder / "model", folder / "kto.jsonl", tmp_path, config("dpo"), print)


def test_rows_of_one_kind_are_refused(folder, tmp_path):
    good = [line for line in (folder / "kto.jsonl").read_text().splitlines() if '"label": true' in line]
    (tmp_path / "kto.jsonl").write_text("\n".join(good))
    with pytest.raises(ConfigError, match="KTO needs good and bad rows"):
        train(folder / "model", tmp_path / "kto.jsonl", tmp_path / "out", config("kto"), print)


@pytest.mark.parametrize("trainer", ["kto", "dpo"])
def test_a_dry_run_counts_the_same(folder, trainer):
    found = preflight(folder / "model", folder / f"{trainer}.jsonl", config(trainer))
    assert (found.good, found.bad) == (8, 8) and found.seconds and found.steps > 1
