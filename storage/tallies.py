"""All runs' figures at once, for lists that a page draws every second: averaged in SQL, without intervals.

The rule is `josh_engine.rates`': over scenarios, each the mean of its finished trials; in the lower bound each trial
that did not finish is a 0. A test holds the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.database import Store

_TALLIES = """
WITH per_rollout AS (
    SELECT run_id, scenario_id, state = 'done' AS done,
        CASE WHEN state = 'done' AND goals > 0 THEN won * 1.0 / goals END AS reward,
        CASE WHEN state = 'done' AND grade IS NOT NULL THEN grade >= 1
             WHEN state = 'done' AND goals > 0 THEN won = goals END AS success
    FROM rollouts
), per_scenario AS (
    SELECT run_id, count(*) AS rollouts, sum(done) AS finished, sum(success) AS full,
        avg(reward) AS reward, avg(success) AS success,
        CASE WHEN sum(done) = 0 THEN 0.0
             ELSE sum(reward) / (count(*) - sum(done) + count(reward)) END AS reward_low,
        CASE WHEN sum(done) = 0 THEN 0.0
             ELSE sum(success) * 1.0 / (count(*) - sum(done) + count(success)) END AS success_low
    FROM per_rollout GROUP BY run_id, scenario_id
)
SELECT run_id, sum(rollouts) AS rollouts, sum(finished) AS finished, coalesce(sum(full), 0) AS full,
    avg(reward) AS average_reward, avg(success) AS success_rate,
    CASE WHEN count(reward) > 0 THEN avg(reward_low) END AS average_reward_low,
    CASE WHEN count(success) > 0 THEN avg(success_low) END AS success_rate_low
FROM per_scenario GROUP BY run_id
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """`finished` of `rollouts` are done, `full` of them with 100 % success; the averages and their lower bounds are
    None where there is nothing to average."""

    rollouts: int = 0
    finished: int = 0
    full: int = 0
    average_reward: float | None = None
    success_rate: float | None = None
    average_reward_low: float | None = None
    success_rate_low: float | None = None


def tally_runs(store: Store) -> dict[str, Tally]:
    """By run id."""
    rows = map(dict, store.read(_TALLIES))
    return {row.pop("run_id"): Tally(**row) for row in rows}
