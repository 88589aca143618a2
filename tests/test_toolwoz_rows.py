"""ToolWOZ searches to rows, through the services: consistent, and the same bytes whatever the concurrency."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict

import pytest

from app import services
from josh_engine.config import RunConfig, RunLimits
from josh_engine.extract import RowPolicy

WORLD = "toolwoz-generated"


def exported(folder, *, scenarios: int, concurrency: int, policy: RowPolicy | None = None) -> dict[str, bytes]:
    with services.open_store(folder / "josh.db") as store:
        ids = services.scenario_ids(WORLD, "train", folder)[:scenarios]
        run = services.create_run(store, RunConfig(WORLD, "train", ids), limits=RunLimits(concurrency=concurrency))
        assert services.run_here(store, run.id).state == "done"
        _, files = services.export_files(store, [run.id], formats=("sft", "kto", "dpo"), policy=policy)
    return files


@pytest.fixture(scope="module")
def of_200(tmp_path_factory) -> dict[str, bytes]:
    """Rows of 200 rollouts without the filter: everything that could contradict itself."""
    folder = tmp_path_factory.mktemp("rows")
    return exported(folder, scenarios=200, concurrency=16, policy=RowPolicy(filtered=False))


def lines(files: dict[str, bytes], name: str) -> list[dict]:
    return [json.loads(line) for line in files[name].splitlines()]


def test_no_text_stands_under_both_labels_in_the_same_context_over_200_rollouts(of_200):
    labels = defaultdict(set)
    rows = lines(of_200, "kto.jsonl")
    for row in rows:
        labels[json.dumps([row["prompt"], row["completion"], row["tools"]])].add(row["label"])
    assert {row["label"] for row in rows} == {True, False} and len(rows) > 2000
    assert sum(len(found) > 1 for found in labels.values()) == 0
    assert json.loads(of_200["manifest.json"])["gates"]["contradictory"] == {"ok": True, "count": 0}


def test_rows_end_in_what_the_agent_wrote_and_are_sorted_by_id(of_200):
    for name in ("sft.jsonl", "kto.jsonl"):
        rows = lines(of_200, name)
        assert [row["row_id"] for row in rows] == sorted(row["row_id"] for row in rows)
        for row in rows:
            (said,) = row["completion"]
            assert said["role"] == "assistant" and row["prompt"][0]["role"] == "system"
            assert row["prompt"][-1]["role"] in ("user", "tool")


def test_rows_carry_nothing_that_a_part_keeps_for_itself(of_200):
    notes = ("slips", "acts", "gen-train", "restaurant.search", "hotel.book")
    for name in ("sft.jsonl", "kto.jsonl", "dpo.jsonl"):
        assert not any(note.encode() in of_200[name] for note in notes)


def test_provenance_knows_every_row_and_the_manifest_every_file(of_200):
    known = {line["row_id"]: line for line in lines(of_200, "provenance.jsonl")}
    for name in ("sft.jsonl", "kto.jsonl", "dpo.jsonl"):
        assert {row["row_id"] for row in lines(of_200, name)} <= known.keys()
    for row in lines(of_200, "kto.jsonl"):
        assert known[row["row_id"]]["label"] == ("ideal" if row["label"] else "negative")
    manifest = json.loads(of_200["manifest.json"])
    for name, entry in manifest["files"].items():
        assert entry["sha256"] == hashlib.sha256(of_200[name]).hexdigest()


def test_the_same_seed_gives_the_same_bytes_at_any_concurrency(tmp_path):
    found = [exported(tmp_path / str(concurrency), scenarios=40, concurrency=concurrency) for concurrency in (1, 8, 64)]
    for name in ("sft.jsonl", "kto.jsonl", "dpo.jsonl"):
        assert found[0][name] == found[1][name] == found[2][name] != b""
