"""The store of the demonstration, made of the sample runs in `demo/`:

python -m app.demo_store

It lies where JOSH_STORE says. Runs that are there already stay as they are.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from app import demo
from app.bundles import unbundle_run
from app.settings import store_path
from josh_engine.errors import JoshError, StorageError
from storage.database import open_store
from storage.search import read_messages
from storage.transfer import AlreadyHere

SAMPLES = Path(__file__).parents[1] / "demo"


def prepare(path: Path, samples: Path = SAMPLES) -> int:
    """How many runs were not there yet. All are read for the search in words too, which later is a writer's work.
    Raises DatasetError and StorageError."""
    files = sorted(samples.glob("*.josh"))
    if not files:
        raise StorageError(f"There are no sample runs in {samples}.", remedy="Get a whole copy of the product.")
    added = 0
    with open_store(path) as store:
        for file in files:
            try:
                unbundle_run(store, file)
                added += 1
            except AlreadyHere:
                continue
        read_messages(store, None)
    return added


def main() -> int:
    os.environ.pop(demo.VARIABLE, None)
    try:
        added = prepare(store_path())
    except JoshError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{store_path()}: {added} sample runs added")
    return 0


if __name__ == "__main__":
    sys.exit(main())
