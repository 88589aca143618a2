"""A run in one file: a zip of its rows, with the sha256 of each member in its manifest.

    manifest.json   format, run, code version, and size and sha256 of every other member
    run.json        the run's row: configuration, limits, state, name, note
    rollouts.jsonl  events.jsonl  journal.jsonl  verdicts.jsonl

Equal runs give equal bytes. A bundle is foreign data: nothing is unpacked to disk, members are known by name and
anything else is refused, sizes are bounded while they are read (a header can lie), bytes must have the hashes that
the manifest names, and the events of every rollout must fold to a tree. Then all of it goes in, or nothing.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO

from app.archive import archive
from josh_engine.encoding import compact, load_event
from josh_engine.errors import DatasetError, JoshError, StorageError
from josh_engine.tree import fold
from josh_engine.values import Json
from storage import locks, transfer
from storage.database import Store, translated

FORMAT = "josh-run/1"
MANIFEST = "manifest.json"
MEMBERS: Mapping[str, str] = {"run.json": "runs"} | {
    f"{table}.jsonl": table for table in ("rollouts", "events", "journal", "verdicts")
}
LARGEST = 1 << 30  # bytes of all members together; the paper's 926 rollouts take some 0.1e9
LARGEST_MANIFEST = 1 << 20
REMEDY = "Ask for the file again: python -m app bundle RUN --out FILE makes one."
# What zipfile raises for bytes that are no zip, or a damaged one; ValueError: an offset that was changed.
NOT_WHOLE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error,
    EOFError, NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle made or read. `file`: where it lies, "" in memory; `sha256`: of the whole file."""

    run: str
    file: str
    size: int
    sha256: str
    rows: Mapping[str, int]


def pack_run(store: Store, run_id: str) -> tuple[Bundle, bytes]:
    """Raises RunHeld while somebody plays the run: a bundle is of one moment."""
    with locks.holding(store.path, run_id):
        rows = transfer.run_rows(store, run_id)
    members = {name: _lines(rows[table]) for name, table in MEMBERS.items()}
    manifest = {
        "format": FORMAT,
        "run": run_id,
        "code_version": rows["runs"][0]["code_version"],
        "members": {
            name: {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()} for name, body in members.items()
        },
    }
    packed = archive(members | {MANIFEST: (json.dumps(manifest, indent=2) + "\n").encode()})
    return _bundle(run_id, packed, rows), packed


def bundle_run(store: Store, run_id: str, out: Path) -> Bundle:
    """Writes the file whole or not at all."""
    bundle, packed = pack_run(store, run_id)
    aside = out.with_name(f".{out.name}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(packed)
        aside.replace(out)
    except OSError as error:
        raise StorageError(
            f"{out} cannot be written: {error.strerror or error}.", remedy="Choose another place."
        ) from error
    return Bundle(bundle.run, str(out.absolute()), bundle.size, bundle.sha256, bundle.rows)


def unbundle_run(store: Store, source: Path | IO[bytes]) -> Bundle:
    """Adds the run that `source` holds. Raises DatasetError for a file that is not whole, `transfer.AlreadyHere` for
    a run that the store has."""
    try:
        with zipfile.ZipFile(source) as packed:
            rows = _read(packed)
    except NOT_WHOLE as error:
        raise DatasetError(f"This is not a whole bundle: {error}.", remedy=REMEDY) from error
    except OSError as error:
        raise DatasetError(f"{source} cannot be read: {error.strerror or error}.") from error
    _check_trees(rows["events"])
    run_id = transfer.add_run_rows(store, rows)
    return _bundle(run_id, _bytes_of(source), rows, file=str(source) if isinstance(source, Path) else "")


def _read(packed: zipfile.ZipFile) -> transfer.Rows:
    names = [entry.filename for entry in packed.infolist()]
    if sorted(names) != sorted((*MEMBERS, MANIFEST)):
        strange = next((name for name in names if name not in (*MEMBERS, MANIFEST)), None)
        said = f"it holds {strange!r}" if strange is not None else "a member is absent, or there twice"
        raise DatasetError(f"This is not a bundle of a run: {said}.", remedy=REMEDY)
    if sum(entry.file_size for entry in packed.infolist()) > LARGEST:
        raise DatasetError(f"The bundle is larger than any run: more than {LARGEST:,} bytes unpacked.", remedy=REMEDY)
    manifest = _manifest(_bounded(packed, MANIFEST, LARGEST_MANIFEST))
    left, rows = LARGEST, dict[str, list[dict[str, Json]]]()
    for name, table in MEMBERS.items():
        body = _bounded(packed, name, left)
        left -= len(body)
        if hashlib.sha256(body).hexdigest() != manifest["members"][name]["sha256"]:
            raise DatasetError(f"{name} is not what the bundle's manifest says: its sha256 differs.", remedy=REMEDY)
        rows[table] = _rows(name, body)
    if [row.get("id") for row in rows["runs"]] != [manifest["run"]]:
        raise DatasetError("run.json and the manifest name different runs.", remedy=REMEDY)
    return rows


def _bounded(packed: zipfile.ZipFile, name: str, most: int) -> bytes:
    with packed.open(name) as member:
        body = member.read(most + 1)
    if len(body) > most:
        raise DatasetError(f"{name} is larger than any run's: more than {most:,} bytes unpacked.", remedy=REMEDY)
    return body


def _manifest(body: bytes) -> dict[str, Json]:
    """Checked: format, run, and a hash for every member."""
    try:
        manifest = json.loads(body)
        known = manifest["format"] == FORMAT
        whole = isinstance(manifest["run"], str) and all(manifest["members"][name]["sha256"] for name in MEMBERS)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DatasetError(f"The bundle's manifest cannot be read: {error}.", remedy=REMEDY) from error
    if not known or not whole:
        raise DatasetError(f"This bundle is not of format {FORMAT}.", remedy="A newer version may read it.")
    checked: dict[str, Json] = manifest
    return checked


def _rows(name: str, body: bytes) -> list[dict[str, Json]]:
    try:
        rows = [json.loads(line) for line in body.decode().split("\n") if line]
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{name} is not JSON: {error}.", remedy=REMEDY) from error
    if not all(isinstance(row, dict) for row in rows):
        raise DatasetError(f"{name}: expected an object on each line.", remedy=REMEDY)
    return rows


def _check_trees(events: Iterable[Mapping[str, Json]]) -> None:
    """Every rollout's events must be a tree's: what cannot be opened must not get in."""
    for rollout, rows in groupby(events, key=lambda row: row.get("rollout")):
        try:
            fold(load_event(str(row["kind"]), str(row["body"])) for row in rows)
        except (JoshError, KeyError) as error:
            raise DatasetError(f"The events of rollout {rollout} make no tree: {error}.", remedy=REMEDY) from error


def _lines(rows: Iterable[Mapping[str, Json]]) -> bytes:
    return "".join(compact(dict(row)) + "\n" for row in rows).encode()


def _bundle(run_id: str, packed: bytes, rows: transfer.Rows, *, file: str = "") -> Bundle:
    counts = {table: len(rows[table]) for table in transfer.TABLES}
    return Bundle(run_id, file, len(packed), hashlib.sha256(packed).hexdigest(), counts)


def _bytes_of(source: Path | IO[bytes]) -> bytes:
    if isinstance(source, Path):
        with translated(source):
            return source.read_bytes()
    source.seek(0)
    return source.read()
