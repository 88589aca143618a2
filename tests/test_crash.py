"""kill -9 at any point, then resume: the same rows to the byte, and nothing already paid for is paid again."""

from __future__ import annotations

import os
import random
import signal
from dataclasses import dataclass
from pathlib import Path

import crash_parts
import pytest

from app import services
from josh_engine.config import RunConfig, RunLimits, StrategyConfig
from josh_engine.encoding import load
from josh_engine.seeds import call_seed, turn_seed
from josh_engine.values import Completion

SCENARIOS = tuple(f"s{number}" for number in range(6))
CONFIG = RunConfig(
    "crash_parts:open_world",
    "all",
    SCENARIOS,
    agent="josh_engine.agents.scripted:ScriptedAgent",
    user="josh_engine.users.scripted:ModelledUser",
    model="crash_parts:agent_model",
    user_model="crash_parts:user_model",
    strategy=StrategyConfig(max_depth=6),
    seed=11,
)
ROW_FILES = ("sft.jsonl", "kto.jsonl", "dpo.jsonl")


@dataclass(frozen=True)
class Place:
    """A run in a store of its own, and the ledger of its models."""

    store: Path
    ledger: Path
    run: str

    def rows(self) -> dict[str, bytes]:
        with services.open_store(self.store) as store:
            _, files = services.export_files(store, [self.run], formats=("sft", "kto", "dpo"))
        return {name: files[name] for name in ROW_FILES}

    def asked(self) -> list[int]:
        return [int(line) for line in self.ledger.read_text().split()] if self.ledger.exists() else []

    def committed(self) -> set[int]:
        """The seeds of the calls whose answer is in the journal (shared answers were never asked for)."""
        with services.open_store(self.store) as store:
            scenario_of = {each.id: each.scenario_id for each in services.list_rollouts(store, self.run)}
            kept = store.read("SELECT rollout, node, call, completion FROM journal")
        return {
            call_seed(turn_seed(CONFIG.seed, scenario_of[row["rollout"]], 0, row["node"]), row["call"])
            for row in kept
            if load(Completion, row["completion"]).usage.calls
        }


def place(folder: Path, concurrency: int) -> Place:
    with services.open_store(folder / "josh.db") as store:
        run = services.create_run(store, CONFIG, limits=RunLimits(concurrency=concurrency))
    return Place(folder / "josh.db", folder / "ledger", run.id)


def play(at: Place, kill_at: int | None = None, *, statement: str = "INSERT INTO ") -> int:
    """Plays or resumes; with `kill_at`, kills itself with SIGKILL as SQLite begins that statement. Statements seen."""
    crash_parts.LEDGER = at.ledger
    seen = 0

    def watch(sql: str) -> None:
        nonlocal seen
        if sql.startswith(statement):
            seen += 1
            if seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    with services.open_store(at.store) as store:
        store._connection.set_trace_callback(watch)
        services.resume_run(store, at.run)
    return seen


def play_and_die(at: Place, kill_at: int, statement: str) -> None:
    child = os.fork()
    if child == 0:
        try:
            play(at, kill_at, statement=statement)
        finally:
            os._exit(3)  # only reached when the kill did not happen
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, "the child was to die"


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory) -> tuple[Place, int, int]:
    at = place(tmp_path_factory.mktemp("whole"), 1)
    inserts = play(at)
    again = place(tmp_path_factory.mktemp("again"), 1)
    return at, inserts, play(again, statement="COMMIT")


def test_the_reference_run_is_worth_comparing_with(uninterrupted):
    at, inserts, _ = uninterrupted
    assert inserts > 300
    assert all(len(body.splitlines()) >= 4 for body in at.rows().values())
    assert len(at.asked()) == len(set(at.asked())) == len(at.committed())


@pytest.mark.parametrize("concurrency", [8, 64])
def test_rows_do_not_depend_on_concurrency(uninterrupted, concurrency, tmp_path):
    at = place(tmp_path, concurrency)
    play(at)
    assert at.rows() == uninterrupted[0].rows()


KILLS = [("INSERT INTO ", point) for point in range(50)] + [("COMMIT", point) for point in range(3)]


@pytest.mark.parametrize(("statement", "point"), KILLS)
def test_kill_9_then_resume_gives_the_same_rows_and_pays_nothing_twice(uninterrupted, statement, point, tmp_path):
    whole, inserts, commits = uninterrupted
    concurrency = (1, 8, 64)[point % 3]
    at = place(tmp_path, concurrency)
    among = inserts if statement.startswith("INSERT") else min(commits, 40)  # higher concurrency commits less often
    play_and_die(at, random.Random(point).randint(1, among - 1), statement)
    paid, before = at.committed(), at.asked()
    play(at)
    sent_again = at.asked()[len(before) :]
    assert paid.isdisjoint(sent_again)
    assert set(at.asked()) == set(whole.asked())
    assert at.rows() == whole.rows()
    with services.open_store(at.store) as store:
        result = services.run_result(store, at.run)
    assert (result.state, result.failed) == ("done", 0)
