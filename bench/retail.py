"""τ-bench retail: forks, calls and grades per second on one core, over gold calls of the test tasks; and a search of
all train tasks by the offline pair.

Its files are read where JOSH_RETAIL says, else in the data folder.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from app import services
from bench.figures import Figure, fresh_store
from josh_engine.values import ToolCall, Turn
from taubench.attribution import NAME
from taubench.tasks import import_retail
from taubench.world import open_world

ROUNDS, FORKS = 20, 20_000


def measure() -> Iterator[Figure]:
    files = Path(os.environ.get("JOSH_RETAIL") or services.data_path(services.store_path()) / NAME)
    if not files.is_dir():
        print(
            f"τ-bench retail is not in {files}: python -m app data taubench PATH imports it; JOSH_RETAIL names another."
        )
        return
    yield from _world(files)
    yield from _search(files)


def _world(files: Path) -> Iterator[Figure]:
    world = open_world(files.parent) if files.name == NAME else None
    with fresh_store() as store:
        data = store.path.parent / "data"
        if world is None:
            import_retail(files, data)
            world = open_world(data)
        played = [
            (scenario, ToolCall("call_1", goal.name, goal.arguments))
            for scenario in world.scenarios("test")
            for goal in scenario.goals[:1]
        ]
        for scenario, _ in played:
            world.reward.gold(scenario)  # once per task, before
        environment = world.environment(played[0][0])
        environment.call(played[0][1])
        began = time.perf_counter()
        for _ in range(FORKS):
            environment.fork()
        yield Figure("a fork", (time.perf_counter() - began) / FORKS * 1e6, "microseconds")
        began, count = time.perf_counter(), 0
        for _ in range(ROUNDS):
            for scenario, call in played:
                fork = world.environment(scenario).fork()
                turn = Turn("agent", (), (fork.call(call),), "Done.")
                world.reward.graded(scenario, (turn,), fork)
                count += 1
        yield Figure("fork, call and grade", count / (time.perf_counter() - began), "a second", ">= 5000")


def _search(files: Path) -> Iterator[Figure]:
    with fresh_store() as store:
        data = store.path.parent / "data"
        import_retail(files, data)
        asked = services.RunRequest(
            world=NAME, split="train_all", agent="gold_follower", user="gold_reader", model=None, strategy="josh"
        )
        began = time.perf_counter()
        run = services.create_run(store, services.build_config(asked, data)).id
        result = services.run_here(store, run, data=data)
        took = time.perf_counter() - began
        yield Figure(
            "a search of the 500 train tasks",
            took,
            "s",
            "< 120",
            f"success {result.success_rate:.3f}, {result.success.of}",
        )
