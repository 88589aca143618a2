"""Which labels were shown to whom, and where: appended, never changed. What was seen cannot be unseen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from storage.database import Store


@dataclass(frozen=True, slots=True)
class Look:
    """A label that was shown. `node` empty: those of all turns of the rollout. `place`: where; of several looks at one
    place the first is kept. `moment`: ISO 8601 in UTC."""

    rollout: str
    node: str
    place: str
    moment: str


def keep_looks(store: Store, person: str, looks: Iterable[Look]) -> None:
    """Looks at what was deleted meanwhile are let go with it."""
    with store.write() as connection:
        connection.executemany(
            "INSERT OR IGNORE INTO seen SELECT :person, id, :node, :place, :moment FROM rollouts WHERE id = :rollout",
            [asdict(look) | {"person": person} for look in looks],
        )


def list_looks(store: Store, person: str, rollout_id: str) -> tuple[Look, ...]:
    """In the order in which they were kept."""
    rows = store.read(
        "SELECT rollout, node, place, moment FROM seen WHERE person = ? AND rollout = ? ORDER BY rowid",
        (person, rollout_id),
    )
    return tuple(Look(**row) for row in map(dict, rows))
