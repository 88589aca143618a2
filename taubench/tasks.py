"""Tasks as scenarios; the imported files they and the shop are read from; and the import.

A task is {"id", "user_id", "instruction", "actions": [{"name", "kwargs"}], "outputs"}.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from josh_engine.errors import DatasetError
from josh_engine.values import Goal, Json, Scenario, ToolCall
from josh_engine.worlds.published import fetch, manifest, put_in_place
from taubench.attribution import ATTRIBUTION, NAME
from taubench.environment import played
from taubench.files import POLICY, RETAIL, SPLITS, TABLES, read_source
from taubench.records import Base, Overlay
from taubench.reward import GoalRule
from taubench.schema import PARAMETERS, WRITES

UNTOUCHED = "5a4b2cb59f4d12dea7e4adff24a7f8fada510ead49372ea4a729a82bbb5f49b5"  # τ-bench's hash of the database
AGAIN = "Import it: python -m app data taubench PATH (or --download)."


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import found. Tasks by split; gold calls, and how many of them do not succeed; `excluded`: the train
    scenarios whose gold writes cannot all succeed, left out of split `train`. `official`: whether `database_hash` is
    that of τ-bench's database."""

    world: str
    train: int
    dev: int
    test: int
    gold_calls: int
    unsuccessful: int
    excluded: tuple[str, ...]
    database_hash: str
    official: bool


def read_base(folder: Path) -> Base:
    """The imported shop. Raises DatasetError naming file and what is wrong."""
    return _base({f"{name}.json": _content(folder / f"{name}.json") for name in TABLES} | _policy(folder), str(folder))


def read_tasks(folder: Path, split: str) -> list[dict[str, Any]]:
    """Raises DatasetError naming file, index and field."""
    name = f"tasks_{split}.json"
    return _tasks(_content(folder / name), str(folder / name))


def scenario(base: Base, task: Mapping[str, Any], split: str, rule: GoalRule = "paper") -> Scenario:
    """`goals`: the gold writes that succeed when gold is played, in order; under rule `authors` all gold calls,
    whatever came of them. `setup`: what grading needs."""
    answered = played(base, task["actions"])[1]
    wanted = [call for call in answered if rule == "authors" or (call.name in WRITES and call.error is None)]
    goals = tuple(
        Goal(f"{call.name}#{number}", call.name, dict(call.arguments)) for number, call in enumerate(wanted, start=1)
    )
    setup: dict[str, Json] = {
        "user_id": task["user_id"], "actions": task["actions"], "outputs": list(task["outputs"]),
        "unachievable": [call.name for call in answered if _lost(call)],
    }  # fmt: skip
    return Scenario(f"{split}-{int(task['id']):03d}", NAME, split, (task["instruction"],), goals, setup=setup)


def _lost(call: ToolCall) -> bool:
    return call.name in WRITES and call.error is not None


def import_retail(source: Path, data: Path) -> ImportReport:
    """Checks what is in `source` (see `taubench.files`) and keeps it in `data`, all or nothing. Raises DatasetError
    naming file, index and field, and StorageError."""
    files = read_source(source)
    base = _base(files, source.name)
    tasks = {split: _tasks(files[f"tasks_{split}.json"], f"tasks_{split}.json") for split in SPLITS}
    calls = {split: [played(base, task["actions"])[1] for task in found] for split, found in tasks.items()}
    every = [call for found in calls.values() for answered in found for call in answered]
    told = Overlay(base).official_hash()
    report = ImportReport(
        world=NAME,
        train=len(tasks["train"]),
        dev=len(tasks["dev"]),
        test=len(tasks["test"]),
        gold_calls=len(every),
        unsuccessful=sum(call.error is not None for call in every),
        excluded=tuple(
            scenario(base, task, "train").id
            for task, answered in zip(tasks["train"], calls["train"], strict=True)
            if any(map(_lost, answered))
        ),
        database_hash=told,
        official=told == UNTOUCHED,
    )
    kept = manifest(files, attribution=ATTRIBUTION, source=source.name, report=asdict(report))
    put_in_place({**files, "manifest.json": kept}, data / NAME)
    return report


def download_retail(data: Path, url: str = "", *, timeout_seconds: float = 60.0) -> ImportReport:
    """Fetches τ-bench's repository (`url` empty: as published) and imports it. Raises a JoshError where it cannot be
    had."""
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".download-", dir=data) as folder:
        return import_retail(fetch(RETAIL, Path(folder), url=url, timeout_seconds=timeout_seconds), data)


def _base(files: Mapping[str, bytes], where: str) -> Base:
    users, orders, products = (_table(files[f"{name}.json"], f"{where}/{name}.json") for name in TABLES)
    try:
        return Base(users, orders, products, files[POLICY].decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DatasetError(f"{where}/{POLICY} is not UTF-8 text: {error}.", remedy=AGAIN) from error


def _policy(folder: Path) -> dict[str, bytes]:
    return {POLICY: _content(folder / POLICY)}


def _content(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except FileNotFoundError as error:
        if not place.parent.is_dir():
            raise DatasetError("τ-bench retail has not been imported yet.", remedy=AGAIN) from error
        raise DatasetError(f"There is no {place}.", remedy=AGAIN) from error
    except OSError as error:
        raise DatasetError(f"{place} cannot be read: {error}.", remedy=AGAIN) from error


def _tasks(content: bytes, place: str) -> list[dict[str, Any]]:
    found = _json(content, place)
    if not isinstance(found, list):
        raise DatasetError(f"{place} holds no list of tasks.", remedy=AGAIN)
    seen: dict[int, int] = {}
    for index, task in enumerate(found):
        _check(task, f"{place}, task {index}")
        first = seen.setdefault(task["id"], index)
        if first != index:
            raise DatasetError(f"{place}, task {index}: id {task['id']} is task {first}'s too.", remedy=AGAIN)
    return found


def _table(content: bytes, place: str) -> dict[str, dict[str, Any]]:
    found = _json(content, place)
    if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        raise DatasetError(f"{place} holds no records by id.", remedy=AGAIN)
    return found


def _json(content: bytes, place: str) -> Any:
    try:
        return json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{place} is not JSON: {error}.", remedy=AGAIN) from error


def _no_number(name: str) -> None:
    raise ValueError(f"it holds {name}, which is no number")


def _check(task: Any, where: str) -> None:
    kinds = {"user_id": str, "instruction": str, "actions": list, "outputs": list}
    if not isinstance(task, dict) or not isinstance(task.get("id"), int) or isinstance(task["id"], bool):
        raise DatasetError(f"{where}: no task with an id.", remedy=AGAIN)
    for name, kind in kinds.items():
        if not isinstance(task.get(name), kind):
            raise DatasetError(f"{where}: {name} is no {kind.__name__}.", remedy=AGAIN)
    if not all(isinstance(each, str) for each in task["outputs"]):
        raise DatasetError(f"{where}: outputs holds what is no text.", remedy=AGAIN)
    for number, action in enumerate(task["actions"]):
        tool = action.get("name") if isinstance(action, dict) else None
        if not isinstance(tool, str) or tool not in PARAMETERS or not isinstance(action.get("kwargs"), dict):
            raise DatasetError(f"{where}, action {number}: no call of a tool that there is.", remedy=AGAIN)


def unachievable(scenarios: Sequence[Scenario]) -> tuple[Scenario, ...]:
    return tuple(each for each in scenarios if each.setup["unachievable"])
