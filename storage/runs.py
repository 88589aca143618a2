"""Runs and their rollouts: made, listed, taken up and ended; and the events of a rollout.

Run ids are short, sort by time and are safe in a URL; a rollout's id is `<run>.<number>`, numbered in playing order
from 1. A run's rows are made in one transaction, so a run is there with all its rollouts or not at all.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from josh_engine.config import Run, RunConfig, RunLimits, RunNotice
from josh_engine.encoding import dump, load, load_event
from josh_engine.errors import NotFound
from josh_engine.values import Event, Rollout, State, Usage
from storage.database import Store

Notices = tuple[RunNotice, ...]
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def now() -> str:
    """ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def create_run(store: Store, config: RunConfig, *, limits: RunLimits, name: str, code_version: str) -> Run:
    """A queued run with a queued rollout for every scenario and trial; trials of one scenario follow one another."""
    with store.write() as connection:
        run_id = free_id(connection, "runs")
        connection.execute(
            "INSERT INTO runs (id, name, config, limits, state, created, code_version) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (run_id, name, dump(config), dump(limits), "queued", now(), code_version),
        )
        played = [(scenario, trial) for scenario in config.scenarios for trial in range(config.trials)]
        connection.executemany(
            "INSERT INTO rollouts (id, run_id, number, scenario_id, trial, state, goals, won, depth, nodes, events,"
            " calls, prompt_tokens, completion_tokens, usd, seconds, critical_seconds)"
            " VALUES (?, ?, ?, ?, ?, 'queued', 0, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 0.0)",
            [(f"{run_id}.{number}", run_id, number, *each) for number, each in enumerate(played, start=1)],
        )
    return load_run(store, run_id)


def load_run(store: Store, run_id: str) -> Run:
    """Raises NotFound."""
    found = _runs(store, "WHERE runs.id = ?", (run_id,))
    if not found:
        raise NotFound(f"Run {run_id!r} is not in {store.path}.", remedy="python -m app list shows those that are.")
    return found[0]


def list_runs(store: Store) -> tuple[Run, ...]:
    """Newest first."""
    return tuple(_runs(store, "ORDER BY runs.id DESC", ()))


def set_limits(store: Store, run_id: str, limits: RunLimits) -> None:
    with store.write() as connection:
        connection.execute("UPDATE runs SET limits = ? WHERE id = ?", (dump(limits), run_id))


def queue_again(store: Store, run_id: str) -> None:
    """Ready to be played on, whatever ended it before."""
    with store.write() as connection:
        connection.execute(
            "UPDATE runs SET state = 'queued', wanted = NULL, paused_by = NULL, error = NULL, finished = NULL"
            " WHERE id = ? AND state <> 'done'",
            (run_id,),
        )


def begin(store: Store, run_id: str) -> None:
    """Running, from now on. Only the holder of the run's lock calls this."""
    with store.write() as connection:
        connection.execute("UPDATE runs SET state = 'running', heartbeat = ? WHERE id = ?", (now(), run_id))


def beat(store: Store, run_id: str, *, seconds: float) -> None:
    """Still alive; `seconds` passed since the last beat."""
    with store.write() as connection:
        connection.execute(
            "UPDATE runs SET heartbeat = ?, seconds = seconds + ? WHERE id = ?", (now(), seconds, run_id)
        )


def end(
    store: Store,
    run_id: str,
    state: State,
    *,
    paused_by: str | None = None,
    error: str | None = None,
) -> None:
    """The run as it stopped; what was asked of it is settled. Cancelling ends what was not finished."""
    left = {"cancelled": ("cancelled", "('queued', 'running', 'paused')")}.get(state, ("paused", "('running')"))
    with store.write() as connection:
        connection.execute(
            "UPDATE runs SET state = ?, paused_by = ?, error = ?, finished = ?, wanted = NULL WHERE id = ?",
            (state, paused_by, error, None if state == "paused" else now(), run_id),
        )
        connection.execute(
            f"UPDATE rollouts SET state = ? WHERE run_id = ? AND state IN {left[1]}",
            (left[0], run_id),
        )


def tell(store: Store, run_id: str, notices: Sequence[RunNotice]) -> None:
    """Adds those of which nothing of their kind was told of their model yet; a resume meets them again."""
    with store.write() as connection:
        row = connection.execute("SELECT notices FROM runs WHERE id = ?", (run_id,)).fetchone()
        told: dict[tuple[str, str], RunNotice] = {}
        for each in (*load(Notices, row["notices"]), *notices):
            told.setdefault((each.model, each.kind), each)
        connection.execute("UPDATE runs SET notices = ? WHERE id = ?", (dump(tuple(told.values())), run_id))


def want(store: Store, run_id: str, state: State) -> None:
    """Asks whoever works on the run to end it in this state; `cancelled` is not taken back by `paused`."""
    with store.write() as connection:
        connection.execute(
            "UPDATE runs SET wanted = ? WHERE id = ? AND state IN ('queued', 'running') AND wanted IS NOT 'cancelled'",
            (state, run_id),
        )


def wanted(store: Store, run_id: str) -> State | None:
    rows = store.read("SELECT wanted FROM runs WHERE id = ?", (run_id,))
    state: State | None = rows[0]["wanted"] if rows else None
    return state


def list_rollouts(store: Store, run_id: str) -> tuple[Rollout, ...]:
    """In playing order."""
    return tuple(map(_rollout, store.read("SELECT * FROM rollouts WHERE run_id = ? ORDER BY number", (run_id,))))


def load_rollout(store: Store, rollout_id: str) -> Rollout:
    """Raises NotFound."""
    rows = store.read("SELECT * FROM rollouts WHERE id = ?", (rollout_id,))
    if not rows:
        raise NotFound(f"Rollout {rollout_id!r} is not in {store.path}.")
    return _rollout(rows[0])


def events_after(store: Store, rollout_id: str, after: int = -1) -> tuple[tuple[int, Event], ...]:
    """(number, event) of the events behind number `after`, in order; numbers count from 0."""
    rows = store.read(
        "SELECT seq, kind, body FROM events WHERE rollout = ? AND seq > ? ORDER BY seq", (rollout_id, after)
    )
    return tuple((row["seq"], load_event(row["kind"], row["body"])) for row in rows)


def _runs(store: Store, clause: str, parameters: Sequence[str]) -> list[Run]:
    rows = store.read(
        "SELECT runs.*, (SELECT count(*) FROM rollouts WHERE run_id = runs.id AND state = 'done') AS rollouts_done"
        f" FROM runs {clause}",
        parameters,
    )
    return [_run(row) for row in rows]


def _run(row: sqlite3.Row) -> Run:
    config = load(RunConfig, row["config"])
    return Run(
        id=row["id"],
        name=row["name"],
        config=config,
        limits=load(RunLimits, row["limits"]),
        state=row["state"],
        created=row["created"],
        code_version=row["code_version"],
        finished=row["finished"],
        heartbeat=row["heartbeat"],
        paused_by=row["paused_by"],
        error=row["error"],
        cancel_requested=row["wanted"] == "cancelled",
        stop_requested=row["wanted"] == "paused",
        scenario_count=len(config.scenarios),
        rollouts_done=row["rollouts_done"],
        seconds=row["seconds"],
        tags=tuple(json.loads(row["tags"])),
        note=row["note"],
        notices=load(Notices, row["notices"]),
    )


def _rollout(row: sqlite3.Row) -> Rollout:
    usage = Usage(row["calls"], row["prompt_tokens"], row["completion_tokens"])
    copied = (
        "id", "run_id", "scenario_id", "trial", "state", "error", "goals", "won", "grade", "depth", "nodes", "events",
        "usd", "seconds", "critical_seconds",
    )  # fmt: skip
    return Rollout(usage=usage, **{name: row[name] for name in copied})


def free_id(connection: sqlite3.Connection, table: str) -> str:
    """An id that the table does not have; ids sort by time."""
    number = time.time_ns() // 1_000_000
    while connection.execute(f"SELECT 1 FROM {table} WHERE id = ?", (_in_base_36(number),)).fetchone():
        number += 1
    return _in_base_36(number)


def _in_base_36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = ALPHABET[digit] + digits
    return digits
