"""What tells whether rows made of some runs are still those that would be made now."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Store


def export_stamp(store: Store, run_ids: Sequence[str]) -> tuple[tuple[str, int, int, int], ...]:
    """For each run: its finished rollouts, its events, and its last verdict's place. Equal iff nothing was added."""
    marks = ", ".join("?" * len(run_ids))
    rows = store.read(
        "SELECT run_id, count(*) FILTER (WHERE rollouts.state = 'done') AS done, sum(events) AS events,"
        " (SELECT coalesce(max(verdicts.rowid), 0) FROM verdicts JOIN rollouts AS judged ON judged.id = rollout"
        " WHERE judged.run_id = rollouts.run_id) AS judged"
        f" FROM rollouts WHERE run_id IN ({marks}) GROUP BY run_id ORDER BY run_id",
        run_ids,
    )
    return tuple((row["run_id"], row["done"], row["events"], row["judged"]) for row in rows)
