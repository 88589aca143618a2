"""An export rollout by rollout gives, to the byte, what one in memory does, and leaves nothing where it fails."""

from __future__ import annotations

import tracemalloc
from itertools import product
from pathlib import Path

import pytest

from app import auditing, exporting, services, streaming
from josh_engine.errors import ConfigError, StorageError
from josh_engine.extract import RowPolicy
from josh_engine.rows import FORMATS
from josh_engine.splitting import Split


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three searches, two of them of the same scenarios with the same seed, one plain play, and verdicts."""
    path = tmp_path_factory.mktemp("stream") / "josh.db"
    with services.open_store(path) as store:
        for seed, split, strategy in (
            (0, "train", "josh"),
            (0, "train", "josh"),
            (1, "test", "josh"),
            (0, "train", "greedy"),
        ):
            asked = services.RunRequest(
                split=split, limit=12, agent="scripted", model=None, seed=seed, strategy=strategy
            )
            services.run_here(store, services.create_run(store, services.build_config(asked, path.parent)).id)
        run = services.list_runs(store)[-1].run
        for place, pair in enumerate(auditing.audit_of(store, [run]).pairs[:20]):
            judgement = ("left", "right", "both_fine", "users_fault")[place % 4]
            auditing.judge_pair(store, pair, judgement, left=pair.good, auditor=f"A{place % 3}", blind=True)
    return path


@pytest.mark.parametrize(
    ("policy", "split"),
    [
        *((RowPolicy(rows, audit, filtered), Split()) for rows, audit, filtered in product(
            ("whole_turn", "first_divergence"), ("any", "audited", "agreed"), (True, False))),
        (RowPolicy(), Split(0.25, 3)), (RowPolicy(filtered=False), Split(0.5)),
    ],
)  # fmt: skip
def test_every_file_is_the_one_made_in_memory(searched: Path, tmp_path: Path, policy: RowPolicy, split: Split):
    with services.open_store(searched) as store:
        every = [line.run for line in services.list_runs(store)]
        for chosen in (every, every[:1], every[::-1]):
            told, files = services.export_files(store, chosen, formats=FORMATS, policy=policy, split=split)
            out = tmp_path / f"{len(chosen)}-{chosen[0]}"
            made = streaming.stream_rows(store, chosen, formats=FORMATS, out=out, policy=policy, split=split)
            assert {each.name: each.read_bytes() for each in out.iterdir()} == files
            assert (made.files, made.lines, made.gates, made.funnel) == (
                told.files,
                told.lines,
                told.gates,
                told.funnel,
            )
            assert (made.rows, made.positives, made.negatives) == (told.rows, told.positives, told.negatives)
            assert (made.scenarios, made.held_out) == (told.scenarios, told.held_out)
            assert services.list_exports(store)[0].id == made.id


def test_fewer_formats_are_fewer_files(searched: Path, tmp_path: Path):
    with services.open_store(searched) as store:
        every = [line.run for line in services.list_runs(store)]
        streaming.stream_rows(store, every, formats=["dpo"], out=tmp_path / "out")
        _, files = services.export_files(store, every, formats=["dpo"])
    assert {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()} == files


def test_what_fails_in_the_middle_leaves_no_rows_behind(
    searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    before = tmp_path / "out"
    before.mkdir()
    (before / "kto.jsonl").write_text("mine\n")
    with services.open_store(searched) as store:
        run = services.list_runs(store)[0].run
        with pytest.raises(ConfigError):
            streaming.stream_rows(store, [run], formats=["xml"], out=before)

        def full(place: Path, lines: object) -> None:
            place.write_bytes(b"some")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(streaming, "_write", full)
        with pytest.raises(StorageError, match="No space left"):
            streaming.stream_rows(store, [run], formats=["kto"], out=before)
        assert [each.name for each in before.iterdir()] == ["kto.jsonl"]
        assert (before / "kto.jsonl").read_text() == "mine\n"


def test_memory_does_not_grow_with_the_runs(searched: Path, tmp_path: Path):
    """Of what Python holds, for one run and for all of them, many times over."""
    with services.open_store(searched) as store:
        runs = [services.runs.load_run(store, line.run) for line in services.list_runs(store)]
        real = exporting.each_source

        def peak(times: int, monkeypatch: pytest.MonkeyPatch) -> int:
            def again(store, run, **more):
                for _ in range(times):
                    yield from real(store, run, **more)

            monkeypatch.setattr(exporting, "each_source", again)
            tracemalloc.start()
            streaming.stream_rows(store, [runs[0].id], formats=["kto"], out=tmp_path / str(times))
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return most

        with pytest.MonkeyPatch.context() as patch:
            small = peak(1, patch)
        with pytest.MonkeyPatch.context() as patch:
            large = peak(12, patch)
    assert large < 4 * small, "in memory it would be twelve times as much"
