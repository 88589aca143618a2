"""A run in one file gives the same rows elsewhere, to the byte; a file that was changed never gets in."""

from __future__ import annotations

import hashlib
import io
import json
import random
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app import bundles, services
from app.archive import archive
from josh_engine.config import Run, RunLimits
from josh_engine.errors import DatasetError, NotFound, StorageError
from josh_engine.values import Verdict
from storage import locks, runs, transfer
from storage.verdicts import add_verdict

Store = services.Store
FORMATS = ("sft", "kto", "dpo", "openai")


@pytest.fixture
def played(store: Store, run: Run) -> str:
    """Done, with a verdict that changes its rows."""
    services.run_here(store, run.id)
    lines = map(json.loads, services.export_files(store, [run.id], formats=["kto"])[1]["provenance.jsonl"].splitlines())
    line = next(line for line in lines if line["label"] == "negative")
    add_verdict(store, Verdict("v", line["rollout"], line["node"], "exclude", "Ada", "2026-01-01T00:00:00Z"))
    return run.id


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Store]:
    with services.open_store(tmp_path / "elsewhere" / "josh.db") as opened:
        yield opened


def _members(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as held:
        return {name: held.read(name) for name in held.namelist()}


def _repacked(packed: bytes, **changes: bytes) -> bytes:
    """With other members, and a manifest whose hashes fit them: what somebody who knows the format could send."""
    members = _members(packed) | {name.replace("__", "."): body for name, body in changes.items()}
    manifest = json.loads(members["manifest.json"])
    for name in manifest["members"]:
        manifest["members"][name]["sha256"] = hashlib.sha256(members[name]).hexdigest()
    return archive(members | {"manifest.json": json.dumps(manifest).encode()})


def test_exports_are_equal_to_the_byte_after_the_run_moved(store: Store, elsewhere: Store, played: str) -> None:
    made, packed = services.pack_run(store, played)
    added = services.unbundle_run(elsewhere, io.BytesIO(packed))
    assert added == made and added.rows["verdicts"] == 1 and added.sha256 == hashlib.sha256(packed).hexdigest()
    here = services.export_files(store, [played], formats=FORMATS)[1]
    there = services.export_files(elsewhere, [played], formats=FORMATS)[1]
    assert here == there and here["kto.jsonl"]
    assert services.run_result(elsewhere, played) == services.run_result(store, played)
    assert services.pack_run(elsewhere, played)[1] == packed, "and so is the bundle of the bundle"


def test_a_bundle_is_written_whole_and_read_from_its_path(store: Store, elsewhere: Store, played: str) -> None:
    out = elsewhere.path.parent / "new" / "run.zip"
    written = services.bundle_run(store, played, out)
    assert [each.name for each in out.parent.iterdir()] == ["run.zip"]
    assert services.unbundle_run(elsewhere, out) == written
    with pytest.raises(transfer.AlreadyHere):
        services.unbundle_run(elsewhere, out)


def test_an_unfinished_run_goes_on_elsewhere(store: Store, elsewhere: Store, run: Run, tmp_path: Path) -> None:
    """Its paid answers are in the bundle; the rows are those of a run that never stopped."""
    short = services.create_run(store, run.config, limits=RunLimits(concurrency=1, budget_calls=20))
    assert services.run_here(store, short.id).state == "paused"
    services.unbundle_run(elsewhere, io.BytesIO(services.pack_run(store, short.id)[1]))
    assert services.resume_run(elsewhere, short.id, limits=RunLimits()).state == "done"
    services.run_here(store, run.id)
    whole, moved = (
        services.export_files(at, [each], formats=["kto"])[1]["kto.jsonl"]
        for at, each in ((store, run.id), (elsewhere, short.id))
    )
    assert whole == moved


def test_whatever_byte_is_changed_nothing_but_the_same_run_gets_in(
    store: Store, elsewhere: Store, played: str, tmp_path: Path
) -> None:
    packed = services.pack_run(store, played)[1]
    dice, refused = random.Random(1), 0
    for place in [dice.randrange(len(packed)) for _ in range(150)]:
        changed = bytearray(packed)
        changed[place] ^= 1 << dice.randrange(8)
        try:
            services.unbundle_run(elsewhere, io.BytesIO(bytes(changed)))
        except DatasetError:
            refused += 1
            assert runs.list_runs(elsewhere) == ()
        else:  # a byte that says nothing, such as an entry's time
            assert transfer.run_rows(elsewhere, played) == transfer.run_rows(store, played)
            return_to_nothing(elsewhere, played)
    assert refused > 120


def return_to_nothing(store: Store, run_id: str) -> None:
    services.delete_run(store, run_id, auditor="")


@pytest.mark.parametrize("name", ["run.json", "rollouts.jsonl", "events.jsonl", "verdicts.jsonl", "journal.jsonl"])
def test_a_member_whose_bytes_are_not_those_of_the_manifest_is_named(
    store: Store, elsewhere: Store, played: str, name: str
) -> None:
    members = _members(services.pack_run(store, played)[1])
    members[name] += b" \n"
    with pytest.raises(DatasetError, match=f"{name} is not what the bundle's manifest says"):
        services.unbundle_run(elsewhere, io.BytesIO(archive(members)))
    assert runs.list_runs(elsewhere) == ()


@pytest.mark.parametrize("strange", ["../../evil", "/etc/passwd", "events.jsonl/../x", "C:\\x", "extra"])
def test_a_member_of_another_name_is_refused_and_nothing_is_unpacked(
    store: Store, elsewhere: Store, played: str, strange: str, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    members = _members(services.pack_run(store, played)[1]) | {strange: b"evil"}
    with pytest.raises(DatasetError, match="not a bundle of a run"):
        services.unbundle_run(elsewhere, io.BytesIO(archive(members)))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_member_that_stands_twice_or_not_at_all_is_refused(store: Store, elsewhere: Store, played: str) -> None:
    packed = services.pack_run(store, played)[1]
    held = io.BytesIO(packed)
    with zipfile.ZipFile(held, "a") as twice, pytest.warns(UserWarning, match="Duplicate"):
        twice.writestr("events.jsonl", b"")
    without = archive({name: body for name, body in _members(packed).items() if name != "journal.jsonl"})
    for broken in (held, io.BytesIO(without)):
        with pytest.raises(DatasetError, match="absent, or there twice"):
            services.unbundle_run(elsewhere, broken)


def test_a_bomb_is_refused_before_it_is_unpacked(
    store: Store, elsewhere: Store, played: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "LARGEST", 1 << 20)
    bomb = _repacked(services.pack_run(store, played)[1], events__jsonl=b"\n" * (1 << 22))
    assert len(bomb) < 1 << 19
    with pytest.raises(DatasetError, match="larger than any run"):
        services.unbundle_run(elsewhere, io.BytesIO(bomb))


def test_events_that_make_no_tree_are_refused_though_the_hashes_fit(
    store: Store, elsewhere: Store, played: str
) -> None:
    packed = services.pack_run(store, played)[1]
    lines = _members(packed)["events.jsonl"].splitlines(keepends=True)
    second = json.loads(lines[1])
    second["body"] = second["body"].replace('"id":"u"', '"id":"0u","parent":"7"', 1)
    changed = _repacked(packed, events__jsonl=b"".join([lines[0], json.dumps(second).encode() + b"\n", *lines[2:]]))
    with pytest.raises(DatasetError, match="make no tree"):
        services.unbundle_run(elsewhere, io.BytesIO(changed))
    assert runs.list_runs(elsewhere) == ()


def test_a_run_id_that_is_a_path_is_refused_though_the_hashes_fit(store: Store, elsewhere: Store, played: str) -> None:
    packed = services.pack_run(store, played)[1]
    changed = {
        name: body.replace(played.encode(), b"../../evil")
        for name, body in _members(packed).items()
        if name != "manifest.json"
    }
    manifest = json.loads(_members(packed)["manifest.json"]) | {"run": "../../evil"}
    changed["manifest.json"] = json.dumps(manifest).encode()
    with pytest.raises(DatasetError, match="is no run's id"):
        services.unbundle_run(elsewhere, io.BytesIO(_repacked(archive(changed))))


@pytest.mark.parametrize("body", [b"", b"no zip", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_bundle_is_told(elsewhere: Store, body: bytes, tmp_path: Path) -> None:
    (tmp_path / "file.zip").write_bytes(body)
    for source in (io.BytesIO(body), tmp_path / "file.zip"):
        with pytest.raises(DatasetError, match="not a"):
            services.unbundle_run(elsewhere, source)


def test_a_file_that_is_not_there_or_cannot_be_written_is_told(store: Store, played: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        services.unbundle_run(store, tmp_path / "absent.zip")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        services.bundle_run(store, played, tmp_path / "file" / "run.zip")
    with pytest.raises(NotFound):
        services.pack_run(store, "nope")


def test_a_run_that_is_being_played_is_not_bundled(store: Store, run: Run) -> None:
    with locks.holding(store.path, run.id), pytest.raises(locks.RunHeld):
        services.pack_run(store, run.id)


def test_a_newer_product_s_bundle_is_told_to_be_one(store: Store, elsewhere: Store, played: str) -> None:
    packed = services.pack_run(store, played)[1]
    manifest = json.loads(_members(packed)["manifest.json"]) | {"format": "josh-run/9"}
    with pytest.raises(DatasetError, match="not of format josh-run/1"):
        services.unbundle_run(
            elsewhere, io.BytesIO(archive(_members(packed) | {"manifest.json": json.dumps(manifest).encode()}))
        )
    assert replace(services.unbundle_run(elsewhere, io.BytesIO(packed)), file="x").file == "x"
