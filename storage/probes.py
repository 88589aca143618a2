"""What the last test of each endpoint found, as the text that whoever tested it made of it."""

from __future__ import annotations

from collections.abc import Mapping

from storage.database import Store
from storage.runs import now


def keep_probe(store: Store, address: str, found: str) -> None:
    with store.write() as connection:
        connection.execute("INSERT OR REPLACE INTO probes VALUES (?, ?, ?)", (address, found, now()))


def kept_probes(store: Store) -> Mapping[str, tuple[str, str]]:
    """Address -> (what was found, when: ISO 8601 in UTC)."""
    rows = store.read("SELECT * FROM probes")
    return {row["address"]: (row["found"], row["tested"]) for row in rows}
