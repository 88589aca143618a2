"""A writer that is killed inside its n-th commit: python -m tests.storage.dying_writer STORE RUN N

The transaction's statements have run, its COMMIT has begun. What it was told is kept it reports on standard output,
where a search would go on and use the paid answer.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from josh_engine.values import Completion, JournalEntry, Rollout
from storage import runs
from storage.database import Store, open_store
from storage.writer import RunWriter
from tests.storage.events import exchange, started


def main(place: Path, run_id: str, commits: int) -> None:
    with open_store(place) as store:
        rollouts = runs.list_rollouts(store, run_id)
        _die_at(store, commits)
        asyncio.run(_write(store, rollouts))


def _die_at(store: Store, commits: int) -> None:
    left = commits

    def watch(statement: str) -> None:
        nonlocal left
        if statement == "COMMIT":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    store._connection.set_trace_callback(watch)


async def _write(store: Store, rollouts: tuple[Rollout, ...]) -> None:
    writer = RunWriter(store, rollouts)
    await asyncio.gather(*(_search(writer, rollout) for rollout in rollouts))


async def _search(writer: RunWriter, rollout: Rollout) -> None:
    count = len(writer.stored(rollout.id))
    for depth in range(1, 200):
        for call in range(3):
            answer = Completion(f"answer {depth}.{call}")
            await writer.keep(JournalEntry(rollout.id, f"node{depth}", call, "asked", answer, 0.1))
            print(f"journal {rollout.id} node{depth} {call}", flush=True)
        events = ((started(),) if depth == 1 else ()) + exchange(depth)
        count += len(events)
        await writer.record(events, replace(rollout, state="running", events=count, depth=depth))
        print(f"events {rollout.id} {count} {depth}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
