"""The demonstration: its sample runs come whole, and nothing in it can be changed or started."""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
from pathlib import Path

import pytest

from app import auditing, demo, demo_store, evaluating, importing, probing, services, trainings, turns
from app.improving import Plan
from app.trainings import TrainingRequest
from josh_engine.errors import JoshError, StorageError
from storage.database import ReadOnlyStore


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "josh.db"
    assert demo_store.prepare(path) == 4
    return path


@pytest.fixture
def shown(sample: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(demo.VARIABLE, "1")
    with services.open_store(sample, create=False, read_only=True) as store:
        yield store


def test_the_sample_runs_are_a_search_and_what_it_taught(shown):
    lines = {line.name: line for line in services.list_runs(shown)}
    assert [line.strategy for line in lines.values()].count("josh") == 1
    assert all(line.state == "done" for line in lines.values())
    base, sft, kto = (lines[name] for name in ("Base, plain play", "After JOSH-SFT", "After JOSH-KTO"))
    assert base.success_rate < sft.success_rate and base.success_rate < kto.success_rate
    assert evaluating.compare_runs(shown, kto.run, base.run).n == 60
    (search,) = [line for line in lines.values() if line.strategy == "josh"]
    assert len(auditing.audit_of(shown, [search.run]).pairs) > 20
    assert services.search_messages(shown, "restaurant").total > 0  # read before the store was closed to writers


def test_no_path_of_whoever_made_them_is_in_them():
    for file in demo_store.SAMPLES.glob("*.josh"):
        with zipfile.ZipFile(file) as packed:
            told = b"".join(packed.read(name) for name in packed.namelist())
        for place in (Path.home(), Path(tempfile.gettempdir()), Path(__file__).parents[2]):
            assert f"{place}/".encode() not in told


def test_a_second_time_nothing_is_added_and_no_samples_are_told(sample: Path, tmp_path: Path):
    assert demo_store.prepare(sample) == 0
    with pytest.raises(StorageError, match="no sample runs"):
        demo_store.prepare(tmp_path / "josh.db", samples=tmp_path)


def test_nothing_can_be_changed_started_or_asked(shown, sample: Path, tmp_path: Path):
    before = hashlib.sha256(sample.read_bytes()).hexdigest()
    (run, *_) = [line.run for line in services.list_runs(shown) if line.strategy == "josh"]
    (pair, *_) = auditing.audit_of(shown, [run]).pairs
    request = TrainingRequest(tmp_path / "rows.jsonl")
    refused = {
        "run": lambda: services.load_sample(shown),
        "rename": lambda: services.describe_run(shown, run, name="x", tags=(), note=""),
        "delete": lambda: services.delete_run(shown, run),
        "verdict": lambda: auditing.judge_pair(shown, pair, "left", left=pair.good, auditor="a", blind=True),
        "export": lambda: services.export_rows(shown, [run], formats=["sft"], out=tmp_path / "rows"),
        "person": lambda: services.remember_person(shown, "Ada"),
        "preflight": lambda: trainings.preflight_training(request),
        "loop": lambda: turns.launch_turn(shown, "x", Plan()),
        "probe": lambda: probing.probe_endpoint("m@http://127.0.0.1:9/v1"),
        "upload": lambda: importing.keep_upload("toolwoz", io.BytesIO(b"x"), tmp_path / "data"),
        "import": lambda: importing.start_import("toolwoz", tmp_path, tmp_path / "data"),
        "part": lambda: services.check_part("agent", "react", tmp_path),
        "launch": lambda: services.launch_run(shown, run),
    }
    for name, act in refused.items():
        with pytest.raises(ReadOnlyStore) as told:
            act()
        assert "make run" in str(told.value), name
        assert isinstance(told.value, JoshError)
    assert hashlib.sha256(sample.read_bytes()).hexdigest() == before
    assert not list(tmp_path.rglob("*"))


def test_without_the_variable_nothing_is_refused(monkeypatch: pytest.MonkeyPatch):
    for value in ("", "0"):
        monkeypatch.setenv(demo.VARIABLE, value)
        demo.refuse("Anything")
