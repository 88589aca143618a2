"""python -m app.loading FOLDER: whether `datasets`, which trainers read rows with, can load the files in it.

A process of its own: the library is heavy and must not enter the app. The last line it prints is a JSON object,
file -> {rows, columns: name -> kind}, or {"error": …}.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path


def loaded(folder: Path) -> dict[str, dict[str, object]]:
    with tempfile.TemporaryDirectory(prefix="josh-datasets-") as cache:
        os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": cache, "HF_HOME": cache}
        from datasets import disable_progress_bars, load_dataset

        disable_progress_bars()
        found = {}
        for file in sorted(folder.glob("*.jsonl")):
            rows = load_dataset("json", data_files=str(file), split="train")
            columns = {name: kind_of(feature) for name, feature in rows.features.items()}
            found[file.name] = {"rows": rows.num_rows, "columns": columns}
        return found


def kind_of(feature: object) -> str:
    """ "list", or the name of a plain value's type: what a trainer looks at first."""
    if isinstance(feature, list) or type(feature).__name__ in ("List", "LargeList", "Sequence"):
        return "list"
    return str(getattr(feature, "dtype", type(feature).__name__))


def main(folder: str) -> None:
    try:
        said: dict[str, object] = {**loaded(Path(folder))}
    except ImportError as error:
        said = {"absent": str(error)}
    except Exception as error:  # noqa: BLE001 - whatever the library says of the file is what is to be told
        said = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1])
