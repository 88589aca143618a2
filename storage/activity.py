"""What is being worked on right now, cheaply: asked every second by every open page. No configuration is read."""

from __future__ import annotations

from dataclasses import dataclass

from josh_engine.values import State
from storage.database import Store

_ACTIVE = """
SELECT runs.id, runs.name, runs.state, runs.created, runs.heartbeat, runs.seconds,
    count(rollouts.id) AS total, coalesce(sum(rollouts.state IN ('done', 'failed')), 0) AS finished
FROM runs LEFT JOIN rollouts ON rollouts.run_id = runs.id
WHERE runs.state IN ('queued', 'running') GROUP BY runs.id ORDER BY runs.id DESC
"""


@dataclass(frozen=True, slots=True)
class Activity:
    """A run the store says is queued or running: `finished` of `total` rollouts, `seconds` of work so far."""

    id: str
    name: str
    state: State
    created: str
    heartbeat: str | None
    seconds: float
    total: int
    finished: int


def active_runs(store: Store) -> tuple[Activity, ...]:
    """Newest first; also those whose process is gone."""
    return tuple(Activity(**row) for row in map(dict, store.read(_ACTIVE)))
