"""How a running run writes: the engine's `Journal` and `Recorder` on the store, with group commit.

What is to be kept is queued; once per turn of the event loop all that waits is committed in one transaction, and then
those who wait go on. So nobody goes on before what they kept is committed, and sixteen searches cost one commit.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence

from josh_engine.encoding import dump, dump_event, load, load_event
from josh_engine.values import Completion, Event, JournalEntry, Rollout
from storage.database import Store

Write = Callable[[sqlite3.Connection], None]

KEEP_SUMMARY = (
    "UPDATE rollouts SET state = ?, error = ?, goals = ?, won = ?, grade = ?, depth = ?, nodes = ?, events = ?,"
    " calls = ?, prompt_tokens = ?, completion_tokens = ?, usd = ?, seconds = ?, critical_seconds = ? WHERE id = ?"
)


class RunWriter:
    """For one run, in one event loop. `calls` and `usd` are spent so far, over all its rollouts; `usd` None: some
    price is unknown."""

    def __init__(self, store: Store, rollouts: Sequence[Rollout]) -> None:
        self._store = store
        self._waiting: list[tuple[Write, asyncio.Future[None]]] = []
        self._batches: dict[str, int] = {}
        self._spent = {rollout.id: (rollout.usage.calls, rollout.usd) for rollout in rollouts}
        self.calls = sum(calls for calls, _ in self._spent.values())

    @property
    def usd(self) -> float | None:
        spent = [usd for _, usd in self._spent.values()]
        return None if any(usd is None for usd in spent) else sum(usd or 0.0 for usd in spent)

    def stored(self, rollout: str) -> Sequence[Event]:
        rows = self._store.read("SELECT batch, kind, body FROM events WHERE rollout = ? ORDER BY seq", (rollout,))
        self._batches[rollout] = rows[-1]["batch"] + 1 if rows else 0
        return tuple(load_event(row["kind"], row["body"]) for row in rows)

    async def record(self, events: Sequence[Event], summary: Rollout) -> None:
        first, batch, written = summary.events - len(events), self._batches[summary.id], time.time()
        rows = [(summary.id, seq, batch, *dump_event(event), written) for seq, event in enumerate(events, start=first)]

        def write(connection: sqlite3.Connection) -> None:
            if rows:
                connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)
            connection.execute(KEEP_SUMMARY, _summary_row(summary))

        await self._committed(write)
        self._batches[summary.id] = batch + bool(rows)
        before, _ = self._spent.get(summary.id, (0, 0.0))
        self._spent[summary.id] = (summary.usage.calls, summary.usd)
        self.calls += summary.usage.calls - before

    def find(self, rollout: str, node: str, call: int) -> JournalEntry | None:
        return self._entry("rollout = ? AND node = ? AND call = ?", (rollout, node, call))

    def find_same(self, rollout: str, request: str) -> JournalEntry | None:
        return self._entry("rollout = ? AND request = ? ORDER BY rowid LIMIT 1", (rollout, request))

    async def keep(self, entry: JournalEntry) -> None:
        row = (entry.rollout, entry.node, entry.call, entry.request, dump(entry.completion), entry.seconds)
        await self._committed(lambda connection: _insert_entry(connection, row))

    def _entry(self, where: str, parameters: Sequence[str | int]) -> JournalEntry | None:
        rows = self._store.read(f"SELECT * FROM journal WHERE {where}", parameters)
        if not rows:
            return None
        row = rows[0]
        completion = load(Completion, row["completion"])
        return JournalEntry(row["rollout"], row["node"], row["call"], row["request"], completion, row["seconds"])

    async def _committed(self, write: Write) -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._flush)
        self._waiting.append((write, future))
        await future

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        failure: Exception | None = None
        try:
            with self._store.write() as connection:
                for write, _ in waiting:
                    write(connection)
        except Exception as error:  # noqa: BLE001 - handed to everyone who waits, so that nobody waits forever
            failure = error
        for _, future in waiting:
            if future.done():  # its task was cancelled meanwhile
                continue
            if failure is None:
                future.set_result(None)
            else:
                future.set_exception(failure)


def _insert_entry(connection: sqlite3.Connection, row: Sequence[str | int | float]) -> None:
    connection.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?)", row)


def _summary_row(summary: Rollout) -> tuple[str | int | float | None, ...]:
    usage = summary.usage
    return (
        summary.state, summary.error, summary.goals, summary.won, summary.grade, summary.depth, summary.nodes,
        summary.events, usage.calls, usage.prompt_tokens, usage.completion_tokens, summary.usd, summary.seconds,
        summary.critical_seconds, summary.id,
    )  # fmt: skip
