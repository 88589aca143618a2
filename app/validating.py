"""An export's files looked at as a stranger would: read back from their bytes, against their own manifest, against the
store, and by the library that trainers read them with. Nothing is taken from what made them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path

from app.launching import search_path
from josh_engine.errors import JoshError
from josh_engine.tree import fold
from josh_engine.values import Json
from storage import runs
from storage.database import Store

COLUMNS: Mapping[str, frozenset[str]] = {
    "sft": frozenset({"prompt", "completion", "row_id"}),
    "kto": frozenset({"prompt", "completion", "label", "row_id"}),
    "dpo": frozenset({"prompt", "chosen", "rejected", "row_id"}),
    "openai": frozenset({"messages"}),
}
ANSWERS = ("completion", "chosen", "rejected")
LOAD_SECONDS = 120.0
NEW_LINE = b"\n"
PROVENANCE, MANIFEST = "provenance.jsonl", "manifest.json"


@dataclass(frozen=True, slots=True)
class Check:
    """`ok` None: it could not be made here, and the text says why."""

    name: str
    ok: bool | None
    text: str

    def drawn(self) -> dict[str, Json]:
        tone = "amber" if self.ok is None else "green" if self.ok else "red"
        return {"name": self.name, "tone": tone, "text": self.text}


def validate_files(store: Store, files: Mapping[str, bytes]) -> tuple[Check, ...]:
    """Every check, whatever the others say. `files`: name -> bytes, as they were handed out."""
    rows, broken = _parsed(files)
    checks = [Check("parse", not broken, broken or f"Every line of {_counted(rows)} is JSON.")]
    if broken:
        return tuple(checks)
    manifest = json.loads(files[MANIFEST])
    origins = {str(line["row_id"]): line for line in rows.pop(PROVENANCE)}
    checks += [
        _check("hashes", "Every sha256 and line count is the manifest's.", _of_manifest(files, manifest)),
        _check("columns", "Every row has its format's columns and ends in the agent's words.", _of_columns(rows)),
        _check("provenance", "Every row has its line of provenance, once.", _of_ids(rows, origins)),
        _check("nodes", "Every row leads to a turn in this store.", _of_nodes(store, origins)),
        _check("splits", "No scenario has rows in two files of a format.", _of_splits(rows, origins)),
    ]
    wrong = any(check.ok is False for check in checks)
    checks.append(Check("datasets", None, "Loading was not tried: the files are wrong.") if wrong else _load(files))
    return tuple(checks)


def _check(name: str, well: str, faults: Iterator[str]) -> Check:
    """The first fault is told, with the failing row."""
    fault = next(faults, None)
    return Check(name, fault is None, well if fault is None else fault)


Rows = dict[str, list[dict[str, Json]]]


def _parsed(files: Mapping[str, bytes]) -> tuple[Rows, str]:
    rows: Rows = {}
    for name in sorted(files):
        if not name.endswith(".jsonl"):
            continue
        rows[name] = []
        for number, line in enumerate(files[name].split(b"\n"), start=1):
            if not line:
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                return rows, f"{name}, line {number} is not JSON: {error}"
            if not isinstance(row, dict):
                return rows, f"{name}, line {number} is not an object."
            rows[name].append(row)
    return rows, ""


def _of_manifest(files: Mapping[str, bytes], manifest: Mapping[str, Json]) -> Iterator[str]:
    named = manifest["files"]
    if strange := sorted(set(files) - {MANIFEST} ^ set(named)):
        yield f"{strange[0]} is in the files or in the manifest, but not in both."
    for name in sorted(set(files) & set(named)):
        if hashlib.sha256(files[name]).hexdigest() != named[name]["sha256"]:
            yield f"The sha256 of {name} is not the manifest's."
        if files[name].count(NEW_LINE) != named[name]["lines"]:
            yield f"{name} has {files[name].count(NEW_LINE)} lines, the manifest says {named[name]['lines']}."


def _of_columns(rows: Rows) -> Iterator[str]:
    for name, lines in rows.items():
        wanted = COLUMNS[name.partition(".")[0]]
        for number, row in enumerate(lines, start=1):
            if set(row) - {"tools"} != wanted:
                yield f"{name}, line {number} has the columns {', '.join(sorted(row))}."
            if not isinstance(row.get("label", True), bool) or not isinstance(row.get("tools", []), str | list):
                yield f"{name}, line {number}: the label is no truth value, or the tools are no text."
            for column in ANSWERS:
                if column in row and not _is_answer(row[column]):
                    yield f"{name}, line {number}: {column} is not one message of the agent."


def _is_answer(given: Json) -> bool:
    """One message of the agent."""
    one = isinstance(given, list) and len(given) == 1 and isinstance(given[0], dict)
    return one and given[0].get("role") == "assistant"


def _of_ids(rows: Rows, origins: Mapping[str, Mapping[str, Json]]) -> Iterator[str]:
    for name, lines in rows.items():
        ids = [str(row["row_id"]) for row in lines if "row_id" in row]
        if len(set(ids)) != len(ids):
            yield f"{name} holds a row twice."
        if unknown := sorted(set(ids) - set(origins)):
            yield f"{name}: row {unknown[0]} has no provenance."


def _of_nodes(store: Store, origins: Mapping[str, Mapping[str, Json]]) -> Iterator[str]:
    by_rollout: dict[str, list[Mapping[str, Json]]] = {}
    for line in origins.values():
        by_rollout.setdefault(str(line["rollout"]), []).append(line)
    for rollout, lines in by_rollout.items():
        try:
            scenario = runs.load_rollout(store, rollout).scenario_id
            tree = fold(event for _, event in runs.events_after(store, rollout))
        except JoshError as error:
            yield str(error)
            continue
        for line in lines:
            if line["node"] not in tree.nodes or line["scenario"] != scenario:
                yield f"Row {line['row_id']}: rollout {rollout} has no turn {line['node']} of {line['scenario']}."


def _of_splits(rows: Rows, origins: Mapping[str, Mapping[str, Json]]) -> Iterator[str]:
    held: dict[str, str] = {}  # scenario -> part
    for name, lines in rows.items():
        part = name.removesuffix(".jsonl").partition(".")[2]
        for scenario in {str(origins[row["row_id"]]["scenario"]) for row in lines if row.get("row_id") in origins}:
            if held.setdefault(scenario, part) != part:
                yield f"Scenario {scenario} has rows for {held[scenario]} and for {part}."


def _load(files: Mapping[str, bytes]) -> Check:
    with tempfile.TemporaryDirectory(prefix="josh-rows-") as folder:
        names = [name for name, body in files.items() if name.endswith(".jsonl") and name != PROVENANCE and body]
        for name in names:
            (Path(folder) / name).write_bytes(files[name])
        said = _asked(folder)
    if "absent" in said:
        return Check("datasets", None, "The library `datasets` is not installed here, so loading was not tried.")
    if "error" in said:
        return Check("datasets", False, str(said["error"]))
    fault = next(_loaded_otherwise(files, names, said), "")
    well = (
        f"The library `datasets` loads {_counted(names)} whole and every value as it was written, with `features_of`."
    )
    return Check("datasets", not fault, fault or well)


def _loaded_otherwise(files: Mapping[str, bytes], names: Sequence[str], said: Mapping[str, Json]) -> Iterator[str]:
    for name in names:
        if said[name]["rows"] != files[name].count(NEW_LINE):
            yield f"{name} loads as {said[name]['rows']} rows."
        if changed := said[name]["changed"]:
            yield f"{name}, {changed}."


def _asked(folder: str) -> dict[str, Json]:
    command: Sequence[str] = (sys.executable, "-m", "app.loading", folder)
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LOAD_SECONDS,
            env=os.environ | {"PYTHONPATH": search_path()}, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"error": f"It was not loaded within {LOAD_SECONDS:.0f} s."}
    lines = done.stdout.strip().splitlines()
    try:
        said: dict[str, Json] = json.loads(lines[-1] if lines else "")
    except ValueError:
        return {"error": f"The loading process ended with code {done.returncode}: {done.stderr.strip()[-300:]}"}
    return said


def _counted(files: Sized) -> str:
    return "1 file" if len(files) == 1 else f"{len(files)} files"
