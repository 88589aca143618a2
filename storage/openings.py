"""Which rollouts of a run open alike. A row's prompt starts with the user's first words, so two rollouts that open
differently never yield the same text in the same context: what one turn's rows are depends on these rollouts alone.
"""

from __future__ import annotations

from storage.database import Store

_OPENINGS = """
WITH openings AS (
  SELECT rollouts.id, rollouts.number, json_extract(events.body, '$.node.turn.messages') AS said
  FROM rollouts JOIN events ON events.rollout = rollouts.id AND events.seq = 1
  WHERE rollouts.run_id = (SELECT run_id FROM rollouts WHERE id = :rollout)
)
SELECT id FROM openings WHERE said = (SELECT said FROM openings WHERE id = :rollout) ORDER BY number
"""


def same_opening(store: Store, rollout_id: str) -> frozenset[str]:
    """The rollouts of the same run whose user's first turn says the same, this one included."""
    rows = store.read(_OPENINGS, {"rollout": rollout_id})
    return frozenset(row["id"] for row in rows) | {rollout_id}
