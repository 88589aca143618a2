"""Rows out of runs: trees and verdicts from the store, through `josh_engine.extract`, into files.

The row files depend on trees, verdicts and policy alone; what differs between machines and times (ids, versions)
stands in `provenance.jsonl` and `manifest.json`. Files are written whole or not at all: aside first, then moved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from app import demo, parts
from app.results import ExportResult, GateResult
from app.settings import data_path
from josh_engine.config import Run
from josh_engine.encoding import to_json
from josh_engine.errors import ConfigError, JoshError, StorageError
from josh_engine.extract import Extraction, RowPolicy, Source, extract
from josh_engine.rows import FORMATS, gates, render_files
from josh_engine.splitting import VALIDATION, Split, split_by_scenario
from josh_engine.tree import fold
from josh_engine.values import Json
from storage import exports, runs, verdicts
from storage.database import Store

REPORT_EVERY = 50  # rollouts


def export_files(
    store: Store,
    run_ids: Sequence[str],
    *,
    formats: Sequence[str],
    policy: RowPolicy | None = None,
    split: Split | None = None,
    data: Path | None = None,
) -> tuple[ExportResult, dict[str, bytes]]:
    formats, split = check_formats(formats), (split or Split()).checked()
    chosen = [runs.load_run(store, run_id) for run_id in dict.fromkeys(run_ids)]
    extraction = extract([source for run in chosen for source in sources(store, run)], policy or RowPolicy())
    return rendered(store, chosen, extraction, formats=formats, split=split, data=data)


def rendered(
    store: Store,
    chosen: Sequence[Run],
    extraction: Extraction,
    *,
    formats: Sequence[str],
    split: Split,
    data: Path | None = None,
) -> tuple[ExportResult, dict[str, bytes]]:
    """The files of an extraction from these runs, and what is in them."""
    files = render_files(extraction, formats, head(chosen, data or data_path(store.path)), split)
    return _result(extraction, split, files), files


def export_rows(
    store: Store,
    run_ids: Sequence[str],
    *,
    formats: Sequence[str],
    out: Path,
    policy: RowPolicy | None = None,
    split: Split | None = None,
    data: Path | None = None,
) -> ExportResult:
    policy, split = policy or RowPolicy(), split or Split()
    from app.streaming import stream_rows

    return stream_rows(store, run_ids, formats=formats, policy=policy, split=split, data=data, out=out)


def write_export(
    store: Store,
    run_ids: Sequence[str],
    result: ExportResult,
    files: Mapping[str, bytes],
    *,
    formats: Sequence[str],
    policy: RowPolicy,
    split: Split,
    out: Path,
) -> ExportResult:
    """Writes files as they were made by `export_files` or a preview, and records the export."""
    demo.refuse("Writing an export to a folder")
    _write(out, files)
    return recorded(store, run_ids, result, formats=formats, policy=policy, split=split, out=out)


def recorded(
    store: Store,
    run_ids: Sequence[str],
    result: ExportResult,
    *,
    formats: Sequence[str],
    policy: RowPolicy,
    split: Split,
    out: Path,
) -> ExportResult:
    """An export whose files lie in `out`, in the store."""
    export = exports.Export(
        runs=tuple(dict.fromkeys(run_ids)),
        formats=tuple(dict.fromkeys(formats)),
        policy=asdict(policy) | {"split": asdict(split)},
        folder=str(out.absolute()),
        files=result.files,
        rows=result.rows,
        positives=result.positives,
        negatives=result.negatives,
        scenarios=result.scenarios,
        gates={name: asdict(gate) for name, gate in result.gates.items()},
    )
    return replace(result, id=exports.add_export(store, export))


def check_formats(formats: Sequence[str]) -> tuple[str, ...]:
    """Each once. Raises ConfigError."""
    if strange := [each for each in formats if each not in FORMATS]:
        raise ConfigError(f"Unknown row format {strange[0]!r}.", remedy=f"Use one of: {', '.join(FORMATS)}.")
    if not formats:
        raise ConfigError("No row format was chosen.", remedy=f"Choose of: {', '.join(FORMATS)}.")
    return tuple(dict.fromkeys(formats))


def sources(
    store: Store,
    run: Run,
    *,
    only: Collection[str] | None = None,
    report: Callable[[int], None] | None = None,
) -> list[Source]:
    """Every rollout of the run, or `only` those with these ids; `extract` takes rows from the finished ones, and
    counts the others. `report` is told how many were read, now and then."""
    found: list[Source] = []
    for source in each_source(store, run, only=only):
        found.append(source)
        if report and len(found) % REPORT_EVERY == 0:
            report(len(found))
    return found


def each_source(store: Store, run: Run, *, only: Collection[str] | None = None) -> Iterator[Source]:
    """The same one by one, each read when it is asked for."""
    given = verdicts.list_run_verdicts(store, [run.id])
    for rollout in runs.list_rollouts(store, run.id):
        if only is None or rollout.id in only:
            tree = fold(event for _, event in runs.events_after(store, rollout.id))
            yield Source(rollout, run.config, tree, given.get(rollout.id, ()), run.code_version)


def head(chosen: Sequence[Run], data: Path) -> dict[str, Json]:
    return {
        "code_version": parts.code_version(),
        "runs": [
            {"run": run.id, "created": run.created, "code_version": run.code_version, "config": to_json(run.config)}
            for run in chosen
        ],
        "attribution": {run.config.world: _attribution(run, data) for run in chosen},
    }


def _attribution(run: Run, data: Path) -> str | None:
    """Licence and source of the data whose text the rows carry; None where the world states none."""
    try:
        world = parts.open_world(run.config.world, data, run.config.options)
    except JoshError as error:  # the rows come from the stored trees; a world that is gone does not stop an export
        return f"Unknown, for the world cannot be opened: {error}"
    said: str | None = getattr(world, "attribution", None)
    return said


def _result(extraction: Extraction, split: Split, files: Mapping[str, bytes]) -> ExportResult:
    lines = {name: body.count(b"\n") for name, body in sorted(files.items()) if name.endswith(".jsonl")}
    held = split_by_scenario(extraction, split).get(VALIDATION)
    return ExportResult(
        files={name: hashlib.sha256(body).hexdigest() for name, body in sorted(files.items())},
        rows=sum(count for name, count in lines.items() if name != "provenance.jsonl"),
        positives=extraction.positives,
        negatives=extraction.negatives,
        scenarios=extraction.scenarios,
        gates={name: GateResult(**gate) for name, gate in gates(extraction, split).items()},
        lines=lines,
        funnel=dict(extraction.funnel),
        held_out=held.scenarios if held else 0,
    )


def _write(out: Path, files: Mapping[str, bytes]) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        aside = {out / name: out / f".{name}.part" for name in files}
        for name, body in files.items():
            aside[out / name].write_bytes(body)
        for place, part in aside.items():
            part.replace(place)
    except OSError as error:
        raise StorageError(
            f"The rows cannot be written to {out}: {error.strerror or error}.",
            remedy="Choose a folder you may write to, with --out.",
        ) from error
