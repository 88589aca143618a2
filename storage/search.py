"""Full-text search in what was said: messages, calls and results, by turn.

The index is a projection of the events, made lazily: the first search in a run reads the rollouts that are no longer
being played, a later one only what came since. So a running run pays nothing for it. What is still being played is
found once it stops. A search is words, never FTS5's own language: whatever a person types is looked for as it stands.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from josh_engine.values import Json
from storage.database import Store

MOST_HITS = 50
WORDS_AROUND = 16  # in a snippet
BATCH = 40  # rollouts read in one transaction: a writer waits for milliseconds

Report = Callable[[int, int], None]  # rollouts read so far, of how many


@dataclass(frozen=True, slots=True)
class Hit:
    """A turn in which the words were found. `snippet`: the words with what stands around them."""

    run: str
    rollout: str
    scenario: str
    trial: int
    node: str
    snippet: str


@dataclass(frozen=True, slots=True)
class Hits:
    """The best matches first. `total` counts all, `hits` holds at most as many as were asked for; `unread` counts the
    rollouts that are still being played, whose words are not found yet."""

    hits: tuple[Hit, ...]
    total: int
    unread: int


def search_messages(
    store: Store,
    query: str,
    *,
    run_id: str | None = None,
    limit: int = MOST_HITS,
    report: Report | None = None,
) -> Hits:
    """Turns that hold all the words, the last of which may be a beginning. Nothing is found for an empty query."""
    words = match_expression(query)
    if not words:
        return Hits((), 0, 0)
    read_messages(store, run_id, report=report)
    where = "messages_text MATCH ?" + (" AND rollouts.run_id = ?" if run_id else "")
    given = (words, run_id) if run_id else (words,)
    joined = (
        "FROM messages_text JOIN messages ON messages.id = messages_text.rowid"
        f" JOIN rollouts ON rollouts.id = messages.rollout WHERE {where}"
    )
    (total,) = store.read(f"SELECT count(*) {joined}", given)[0]
    rows = store.read(
        "SELECT rollouts.run_id AS run, rollouts.id AS rollout, scenario_id AS scenario, trial, node,"
        f" snippet(messages_text, 0, '', '', ' … ', {WORDS_AROUND}) AS snippet {joined}"
        " ORDER BY messages_text.rank, rollouts.run_id DESC, rollouts.number, messages.id LIMIT ?",
        (*given, limit),
    )
    return Hits(tuple(Hit(**row) for row in map(dict, rows)), total, _being_played(store, run_id))


def match_expression(query: str) -> str:
    """The words of a query as FTS5 takes them: each quoted, so that nothing in it is an operator."""
    words = [word.replace('"', '""') for word in query.replace("\0", " ").split() if any(map(str.isalnum, word))]
    return " ".join(f'"{word}"' for word in words) + "*" if words else ""


def read_messages(store: Store, run_id: str | None = None, *, report: Report | None = None) -> int:
    """Brings the index up to date for every rollout that is not being played; how many had to be read."""
    waiting = _waiting(store, run_id)
    for start in range(0, len(waiting), BATCH):
        with store.write() as connection:
            for rollout in waiting[start : start + BATCH]:
                _read(connection, rollout)
        if report:
            report(min(start + BATCH, len(waiting)), len(waiting))
    return len(waiting)


def _waiting(store: Store, run_id: str | None) -> list[str]:
    """Rollouts with events that were not read yet, and that nobody adds to."""
    rows = store.read(
        "SELECT id FROM rollouts LEFT JOIN messages_read ON rollout = id WHERE rollouts.state <> 'running'"
        " AND rollouts.events > coalesce(messages_read.events, 0) AND (? IS NULL OR run_id = ?)"
        " ORDER BY run_id, number",
        (run_id, run_id),
    )
    return [row["id"] for row in rows]


def _being_played(store: Store, run_id: str | None) -> int:
    ((count,),) = store.read(
        "SELECT count(*) FROM rollouts WHERE state = 'running' AND (? IS NULL OR run_id = ?)", (run_id, run_id)
    )
    return int(count)


def _read(connection: sqlite3.Connection, rollout: str) -> None:
    """What another process read meanwhile is not read twice: the count is asked again, under the write lock."""
    (before,) = connection.execute("SELECT max(events) FROM messages_read WHERE rollout = ?", (rollout,)).fetchone()
    rows = connection.execute(
        "SELECT seq, body FROM events WHERE rollout = ? AND seq >= ? AND kind = 'NodeAdded'", (rollout, before or 0)
    ).fetchall()
    (events,) = connection.execute("SELECT count(*) FROM events WHERE rollout = ?", (rollout,)).fetchone()
    connection.executemany(
        "INSERT INTO messages (rollout, node, body) VALUES (?, ?, ?)",
        [(rollout, node["id"], "\n".join(said)) for node, said in map(_said, rows) if said],
    )
    connection.execute(
        "INSERT INTO messages_read VALUES (?, ?) ON CONFLICT (rollout) DO UPDATE SET events = excluded.events",
        (rollout, events),
    )


def _said(row: sqlite3.Row) -> tuple[dict[str, Any], list[str]]:
    """The node, and every text of its turn once. Straight from the JSON: a value for each turn takes five times as
    long, and the events were checked when they were written."""
    node = json.loads(row["body"])["node"]
    return node, list(dict.fromkeys(text for text in _texts(node["turn"]) if text.strip()))


def _texts(turn: dict[str, Json]) -> Iterator[str]:
    for message in turn["messages"]:
        yield message["content"]
        yield from (_asked(call) for call in message.get("tool_calls", ()))
    for call in turn.get("calls", ()):
        yield _asked(call)
        yield call.get("error") or call.get("result") or ""


def _asked(call: dict[str, Json]) -> str:
    return f"{call['name']} {call.get('raw') or json.dumps(call.get('arguments', {}), ensure_ascii=False)}"
