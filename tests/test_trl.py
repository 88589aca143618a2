"""The exported files load with `datasets` as they were written, and TRL's trainers take a step on them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from small import FIND_HOTEL, FIND_TRAIN, HOTEL, MALFORMED, TRAIN, search
from tiny_model import save_tiny_model

from app import services
from app.loading import changes
from josh_engine.config import RunConfig
from josh_engine.extract import RowPolicy, extract
from josh_engine.models.scripted import say, use
from josh_engine.rows import FORMATS, render_files
from josh_engine.training.cutting import cut_rows
from josh_engine.training.features import features_of
from josh_engine.training.rendering import renderer
from josh_engine.training.row_files import read_groups

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
    """Small searches with a call that is no JSON."""
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
    return load_dataset(
        "json", data_files=files, split="train", features=features_of(files), cache_dir=str(folder / "cache")
    )


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_loaded_is_what_was_written(exported, name):
    written = [json.loads(line) for line in (exported / f"{name}.jsonl").read_text().split("\n") if line]
    loaded = list(load(exported, name))
    assert len(loaded) == len(written) > 0 and list(changes(written, loaded)) == []


def test_arguments_are_objects_for_a_call_that_is_no_json_is_no_row_s_answer(exported):
    messages = [each for row in load(exported, "kto") for each in (*row["prompt"], *row["completion"])]
    calls = [call["function"]["arguments"] for each in messages for call in each.get("tool_calls", ())]
    assert {type(call) for call in calls} == {dict}


def arguments(folder: Path, config, **more):
    return config(
        output_dir=str(folder / "out"), per_device_train_batch_size=4, max_steps=1, report_to="none", use_cpu=True,
        bf16=False, gradient_checkpointing=False, disable_tqdm=True, logging_steps=1, save_strategy="no",
        max_length=8192, **more,
    )  # fmt: skip


def tokens_of(row) -> list[tuple[int, ...]]:
    """Each side of a row of TRL's dataset, whole."""
    if "input_ids" in row:
        return [tuple(row["input_ids"])]
    sides = ("chosen_ids", "rejected_ids") if "chosen_ids" in row else ("completion_ids",)
    return [(*row["prompt_ids"], *row[side]) for side in sides]


@pytest.mark.parametrize("method", ["SFT", "KTO", "DPO"])
def test_trls_trainer_holds_our_tokens_of_every_row_and_takes_a_step(exported, method):
    """Nothing is taken from its rows before they are compared; where an answer begins is the same too."""
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
    groups = read_groups(exported / f"{method.lower()}.jsonl", method.lower())
    cuts = cut_rows(groups, renderer(tokenizer), 8192)
    assert len(cuts.kept) == len(trainer.train_dataset) == len(groups)
    for ours, theirs in zip(cuts.kept, trainer.train_dataset, strict=True):
        assert [each.tokens for each in ours] == tokens_of(theirs)
        begins = theirs["labels"].count(-100) if "labels" in theirs else len(theirs["prompt_ids"])
        assert {each.start for each in ours} == {begins}
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
