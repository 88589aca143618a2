"""Several processes at one job take the steps that one would have taken, and write one adapter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_model import save_tiny_model

ROOT = Path(__file__).resolve().parents[1]
GOOD, BAD = "Of course, I will book it.", "No idea what you mean!"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("team")
    save_tiny_model(place / "model", [GOOD, BAD, "Please book hotel number 5."] * 20)
    with (place / "kto.jsonl").open("w") as kto, (place / "dpo.jsonl").open("w") as dpo:
        for number in range(12):
            asked = [{"role": "user", "content": f"Please book hotel number {number}, " + "thank you " * number}]
            good, bad = ([{"role": "assistant", "content": words}] for words in (GOOD, BAD))
            dpo.write(json.dumps({"prompt": asked, "chosen": good, "rejected": bad}) + "\n")
            for completion, label in ((good, True), (bad, False)):
                kto.write(json.dumps({"prompt": asked, "completion": completion, "label": label}) + "\n")
    return place


def train(folder, trainer, out, launcher):
    words = ["app", "train", folder / ("dpo.jsonl" if trainer == "dpo" else "kto.jsonl"), "--trainer", trainer]
    words += ["--model", folder / "model", "--out", folder / out, "--store", folder / f"{out}.db", "--epochs", "3"]
    done = subprocess.run(
        [sys.executable, "-m", *launcher, *words, "--sequences-per-step", "8", "--json"], cwd=ROOT,
        capture_output=True, text=True, check=False, timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))


TWO = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m")


@pytest.mark.parametrize("trainer", ["sft", "kto_packed"])
def test_two_processes_take_the_steps_of_one(folder, trainer):
    from safetensors.torch import load_file

    alone = train(folder, trainer, f"{trainer}-1", [])
    together = train(folder, trainer, f"{trainer}-2", TWO)
    assert together["state"] == "done" and together["steps"] == alone["steps"]
    assert together["loss"] == pytest.approx(alone["loss"], rel=1e-2)  # sums in another order, in bfloat16
    one, two = (load_file(folder / f"{trainer}-{n}" / "adapter" / "adapter_model.safetensors") for n in (1, 2))
    far = sum(float((one[name] - two[name]).norm() ** 2) for name in one) ** 0.5
    assert far < 0.05 * sum(float(each.norm() ** 2) for each in one.values()) ** 0.5
    logs = [(folder / f"{trainer}-{n}" / "log.jsonl").read_text().splitlines() for n in (1, 2)]
    assert len(logs[0]) == len(logs[1]) == alone["steps"]  # only the first process writes


def test_trl_s_trainers_share_the_rows(folder):
    told = train(folder, "dpo", "dpo-2", TWO)
    assert told["state"] == "done" and (folder / "dpo-2" / "adapter" / "adapter_model.safetensors").is_file()
