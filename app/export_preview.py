"""What an export would hold, before it is made: files, counts, lengths, checks, a few rows. What the page shows and
what it hands out are made of one extraction, so they cannot disagree.

Folded trees are kept by run, and previews by everything they depend on: the runs' last events and verdicts, and every
choice. So a page that is drawn again costs nothing, and another policy does not read the store again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from app import exporting
from app.gate_words import Told, gates_told, verdict_in_words
from app.results import ExportResult
from app.samples import Sample, samples
from josh_engine.extract import Extraction, Generation, RowPolicy, Source, extract, verdicts_on
from josh_engine.pair_verdicts import vouches
from josh_engine.splitting import Split
from josh_engine.values import Json
from storage import runs
from storage.database import Store
from storage.stamps import export_stamp

T = TypeVar("T")
BINS = 14
KEPT_RUNS, KEPT_PREVIEWS = 6, 3
FUNNEL = (
    ("rollouts", "Rollouts", "tree"),
    ("finished_with_reward", "Finished with reward", "tree"),
    ("kept_by_filter", "Kept by the filter", "tree"),
    ("cut", "Cut short or empty", "row"),
    ("unwritable", "Calls no row can hold", "row"),
    ("generations", "Generations", "row"),
    ("admitted", "Admitted by the audit policy", "row"),
    ("dropped_contradictory", "Dropped as contradictory", "row"),
)
Report = Callable[[int, int], None]  # rollouts read, of how many


@dataclass(frozen=True, slots=True)
class ExportPreview:
    """`audited`: the share of generations, up and down, whose turn has a verdict; None: there are none. `lengths`:
    (characters from, up, down) of what the model wrote, in equal steps."""

    result: ExportResult
    files: Mapping[str, bytes]
    told: tuple[Told, ...]
    samples: tuple[Sample, ...]
    audited: float | None
    lengths: tuple[tuple[int, int, int], ...]
    sentence: str

    def drawn(self) -> dict[str, Json]:
        """For `export.js`."""
        result = self.result
        return {
            "funnel": [
                {"name": name, "text": text, "unit": unit, "count": result.funnel[name]} for name, text, unit in FUNNEL
            ],
            "files": [{"name": name, "count": count} for name, count in row_lines(result).items()],
            "up": result.positives,
            "down": result.negatives,
            "lengths": [{"from": start, "up": up, "down": down} for start, up, down in self.lengths],
            "gates": [{"name": each.name, "tone": each.tone, "text": each.text} for each in self.told],
            "samples": [sample.drawn() for sample in self.samples],
        }


def row_lines(result: ExportResult) -> dict[str, int]:
    """Row file -> its lines; provenance is not one."""
    return {name: count for name, count in result.lines.items() if name != "provenance.jsonl"}


def preview_export(
    store: Store,
    run_ids: Sequence[str],
    *,
    formats: Sequence[str],
    policy: RowPolicy | None = None,
    split: Split | None = None,
    data: Path | None = None,
    report: Report | None = None,
) -> ExportPreview:
    """Raises NotFound and ConfigError. Samples are of the first format."""
    chosen_formats, policy, split = (
        exporting.check_formats(formats),
        policy or RowPolicy(),
        (split or Split()).checked(),
    )
    chosen = [runs.load_run(store, run_id) for run_id in dict.fromkeys(run_ids)]
    stamp = export_stamp(store, [run.id for run in chosen])
    key = (str(store.path), tuple(run.id for run in chosen), stamp, policy)

    def extracted() -> Extraction:
        return extract(_sources(store, [run.id for run in chosen], report), policy)

    def made() -> ExportPreview:
        extraction = _extractions.get(key, extracted)
        result, files = exporting.rendered(store, chosen, extraction, formats=chosen_formats, split=split, data=data)
        told = gates_told(result, chosen_formats)
        return ExportPreview(
            result=result,
            files=files,
            told=told,
            samples=samples(extraction, chosen_formats[0]),
            audited=_audited(extraction),
            lengths=_lengths(extraction),
            sentence=_sentence(result, told, _audited(extraction)),
        )

    return _previews.get((*key, chosen_formats, split, str(data)), made)


def _sources(store: Store, run_ids: Sequence[str], report: Report | None) -> list[Source]:
    found: list[Source] = []
    total = sum(len(runs.list_rollouts(store, run_id)) for run_id in run_ids)

    def read(run_id: str) -> list[Source]:
        return exporting.sources(
            store,
            runs.load_run(store, run_id),
            report=(lambda done: report(len(found) + done, total)) if report else None,
        )

    for run_id in run_ids:
        key = (str(store.path), export_stamp(store, [run_id]))
        found += _trees.get(key, partial(read, run_id))
    return found


def _audited(extraction: Extraction) -> float | None:
    rows = (*extraction.positive, *extraction.negative)
    return sum(any(map(vouches, verdicts_on(each))) for each in rows) / len(rows) if rows else None


def _lengths(extraction: Extraction) -> tuple[tuple[int, int, int], ...]:
    up, down = ([_written(each) for each in rows] for rows in (extraction.positive, extraction.negative))
    step = max(1, -(-max((*up, *down), default=0) // BINS // 10) * 10)
    bins = range(1 + max((*up, *down), default=0) // step)
    counts = [[sum(length // step == place for length in lengths) for place in bins] for lengths in (up, down)]
    return tuple((place * step, counts[0][place], counts[1][place]) for place in bins)


def _written(generation: Generation) -> int:
    message = generation.message
    return len(message.content) + sum(len(call.name) + len(call.raw) for call in message.tool_calls)


def _sentence(result: ExportResult, told: Sequence[Told], audited: float | None) -> str:
    """`1,284 rows of 133 scenarios (642 up, 642 down), 38 % audited, all checks pass`."""
    shares = f", {100 * audited:.0f} % audited" if audited is not None else ""
    counts = f"{result.positives:,} up, {result.negatives:,} down"
    return f"{result.rows:,} rows of {result.scenarios:,} scenarios ({counts}){shares}, {verdict_in_words(told)}"


class _Kept(Generic[T]):
    """The last few values made, by what they depend on. Shared by all sessions of the server."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._values: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._most:
                self._values.popitem(last=False)
        return value


_trees: _Kept[list[Source]] = _Kept(KEPT_RUNS)
_extractions: _Kept[Extraction] = _Kept(KEPT_PREVIEWS)
_previews: _Kept[ExportPreview] = _Kept(KEPT_PREVIEWS)
