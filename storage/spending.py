"""What a run's models were asked, by side, from the journal: every answer that was paid for, once.

That includes the answers of turns that were never finished. An answer shared at temperature 0 was asked for once.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.database import Store

_SPENT = """
WITH answers AS (
    SELECT substr(node, -1) = 'u' AS of_user, completion AS answer, journal.seconds AS seconds
    FROM journal JOIN rollouts ON rollouts.id = journal.rollout WHERE rollouts.run_id = ?
)
SELECT of_user,
    sum(iif(answer ->> '$.usage' IS NULL, 1, coalesce(answer ->> '$.usage.calls', 0))) AS calls,
    sum(coalesce(answer ->> '$.usage.prompt_tokens', 0)) AS prompt_tokens,
    sum(coalesce(answer ->> '$.usage.completion_tokens', 0)) AS completion_tokens,
    total(answer ->> '$.usd') AS usd, sum(json_type(answer, '$.usd') IS 'null') AS unknown, total(seconds) AS seconds
FROM answers GROUP BY of_user
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """One side's model calls. `usd` None: some price is unknown. `seconds`: all of them, waiting included."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = 0.0
    seconds: float = 0.0


def spent(store: Store, run_id: str) -> tuple[Spent, Spent]:
    """The agent's side and the user's. An agent's turn has no `u` at the end of its address (`josh_engine.tree`)."""
    sides = {0: Spent(), 1: Spent()}
    for row in store.read(_SPENT, (run_id,)):
        usd = None if row["unknown"] else row["usd"]
        counted = (row["calls"], row["prompt_tokens"], row["completion_tokens"])
        sides[row["of_user"]] = Spent(*counted, usd=usd, seconds=row["seconds"])
    return sides[0], sides[1]
