"""What was exported: which runs, by which policy, into which files; so that a file can be traced to its trees."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from josh_engine.values import Json
from storage.database import Store
from storage.runs import now


@dataclass(frozen=True, slots=True)
class Export:
    """`files`: name -> sha256. `policy`, `gates`: as `josh_engine.extract` names them. `id` and `created` are given
    by the store."""

    runs: Sequence[str]
    formats: Sequence[str]
    policy: Mapping[str, Json]
    folder: str
    files: Mapping[str, str]
    rows: int
    positives: int
    negatives: int
    scenarios: int
    gates: Mapping[str, Json]
    id: str = ""
    created: str = ""


_AS_JSON = ("runs", "formats", "policy", "files", "gates")


def add_export(store: Store, export: Export) -> str:
    """Its id: `e<number>`, counted from 1."""
    row = {name: getattr(export, name) for name in Export.__dataclass_fields__}
    row |= {name: json.dumps(row[name], sort_keys=True) for name in _AS_JSON}
    with store.write() as connection:
        (count,) = connection.execute("SELECT count(*) FROM exports").fetchone()
        row |= {"id": f"e{count + 1}", "created": now()}
        connection.execute(
            f"INSERT INTO exports ({', '.join(row)}) VALUES ({', '.join(':' + name for name in row)})", row
        )
    return str(row["id"])


def list_exports(store: Store) -> tuple[Export, ...]:
    """Newest first."""
    rows = store.read("SELECT * FROM exports ORDER BY rowid DESC")
    return tuple(
        Export(**{name: json.loads(row[name]) if name in _AS_JSON else row[name] for name in row.keys()})  # noqa: SIM118
        for row in rows
    )
