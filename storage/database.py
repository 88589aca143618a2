"""Opening the store, and the two ways to use it: `read` and `write`.

SQLite in WAL mode: one writer at a time, readers meanwhile. Every write is `BEGIN IMMEDIATE`: sqlite-utils' own
`atomic()` is a deferred BEGIN, which fails at once under a second writer, whatever the timeout. sqlite-utils brings
the schema up to date and is imported only then (it loads pandas); what runs often is plain SQL.

synchronous=NORMAL: nothing committed is lost when the process is killed; a power cut may take the last commits.
The store's file is never replaced: a server that has it open would go on reading the old one.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from josh_engine.errors import NotFound, StorageError
from storage import migrations

WAIT_SECONDS = 10.0  # for another process's write; ours take milliseconds

Parameters = Sequence[Any] | Mapping[str, Any]


class ReadOnlyStore(StorageError):
    """The store was opened for reading alone."""


class Store:
    """An open store. May be shared between threads: one uses it at a time."""

    def __init__(self, path: Path, connection: sqlite3.Connection, *, read_only: bool = False) -> None:
        self.path = path
        self.read_only = read_only
        self._connection = connection
        self._lock = threading.RLock()

    def read(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        with self._lock, translated(self.path):
            return self._connection.execute(sql, parameters).fetchall()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of the block is kept, or nothing. Does not nest. Raises ReadOnlyStore."""
        if self.read_only:
            raise ReadOnlyStore("Nothing can be changed here.", remedy="In an app of your own it can: make run.")
        with self._lock, translated(self.path), immediate(self._connection):
            yield self._connection

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_store(path: Path, *, create: bool = True, read_only: bool = False) -> Store:
    """The store at `path`, its schema up to date; an older one is backed up first, next to itself.

    Raises NotFound where there is none and `create` is False, NewerSchema for a newer product's store, StorageError
    for a path that cannot be used. `read_only`: it is brought up to date, and never written after that.
    """
    path = path.absolute()
    if not create and not _is_file(path):
        raise NotFound(f"There is no store at {path}.", remedy="Start a run to make one, or name another with --store.")
    with translated(path):
        _make_folder(path.parent)
        connection = sqlite3.connect(path, timeout=WAIT_SECONDS, check_same_thread=False, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            _bring_up_to_date(connection, path)
            for pragma in ("foreign_keys=ON", "synchronous=NORMAL", "recursive_triggers=ON"):
                connection.execute(f"PRAGMA {pragma}")
            if read_only:
                connection.execute("PRAGMA query_only=ON")
        except BaseException:
            connection.close()
            raise
    return Store(path, connection, read_only=read_only)


@contextmanager
def immediate(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction that takes the write lock at its start. sqlite-utils' calls inside become savepoints."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    try:
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors as a StorageError that names the store and what to do."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"The store {path} cannot be used: {error.strerror or error}.",
            remedy="Choose a folder you may write to, with --store or JOSH_STORE.",
        ) from error
    except sqlite3.Error as error:
        raise StorageError(f"The store {path}: {error}.", remedy=_remedy(path, error)) from error


def _remedy(path: Path, error: sqlite3.Error) -> str:
    said = str(error).lower()
    if "locked" in said or "busy" in said:
        return "Another process holds it; try again in a moment."
    if "full" in said:
        return "Free some disk space, then resume the run."
    if "not a database" in said or "malformed" in said:
        kept = sorted(path.parent.glob(f"{path.name}.backup-*"))
        return f"Restore a copy, such as {kept[-1].name}." if kept else "Name another with --store, or restore a copy."
    if "unable to open" in said or "readonly" in said or "read-only" in said or "disk i/o" in said:
        return "Choose a folder you may write to, with --store or JOSH_STORE."
    return "If this goes on, restore a copy or name another store with --store."


def _bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    foreign = migrations.is_foreign(connection)  # asked first: another process may be making the store right now
    applied = migrations.applied(connection)
    if unknown := [name for name in applied if name not in migrations.NAMES]:
        raise migrations.newer(path, unknown)
    if foreign and not applied:
        raise StorageError(f"{path} is a database, but not a JOSH store.", remedy="Name another with --store.")
    if applied == migrations.NAMES:
        return
    if applied:
        back_up(connection, path.with_name(f"{path.name}.backup-{applied[-1]}"))
    connection.execute("PRAGMA journal_mode=WAL")
    apply = migrations.loaded()
    with immediate(connection):
        apply(connection)


def back_up(connection: sqlite3.Connection, target: Path) -> None:
    """A copy as of the last commit, through SQLite, so that it is whole even while others write."""
    number = 0
    while (place := target.with_name(f"{target.name}.{number}") if number else target).exists():
        number += 1
    with closing(sqlite3.connect(place)) as copy:
        connection.backup(copy)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
