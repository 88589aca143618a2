"""Files are read back from their bytes: each thing that can be wrong with them is found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from app import services
from josh_engine.config import Run
from josh_engine.splitting import Split

Files = dict[str, bytes]


@pytest.fixture
def files(store: services.Store, run: Run) -> Files:
    services.run_here(store, run.id)
    formats = ("sft", "kto", "dpo", "openai")
    return services.export_files(store, [run.id], formats=formats, split=Split(0.25))[1]


def found(store: services.Store, files: Files) -> dict[str, bool | None]:
    return {check.name: check.ok for check in services.validate_files(store, files)}


def with_row(files: Files, name: str, change: Callable[[dict[str, Any]], Any], *, number: int = 0) -> Files:
    """With one row changed, and a manifest that says so."""
    lines = files[name].splitlines(keepends=True)
    row = json.loads(lines[number])
    change(row)
    lines[number] = json.dumps(row).encode() + b"\n"
    changed = files | {name: b"".join(lines)}
    manifest = json.loads(files["manifest.json"])
    manifest["files"][name]["sha256"] = hashlib.sha256(changed[name]).hexdigest()
    return changed | {"manifest.json": json.dumps(manifest).encode()}


def test_an_export_as_it_is_passes_every_check(store: services.Store, files: Files) -> None:
    checks = services.validate_files(store, files)
    assert [check.name for check in checks] == [
        "parse", "hashes", "columns", "provenance", "nodes", "splits", "datasets",
    ]  # fmt: skip
    assert all(check.ok for check in checks), checks
    assert "loads 8 files" in checks[-1].text


@pytest.mark.parametrize(
    ("wrong", "change"),
    [
        ("hashes", lambda files: files | {"kto.train.jsonl": files["kto.train.jsonl"].replace(b"hotel", b"hotal", 1)}),
        ("hashes", lambda files: files | {"extra.txt": b""}),
        ("columns", lambda files: with_row(files, "sft.train.jsonl", lambda row: row.update(strange=1))),
        ("columns", lambda files: with_row(files, "dpo.train.jsonl", lambda row: row["chosen"][0].update(role="user"))),
        ("columns", lambda files: with_row(files, "kto.train.jsonl", lambda row: row.update(label="yes"))),
        ("columns", lambda files: with_row(files, "kto.train.jsonl", lambda row: row.update(completion="yes"))),
        ("provenance", lambda files: with_row(files, "kto.train.jsonl", lambda row: row.update(row_id="0" * 24))),
        ("nodes", lambda files: with_row(files, "provenance.jsonl", lambda row: row.update(node="9.9.9"))),
        ("nodes", lambda files: with_row(files, "provenance.jsonl", lambda row: row.update(rollout="nobody.1"))),
        ("splits", lambda files: leaked(files)),
    ],
)
def test_what_is_wrong_is_found(
    store: services.Store, files: Files, wrong: str, change: Callable[[Files], Files]
) -> None:
    assert found(store, change(files))[wrong] is False


def leaked(files: Files) -> Files:
    """A row for training copied into the file for validation."""
    row = files["sft.train.jsonl"].splitlines(keepends=True)[0]
    return files | {"sft.validation.jsonl": files["sft.validation.jsonl"] + row}


def test_a_line_that_is_no_json_is_named_and_ends_it(store: services.Store, files: Files) -> None:
    broken = files | {"kto.train.jsonl": files["kto.train.jsonl"] + b"{\n"}
    (check,) = services.validate_files(store, broken)
    number = files["kto.train.jsonl"].count(b"\n") + 1
    assert check.ok is False and f"kto.train.jsonl, line {number} is not JSON" in check.text


def test_rows_that_the_library_cannot_load_are_found(store: services.Store, files: Files) -> None:
    mixed = with_row(files, "sft.train.jsonl", lambda row: row.update(prompt="no list"), number=2)
    checks = {check.name: check for check in services.validate_files(store, mixed)}
    assert checks["datasets"].ok is False and checks["datasets"].drawn()["tone"] == "red"


def test_a_value_that_the_library_would_change_is_named(store: services.Store, files: Files) -> None:
    def exact(row: dict[str, Any]) -> None:
        row["prompt"][0]["weight"] = 0.1234567890123

    (check,) = [
        each
        for each in services.validate_files(store, with_row(files, "sft.train.jsonl", exact))
        if each.name == "datasets"
    ]
    assert check.ok is False
    assert check.text.startswith("sft.train.jsonl, line 1, prompt[0].weight: 0.1234567890123 comes back as 0.12345678")


def test_files_that_are_wrong_already_are_not_loaded(store: services.Store, files: Files) -> None:
    checks = services.validate_files(store, files | {"extra.txt": b""})
    assert checks[-1].ok is None and checks[-1].drawn()["tone"] == "amber"
