"""CPU per turn without latency: engine, world, both players and SQLite together, JOSH at beam 8."""

from __future__ import annotations

import time
from collections.abc import Iterator

from app import services
from bench.figures import Figure, fresh_store
from josh_engine.config import RunConfig, RunLimits

SCENARIOS = 100
BOUND_MS = 3.0


def measure() -> Iterator[Figure]:
    run(2)  # imports and the town's tables
    for concurrency in (1, 16, 64):
        cpu, turns = run(SCENARIOS, concurrency)
        name = f"CPU per turn, {SCENARIOS} scenarios, concurrency {concurrency}"
        yield Figure(name, 1000 * cpu / turns, "ms", f"<= {BOUND_MS}", f"{cpu:.2f} s over {turns} turns")


def run(scenarios: int, concurrency: int = 16) -> tuple[float, int]:
    """(CPU seconds, turns)."""
    with fresh_store() as store:
        data = services.data_path(store.path)
        ids = services.scenario_ids("toolwoz-generated", "train", data)[:scenarios]
        config = RunConfig("toolwoz-generated", "train", ids)
        made = services.create_run(store, config, limits=RunLimits(concurrency=concurrency))
        started = time.process_time()
        services.run_here(store, made.id)
        cpu = time.process_time() - started
        return cpu, sum(rollout.nodes for rollout in services.list_rollouts(store, made.id))
