"""What the search finds over plain play, with the scripted agent and the agenda user: paired, with its interval.

On the generated test split; and on the first 100 official MultiWOZ test scenarios, where MultiWOZ was imported into
the data folder (JOSH_DATA, or `python -m app data multiwoz PATH`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from app import services
from bench.figures import Figure, fresh_store
from josh_engine.config import RunConfig, StrategyConfig
from josh_engine.errors import DatasetError
from josh_engine.metrics import compare


def measure() -> Iterator[Figure]:
    yield from gain("toolwoz-generated", "test", 450, "")
    try:
        yield from gain("toolwoz", "test", 100, ">= 0.15")
    except DatasetError as error:
        print(f"MultiWOZ is left out: {error}")


def gain(world: str, split: str, limit: int, bound: str) -> Iterator[Figure]:
    with fresh_store() as store:
        data = services.data_path(services.store_path())
        ids = services.scenario_ids(world, split, data)[:limit]
        started = time.perf_counter()
        runs = {}
        for strategy in ("greedy", "josh"):
            config = RunConfig(world, split, ids, strategy=StrategyConfig(strategy))
            made = services.create_run(store, config)
            runs[strategy] = services.run_here(store, made.id, data=data)
        seconds = time.perf_counter() - started
        rollouts = {name: services.list_rollouts(store, result.run) for name, result in runs.items()}
    paired = compare(rollouts["greedy"], rollouts["josh"])
    where = f"{world}/{split}, {len(ids)} scenarios"
    for name, result in runs.items():
        for what, rate in (("average reward", result.reward), ("success rate", result.success)):
            yield Figure(f"{name}: {what}, {where}", rate.value or 0.0, "", detail=f"{rate.of} finished")
    if paired is not None:
        interval = f"95 % interval [{paired.low:.3f}, {paired.high:.3f}], n {paired.n} of {paired.pairs}"
        yield Figure(f"JOSH minus greedy, average reward, {where}", paired.difference, "", bound, interval)
    yield Figure(f"both runs together, {where}", seconds, "s", "<= 20" if bound else "")
