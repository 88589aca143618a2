"""The README's way to load rows returns every value as it was written; the messages make the tokens that we train."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_templates import LLAMA_3_1, QWEN_2_5
from tiny_model import CHAT_TEMPLATE, tiny_tokenizer

from app.loading import changes
from josh_engine.training.by_trl import columns_of, fitting_rows
from josh_engine.training.config import preset
from josh_engine.training.features import features_of
from josh_engine.training.rendering import renderer

ASKED = [{"role": "system", "content": "Sell."}, {"role": "user", "content": "A coat."}]
TOOLS = json.dumps([{"type": "function", "function": {"name": "find", "parameters": {}}}])


def call(arguments: Any, number: int = 1) -> dict[str, Any]:
    made = {"type": "function", "id": f"call{number:05}", "function": {"name": "find", "arguments": arguments}}
    return {"role": "assistant", "content": "", "tool_calls": [made]}


def kto(*completions: dict[str, Any], tools: bool = True) -> list[dict[str, Any]]:
    return [
        {"prompt": ASKED, "completion": [each], "label": place % 2 == 0, "row_id": f"r{place:04}"}
        | ({"tools": TOOLS} if tools else {})
        for place, each in enumerate(completions)
    ]


def said(words: str) -> dict[str, Any]:
    return {"role": "assistant", "content": words}


def dpo(*pairs: tuple[dict[str, Any], dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"prompt": ASKED, "chosen": [one], "rejected": [other], "tools": TOOLS, "row_id": f"r{place}"}
        for place, (one, other) in enumerate(pairs)
    ]


AFTER = [*ASKED, call({"size": 4}), {"role": "tool", "content": "2026-11-02", "tool_call_id": "call00001"}]
FILES: dict[str, list[dict[str, Any]]] = {
    "dates alone": kto(call({"day": "2026-11-02"}), call({"day": "2026-12-02T10:00:00Z"})),
    "dates in pairs": dpo((call({"day": "2026-11-02"}), call({"day": "2026-11-03"}))),
    "all answers are dates": kto(said("2026-11-02"), said("2026-11-03"), tools=False),
    "3 and the text 3": kto(call({"size": 3}), call({"size": "3"})),
    "the text 4, then 4": kto(call({"size": "4"}), call({"size": 4}), call({"size": 4.0}), call({"size": True})),
    "other keys, nulls": kto(call({"size": None}), call({"day": "x"}), call({}), call({"a": {"b": [None, {}]}})),
    "lists of mixed types": kto(call({"of": [1, "1", None]}), call({"of": []}), call({"of": {"1": 1}})),
    "a broken call's text": kto(call('{"size": '), call({"size": 1})),
    "odd text": kto(said("a\u2028b\u0085c\u0000d /\\ 😀"), said(""), said("null"), tools=False),
    "the nulls of others": kto(said("No."), call({"size": None})),
    "a date from a tool": [each | {"prompt": AFTER} for each in kto(call({"size": 3}, 2), said("Yes."))],
    "whole conversations": [
        {"messages": [*AFTER, said("Yes.") | {"weight": 0}], "tools": json.loads(TOOLS)},
        {"messages": [*ASKED, said("No.")]},
    ],
}  # fmt: skip


def large() -> list[dict[str, Any]]:
    """More than 10 MB of rows that only speak, then one that calls."""
    talk = [each | {"prompt": [*ASKED, said("word " * 32_000), ASKED[1]]} for each in kto(*[said("2026-11-02")] * 80)]
    return [*talk, *kto(call({"day": "2026-11-02", "size": "4"}), call({"size": 4}))]


def write(rows: list[dict[str, Any]], file: Path) -> Path:
    file.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in rows), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Iterator[str]:
    os.environ["HF_HUB_OFFLINE"] = "1"
    from datasets import disable_progress_bars

    disable_progress_bars()
    yield str(tmp_path_factory.mktemp("cache"))


def load(file: Path, cache: str) -> Any:
    from datasets import load_dataset

    return load_dataset("json", data_files=str(file), features=features_of(file), split="train", cache_dir=cache)


def test_the_readme_says_how(cache):
    text = " ".join((Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8").split())
    assert re.search(r'load_dataset\("json", data_files=file, features=features_of\(file\)\)', text)


@pytest.mark.parametrize("name", [*FILES, "more than 10 MB"])
def test_every_value_comes_back_as_it_was_written(tmp_path, cache, name):
    rows = FILES.get(name) or large()
    file = write(rows, tmp_path / "kto.jsonl")
    read = list(load(file, cache))
    assert len(read) == len(rows) and list(changes(rows, read)) == []
    if name == "more than 10 MB":
        assert file.stat().st_size > 10 << 20


@pytest.mark.parametrize("value", [0.1234567890123, 1e-12])
def test_a_number_that_is_rounded_is_told_with_its_line(tmp_path, cache, value):
    rows = kto(call({"size": 1}), call({"size": value}))
    (told,) = changes(rows, load(write(rows, tmp_path / "kto.jsonl"), cache))
    assert told.startswith("line 2, completion[0].tool_calls[0].function.arguments.size") and str(value) in told


@pytest.mark.parametrize("template", [CHAT_TEMPLATE, QWEN_2_5, LLAMA_3_1], ids=["tiny", "Qwen 2.5", "Llama 3.1"])
@pytest.mark.parametrize("name", ["dates alone", "3 and the text 3", "other keys, nulls", "a date from a tool"])
def test_the_tokens_of_loaded_messages_are_those_that_trl_gets_from_us(tmp_path, cache, name, template):
    """As TRL makes them of messages (`trl.data_utils._tokenize`); with TRL itself in test_trl.py."""
    file, tokenizer = write(FILES[name], tmp_path / "kto.jsonl"), tiny_tokenizer(["coat"], template)
    ours = columns_of(fitting_rows(file, renderer(tokenizer), preset("tiny", "kto")), preset("tiny", "kto"), 4)
    for place, row in enumerate(load(file, cache)):
        given = {"tools": json.loads(row["tools"]), "tokenize": True, "return_dict": True}
        asked = tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, **given)["input_ids"]
        whole = tokenizer.apply_chat_template(row["prompt"] + row["completion"], **given)["input_ids"]
        assert ours["prompt_ids"][place] == asked
        assert ours["prompt_ids"][place] + ours["completion_ids"][place] == whole
