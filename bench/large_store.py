"""A store of a million nodes: one real search of generated scenarios by the rule-based agent, copied run by run under
ids of its own, with every event, until there are as many nodes as were asked for.

    python -m bench.large_store PATH [NODES]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from app import services
from storage.database import Store

SCENARIOS = 300
NODES = 1_000_000


def make(path: Path, nodes: int = NODES) -> int:
    """How many nodes the store holds. What is there already stays."""
    with services.open_store(path) as store:
        if not services.list_runs(store):
            asked = services.RunRequest(limit=SCENARIOS, agent="scripted", model=None)
            services.run_here(store, services.create_run(store, services.build_config(asked, path.parent)).id)
        (first, *_) = [line.run for line in services.list_runs(store)][::-1]
        held = count(store)
        for number in range(1, 100_000):
            if held >= nodes:
                break
            held += _copied(store, first, f"{first}{number:05d}"[-24:])
        return held


def count(store: Store) -> int:
    (found,) = store.read("SELECT coalesce(sum(nodes), 0) FROM rollouts")[0]
    return int(found)


def _copied(store: Store, run: str, copy: str) -> int:
    """Nodes of the copy; 0 where it is there already."""
    with store.write() as connection:
        if connection.execute("SELECT 1 FROM runs WHERE id = ?", (copy,)).fetchone():
            return 0
        for table, key in (("runs", "id"), ("rollouts", "run_id"), ("events", "rollout")):
            columns = [row["name"] for row in connection.execute(f"PRAGMA table_info({table})")]
            named = {"run_id": "?", "rollout": "? || substr(rollout, length(?) + 1)"}
            named["id"] = "?" if table == "runs" else "? || substr(id, length(?) + 1)"
            chosen = ", ".join(named.get(name, name) for name in columns)
            given = [
                each
                for name in columns
                for each in ((copy,) if named.get(name) == "?" else (copy, run) if name in named else ())
            ]
            where = "rollout BETWEEN ? || '.' AND ? || '/'" if table == "events" else f"{key} = ?"
            order = " ORDER BY rollout, seq" if table == "events" else ""
            connection.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen} FROM {table} WHERE {where}{order}",
                (*given, run, *([run] if table == "events" else [])),
            )
        (added,) = connection.execute("SELECT sum(nodes) FROM rollouts WHERE run_id = ?", (copy,)).fetchone()
    return int(added)


if __name__ == "__main__":
    began = time.monotonic()
    made = make(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else NODES)
    print(f"{made:,} nodes in {time.monotonic() - began:.0f} s, {Path(sys.argv[1]).stat().st_size / 1e9:.1f} GB")
