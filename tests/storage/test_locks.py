"""One process works on a run, and the lock ends with it however it dies."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

import pytest

from storage.locks import RunHeld, holding, is_held

HOLD = """
import sys, time
from pathlib import Path
from typing import IO
from storage.locks import holding
with holding(Path(sys.argv[1]), "r1"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_run_is_held_by_one_process_until_that_dies(tmp_path: Path) -> None:
    place = tmp_path / "josh.db"
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(place)], stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"held\n"
    assert is_held(place, "r1") and not is_held(place, "r2")
    with pytest.raises(RunHeld, match="r1"), holding(place, "r1", patience=0.1):
        raise AssertionError("two hold the run")
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert not is_held(place, "r1")
    with holding(place, "r1", patience=0.0):
        assert is_held(place, "r1")


def test_a_run_let_go_leaves_no_file_and_can_be_held_again(tmp_path: Path) -> None:
    place = tmp_path / "josh.db"
    for _ in range(2):
        with holding(place, "r1"):
            assert [each.name for each in tmp_path.iterdir()] == ["josh.db.lock-r1"]
        assert list(tmp_path.iterdir()) == []


def test_looking_never_keeps_a_worker_out(tmp_path: Path) -> None:
    place = tmp_path / "josh.db"
    looking = threading.Event()

    def look() -> None:
        while not looking.is_set():
            is_held(place, "r1")

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        for _ in range(200):
            with holding(place, "r1"):
                pass
    finally:
        looking.set()
        watcher.join()


def test_a_lock_on_a_removed_file_is_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The former holder removed the file after we opened it: the next one would lock another file of that name."""
    lock, removed = fcntl.flock, list[Path]()

    def remove_then_lock(file: IO[bytes], how: int) -> None:
        if not removed:
            removed.append(tmp_path / "josh.db.lock-r1")
            removed[0].unlink()
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", remove_then_lock)
    with holding(tmp_path / "josh.db", "r1"):
        assert removed[0].exists() and is_held(tmp_path / "josh.db", "r1")


def test_of_many_who_want_a_run_one_at_a_time_holds_it(tmp_path: Path) -> None:
    place, inside, most = tmp_path / "josh.db", [], []

    def work() -> None:
        for _ in range(25):
            with holding(place, "r1", patience=30):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 100 and max(most) == 1
