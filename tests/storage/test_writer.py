"""The journal and the recorder on the store: what is said to be kept is kept, whatever happens next."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from josh_engine.config import Run
from josh_engine.errors import StorageError
from josh_engine.tree import fold
from josh_engine.values import Completion, JournalEntry, Rollout, ToolCall, Usage
from storage import runs
from storage.database import Store, open_store
from storage.writer import RunWriter
from tests.storage.events import exchange, started, whole

ANSWER = Completion("Yes.", (ToolCall("call_1", "find", {"area": "north"}, "{}"),), "stop", Usage(1, 9, 2), None)


def _entry(rollout: str, call: int = 0, request: str = "asked") -> JournalEntry:
    return JournalEntry(rollout, "0.1", call, request, replace(ANSWER, content=f"answer {call}"), 0.25)


def test_a_paid_answer_comes_back_by_place_and_by_request(store: Store, run: Run) -> None:
    writer = RunWriter(store, ())
    asyncio.run(_all(writer.keep(_entry("r", 0)), writer.keep(_entry("r", 1)), writer.keep(_entry("s", 0, "other"))))
    assert writer.find("r", "0.1", 1) == _entry("r", 1)
    assert writer.find("r", "0.1", 2) is None
    assert writer.find_same("r", "asked") == _entry("r", 0), "the first of them"
    assert writer.find_same("s", "asked") is None


def test_all_that_waits_at_once_is_one_commit(store: Store, run: Run) -> None:
    commits = _count_commits(store)
    rollouts = runs.list_rollouts(store, run.id)
    writer = RunWriter(store, rollouts)

    async def six_searches() -> None:
        for rollout in rollouts:
            writer.stored(rollout.id)
        await asyncio.gather(*(writer.keep(_entry(rollout.id)) for rollout in rollouts))
        await asyncio.gather(*(writer.record(whole(), replace(each, events=7, state="done")) for each in rollouts))

    asyncio.run(six_searches())
    assert commits.count("COMMIT") == 2
    assert runs.load_run(store, run.id).rollouts_done == 6


def test_what_is_recorded_is_what_a_resume_reads(store: Store, run: Run) -> None:
    rollout = runs.list_rollouts(store, run.id)[0]

    async def two_sittings() -> None:
        first = RunWriter(store, [rollout])
        assert first.stored(rollout.id) == ()
        await first.record([started()], replace(rollout, events=1))
        await first.record(exchange(1), replace(rollout, events=3))
        second = RunWriter(store, [rollout])
        assert second.stored(rollout.id) == (started(), *exchange(1))
        await second.record(exchange(2), replace(rollout, events=5))
        await second.record([], replace(rollout, events=5, state="paused"))

    asyncio.run(two_sittings())
    batches = store.read("SELECT batch FROM events ORDER BY seq")
    assert [row["batch"] for row in batches] == [0, 1, 1, 2, 2]
    assert runs.load_rollout(store, rollout.id).state == "paused"


def test_calls_and_money_are_counted_over_the_run(store: Store, run: Run) -> None:
    first, second, *_ = (replace(each, usage=Usage(5), usd=0.5) for each in runs.list_rollouts(store, run.id))
    writer = RunWriter(store, [first, second])
    writer.stored(first.id)
    asyncio.run(_all(writer.record([], replace(first, usage=Usage(8), usd=0.75))))
    assert (writer.calls, writer.usd) == (13, 1.25)
    asyncio.run(_all(writer.record([], replace(first, usage=Usage(9), usd=None))))
    assert (writer.calls, writer.usd) == (14, None)


def test_a_commit_that_fails_is_told_to_everyone_who_waits_for_it(store: Store, run: Run) -> None:
    rollout = runs.list_rollouts(store, run.id)[0]
    writer = RunWriter(store, [rollout])
    writer.stored(rollout.id)

    async def together() -> list[BaseException | None]:
        good = writer.keep(_entry(rollout.id))
        bad = writer.record(exchange(1), replace(rollout, events=9))  # events 7 and 8, with nothing before them
        return await asyncio.gather(good, bad, return_exceptions=True)

    assert [type(each) for each in asyncio.run(together())] == [StorageError, StorageError]
    assert writer.find(rollout.id, "0.1", 0) is None
    asyncio.run(_all(writer.keep(_entry(rollout.id))))  # and the writer goes on


def test_who_no_longer_waits_harms_nobody(store: Store, run: Run) -> None:
    writer = RunWriter(store, ())

    async def one_gives_up() -> None:
        gone = asyncio.create_task(writer.keep(_entry("r", 0)))
        await asyncio.sleep(0)
        gone.cancel()
        await writer.keep(_entry("r", 1))

    asyncio.run(one_gives_up())
    assert writer.find("r", "0.1", 1) is not None


@pytest.mark.parametrize("commits", [1, 2, 3, 7, 24, 61])
def test_a_writer_killed_inside_a_commit_loses_nothing_it_reported(store: Store, run: Run, commits: int) -> None:
    child = subprocess.run(
        [sys.executable, "-m", "tests.storage.dying_writer", str(store.path), run.id, str(commits)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert child.returncode == -9, child.stderr
    store.close()
    with open_store(store.path) as after:
        assert after.read("PRAGMA integrity_check")[0][0] == "ok"
        writer = RunWriter(after, ())
        for kind, rollout_id, *rest in map(str.split, child.stdout.splitlines()):
            if kind == "journal":
                assert writer.find(rollout_id, rest[0], int(rest[1])) is not None
            else:
                assert len(writer.stored(rollout_id)) >= int(rest[0])
        for rollout in runs.list_rollouts(after, run.id):
            _holds_together(after, rollout)


def _holds_together(store: Store, rollout: Rollout) -> None:
    """Events and summary are of the same batch, and fold into a tree."""
    events = [event for _, event in runs.events_after(store, rollout.id)]
    assert len(events) == rollout.events
    assert fold(events).depth == rollout.depth


def _count_commits(store: Store) -> list[str]:
    statements: list[str] = []
    store._connection.set_trace_callback(statements.append)
    return statements


async def _all(*awaitables: object) -> None:
    await asyncio.gather(*awaitables)  # type: ignore[call-overload]
