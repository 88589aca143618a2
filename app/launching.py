"""Starts work in a child process of its own session: it outlives the page and the server that started it.

The child is `python -m app` with the words given. What it says goes to `<store>.logs/<id>.log`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from app import demo
from josh_engine.errors import JoshError
from storage.database import Store, open_store, translated

ROOT = Path(__file__).parents[1]
Failed = Callable[[Store, str], None]  # told of a child that ended badly: the store, and what to say of it


def log_path(store: Path, work_id: str) -> Path:
    return store.with_name(f"{store.name}.logs") / f"{work_id}.log"


def log_tail(store: Path, work_id: str, lines: int) -> tuple[str, ...]:
    """The last lines of what the work said; none where it said nothing."""
    try:
        text = log_path(store, work_id).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    return tuple(text.splitlines()[-lines:])


def launch(store: Path, work_id: str, words: Sequence[str], *, data: Path, failed: Failed) -> None:
    """Returns as soon as the child is started. Raises ReadOnlyStore in a demonstration."""
    demo.refuse("Starting work")
    place = log_path(store, work_id)
    command = [sys.executable, "-m", "app", *words, "--store", str(store), "--data", str(data)]
    with translated(store):
        place.parent.mkdir(exist_ok=True)
        with place.open("ab") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=os.environ | {"PYTHONPATH": search_path()},
            )
    threading.Thread(target=_see_off, args=(store, work_id, child, failed), daemon=True).start()


def search_path() -> str:
    """So that the child finds this package and a person's own parts, whatever started us."""
    known = [str(ROOT), *(entry for entry in sys.path if entry and Path(entry).is_dir())]
    return os.pathsep.join(dict.fromkeys([*known, *filter(None, [os.environ.get("PYTHONPATH")])]))


def _see_off(store_path: Path, work_id: str, child: subprocess.Popen[bytes], failed: Failed) -> None:
    """Waits for the child, so that it leaves no zombie."""
    code = child.wait()
    if code == 0:
        return
    try:
        with open_store(store_path, create=False) as store:
            failed(store, f"Its process ended with code {code}; see {log_path(store_path, work_id)}.")
    except JoshError as error:
        print(f"{work_id}: {error}", file=sys.stderr)
