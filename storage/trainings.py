"""Training jobs: what each is made of, how far it is, and a point for every step. Ids sort by time, as runs' do."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from josh_engine.errors import NotFound
from josh_engine.values import Json
from storage.database import Store
from storage.runs import free_id, now

ENDED = ("done", "failed", "cancelled")
AT_WORK = ("preparing", "running", "saving")


@dataclass(frozen=True, slots=True)
class Training:
    """A job. `model`: the base model as a person named it; `rows`, `out`: whole paths. `config`: its settings, whole.
    `state`: queued, one of AT_WORK, or one of ENDED. `step` of `steps`, `loss`: the newest point's; None before the
    first. `seconds`, `tokens`: of training alone. `adapter`: its folder, once it lies on disk. `found`: what the rows
    hold (good, bad, sequences, too_long). `wanted`: the state somebody asked it to end in."""

    id: str
    name: str
    model: str
    rows: str
    out: str
    config: Mapping[str, Json]
    state: str
    created: str
    started: str | None = None
    ended: str | None = None
    heartbeat: str | None = None
    wanted: str | None = None
    step: int = 0
    steps: int | None = None
    seconds: float = 0.0
    tokens: int = 0
    loss: float | None = None
    adapter: str | None = None
    error: str | None = None
    found: Mapping[str, Json] | None = None


def add_training(
    store: Store, *, name: str, model: str, rows: str, out: str | None, config: Mapping[str, Json], folder: str
) -> Training:
    """A queued job. `out` None: a folder of its own, named by its id, in `folder`."""
    with store.write() as connection:
        made = free_id(connection, "trainings")
        connection.execute(
            "INSERT INTO trainings (id, name, model, rows, out, config, state, created)"
            " VALUES (?, ?, ?, ?, ?, ?, 'queued', ?)",
            (made, name, model, rows, out or f"{folder}/{made}", json.dumps(config, sort_keys=True), now()),
        )
    return load_training(store, made)


def load_training(store: Store, training_id: str) -> Training:
    """Raises NotFound."""
    rows = store.read("SELECT * FROM trainings WHERE id = ?", (training_id,))
    if not rows:
        raise NotFound(f"Training {training_id!r} is not in {store.path}.", remedy="See the Train page.")
    return _training(rows[0])


def list_trainings(store: Store) -> tuple[Training, ...]:
    """Newest first."""
    return tuple(map(_training, store.read("SELECT * FROM trainings ORDER BY id DESC")))


def training_in(store: Store, out: str) -> Training | None:
    """The newest job whose folder this is."""
    rows = store.read("SELECT * FROM trainings WHERE out = ? ORDER BY id DESC LIMIT 1", (out,))
    return _training(rows[0]) if rows else None


def release_folder(store: Store, training_id: str) -> None:
    """A person deleted the job's folder, and another job may use its place."""
    with store.write() as connection:
        connection.execute(
            "UPDATE trainings SET out = out || ' (deleted)', adapter = NULL WHERE id = ?", (training_id,)
        )


def queue_training(store: Store, training_id: str) -> None:
    """Ready to be taken up again, whatever ended it; a done one stays as it is."""
    _change(store, training_id, "state = 'queued', wanted = NULL, error = NULL, ended = NULL, heartbeat = ?", (now(),))


def begin_training(store: Store, training_id: str) -> None:
    """Only the holder of the job's lock calls this and what follows."""
    _change(store, training_id, "state = 'preparing', started = coalesce(started, ?), heartbeat = ?", (now(), now()))


def beat_training(store: Store, training_id: str) -> None:
    with store.write() as connection:
        connection.execute("UPDATE trainings SET heartbeat = ? WHERE id = ?", (now(), training_id))


def tell_training(store: Store, training_id: str, point: Mapping[str, Json]) -> str | None:
    """Keeps a point (`josh_engine.training.config.Progress` as JSON) as the newest; returns what is wanted. Points of
    steps that are taken again after a checkpoint replace those before."""
    state = "saving" if point["step"] == point["steps"] else "running"
    with store.write() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO training_points VALUES (?, ?, ?)", (training_id, point["step"], json.dumps(point))
        )
        connection.execute(
            "UPDATE trainings SET state = ?, step = ?, steps = ?, seconds = ?, tokens = ?, loss = ?, heartbeat = ?"
            " WHERE id = ?",
            (state, *(point[name] for name in ("step", "steps", "seconds", "tokens", "loss")), now(), training_id),
        )
        (wanted,) = connection.execute("SELECT wanted FROM trainings WHERE id = ?", (training_id,)).fetchone()
    return str(wanted) if wanted is not None else None


def end_training(
    store: Store,
    training_id: str,
    state: str,
    *,
    adapter: str | None = None,
    error: str | None = None,
    found: Mapping[str, Json] | None = None,
) -> None:
    told = None if found is None else json.dumps(found)
    _change(
        store,
        training_id,
        "state = ?, wanted = NULL, ended = ?, error = ?, adapter = coalesce(?, adapter), found = coalesce(?, found)",
        (state, now(), error, adapter, told),
    )


def want_training(store: Store, training_id: str, state: str) -> None:
    """Asks whoever works on the job to end it in this state."""
    _change(store, training_id, "wanted = ?", (state,))


def wanted_of(store: Store, training_id: str) -> str | None:
    rows = store.read("SELECT wanted FROM trainings WHERE id = ?", (training_id,))
    return rows[0]["wanted"] if rows else None


def training_points(store: Store, training_id: str, after: int = 0) -> tuple[Mapping[str, Json], ...]:
    """Those behind step `after`, in order."""
    rows = store.read(
        "SELECT point FROM training_points WHERE training = ? AND step > ? ORDER BY step", (training_id, after)
    )
    return tuple(json.loads(row["point"]) for row in rows)


def delete_training(store: Store, training_id: str) -> None:
    """The record with its points; files stay."""
    with store.write() as connection:
        connection.execute("DELETE FROM trainings WHERE id = ?", (training_id,))


def _change(store: Store, training_id: str, change: str, values: Sequence[object]) -> None:
    with store.write() as connection:
        connection.execute(f"UPDATE trainings SET {change} WHERE id = ? AND state <> 'done'", (*values, training_id))


def _training(row: sqlite3.Row) -> Training:
    given = {name: row[name] for name in row.keys()}  # noqa: SIM118
    given["config"] = json.loads(given["config"])
    given["found"] = None if given["found"] is None else json.loads(given["found"])
    return Training(**given)
