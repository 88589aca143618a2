"""MultiWOZ 2.1 -> the data set of the world `toolwoz`, checked and put in place as a whole or not at all.

Source: arXiv 2409.04617, appendix A and table 3 (793 validation, 805 test scenarios; the first 450 are the official
test). Every goal call of every scenario is issued verbatim before it is kept (the oracle check); what nobody could
win, or what makes no scenario, is listed as rejected and left out. Nothing of MultiWOZ comes with the product: a
person brings the files, or has them fetched from the public repository.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from josh_engine.encoding import dump, to_json
from josh_engine.errors import DatasetError
from josh_engine.values import Json, Scenario
from josh_engine.worlds.published import fetch, manifest, put_in_place
from toolwoz.attribution import MULTIWOZ, MULTIWOZ_NOTICE
from toolwoz.database import Database, build_database
from toolwoz.derivation import WORLD, Repair, Unplayable, derive, goal_of, is_kept
from toolwoz.goals import uncredited
from toolwoz.multiwoz_files import MULTIWOZ_21, REMEDY, Source, open_source
from toolwoz.world import OFFICIAL_TEST

SPLIT_NAMES = {"val": "val", "test": "full_test"}  # the list a dialogue stands in -> the split; else train
# Listed for validation, but absent from some copies of data.json. Any other absence means a partial file.
SOMETIMES_ABSENT = frozenset({"PMUL4707"})


@dataclass(frozen=True, slots=True)
class Rejection:
    scenario: str
    why: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import made. Counts are scenarios; `test` is the official part of `full_test`. `credited`: how many of
    the goal calls of all scenarios derived, rejected ones included, passed the oracle check."""

    world: str
    validation: int
    full_test: int
    test: int
    train: int
    goal_calls: int
    credited: int
    repaired: tuple[Repair, ...]
    rejected: tuple[Rejection, ...]


@dataclass(slots=True)
class _Harvest:
    """What has been derived so far."""

    lines: dict[str, dict[str, str]] = field(default_factory=lambda: {"val": {}, "full_test": {}, "train": {}})
    seen: set[str] = field(default_factory=set)
    calls: Counter[str] = field(default_factory=Counter)
    repaired: list[Repair] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)


def import_multiwoz(source: Path, target: Path) -> ImportReport:
    """Reads MultiWOZ 2.1 from a folder or zip and writes `target/toolwoz`, replacing what was there.

    `target` is the folder that worlds read (`josh-data`). Raises DatasetError naming file, dialogue and field; then
    nothing has changed.
    """
    with open_source(source) as found:
        database = build_database(found.records, source=found.name)
        harvest = _harvest(found, database)
        _refuse_partial(found, harvest)
        _in_official_order(found, harvest)
        report = _report(harvest)
        files = _files(found, harvest, report)
    put_in_place(files, target / WORLD)
    return report


def download_multiwoz(target: Path, url: str = "", *, timeout_seconds: float = 60.0) -> ImportReport:
    """Fetches the public zip (`url` empty) and imports it. Raises a JoshError where it cannot be had."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".download-", dir=target) as folder:
        return import_multiwoz(fetch(MULTIWOZ_21, Path(folder), url=url, timeout_seconds=timeout_seconds), target)


def _harvest(found: Source, database: Database) -> _Harvest:
    splits = {identity: SPLIT_NAMES[name] for name, ids in found.lists.items() for identity in ids}
    harvest = _Harvest()
    for file, identity, dialogue in found.dialogues():
        if identity in harvest.seen:
            raise DatasetError(f"{file}: dialogue {identity} stands there twice.", remedy=REMEDY)
        harvest.seen.add(identity)
        try:
            if is_kept(goal_of(identity, dialogue)):
                derived = derive(identity, dialogue, split=splits.get(identity, "train"), database=database)
                harvest.repaired.extend(derived.repairs)
                _check(derived.scenario, database, harvest)
        except Unplayable as error:
            harvest.rejected.append(Rejection(identity, str(error)))
        except DatasetError as error:
            raise DatasetError(f"{file}: dialogue {error.message}", remedy=REMEDY) from error
    return harvest


def _check(scenario: Scenario, database: Database, harvest: _Harvest) -> None:
    """The oracle check; a scenario that passes is kept."""
    missed = uncredited(scenario, database)
    harvest.calls["made"] += len(scenario.goals)
    harvest.calls["credited"] += len(scenario.goals) - len(missed)
    if missed:
        names = ", ".join(goal.id for goal in missed)
        harvest.rejected.append(Rejection(scenario.id, f"its own calls would not be credited: {names}"))
    else:
        harvest.lines[scenario.split][scenario.id] = dump(scenario)


def _refuse_partial(found: Source, harvest: _Harvest) -> None:
    for name, ids in found.lists.items():
        absent = [identity for identity in ids if identity not in harvest.seen]
        if unexpected := [identity for identity in absent if identity not in SOMETIMES_ABSENT]:
            files = " and ".join(found.dialogue_files)
            raise DatasetError(
                f"{files} lacks {len(unexpected)} of the {len(ids)} dialogues in {name}ListFile, "
                f"the first being {unexpected[0]}.",
                remedy=REMEDY,
            )
        harvest.rejected.extend(Rejection(identity, "listed, but absent from the dialogues") for identity in absent)


def _in_official_order(found: Source, harvest: _Harvest) -> None:
    for name, ids in found.lists.items():
        lines = harvest.lines[SPLIT_NAMES[name]]
        harvest.lines[SPLIT_NAMES[name]] = {identity: lines[identity] for identity in ids if identity in lines}
    if not harvest.lines["val"] and not harvest.lines["full_test"]:
        raise DatasetError(f"{found.name} gives no scenario.", remedy=REMEDY)


def _report(harvest: _Harvest) -> ImportReport:
    counts = {split: len(lines) for split, lines in harvest.lines.items()}
    return ImportReport(
        world=WORLD,
        validation=counts["val"],
        full_test=counts["full_test"],
        test=min(OFFICIAL_TEST, counts["full_test"]),
        train=counts["train"],
        goal_calls=harvest.calls["made"],
        credited=harvest.calls["credited"],
        repaired=tuple(harvest.repaired),
        rejected=tuple(harvest.rejected),
    )


def _files(found: Source, harvest: _Harvest, report: ImportReport) -> dict[str, bytes]:
    """Name -> content of every file of the data set. A split's file stands in the official order."""
    texts = {
        f"{split}.jsonl": "".join(f"{line}\n" for line in lines.values()) for split, lines in harvest.lines.items()
    }
    texts |= {f"{domain}_db.json": _compact(records) for domain, records in found.records.items()}
    texts["NOTICE.md"] = MULTIWOZ_NOTICE
    files = {name: text.encode() for name, text in texts.items()}
    told = manifest(files, attribution=MULTIWOZ, source=found.name, report=to_json(report))
    return {**files, "manifest.json": told}


def _compact(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
