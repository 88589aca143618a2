"""Opening a store: what is made, what is refused, and that writers wait for one another."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from josh_engine.errors import NewerSchema, NotFound, StorageError
from storage import migrations
from storage.database import Store, open_store


def test_a_store_is_made_with_its_folder_and_opens_again(tmp_path: Path) -> None:
    place = tmp_path / "new" / "josh.db"
    open_store(place).close()
    with open_store(place, create=False) as store:
        assert store.read("PRAGMA journal_mode")[0][0] == "wal"
        assert {"runs", "rollouts", "events", "journal", "verdicts", "exports"} <= _tables(store)
    assert [each.name for each in place.parent.iterdir()] == ["josh.db"]


def test_every_table_of_ours_is_strict(store: Store) -> None:
    ours = store.read(
        "SELECT name, strict FROM pragma_table_list"
        " WHERE name NOT LIKE '\\_%' ESCAPE '\\' AND name NOT LIKE 'messages\\_text%' ESCAPE '\\'"  # FTS5's own
    )
    lax = {row["name"] for row in ours if not row["strict"] and not row["name"].startswith("sqlite_")}
    assert lax == set()


def test_reading_never_makes_a_store(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no store"):
        open_store(tmp_path / "josh.db", create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["/proc/josh.db", "/proc/none/josh.db", "file/josh.db", "folder"])
def test_a_path_that_cannot_be_used_is_named_with_what_to_do(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match=r"josh\.db|folder") as caught:
        open_store(tmp_path / place)
    assert "--store" in caught.value.remedy


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    place = tmp_path / "notes.txt"
    place.write_text("these are my notes\n" * 100)
    with pytest.raises(StorageError, match="not a database"):
        open_store(place)
    assert place.read_text() == "these are my notes\n" * 100


def test_somebody_elses_database_is_left_as_it_is(tmp_path: Path) -> None:
    place = tmp_path / "theirs.db"
    with sqlite3.connect(place) as theirs:
        theirs.execute("CREATE TABLE recipes (name TEXT)")
    before = place.read_bytes()
    with pytest.raises(StorageError, match="not a JOSH store"):
        open_store(place)
    assert place.read_bytes() == before


def test_a_corrupt_store_names_its_backup(tmp_path: Path) -> None:
    place = tmp_path / "josh.db"
    open_store(place).close()
    (tmp_path / "josh.db.backup-first_light").write_bytes(place.read_bytes())
    place.write_bytes(place.read_bytes()[:100] + b"\xff" * 8000)
    with pytest.raises(StorageError) as caught:
        open_store(place).read("SELECT * FROM runs")
    assert "josh.db.backup-first_light" in caught.value.remedy


def test_a_store_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    place = tmp_path / "josh.db"
    with open_store(place) as store, store.write() as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES (?, 'teleport', 'then')",
            (migrations.SET,),
        )
    before = place.read_bytes()
    with pytest.raises(NewerSchema, match="teleport"):
        open_store(place)
    assert place.read_bytes() == before


def test_a_failed_write_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as connection:
        connection.execute("INSERT INTO exports (id, created, runs, formats, policy, folder, files, rows)"
                           " VALUES ('e1', '', '', '', '', '', '', 0)")  # fmt: skip
        raise ZeroDivisionError
    assert store.read("SELECT * FROM exports") == []
    with store.write():
        pass  # and the store can be written again


def test_threads_share_a_store(store: Store) -> None:
    def count() -> None:
        for _ in range(50):
            with store.write() as connection:
                (seconds,) = connection.execute("SELECT coalesce(max(rows), 0) FROM exports").fetchone()
                connection.execute(
                    "INSERT INTO exports (id, created, runs, formats, policy, folder, files, rows)"
                    " VALUES (?, '', '', '', '', '', '', ?)",
                    (f"e{seconds + 1}", seconds + 1),
                )

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.read("SELECT max(rows) FROM exports")[0][0] == 200


OPEN_AND_WRITE = """
import sys
from pathlib import Path
from josh_engine.config import RunConfig, RunLimits
from storage import runs
from storage.database import open_store
with open_store(Path(sys.argv[1])) as store:
    for _ in range(20):
        runs.create_run(store, RunConfig("w", "s", ("a",)), limits=RunLimits(), name="", code_version="")
"""


def test_processes_that_open_a_new_store_at_once_all_get_it_and_wait_for_one_another(tmp_path: Path) -> None:
    place = tmp_path / "josh.db"
    children = [subprocess.Popen([sys.executable, "-c", OPEN_AND_WRITE, str(place)]) for _ in range(4)]
    assert [child.wait(170) for child in children] == [0, 0, 0, 0]
    with open_store(place) as store:
        assert store.read("SELECT count(*) FROM runs")[0][0] == 80
        assert store.read("PRAGMA integrity_check")[0][0] == "ok"


def test_an_open_store_needs_no_pandas() -> None:
    """sqlite-utils imports it; only a store whose schema changes may wait for that."""
    script = (
        "import sys, tempfile; from pathlib import Path; from storage.database import open_store;"
        "place = Path(tempfile.mkdtemp()) / 'josh.db'; made = sys.argv[1:] or [str(place)];"
        "open_store(Path(made[0])).close(); print(made[0], 'pandas' in sys.modules)"
    )
    made = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    again = subprocess.run([sys.executable, "-c", script, made[0]], capture_output=True, text=True, check=True)
    assert again.stdout.split()[1] == "False"


def _tables(store: Store) -> set[str]:
    return {row["name"] for row in store.read("SELECT name FROM sqlite_master WHERE type = 'table'")}
