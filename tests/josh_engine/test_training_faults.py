"""What ends a training job from outside: no memory, a full disk. It says which, what to change, and what is left."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from test_training import GOOD, SFT, model, rows, run  # noqa: F401 - fixtures
from tiny_model import save_tiny_model

from josh_engine.errors import ConfigError, MissingDependency, OutOfMemory, TrainingError
from josh_engine.training import sft

FULL_DISK = """
import resource, sys
from pathlib import Path
from test_training import SFT
from josh_engine.errors import TrainingError
from josh_engine.training.job import train
model, rows, out = map(Path, sys.argv[1:])

def report(point):
    if point.step == 4:  # one checkpoint, of step 3, is written by now
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))

try:
    train(model, rows, out, SFT, report)
except TrainingError as error:
    print(error)
"""


def test_too_little_memory_names_two_settings_and_the_last_good_checkpoint(model, rows, tmp_path, monkeypatch):  # noqa: F811
    import torch

    real = sft.Supervised.loss

    def loss(self, *given):
        if (tmp_path / "checkpoint").exists():
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return real(self, *given)

    monkeypatch.setattr(sft.Supervised, "loss", loss)
    with pytest.raises(OutOfMemory) as told:
        run(model, rows, tmp_path, SFT)
    for part in ("step 4", "sequences_per_step or max_length", str(tmp_path / "checkpoint")):
        assert part in str(told.value)
    monkeypatch.undo()
    points, _ = run(model, rows, tmp_path, SFT)
    assert points[0].step == 4  # goes on from the checkpoint that was named


@pytest.mark.long(18)
def test_a_full_disk_is_told_and_the_last_good_checkpoint_goes_on(model, rows, tmp_path):  # noqa: F811
    """The limit on a file's size fails writes as a full disk does, in the middle of a file."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, model, rows, tmp_path / "job"], capture_output=True, text=True, check=False,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert "Free some disk." in done.stdout, done.stderr
    assert str(tmp_path / "job" / "checkpoint") in done.stdout
    whole, made = run(model, rows, tmp_path / "whole", SFT)
    points, again = run(model, rows, tmp_path / "job", SFT)
    assert points[0].step == 4 and again.loss == made.loss
    assert [point.loss for point in points] == [point.loss for point in whole[3:]]


def test_an_adapter_that_cannot_be_written_says_so(model, rows, tmp_path):  # noqa: F811
    tmp_path.joinpath("adapter").write_text("in the way")
    with pytest.raises(TrainingError, match=r"adapter cannot be written .* Free some disk"):
        run(model, rows, tmp_path, replace(SFT, max_steps=1))


def test_four_bits_without_a_gpu_or_bitsandbytes_say_what_to_do(model, rows, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr("josh_engine.training.lora.own_device", lambda: "cpu")
    with pytest.raises(ConfigError, match=r"GPU.* --no-four-bit"):
        run(model, rows, tmp_path, replace(SFT, four_bit=True))
    monkeypatch.setattr("josh_engine.training.lora.own_device", lambda: "cuda:0")
    monkeypatch.setattr("josh_engine.training.lora.find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r"requirements-4bit.txt"):
        run(model, rows, tmp_path, replace(SFT, four_bit=True))
    assert not list(tmp_path.iterdir())


def test_a_base_in_four_bits_learns(rows, tmp_path):  # noqa: F811
    pytest.importorskip("bitsandbytes", reason="requirements-4bit.txt is not installed")
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no GPU here")
    model = save_tiny_model(tmp_path / "model", [GOOD, "Please book hotel number 5."] * 20, width=128)  # noqa: F811
    points, _ = run(model, rows, tmp_path / "job", replace(SFT, four_bit=True))
    assert points[-1].loss < 0.92 * points[0].loss
