"""An export can be traced: which runs, by which policy, into which files."""

from __future__ import annotations

from dataclasses import replace

from storage.database import Store
from storage.exports import Export, add_export, list_exports

EXPORT = Export(
    runs=["r1", "r2"],
    formats=["kto"],
    policy={"rows": "whole_turn", "audit": "any", "filtered": True},
    folder="/somewhere",
    files={"kto.jsonl": "abc"},
    rows=7,
    positives=4,
    negatives=3,
    scenarios=2,
    gates={"balance": {"ok": True, "count": None}},
)


def test_exports_come_back_newest_first_with_ids_of_their_own(store: Store) -> None:
    assert [add_export(store, EXPORT), add_export(store, replace(EXPORT, rows=8))] == ["e1", "e2"]
    newest, oldest = list_exports(store)
    assert (newest.id, newest.rows, oldest.id) == ("e2", 8, "e1")
    assert replace(oldest, id="", created="") == EXPORT
