"""The embedded model at play: tokens per second and seconds per conversation by conversations at once, over
transformers' own `generate` on the same agent, prompts and scenarios (`bench.plain_model`).

Generated test scenarios, agenda user, temperature 1. Ours is measured as it ships, with a process for each core, and
with one process; starting the processes and loading is left out.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure
from bench.plain_model import PlainModel
from embedded import MODEL
from josh_engine.agents.react import ReactAgent
from josh_engine.config import StrategyConfig
from josh_engine.memory import MemoryJournal, MemoryRecorder
from josh_engine.models.absent import AbsentModel
from josh_engine.models.local_chat import open_local
from josh_engine.ports import ChatModel
from josh_engine.rollout import Players, roll_out
from josh_engine.search import open_strategy
from josh_engine.values import Rollout
from toolwoz.agenda import AgendaUser
from toolwoz.generated import open_world

PLAIN_CONVERSATIONS = 10
CONVERSATIONS = {1: 16, 8: 64, 64: 192}  # at once -> how many in all
AIM = ">= 8"


def measure() -> Iterator[Figure]:
    os.environ["OMP_NUM_THREADS"] = "1"
    plain_tokens, plain_seconds = asyncio.run(played(PlainModel(), PLAIN_CONVERSATIONS, at_once=1))
    yield Figure("transformers' generate, one after another", plain_tokens, "tokens/s")
    yield Figure("the same, a conversation", plain_seconds, "s")
    for processes, name in ((1, "one process"), (None, "a process a core")):
        for at_once, count in CONVERSATIONS.items():
            tokens, seconds = asyncio.run(ours(processes, count, at_once=at_once))
            told = f"{tokens:.0f} tokens/s, {seconds:.2f} s a conversation"
            bound = AIM if at_once == 64 and processes is None else ""
            yield Figure(f"local chat over it, {name}, {at_once} at once", tokens / plain_tokens, "", bound, told)


async def ours(processes: int | None, count: int, *, at_once: int) -> tuple[float, float]:
    chat = open_local(MODEL, device="cpu", processes=processes)
    try:
        await chat.ready()
        await played(chat, 4, at_once=4)
        return await played(chat, count, at_once=at_once)
    finally:
        await chat.close()


async def played(model: ChatModel, count: int, *, at_once: int) -> tuple[float, float]:
    """(completion tokens per second, seconds per conversation) over so many conversations."""
    world, recorder, journal = open_world(Path()), MemoryRecorder(), MemoryJournal()
    players = Players(ReactAgent(), AgendaUser(), model, AbsentModel("user_model="))
    strategy, free = open_strategy(StrategyConfig("greedy")), asyncio.Semaphore(at_once)

    async def one(number: int) -> Rollout:
        scenario = world.scenarios("test")[number]
        async with free:
            return await roll_out(
                Rollout(f"b.{number}", "b", scenario.id, 0), scenario, world, players, strategy,
                recorder=recorder, journal=journal, seed=0,
            )  # fmt: skip

    started = time.perf_counter()
    done = await asyncio.gather(*map(one, range(count)))
    seconds = time.perf_counter() - started
    assert all(each.state == "done" for each in done), next(each.error for each in done if each.error)
    return sum(each.usage.completion_tokens for each in done) / seconds, seconds / count
