"""The packed trainers minimise what TRL's do: the same loss and the same gradient on one batch of rows.

Ours packs the rows of a path into one sequence, TRL's gives each row one of its own; adapter and model are the same,
moved away from the reference. Supervised: TRL's default loss. KTO: TRL's with reference point 0, which is the loss it
calls `apo_zero_unpaired`; its `kto` estimates the reference point from mismatched pairs and clamps it at 0 from below.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny_model import save_tiny_model

from josh_engine.training.config import TrainConfig, preset
from josh_engine.training.kto_packed import PackedKto
from josh_engine.training.packing import pack
from josh_engine.training.rendering import renderer
from josh_engine.training.row_files import read_rows
from josh_engine.training.sft import Supervised

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

EXCHANGES = [("Hello.", "Which area?"), ("The north, please.", "Booked hotel 5."), ("Thanks!", "Good bye now.")]


def rows() -> list[dict[str, Any]]:
    """Three nested good rows and, at each of their turns, a bad one; of different lengths."""
    told, before = [], list[dict[str, str]]()
    for number, (asked, answered) in enumerate(EXCHANGES):
        before = [*before, {"role": "user", "content": asked}]
        for words, label in ((answered, True), ("No idea! " * (number + 1), False)):
            told.append({"prompt": before, "completion": [{"role": "assistant", "content": words}], "label": label})
        before = [*before, {"role": "assistant", "content": answered}]
    return told


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    os.environ["HF_HUB_OFFLINE"] = "1"
    made = tmp_path_factory.mktemp("losses")
    save_tiny_model(made / "model", [each for pair in EXCHANGES for each in pair] * 9)
    (made / "kto.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows()))
    good = [{key: each[key] for key in ("prompt", "completion")} for each in rows() if each["label"]]
    (made / "sft.jsonl").write_text("".join(json.dumps(each) + "\n" for each in good))
    return made


def trls(folder: Path, method: str, **more: Any) -> Any:
    """TRL's trainer on the file, its adapter moved away from the reference."""
    import torch
    import trl
    from datasets import load_dataset
    from peft import LoraConfig
    from transformers import AutoTokenizer

    files = str(folder / f"{method.lower()}.jsonl")
    trainer = getattr(trl, f"{method}Trainer")(
        model=str(folder / "model"),
        args=getattr(trl, f"{method}Config")(
            output_dir=str(folder / "out"), per_device_train_batch_size=6, report_to="none", use_cpu=True, bf16=False,
            gradient_checkpointing=False, max_length=2048, model_init_kwargs={"dtype": "float32"}, **more,
        ),
        train_dataset=load_dataset("json", data_files=files, split="train", cache_dir=str(folder / "cache")),
        processing_class=AutoTokenizer.from_pretrained(folder / "model"),
        peft_config=LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM"),
    )  # fmt: skip
    torch.manual_seed(5)
    for name, each in trainer.model.named_parameters():
        if "lora_B" in name and "ref" not in name:
            each.data.normal_(std=0.3)
    return trainer


def loss_and_gradient(trainer: Any, objective: Any, packed: Any) -> tuple[list[float], list[Any]]:
    """Of TRL's trainer and of ours, on the very same model."""
    import torch

    model = trainer.model
    trained = [each for name, each in model.named_parameters() if each.requires_grad]
    batch = next(iter(trainer.get_train_dataloader()))
    model.eval()
    theirs = trainer.compute_loss(model, batch)
    slopes = torch.autograd.grad(theirs, trained)
    objective.prepare(model)
    ours, _ = objective.loss(model, packed.sequences, packed.sequences)
    return [float(theirs), float(ours)], [slopes, torch.autograd.grad(ours, trained)]


def packed_rows(folder: Path, name: str, tokenizer: Any) -> Any:
    return pack(read_rows(folder / f"{name}.jsonl"), renderer(tokenizer), 2048)


def agree(losses: list[float], slopes: list[Any]) -> None:
    import torch

    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    assert max(float(each.abs().max()) for each in slopes[0]) > 1e-4, "a gradient of nothing would agree with anything"
    for theirs, ours in zip(*slopes, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-6)


def test_supervised(folder):
    trainer = trls(folder, "SFT")
    packed = packed_rows(folder, "sft", trainer.processing_class)
    assert (packed.good, len(packed.sequences)) == (3, 1), "three rows of a path are one sequence"
    agree(*loss_and_gradient(trainer, Supervised(TrainConfig(bfloat16=False)), packed))


@pytest.mark.parametrize(("beta", "weight"), [(0.1, 2.71), (0.5, 0.5)])
def test_kto_with_reference_point_0(folder, beta, weight):
    trainer = trls(folder, "KTO", loss_type="apo_zero_unpaired", beta=beta, undesirable_weight=weight)
    packed = packed_rows(folder, "kto", trainer.processing_class)
    assert (packed.good, packed.bad) == (3, 3) and len(packed.sequences) < 6
    config = replace(preset("tiny", "kto_packed"), beta=beta, undesirable_weight=weight, bfloat16=False)
    agree(*loss_and_gradient(trainer, PackedKto(config, packed.sequences), packed))
