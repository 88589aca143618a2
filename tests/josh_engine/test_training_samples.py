"""Answers at checkpoints: there, the model's own, and without a trace in the training."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_training import GOOD, SFT, model, rows, run  # noqa: F401 - fixtures

from josh_engine.errors import DatasetError
from josh_engine.training import job
from josh_engine.training.samples import SAMPLES, read_samples


def test_every_checkpoint_and_the_last_step_show_answers_to_three_good_rows(model, rows, tmp_path):  # noqa: F811
    _, made = run(model, rows, tmp_path, replace(SFT, epochs=14, checkpoint_steps=20))
    found = read_samples(tmp_path)
    assert [each.step for each in found] == [made.steps] * 3 + [40] * 3 + [20] * 3
    assert {each.wanted for each in found} == {GOOD}
    assert {each.asked for each in found} == {f"Please book hotel number {number}." for number in (0, 6, 11)}
    assert found[0].said.startswith("Of course")  # what 42 steps have taught


def test_answers_change_nothing_in_what_is_learnt(model, rows, tmp_path, monkeypatch):  # noqa: F811
    asked, _ = run(model, rows, tmp_path / "asked", replace(SFT, dropout=0.1, checkpoint_steps=2))
    monkeypatch.setattr(job, "questions", lambda *given: [])
    silent, _ = run(model, rows, tmp_path / "silent", replace(SFT, dropout=0.1, checkpoint_steps=2))
    assert [point.loss for point in asked] == [point.loss for point in silent]


def test_a_file_of_something_else_is_refused_and_none_is_no_samples(tmp_path):
    assert read_samples(tmp_path) == ()
    (tmp_path / SAMPLES).write_text('{"step": 1}\n')
    with pytest.raises(DatasetError, match=SAMPLES):
        read_samples(tmp_path)
