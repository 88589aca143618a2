"""The people who judge turns here, by the name each gave. A name is all that is known of a person."""

from __future__ import annotations

from dataclasses import dataclass

from storage.database import Store
from storage.runs import now


@dataclass(frozen=True, slots=True)
class Person:
    """`since` and `seen`: when the name was first and last given, ISO 8601 in UTC. `verdicts`: how many are theirs."""

    name: str
    since: str
    seen: str
    verdicts: int


def remember(store: Store, name: str) -> None:
    """A new person, or one who is here again."""
    with store.write() as connection:
        connection.execute(
            "INSERT INTO people VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET seen = excluded.seen",
            (name, moment := now(), moment),
        )


def list_people(store: Store) -> tuple[Person, ...]:
    """By name; also those who judged under a name that was given elsewhere."""
    rows = store.read(
        "WITH judged AS (SELECT auditor AS name, min(created) AS since, max(created) AS seen, count(*) AS verdicts"
        " FROM verdicts GROUP BY auditor)"
        " SELECT name, people.since, people.seen, coalesce(verdicts, 0) AS verdicts"
        " FROM people LEFT JOIN judged USING (name)"
        " UNION ALL SELECT * FROM judged WHERE name NOT IN (SELECT name FROM people) ORDER BY name"
    )
    return tuple(Person(**row) for row in map(dict, rows))
