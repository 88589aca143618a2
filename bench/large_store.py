"""A store of a million nodes: real searches of generated scenarios by the rule-based agent, each run with a seed of its
own, until there are as many nodes as were asked for. What is there already stays.

    python -m bench.large_store PATH [NODES]
"""

from __future__ import annotations

import sys
import time
from itertools import count
from pathlib import Path

from app import services
from storage.database import Store

SCENARIOS = 300
NODES = 1_000_000


def make(path: Path, nodes: int = NODES) -> int:
    """How many nodes the store holds."""
    with services.open_store(path) as store:
        played = {services.load_run(store, line.run).config.seed for line in services.list_runs(store)}
        seeds = (each for each in count() if each not in played)
        while held(store) < nodes:
            seed = next(seeds)
            asked = services.RunRequest(limit=SCENARIOS, agent="scripted", model=None, seed=seed)
            config = services.build_config(asked, path.parent)
            services.run_here(store, services.create_run(store, config, name=f"Seed {seed}").id)
        return held(store)


def held(store: Store) -> int:
    (found,) = store.read("SELECT coalesce(sum(nodes), 0) FROM rollouts")[0]
    return int(found)


if __name__ == "__main__":
    began = time.monotonic()
    made = make(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else NODES)
    print(f"{made:,} nodes in {time.monotonic() - began:.0f} s, {Path(sys.argv[1]).stat().st_size / 1e9:.1f} GB")
