"""Wall time over the critical path, with 100 ms per call.

The critical path of a search is the sum over its asks of the slowest turn's calls x latency; of a run, the maximum
over its scenarios. No scheduler can be faster; what lies above 1.0 is the engine's, the world's, the players' and the
store's own work. All scenarios run at once. Imports and opening the world are apart: they are paid once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from app import services
from bench.figures import Figure, fresh_store
from bench.parts import SECONDS_PER_CALL, calls
from josh_engine.config import RunConfig, RunLimits
from josh_engine.tree import Tree, branches

BOUNDS = {1: 1.05, 16: 1.05, 64: 1.10}


def measure() -> Iterator[Figure]:
    run(1)  # imports and the town's tables
    for scenarios, bound in BOUNDS.items():
        wall, critical = run(scenarios)
        detail = f"{wall:.2f} s over {critical:.2f} s"
        yield Figure(f"wall / critical path, {scenarios} scenarios, beam 8", wall / critical, "", f"<= {bound}", detail)


def run(scenarios: int) -> tuple[float, float]:
    """(wall seconds, critical path seconds) of one JOSH run over the generated test split."""
    with fresh_store() as store:
        data = services.data_path(store.path)
        ids = services.scenario_ids("toolwoz-generated", "test", data)[:scenarios]
        config = RunConfig("toolwoz-generated", "test", ids, agent="bench.parts:SlowAgent", user="bench.parts:SlowUser")
        made = services.create_run(store, config, limits=RunLimits(concurrency=scenarios))
        started = time.perf_counter()
        services.run_here(store, made.id)
        wall = time.perf_counter() - started
        rollouts = services.list_rollouts(store, made.id)
        trees = [services.open_rollout(store, each.id).tree for each in rollouts]
    return wall, SECONDS_PER_CALL * max(map(critical_calls, trees))


def critical_calls(tree: Tree) -> int:
    """Turns of one side at one depth are one ask: after a collapse, depth only grows."""
    slowest: dict[tuple[int, str], int] = {}
    for node in tree.nodes.values():
        ask = (len(branches(node.id)), node.turn.speaker)
        slowest[ask] = max(slowest.get(ask, 0), calls(node.turn))
    return sum(slowest.values())
