"""Runs and calls against an OpenAI-compatible endpoint that takes 100 ms for an answer.

Wall time over the critical path as in `bench.critical_path`, but through everything that stands between a search and
a real endpoint: prompts of the ReACT agent and the goal user, the openai client, the limits and their slow start, the
journal on disk. And how many requests a second one process gets through. Client and endpoint, a process of its own,
share the same two cores.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app import services
from bench.critical_path import critical_calls
from bench.figures import Figure, fresh_store
from josh_engine.config import RunConfig, RunLimits
from josh_engine.models.limits import Limits
from josh_engine.models.openai_chat import OpenAIChat
from josh_engine.models.pace import first_pace
from josh_engine.values import Message

SECONDS_PER_CALL = 0.1
BOUNDS = {1: 1.10, 16: 1.15}
IN_FLIGHT, REQUESTS = 128, 3000
CHARACTERS = 12_000  # of a prompt: about 3,000 tokens, ReACT's on ToolWOZ in the middle of a conversation
ROOT = Path(__file__).parents[1]


def measure() -> Iterator[Figure]:
    two_cores = sorted(os.sched_getaffinity(0))[:2]
    os.sched_setaffinity(0, two_cores)
    with endpoint("bench.endpoint_answers:play") as url:
        run(url, 1)  # imports, the town's tables
        for scenarios, bound in BOUNDS.items():
            wall, critical, detail = run(url, scenarios)
            name = f"wall / critical path, endpoint, {scenarios} scenarios, beam 8"
            yield Figure(name, wall / critical, "", f"<= {bound}", f"{wall:.2f} s over {critical:.2f} s; {detail}")
    with endpoint("bench.endpoint_answers:speak") as url:
        wall, cpu = asyncio.run(calls(url))
        detail = f"{REQUESTS} requests of {CHARACTERS:,} characters in {wall:.2f} s, {cpu:.2f} s of it the client's CPU"
        name = f"requests through one endpoint, {IN_FLIGHT} in flight"
        yield Figure(name, REQUESTS / wall, "per second", ">= 150", detail)


@contextmanager
def endpoint(answers: str) -> Iterator[str]:
    """Its base address; it runs until the block ends."""
    command = [sys.executable, "-m", "tests.fake_openai", "--seconds", str(SECONDS_PER_CALL), "--answers", answers]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def run(url: str, scenarios: int) -> tuple[float, float, str]:
    """(wall seconds, critical path seconds, what was asked) of one JOSH run over the generated test split."""
    with fresh_store() as store:
        ids = services.scenario_ids("toolwoz-generated", "test", services.data_path(store.path))[:scenarios]
        name = f"bench@{url}"
        config = RunConfig(
            "toolwoz-generated", "test", ids, agent="react", user="goal", model=name, user_model=name, seed=3
        )
        made = services.create_run(store, config, limits=RunLimits(concurrency=scenarios))
        started = time.perf_counter()
        result = services.run_here(store, made.id)
        wall = time.perf_counter() - started
        trees = [services.open_rollout(store, each.id).tree for each in services.list_rollouts(store, made.id)]
    assert result.state == "done", result.error
    per_call = result.agent_usage.seconds_per_call or 0.0
    detail = f"{result.calls} calls, the agent's {1000 * per_call:.0f} ms each"
    return wall, SECONDS_PER_CALL * max(map(critical_calls, trees)), detail


async def calls(url: str) -> tuple[float, float]:
    """(wall seconds, CPU seconds) of many completions, once the pace has grown to the number in flight."""
    model = OpenAIChat(url, "bench", limits=Limits(first_pace(max_concurrency=IN_FLIGHT)))
    line = "I would like a cheap place to stay in the north, with parking, for three nights from Tuesday. "
    path = [Message("system", line * (CHARACTERS * 3 // 4 // len(line)))]
    path += [
        Message("user" if turn % 2 else "assistant", line * 2) for turn in range(CHARACTERS // 4 // len(line) // 2)
    ]

    async def ask(seed: int) -> None:
        await model.complete(path, seed=seed)

    await asyncio.gather(*map(ask, range(4 * IN_FLIGHT)))  # the pace has doubled to its ceiling
    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*map(ask, range(REQUESTS)))
    spent = time.perf_counter() - started, time.process_time() - cpu
    await model.close()
    return spent
