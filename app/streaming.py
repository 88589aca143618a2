"""An export of any size, rollout by rollout: the same files as `exporting` makes in memory, to the byte, with memory
that does not grow with the runs.

What a row is depends on all rollouts in two ways only: a negative whose text and context some other rollout calls good
is dropped, and of equal rows one is kept. So each rollout's candidates go into a file (SQLite, compressed), and leave
it sorted by row id once all are known. The file goes with the export.
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from app import demo, exporting
from app.results import ExportResult, GateResult
from app.settings import data_path
from josh_engine.encoding import compact
from josh_engine.errors import StorageError
from josh_engine.extract import Candidates, Generation, RowPolicy, candidates
from josh_engine.rows import (
    Tally,
    checked,
    facts,
    generation_row,
    is_test,
    manifest,
    origin,
    pair_row,
    row_file,
    whole_row,
)
from josh_engine.splitting import TRAIN, VALIDATION, WHOLE, Split, held_out, scenario_of
from josh_engine.values import Json
from storage import runs
from storage.database import Store

ASIDE = ".rows.part.db"  # in the export's folder, while it is made
PROVENANCE, MANIFEST = "provenance.jsonl", "manifest.json"
Report = Callable[[int, int], None]  # rollouts read, of how many
_TABLES = """
CREATE TABLE rows (up INTEGER, row_id TEXT, key TEXT, scenario TEXT, sft BLOB, kto BLOB, origin BLOB, erring INTEGER,
    too_long INTEGER, faulty INTEGER, written INTEGER);
CREATE TABLE pairs (row_id TEXT, key TEXT, scenario TEXT, line BLOB, origin BLOB);
CREATE TABLE wholes (line BLOB, scenario TEXT);
CREATE TABLE protected (key TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE kept (scenario TEXT, leaked TEXT);
"""
# Of equal rows the last one read stays, as in memory.
_CHOSEN = """
CREATE INDEX rows_by_id ON rows (row_id, up);
CREATE INDEX pairs_by_id ON pairs (row_id);
CREATE TABLE chosen AS SELECT max(rowid) AS number, row_id, up FROM rows
    WHERE up OR key NOT IN (SELECT key FROM protected) GROUP BY up, row_id;
CREATE TABLE chosen_pairs AS SELECT max(rowid) AS number, row_id FROM pairs
    WHERE key NOT IN (SELECT key FROM protected) GROUP BY row_id;
CREATE INDEX chosen_by_id ON chosen (row_id, up);
"""


@dataclass(slots=True)
class _Counts:
    rollouts: int = 0
    finished: int = 0
    kept: int = 0
    generations: int = 0
    admitted: int = 0
    cut: int = 0
    unwritable: int = 0

    def add(self, told: Candidates) -> None:
        self.rollouts += 1
        self.finished += told.finished
        self.kept += told.kept
        self.generations += told.generations
        self.admitted += told.admitted
        self.cut += told.cut
        self.unwritable += told.unwritable


def stream_rows(
    store: Store,
    run_ids: Sequence[str],
    *,
    formats: Sequence[str],
    out: Path,
    policy: RowPolicy | None = None,
    split: Split | None = None,
    data: Path | None = None,
    report: Report | None = None,
) -> ExportResult:
    """Writes the export and records it. Raises ConfigError, NotFound and StorageError; then no file is there."""
    demo.refuse("Writing an export to a folder")
    policy, split = policy or RowPolicy(), (split or Split()).checked()
    formats = exporting.check_formats(formats)
    chosen = [runs.load_run(store, run_id) for run_id in dict.fromkeys(run_ids)]
    aside = out / ASIDE
    try:
        out.mkdir(parents=True, exist_ok=True)
        aside.unlink(missing_ok=True)
        with closing(sqlite3.connect(aside, isolation_level=None)) as rows:
            rows.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536;" + _TABLES)
            counts, total = _Counts(), sum(len(run.config.scenarios) * run.config.trials for run in chosen)
            for run in chosen:
                rows.execute("BEGIN")
                for source in exporting.each_source(store, run):
                    told = candidates(source, policy)
                    counts.add(told)
                    _keep(rows, told, formats)
                    if report and counts.rollouts % exporting.REPORT_EVERY == 0:
                        report(counts.rollouts, total)
                rows.execute("COMMIT")
            rows.executescript(_CHOSEN)
            head = exporting.head(chosen, data or data_path(store.path))
            result = _written(rows, out, formats, policy, split, counts, head)
    except (OSError, sqlite3.Error) as error:
        said = getattr(error, "strerror", None) or error
        raise StorageError(
            f"The rows cannot be written to {out}: {said}.", remedy="Choose a folder you may write to, with --out."
        ) from error
    finally:
        _tidy(out)
    return exporting.recorded(store, run_ids, result, formats=formats, policy=policy, split=split, out=out)


def _keep(rows: sqlite3.Connection, told: Candidates, formats: Sequence[str]) -> None:
    source = told.source
    scenario = scenario_of(source)
    rows.executemany("INSERT OR IGNORE INTO protected VALUES (?)", ((key,) for key in told.protected))
    for up, generations in ((1, told.positive), (0, told.negative)):
        rows.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (_row(each, up, scenario, formats) for each in generations),
        )
    for pair in told.pairs:
        line = _packed(pair_row(pair)) if "dpo" in formats else None
        rows.execute(
            "INSERT INTO pairs VALUES (?, ?, ?, ?, ?)",
            (pair.row_id, pair.rejected.key, scenario, line, _packed(origin(pair.rejected) | {"row_id": pair.row_id})),
        )
    if told.kept:
        leaked = source.tree.scenario.id if source.tree.scenario and is_test(source) else None
        rows.execute("INSERT INTO kept VALUES (?, ?)", (scenario, leaked))
        if "openai" in formats:
            rows.execute("INSERT INTO wholes VALUES (?, ?)", (compact(whole_row(source)), scenario))


def _row(each: Generation, up: int, scenario: str, formats: Sequence[str]) -> tuple[object, ...]:
    told = facts(each)
    sft = _packed(generation_row(each)) if up and "sft" in formats else None
    kto = _packed(generation_row(each, bool(up))) if "kto" in formats else None
    about = (int(told.erring), int(told.too_long), int(told.faulty), told.written)
    return (up, each.row_id, each.key, scenario, sft, kto, _packed(origin(each)), *about)


def _written(
    rows: sqlite3.Connection, out: Path, formats: Sequence[str], policy: RowPolicy, split: Split, counts: _Counts,
    head: Mapping[str, Json],
) -> ExportResult:  # fmt: skip
    """Every file aside first, then all of them moved."""
    scenarios = {scenario for (scenario,) in rows.execute("SELECT DISTINCT scenario FROM kept")}
    apart = held_out(scenarios, split)
    names = (TRAIN, VALIDATION) if split.share else (WHOLE,)
    written: dict[str, tuple[str, int]] = {}

    def write(name: str, lines: Iterable[bytes]) -> None:
        written[name] = _write(_part(out, name), lines)

    for row_format in formats:
        for part in names:
            held = {WHOLE: None, TRAIN: False, VALIDATION: True}[part]
            write(row_file(row_format, part), _of_part(_lines(rows, row_format), apart, held))
    write(PROVENANCE, _origins(rows, apart, split=bool(split.share)))
    told = checked(_tally(rows))
    funnel = _funnel(rows, counts)
    by_part = {part or "all": len(scenarios & apart if part == VALIDATION else scenarios - apart) for part in names}
    body = manifest(head, written, policy, split, by_part, funnel, told)
    write(MANIFEST, [body])
    for name in written:
        _part(out, name).replace(out / name)
    lines = {name: count for name, (_, count) in sorted(written.items()) if name.endswith(".jsonl")}
    return ExportResult(
        files={name: sha for name, (sha, _) in sorted(written.items())},
        rows=sum(count for name, count in lines.items() if name != PROVENANCE),
        positives=funnel["positive_rows"],
        negatives=funnel["negative_rows"],
        scenarios=len(scenarios),
        gates={name: GateResult(**gate) for name, gate in told.items()},
        lines=lines,
        funnel=funnel,
        held_out=len(scenarios & apart),
    )


_SORTED = {
    "sft": "SELECT sft, scenario FROM chosen JOIN rows ON rows.rowid = number WHERE chosen.up ORDER BY chosen.row_id",
    "kto": "SELECT kto, scenario FROM chosen JOIN rows ON rows.rowid = number ORDER BY chosen.row_id, chosen.up DESC",
    "dpo": "SELECT line, scenario FROM chosen_pairs JOIN pairs ON pairs.rowid = number ORDER BY chosen_pairs.row_id",
    "openai": "SELECT line, scenario FROM wholes ORDER BY line",
}


def _lines(rows: sqlite3.Connection, row_format: str) -> Iterator[tuple[bytes, str]]:
    for line, scenario in rows.execute(_SORTED[row_format]):
        yield (line.encode() + b"\n" if isinstance(line, str) else zlib.decompress(line)), scenario


def _of_part(lines: Iterable[tuple[bytes, str]], apart: frozenset[str], held: bool | None) -> Iterator[bytes]:
    return (line for line, scenario in lines if held is None or (scenario in apart) is held)


def _origins(rows: sqlite3.Connection, apart: frozenset[str], *, split: bool) -> Iterator[bytes]:
    """Sorted by row id; a negative's over a positive's of the same id."""
    sql = (
        "SELECT chosen.row_id AS id, origin, scenario FROM chosen JOIN rows ON rows.rowid = number WHERE NOT chosen.up"
        " OR chosen.row_id NOT IN (SELECT row_id FROM chosen AS down WHERE NOT down.up)"
        " UNION ALL SELECT chosen_pairs.row_id, origin, scenario FROM chosen_pairs"
        " JOIN pairs ON pairs.rowid = number ORDER BY id"
    )
    for _, packed, scenario in rows.execute(sql):
        line = zlib.decompress(packed)
        if split:
            part = VALIDATION if scenario in apart else TRAIN
            line = line.removesuffix(b"}\n") + f',"part":"{part}"}}\n'.encode()
        yield line


def _tally(rows: sqlite3.Connection) -> Tally:
    def one(sql: str) -> tuple[Json, ...]:
        found: tuple[Json, ...] = rows.execute(sql).fetchone()
        return found

    of = "FROM chosen JOIN rows ON rows.rowid = number"
    up, keys, erring, long_up, up_length = one(
        f"SELECT count(*), count(DISTINCT key), sum(erring), sum(too_long), avg(written) {of} WHERE chosen.up"
    )
    down, faulty, long_down, down_length = one(
        f"SELECT count(*), sum(faulty), sum(too_long), avg(written) {of} WHERE NOT chosen.up"
    )
    contradictory, leaked = (
        one(f"SELECT count(*) {of} WHERE NOT chosen.up AND key IN (SELECT key {of} WHERE chosen.up)")[0],
        one("SELECT count(DISTINCT leaked) FROM kept")[0],
    )
    return Tally(
        positives=up, negatives=down, contradictory=contradictory, repeated=up - keys, leaked=leaked, both_splits=0,
        erring=erring or 0, too_long=(long_up or 0) + (long_down or 0), faulty=faulty or 0, up_length=up_length,
        down_length=down_length,
    )  # fmt: skip


def _funnel(rows: sqlite3.Connection, counts: _Counts) -> dict[str, int]:
    def number(sql: str) -> int:
        return int(rows.execute(sql).fetchone()[0])

    against = "key IN (SELECT key FROM protected)"
    return {
        "rollouts": counts.rollouts,
        "finished_with_reward": counts.finished,
        "kept_by_filter": counts.kept,
        "cut": counts.cut,
        "unwritable": counts.unwritable,
        "generations": counts.generations,
        "admitted": counts.admitted,
        "dropped_contradictory": number(f"SELECT count(*) FROM rows WHERE NOT up AND {against}"),
        "positive_rows": number("SELECT count(*) FROM chosen WHERE up"),
        "negative_rows": number("SELECT count(*) FROM chosen WHERE NOT up"),
        "pairs": number(f"SELECT count(*) FROM pairs WHERE NOT ({against})"),
    }


def _write(place: Path, lines: Iterable[bytes]) -> tuple[str, int]:
    """(sha256, lines)."""
    digest, count = hashlib.sha256(), 0
    with place.open("wb") as file:
        for line in lines:
            file.write(line)
            digest.update(line)
            count += line.count(b"\n")
    return digest.hexdigest(), count


def _tidy(out: Path) -> None:
    """Nothing half made stays."""
    with suppress(OSError):  # a folder that cannot be read holds nothing of ours
        for left in (*out.glob(".*.jsonl.part"), out / ASIDE, _part(out, MANIFEST)):
            left.unlink(missing_ok=True)


def _part(out: Path, name: str) -> Path:
    return out / f".{name}.part"


def _packed(line: Mapping[str, Json]) -> bytes:
    return zlib.compress((compact(line) + "\n").encode(), 1)
