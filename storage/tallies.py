"""All runs' figures at once, for lists that a page draws every second: averaged in SQL, without intervals.

The rule is `josh_engine.metrics`': over scenarios, each the mean of its finished trials; a test holds the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.database import Store

_TALLIES = """
WITH per_scenario AS (
    SELECT run_id, count(*) AS rollouts, sum(state = 'done') AS finished,
        avg(CASE WHEN state = 'done' AND goals > 0 THEN won * 1.0 / goals END) AS reward,
        avg(CASE WHEN state = 'done' AND grade IS NOT NULL THEN grade >= 1
                 WHEN state = 'done' AND goals > 0 THEN won = goals END) AS success
    FROM rollouts GROUP BY run_id, scenario_id
)
SELECT run_id, sum(rollouts) AS rollouts, sum(finished) AS finished, avg(reward) AS reward, avg(success) AS success
FROM per_scenario GROUP BY run_id
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """`finished` of `rollouts` are done; the averages are None where there is nothing to average."""

    rollouts: int = 0
    finished: int = 0
    average_reward: float | None = None
    success_rate: float | None = None


def tally_runs(store: Store) -> dict[str, Tally]:
    """By run id."""
    return {
        row["run_id"]: Tally(row["rollouts"], row["finished"], row["reward"], row["success"])
        for row in store.read(_TALLIES)
    }
