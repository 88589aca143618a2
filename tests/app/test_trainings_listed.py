"""Jobs in words: never done before the adapter lies on disk, and the command beside the form is the form's."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from app import trainings_listed as listed
from app.arguments import parse
from app.trainings import Preflight, Training
from josh_engine.training.config import PRESETS, SETTINGS, TRAINERS, preset
from storage.exports import Export


def job(**given: Any) -> Training:
    plain: dict[str, Any] = {
        "id": "t1", "name": "=a job", "model": "embedded", "rows": "/r/kto.jsonl", "out": "/o", "config": {},
        "state": "running", "created": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip
    return Training(**{**plain, **given})


@pytest.mark.parametrize(
    ("given", "state", "expected"),
    [
        ({"step": 50, "steps": 100}, "running", 0.5),
        ({"step": 100, "steps": 100}, "saving", 0.99),
        ({"step": 100, "steps": 100}, "failed", 0.99),
        ({}, "queued", 0.0),
        ({"step": 3, "steps": 100}, "done", 1.0),
    ],
)
def test_all_is_done_only_when_the_job_says_so(given, state, expected):
    assert listed.share(job(**given), state) == expected


def test_a_running_job_tells_its_step_and_the_time_left():
    told = listed.in_words(job(step=25, steps=100, seconds=50.0), "running")
    assert "step 25 of 100" in told and "2 min 30 s" in told
    assert listed.in_words(job(), "interrupted").startswith("Its process is gone")


def test_every_state_has_words():
    for state in ("queued", "preparing", "running", "saving", "done", "failed", "cancelled", "interrupted"):
        assert listed.STATE_WORDS[state]


@pytest.mark.parametrize("trainer", TRAINERS)
def test_the_command_asks_for_what_the_form_asks_for(trainer):
    for name in PRESETS:
        usual = listed.settings_of(name, trainer)
        assert usual.keys() == SETTINGS.keys() and listed.changed(usual, name, trainer) == {}
        filled = {**usual, "learning_rate": 0.25, "seed": 7, "max_steps": None}
        changed = listed.changed(filled, name, trainer)
        assert changed == {"learning_rate": 0.25, "seed": 7}
        line = listed.command("/rows of mine/kto.jsonl", "embedded", trainer, name, changed)
        words = parse(shlex.split(line)[3:])
        assert (str(words.rows), words.trainer, words.preset) == ("/rows of mine/kto.jsonl", trainer, name)
        assert (words.learning_rate, words.seed, words.epochs) == (0.25, 7, None)
        meant = {"rows_of_others": True, "four_bit": False, "bfloat16": False}
        words = parse(shlex.split(listed.command("kto.jsonl", "embedded", trainer, name, meant))[3:])
        assert (words.rows_of_others, words.four_bit, words.precision) == (True, False, "fp32")
        assert preset(name, trainer).trainer == trainer


def test_files_of_exports_are_offered_with_the_trainers_that_take_them(tmp_path: Path):
    for name in ("sft.jsonl", "kto.jsonl", "dpo.jsonl"):
        (tmp_path / name).write_text("{}\n")
    files = dict.fromkeys(("sft.jsonl", "kto.jsonl", "dpo.jsonl", "gone.jsonl"), "")
    export = Export(["r"], ["sft"], {}, str(tmp_path), files, 9, 5, 4, 2, {}, id="e1")
    found = {each.path.name: each.trainers for each in listed.row_files([export])}
    assert found == {"kto.jsonl": ("kto_packed", "sft", "kto"), "sft.jsonl": ("sft",), "dpo.jsonl": ("dpo",)}
    (tmp_path / "kto.jsonl").unlink()
    assert len(listed.row_files([export])) == 2
    assert set().union(*found.values()) == set(TRAINERS) == set(listed.TRAINER_WORDS)


def test_points_become_frames_and_sft_has_no_ratios():
    point = {"step": 1, "loss": 0.5, "learning_rate": 1e-3, "metrics": {}}
    kto = {**point, "metrics": {"log_ratio_good": 0.1, "log_ratio_bad": -0.2, "margin": 0.15}}
    assert listed.ratio_frame([point]).empty and len(listed.ratio_frame([kto, point])) == 1
    assert listed.loss_frame([point])["loss"].tolist() == [0.5]
    assert listed.rate_frame([point])["learning rate"].tolist() == [1e-3]


def test_facts_say_unknown_where_nothing_was_tried():
    found = Preflight(5, 4, 2, 6, 900, 300, 12, 8 * 10**9, 10**6, "cpu", None, 64 * 2**30, ())
    told = {label: (figure, meaning) for label, figure, meaning in listed.facts(found)}
    assert told["Time, about"][0] == "–" and told["Memory, about"][0] == "64.0 GiB"
    assert told["Good turns"] == ("5", "2 rows are too long and left out.")


def test_a_name_is_shown_as_it_is():
    (row,) = listed.jobs_listed([job()], {"t1": "running"}).rows
    assert row["href"] == "train?job=t1" and row["cells"][2] == {"kind": "text", "text": "=a job"}
