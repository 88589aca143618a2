"""The exported files load with `datasets` as they were written, and TRL's trainers take a step on them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from small import FIND_HOTEL, FIND_TRAIN, HOTEL, MALFORMED, TRAIN, search
from tiny_model import save_tiny_model

from app import services
from josh_engine.config import RunConfig
from josh_engine.extract import RowPolicy, extract
from josh_engine.models.scripted import say, use
from josh_engine.rows import FORMATS, render_files

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module", params=["by_hand", "toolwoz"])
def exported(request, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    files = by_hand() if request.param == "by_hand" else from_toolwoz(folder)
    for name, body in files.items():
        (folder / name).write_bytes(body)
    texts = [line for name in ("sft.jsonl", "kto.jsonl") for line in (folder / name).read_text().splitlines()]
    os.environ["HF_HUB_OFFLINE"] = "1"
    save_tiny_model(folder / "model", texts)
    return folder


def by_hand() -> dict[str, bytes]:
    """Small searches with a malformed call, whose arguments are text where others are objects."""
    sources = []
    for seed in range(8):
        script = {
            "0": [MALFORMED, say("Sorry, once more?")],
            "1": [FIND_HOTEL, say("Found it.")],
            "1.0": [use("find_train", '{"day": "sunday", "people": 3}'), say("Sunday?")],
            "1.1": [FIND_TRAIN, say(f"Monday. {seed}")],
        }
        sources.append(search(script, [HOTEL, TRAIN], seed=seed).source())
    return render_files(extract(sources, RowPolicy()), FORMATS)


def from_toolwoz(folder: Path) -> dict[str, bytes]:
    """Rows of real searches in the generated world, as the Export button writes them."""
    with services.open_store(folder / "josh.db") as store:
        ids = services.scenario_ids("toolwoz-generated", "train", folder)[:12]
        run = services.create_run(store, RunConfig("toolwoz-generated", "train", ids))
        services.run_here(store, run.id)
        return services.export_files(store, [run.id], formats=FORMATS)[1]


def load(folder: Path, name: str):
    from datasets import load_dataset

    files = str(folder / f"{name}.jsonl")
    return load_dataset("json", data_files=files, split="train", cache_dir=str(folder / "cache"))


@pytest.mark.parametrize("name", ["sft", "kto", "dpo"])
def test_what_is_loaded_is_what_was_written(exported, name):
    written = [json.loads(line) for line in (exported / f"{name}.jsonl").read_text().splitlines()]
    loaded = list(load(exported, name))
    assert len(loaded) == len(written) > 0
    for before, after in zip(written, loaded, strict=True):
        assert _plain(after) == before


def test_malformed_arguments_arrive_as_the_model_wrote_them(exported):
    calls = [
        call["function"]["arguments"]
        for row in load(exported, "kto")
        for call in (_plain(row)["completion"][0].get("tool_calls") or ())
    ]
    assert {type(call) for call in calls} == {str, dict}


def arguments(folder: Path, config, **more):
    return config(
        output_dir=str(folder / "out"), per_device_train_batch_size=4, max_steps=1, report_to="none", use_cpu=True,
        bf16=False, gradient_checkpointing=False, disable_tqdm=True, logging_steps=1, save_strategy="no",
        max_length=8192, **more,
    )  # fmt: skip


@pytest.mark.parametrize("method", ["SFT", "KTO"])
def test_one_step_of_trls_trainer(exported, method):
    import trl
    from peft import LoraConfig
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(exported / "model")
    trainer = getattr(trl, f"{method}Trainer")(
        model=str(exported / "model"),
        args=arguments(exported, getattr(trl, f"{method}Config")),
        train_dataset=load(exported, method.lower()),
        processing_class=tokenizer,
        peft_config=LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM"),
    )
    trained = trainer.train()
    assert trained.global_step == 1
    assert trained.training_loss > 0


def test_openai_lines_are_whole_conversations(exported):
    for line in (exported / "openai.jsonl").read_text().splitlines():
        body = json.loads(line)
        assert body["messages"][0]["role"] == "system" and body["tools"][0]["type"] == "function"
        for message in body["messages"]:
            for call in message.get("tool_calls", ()):
                assert isinstance(call["function"]["arguments"], str)


def _plain(value):
    """Without the None fields a columnar loader fills in where other rows have a key."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    return [_plain(item) for item in value] if isinstance(value, list) else value
