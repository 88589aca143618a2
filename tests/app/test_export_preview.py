"""What the page shows is what it hands out: counts, samples, checks and files are of one extraction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from app import gate_words, services
from app.archive import archive
from app.results import ExportResult, GateResult
from josh_engine.config import Run
from josh_engine.errors import ConfigError, NotFound
from josh_engine.extract import RowPolicy
from josh_engine.rows import FORMATS, LONGEST
from josh_engine.splitting import Split
from josh_engine.values import Verdict
from storage.verdicts import add_verdict

Store = services.Store


@pytest.fixture
def played(store: Store, run: Run) -> str:
    services.run_here(store, run.id)
    return run.id


def preview(store: Store, run: str, formats: Sequence[str] = ("kto",), **chosen: object) -> services.ExportPreview:
    return services.preview_export(store, [run], formats=formats, **chosen)  # type: ignore[arg-type]


def test_the_files_are_those_an_export_makes(store: Store, played: str, tmp_path: Path) -> None:
    for split in (Split(), Split(0.25, 1)):
        seen = preview(store, played, FORMATS, split=split)
        result, files = services.export_files(store, [played], formats=FORMATS, split=split)
        assert (seen.result, seen.files) == (result, files)
    written = services.write_export(
        store,
        [played],
        seen.result,
        seen.files,
        formats=FORMATS,
        policy=RowPolicy(),
        split=split,
        out=tmp_path / "rows",
    )
    assert {each.name: each.read_bytes() for each in (tmp_path / "rows").iterdir()} == seen.files
    recorded = services.list_exports(store)[0]
    assert recorded.id == written.id and recorded.policy["split"] == {"share": 0.25, "seed": 1}


def test_every_number_shown_is_counted_in_the_files(store: Store, played: str) -> None:
    seen = preview(store, played, FORMATS, split=Split(0.25))
    drawn = seen.drawn()
    lines = {
        name: [json.loads(line) for line in body.splitlines()]
        for name, body in seen.files.items()
        if name != "manifest.json"
    }
    assert {each["name"]: each["count"] for each in drawn["files"]} == {
        name: len(found) for name, found in lines.items() if name != "provenance.jsonl"
    }
    labels = Counter(row["label"] for part in ("train", "validation") for row in lines[f"kto.{part}.jsonl"])
    assert (drawn["up"], drawn["down"]) == (labels[True], labels[False])
    assert sum(bin_["up"] for bin_ in drawn["lengths"]) == labels[True]
    assert sum(bin_["down"] for bin_ in drawn["lengths"]) == labels[False]
    assert {each["name"]: each["count"] for each in drawn["funnel"]}.items() <= json.loads(seen.files["manifest.json"])[
        "funnel"
    ].items()
    assert seen.sentence.startswith(
        f"{sum(each['count'] for each in drawn['files']):,} rows of {seen.result.scenarios}"
    )


@pytest.mark.parametrize("row_format", FORMATS)
def test_samples_are_lines_of_the_file_and_lead_to_their_turn(store: Store, played: str, row_format: str) -> None:
    seen = preview(store, played, (row_format,))
    lines = seen.files[f"{row_format}.jsonl"].decode().splitlines()
    assert len(seen.samples) == 5 and len({sample.line for sample in seen.samples}) == 5
    for sample in seen.samples:
        assert sample.line in lines
        opened = services.open_rollout(store, f"{played}/{sample.scenario}")
        assert sample.node in opened.tree.nodes
        assert sample.href == f"tree?run={played}&scenario={sample.scenario.replace('/', '%2F')}&node={sample.node}"
        assert json.loads(sample.drawn()["raw"]) == json.loads(sample.line)
    kinds = {sample.kind for sample in seen.samples}
    assert kinds == {"sft": {"up"}, "kto": {"up", "down"}, "dpo": {"pair"}, "openai": {"whole"}}[row_format]


def test_a_sample_shows_what_is_trained_and_which_way(store: Store, played: str) -> None:
    for sample in preview(store, played).samples:
        row = json.loads(sample.line)
        ((use, message),) = sample.answers
        assert use == sample.kind == ("up" if row["label"] else "down")
        assert message.content == row["completion"][0]["content"]
        assert [each.content for each in sample.context] == [each["content"] for each in row["prompt"]]


def test_a_preview_is_made_once_and_anew_after_a_verdict(store: Store, played: str) -> None:
    read: list[tuple[int, int]] = []

    def again(**chosen: object) -> services.ExportPreview:
        return preview(store, played, report=lambda done, total: read.append((done, total)), **chosen)

    first = again()
    assert again() is first
    assert again(policy=RowPolicy(filtered=False)).result.rows > first.result.rows
    line = json.loads(first.files["provenance.jsonl"].splitlines()[0])
    add_verdict(store, Verdict("v", line["rollout"], line["node"], "exclude", "Ada", "2026-01-01T00:00:00Z"))
    after = again()
    assert after is not first and after.result.rows < first.result.rows
    assert first.audited == 0.0 and after.files["kto.jsonl"] != first.files["kto.jsonl"]


def test_what_cannot_be_is_told(store: Store, played: str) -> None:
    with pytest.raises(NotFound):
        preview(store, "nope")
    with pytest.raises(ConfigError, match="held out"):
        preview(store, played, split=Split(1.5))
    with pytest.raises(ConfigError, match="No row format"):
        preview(store, played, ())


def test_the_audit_policy_narrows_to_what_was_judged(store: Store, played: str) -> None:
    line = json.loads(preview(store, played).files["provenance.jsonl"].splitlines()[0])
    verdict = "good" if line["label"] == "ideal" else "bad"
    add_verdict(store, Verdict("v", line["rollout"], line["node"], verdict, "Ada", "2026-01-01T00:00:00Z"))  # type: ignore[arg-type]
    seen = preview(store, played, policy=RowPolicy(audit="agreed"))
    assert seen.audited == 1.0 and "100 % audited" in seen.sentence
    assert {sample.node for sample in seen.samples} == {line["node"]}


def result(**changed: object) -> ExportResult:
    gates = {name: GateResult(True, 0) for name in gate_words.ORDER}
    named = {name: changed.pop(name) for name in list(changed) if name in gates}
    fields = {
        "files": {}, "rows": 30, "positives": 20, "negatives": 10, "scenarios": 5, "gates": gates | named,
        "lines": {"kto.jsonl": 30}, "funnel": {"dropped_contradictory": 0},
    }  # fmt: skip
    return ExportResult(**(fields | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "tone", "said"),
    [
        ({"contradictory": GateResult(False, 2)}, "red", "2 texts are trained both"),
        ({"test_scenarios": GateResult(False, 3)}, "red", "3 scenarios come from a test split"),
        ({"both_splits": GateResult(False, 1)}, "red", "1 scenarios have rows for training and for validation"),
        ({"after_error": GateResult(False, 4)}, "amber", "4 rows train towards a turn"),
        ({"too_long": GateResult(False, 5)}, "amber", f"5 rows are longer than {LONGEST:,}"),
        ({"duplicates": GateResult(False, 6)}, "amber", "6 of 20 up rows repeat another"),
        ({"balance": GateResult(False, 10)}, "amber", "20 up to 10 down, 2.0 to 1: weight them"),
        ({"length_gap": GateResult(False, 300)}, "amber", "300 % as long as up rows: a model may learn"),
        ({"rows": 0, "lines": {"kto.jsonl": 0}}, "red", "There are no rows."),
        ({"negatives": 0}, "red", "KTO has nothing to compare with"),
        ({"lines": {"kto.train.jsonl": 30, "kto.validation.jsonl": 0}}, "amber", "kto.validation.jsonl is empty"),
    ],
)
def test_each_gate_says_what_is_wrong_and_how_grave_it_is(changed: dict[str, object], tone: str, said: str) -> None:
    told = gate_words.gates_told(result(**changed), ["kto"])
    assert told[0].tone == tone and said in told[0].text, "the gravest comes first"
    assert gate_words.verdict_in_words(told) == ("1 check failed" if tone == "red" else "1 to look at first")


def test_all_well_is_said_with_its_figures() -> None:
    told = gate_words.gates_told(result(held_out=2, funnel={"dropped_contradictory": 7}), ["kto"])
    assert {each.tone for each in told} == {"green"} and gate_words.verdict_in_words(told) == "all checks pass"
    texts = " ".join(each.text for each in told)
    assert "7 such were dropped" in texts and "2 of 5 scenarios are held out" in texts


def test_a_zip_of_the_files_is_the_same_each_time(store: Store, played: str) -> None:
    assert archive(preview(store, played).files) == archive(preview(store, played).files)
