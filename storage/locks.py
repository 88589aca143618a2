"""One process works on a run at a time. The lock is the kernel's: it ends with the process, however that dies, so a
killed run can be resumed at once. The heartbeat in the store is for display only.

The lock file lies beside the store (`<store>.lock-<run>`) and is removed by its holder; whoever gets hold of a removed
file notices and tries again.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from josh_engine.errors import StorageError
from storage.database import translated

PATIENCE_SECONDS = 0.3  # longer than a look by `is_held`, which takes the lock for a moment


class RunHeld(StorageError):
    """Another process works on the run."""


@contextmanager
def holding(store: Path, run_id: str, *, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Holds the run while the block runs. Raises RunHeld if another process still does after `patience` seconds."""
    place = _place(store, run_id)
    deadline = time.monotonic() + patience
    while (file := _take(store, place)) is None:
        if time.monotonic() >= deadline:
            raise RunHeld(
                f"Another process is working on run {run_id}.",
                remedy=f"Wait for it, or end it: python -m app cancel {run_id}",
            )
        time.sleep(0.02)
    try:
        yield
    finally:
        place.unlink(missing_ok=True)
        file.close()


def is_held(store: Path, run_id: str) -> bool:
    """Whether some process works on the run right now."""
    try:
        with _place(store, run_id).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _take(store: Path, place: Path) -> IO[bytes] | None:
    with translated(store):
        file = place.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(file.fileno()).st_ino == place.stat().st_ino:
            return file
    except (BlockingIOError, FileNotFoundError):
        pass  # held by another, or removed between our opening and our locking it
    file.close()
    return None


def _place(store: Path, run_id: str) -> Path:
    return store.with_name(f"{store.name}.lock-{run_id}")
