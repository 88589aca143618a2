"""How large the store is, and copies of it that are whole."""

from __future__ import annotations

import sqlite3

from josh_engine.config import Run
from storage.database import Store
from storage.sizes import list_backups, make_backup, store_size


def test_sizes_are_those_of_the_file_and_its_tables(store: Store, run: Run) -> None:
    size = store_size(store)
    rows = {table.name: table.rows for table in size.tables}
    assert (rows["runs"], rows["rollouts"], rows["events"]) == (1, 6, 0)
    assert (size.path, size.size) == (store.path, store.path.stat().st_size)
    assert all(table.size is None or table.size > 0 for table in size.tables)
    assert size.backups == ()


def test_a_copy_holds_what_was_committed_and_none_is_written_over(store: Store, run: Run) -> None:
    first, second = make_backup(store), make_backup(store)
    assert first.name != second.name
    assert {each.name for each in list_backups(store)} == {first.name, second.name}
    for each in (first, second):
        with sqlite3.connect(store.path.with_name(each.name)) as copy:
            assert copy.execute("SELECT id FROM runs").fetchall() == [(run.id,)]
            assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert each.size > 0
