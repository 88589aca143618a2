"""python -m app.loading FOLDER: whether `datasets`, which trainers read rows with, loads the files in it as they are.

A process of its own: the library is heavy and must not enter the app. The last line it prints is a JSON object,
file -> {rows, changed}, or {"error": …}. `changed`: the first value that comes back as another one, in words; empty
where none does. Files are loaded as the README says, with the features of `josh_engine.training.features`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from josh_engine.values import Json


def loaded(folder: Path) -> dict[str, dict[str, object]]:
    with tempfile.TemporaryDirectory(prefix="josh-datasets-") as cache:
        os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": cache, "HF_HOME": cache}
        from datasets import disable_progress_bars, load_dataset

        from josh_engine.training.features import features_of

        disable_progress_bars()
        found = {}
        for file in sorted(folder.glob("*.jsonl")):
            try:
                rows = load_dataset("json", data_files=str(file), split="train", features=features_of(file))
                changed = next(changes(_written(file), rows), "")
            except Exception as error:
                why = error.__cause__ or error
                raise ValueError(f"{file.name} cannot be loaded: {type(why).__name__}: {why}") from error
            found[file.name] = {"rows": rows.num_rows, "changed": changed}
        return found


def _written(file: Path) -> Iterator[dict[str, Json]]:
    with file.open(encoding="utf-8", newline="\n") as lines:
        yield from map(json.loads, lines)


def changes(written: Iterable[dict[str, Json]], read: Iterable[Any]) -> Iterator[str]:
    """Values that are not those written, in words. A column that a row has not comes back as null."""
    for number, (before, after) in enumerate(zip(written, read, strict=False), start=1):
        kept = {name: value for name, value in after.items() if name in before or value is not None}
        if (differs := _differs(before, kept, "")) is not None:
            where, one, other = differs
            yield f"line {number}, {where}: {json.dumps(one)[:80]} comes back as {json.dumps(other, default=str)[:80]}"


def _differs(one: Json, other: Json, where: str) -> tuple[str, Json, Json] | None:
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        pairs = [(one[name], other[name], f"{where}.{name}".lstrip(".")) for name in one]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [(left, right, f"{where}[{place}]") for place, (left, right) in enumerate(zip(one, other, strict=True))]
    else:
        return None if type(one) is type(other) and one == other else (where, one, other)
    return next((found for pair in pairs if (found := _differs(*pair)) is not None), None)


def main(folder: str) -> None:
    try:
        said: dict[str, object] = {**loaded(Path(folder))}
    except ImportError as error:
        said = {"absent": str(error)}
    except Exception as error:  # noqa: BLE001 - whatever the library says of the file is what is to be told
        said = {"error": str(error)}
    print(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1])
