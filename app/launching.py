"""Starts a run in a child process of its own session: it outlives the page and the server that started it.

The child is `python -m app resume RUN --launched`. What it says goes to `<store>.logs/<run>.log`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from josh_engine.errors import JoshError
from storage import runs
from storage.database import open_store, translated

ROOT = Path(__file__).parents[1]


def log_path(store: Path, run_id: str) -> Path:
    return store.with_name(f"{store.name}.logs") / f"{run_id}.log"


def launch(store: Path, run_id: str, *, data: Path, failed_only: bool) -> None:
    """Returns as soon as the child is started."""
    place = log_path(store, run_id)
    command = [sys.executable, "-m", "app", "resume", run_id, "--launched", "--store", str(store), "--data", str(data)]
    with translated(store):
        place.parent.mkdir(exist_ok=True)
        with place.open("ab") as log:
            child = subprocess.Popen(
                [*command, *(["--failed-only"] if failed_only else [])],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=os.environ | {"PYTHONPATH": search_path()},
            )
    threading.Thread(target=_see_off, args=(store, run_id, child), daemon=True).start()


def search_path() -> str:
    """So that the child finds this package and a person's own parts, whatever started us."""
    known = [str(ROOT), *(entry for entry in sys.path if entry and Path(entry).is_dir())]
    return os.pathsep.join(dict.fromkeys([*known, *filter(None, [os.environ.get("PYTHONPATH")])]))


def _see_off(store_path: Path, run_id: str, child: subprocess.Popen[bytes]) -> None:
    """Waits for the child, so that it leaves no zombie; a run it never took up is failed, with where to look."""
    code = child.wait()
    if code == 0:
        return
    try:
        with open_store(store_path, create=False) as store:
            if runs.load_run(store, run_id).state == "queued":
                said = (
                    f"The process that should play the run ended with code {code}; see {log_path(store_path, run_id)}."
                )
                runs.end(store, run_id, "failed", error=said)
    except JoshError as error:
        print(f"run {run_id}: {error}", file=sys.stderr)
