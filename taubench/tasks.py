"""Tasks as scenarios, and the files they and the shop are read from.

A folder with `users.json`, `orders.json`, `products.json`, `wiki.md` and `tasks_train.json`, `tasks_dev.json`,
`tasks_test.json`; a task is {"id", "user_id", "instruction", "actions": [{"name", "kwargs"}], "outputs"}.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from josh_engine.errors import DatasetError, StorageError
from josh_engine.values import Goal, Json, Scenario
from taubench.environment import played
from taubench.records import Base, Overlay
from taubench.schema import PARAMETERS, WRITES

SPLITS = ("train", "dev", "test")
TABLES, POLICY, LICENCE = ("users", "orders", "products"), "wiki.md", "LICENSE"
FILES = (*(f"{table}.json" for table in TABLES), POLICY, *(f"tasks_{split}.json" for split in SPLITS))
UNTOUCHED = "5a4b2cb59f4d12dea7e4adff24a7f8fada510ead49372ea4a729a82bbb5f49b5"  # τ-bench's hash of the database
AGAIN = "Import it again: python -m app data taubench PATH."


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Tasks by split, gold calls, those that do not succeed, and train tasks whose gold cannot be reached (left out of
    rollouts). `official`: whether the database is τ-bench's."""

    train: int
    dev: int
    test: int
    gold_calls: int
    unsuccessful: int
    unachievable: int
    official: bool


def read_base(folder: Path) -> Base:
    """Raises DatasetError naming file and what is wrong."""
    users, orders, products = (_table(folder / f"{name}.json") for name in TABLES)
    try:
        policy = (folder / POLICY).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{folder / POLICY} cannot be read: {error}.", remedy=AGAIN) from error
    return Base(users, orders, products, policy)


def read_tasks(folder: Path, split: str) -> list[dict[str, Any]]:
    """Raises DatasetError naming file, index and field."""
    place = folder / f"tasks_{split}.json"
    found = _json(place)
    if not isinstance(found, list):
        raise DatasetError(f"{place} holds no list of tasks.", remedy=AGAIN)
    for index, task in enumerate(found):
        _check(task, f"{place}, task {index}")
    return found


def scenario(base: Base, task: Mapping[str, Any], split: str, world: str) -> Scenario:
    """`goals`: the gold writes that succeed when gold is played, in order. `setup`: what grading needs."""
    answered = played(base, task["actions"])[1]
    writes = [call for call in answered if call.name in WRITES and call.error is None]
    goals = tuple(
        Goal(f"{call.name}#{number}", call.name, dict(call.arguments)) for number, call in enumerate(writes, start=1)
    )
    lost = [call.name for call in answered if call.name in WRITES and call.error is not None]
    setup: dict[str, Json] = {
        "user_id": task["user_id"], "actions": task["actions"], "outputs": list(task["outputs"]), "unachievable": lost,
    }  # fmt: skip
    return Scenario(f"{split}-{int(task['id']):03d}", world, split, (task["instruction"],), goals, setup=setup)


def import_retail(source: Path, target: Path) -> ImportReport:
    """Checks the files in `source` and copies them to `target`, all or none. Raises DatasetError, StorageError."""
    base = read_base(source)
    tasks = {split: read_tasks(source, split) for split in SPLITS}
    calls = {split: [played(base, task["actions"])[1] for task in found] for split, found in tasks.items()}
    every = [call for found in calls.values() for answered in found for call in answered]
    lost = sum(any(call.error and call.name in WRITES for call in answered) for answered in calls["train"])
    aside = target.with_name(f".{target.name}.part")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        for name in (*FILES, *([LICENCE] if (source / LICENCE).is_file() else [])):
            (aside / name).write_bytes((source / name).read_bytes())
        shutil.rmtree(target, ignore_errors=True)
        aside.replace(target)
    except OSError as error:
        raise StorageError(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return ImportReport(
        train=len(tasks["train"]),
        dev=len(tasks["dev"]),
        test=len(tasks["test"]),
        gold_calls=len(every),
        unsuccessful=sum(call.error is not None for call in every),
        unachievable=lost,
        official=Overlay(base).official_hash() == UNTOUCHED,
    )


def _table(place: Path) -> dict[str, dict[str, Any]]:
    found = _json(place)
    if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        raise DatasetError(f"{place} holds no records by id.", remedy=AGAIN)
    return found


def _json(place: Path) -> Any:
    try:
        return json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DatasetError(f"There is no {place}.", remedy=AGAIN) from error
    except (OSError, ValueError) as error:
        raise DatasetError(f"{place} cannot be read: {error}.", remedy=AGAIN) from error


def _check(task: Any, where: str) -> None:
    kinds = {"user_id": str, "instruction": str, "actions": list, "outputs": list}
    if not isinstance(task, dict) or not isinstance(task.get("id"), int):
        raise DatasetError(f"{where}: no task with an id.", remedy=AGAIN)
    for name, kind in kinds.items():
        if not isinstance(task.get(name), kind):
            raise DatasetError(f"{where}: {name} is no {kind.__name__}.", remedy=AGAIN)
    for number, action in enumerate(task["actions"]):
        known = isinstance(action, dict) and action.get("name") in PARAMETERS
        if not known or not isinstance(action.get("kwargs"), dict):
            raise DatasetError(f"{where}, action {number}: no call of a tool that there is.", remedy=AGAIN)


def unachievable(scenarios: Sequence[Scenario]) -> tuple[Scenario, ...]:
    return tuple(each for each in scenarios if each.setup["unachievable"])
