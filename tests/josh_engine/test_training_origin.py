"""Whose words rows are: told from an export's papers, and another's refused unless somebody means them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from josh_engine.config import RunConfig
from josh_engine.encoding import to_json
from josh_engine.errors import ConfigError
from josh_engine.models.local.hashes import folder_hash
from josh_engine.training.config import TrainConfig
from josh_engine.training.job import check_rows
from josh_engine.training.origin import Origin, origin_of
from josh_engine.training.precision import cpu_flags, precision_of

PLAIN = RunConfig("toolwoz", "train", ("one",), agent="react", model="embedded")


@pytest.fixture
def model(tmp_path) -> Path:
    folder = tmp_path / "models" / "Qwen2.5-7B"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def exported(folder: Path, runs: Mapping[str, RunConfig], rows: int = 2) -> Path:
    """Rows of each run, with manifest and provenance beside them."""
    folder.mkdir(exist_ok=True)
    ids = [(f"{run}-{place}", run) for run in runs for place in range(rows)]
    told = {"runs": [{"run": run, "config": to_json(config)} for run, config in runs.items()]}
    (folder / "manifest.json").write_text(json.dumps(told))
    lines = [json.dumps({"row_id": row, "run": run}) + "\n" for row, run in (*ids, ("not-in-this-file", "gone"))]
    (folder / "provenance.jsonl").write_text("".join(lines))
    (folder / "sft.jsonl").write_text("".join(json.dumps({"row_id": row}) + "\n" for row, _ in ids))
    return folder / "sft.jsonl"


def told(tmp_path: Path, model: Path, config: RunConfig, known_as: str = "") -> Origin:
    return origin_of(exported(tmp_path / "rows", {"r": config}), model, known_as)


def test_a_run_s_hash_says_whether_its_rows_are_the_model_s_own_wherever_it_lay(tmp_path, model):
    config = replace(PLAIN, model="/once/lay/here", hashes={"/once/lay/here": folder_hash(model)})
    assert told(tmp_path, model, config).own == {"agent react, model /once/lay/here": 2}
    of_a_round = replace(config, adapter="/of/the/last/round")
    assert told(tmp_path, model, of_a_round).own == {"agent react, model /once/lay/here with an adapter": 2}
    (model / "chat_template.jinja").write_text("another one")
    found = told(tmp_path, model, config)
    assert sum(found.others.values()) == 2 and "of sha256" in str(found)


@pytest.mark.parametrize(
    ("config", "known_as", "expected"),
    [
        (PLAIN, "embedded", "own"),
        (PLAIN, "", "unknown"),  # code of a person's own may have that name
        (replace(PLAIN, model="/elsewhere/qwen2.5-7b"), "", "own"),
        (replace(PLAIN, model="/elsewhere/llama-3-8b"), "", "others"),
        (replace(PLAIN, model="served", endpoints={"served": "Qwen/Qwen2.5-7B@http://h/v1"}), "", "own"),
        (replace(PLAIN, model="gpt", endpoints={"gpt": "gpt-4o@https://h/v1"}), "", "others"),
        (replace(PLAIN, model=None, agent="scripted"), "embedded", "others"),
        (replace(PLAIN, model="person"), "embedded", "others"),
        (replace(PLAIN, model="claude", agent="foreign:agent"), "", "others"),
        (replace(PLAIN, model=None, agent="mine:Agent"), "", "unknown"),
        (replace(PLAIN, model="mine:Model"), "", "unknown"),
    ],
)
def test_without_a_hash_names_decide(tmp_path, model, config, known_as, expected):
    found = told(tmp_path, model, config, known_as)
    counts = {"own": sum(found.own.values()), "others": sum(found.others.values()), "unknown": found.unknown}
    assert counts == {"own": 0, "others": 0, "unknown": 0, expected: 2}


def test_rows_without_papers_are_told_and_trained_on(tmp_path, model):
    bare = tmp_path / "bare.jsonl"
    bare.write_text('{"prompt": []}\n{"prompt": []}\n')
    assert str(check_rows(model, bare, TrainConfig(), known_as="")) == "2 of 2 rows do not tell whose they are."
    rows = exported(tmp_path / "rows", {"r": PLAIN})
    (tmp_path / "rows" / "manifest.json").write_text("[]")
    assert origin_of(rows, model, "embedded") == Origin({}, {}, 2)


def test_rows_of_others_are_refused_unless_somebody_means_them(tmp_path, model):
    other = replace(PLAIN, model="gpt", endpoints={"gpt": "gpt-4o@https://h/v1"})
    rows = exported(tmp_path / "rows", {"mine": PLAIN, "theirs": other}, rows=3)
    with pytest.raises(
        ConfigError, match=r"3 of 6 rows are the model's own .*; 3 of 6 rows are another's .*gpt-4o.*--rows-of-others"
    ):
        check_rows(model, rows, TrainConfig(), known_as="embedded")
    meant = check_rows(model, rows, TrainConfig(rows_of_others=True), known_as="embedded")
    assert sum(meant.others.values()) == 3


@pytest.mark.parametrize(
    ("flags", "asked", "device", "bfloat16", "why"),
    [
        ({"avx2", "fma"}, None, "cpu", False, "shows none of"),
        ({"avx512f", "avx512_bf16"}, None, "cpu", True, "has avx512_bf16"),
        ({"amx_bf16", "amx_tile"}, None, "cpu", True, "has amx_bf16"),
        ({"asimd", "bf16"}, None, "cpu", True, "has bf16"),
        ({"avx2"}, True, "cpu", True, "as asked for; this CPU shows none of"),
        ({"avx512_bf16"}, False, "cpu", False, "as asked for"),
        (set(), None, "cuda:0", True, "on a GPU"),
        (set(), False, "cuda:0", False, "as asked for"),
    ],
)
def test_precision_is_by_the_cpu_s_flags_unless_somebody_says(flags, asked, device, bfloat16, why):
    found = precision_of(TrainConfig(bfloat16=asked), device, flags)
    assert found.bfloat16 is bfloat16 and why in found.why
    assert str(found).startswith("bfloat16: " if bfloat16 else "float32: ")


def test_trl_computes_in_float32_on_a_cpu_whatever_it_has():
    assert not precision_of(TrainConfig(trainer="kto", bfloat16=True), "cpu", {"amx_bf16"}).bfloat16


def test_flags_are_read_as_linux_writes_them(tmp_path):
    file = tmp_path / "cpuinfo"
    file.write_text("processor\t: 0\nflags\t\t: fpu avx512_bf16\nbugs\t\t: bf16\n\nFeatures\t: asimd i8mm\n")
    assert cpu_flags(file) == {"fpu", "avx512_bf16", "asimd", "i8mm"}
    assert cpu_flags(tmp_path / "none") == frozenset()
