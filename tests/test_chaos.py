"""kill -9 of a real run against an endpoint, then resume: no call whose answer was committed is sent again, what else
is repeated was in flight at the kill, and the rows are the same to the byte.

Ten points here; `make chaos` sets CHAOS_POINTS to 200 and prints the figures. Half of the kills come from inside, as
SQLite begins a statement; the others from outside, when the endpoint has been asked so many times.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import endpoint_runs
import pytest
from endpoint_runs import Place, place

from app import services

POINTS = int(os.environ.get("CHAOS_POINTS", "10"))
ROOT = Path(__file__).parent.parent
AGENTS = ("react", "function_calling")
CONCURRENCY = (1, 4, 8)
BEAM = 8


@dataclass
class Figures:
    """Over all points: answers kept at the kill, calls in flight, and those of them that were asked again."""

    kills: int = 0
    kept: int = 0
    in_flight: list[int] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    paid_again: int = 0

    def __str__(self) -> str:
        return (
            f"{self.kills} kills with {self.kept} answers kept: {self.paid_again} of those asked again; calls in flight"
            f" {sum(self.in_flight)} (at most {max(self.in_flight)}), of those asked again {sum(self.again)}"
            f" (at most {max(self.again)}); rows the same every time"
        )


@dataclass(frozen=True)
class Town:
    """The endpoint, its ledger, and for each agent a run that nobody killed."""

    url: str
    ledger: Path
    rows: dict[str, dict[str, bytes]]
    asked: dict[str, int]
    inserts: dict[str, int]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("whole")
    ledger = folder / "ledger"
    command = [sys.executable, "-m", "tests.fake_openai", "--ledger", str(ledger), "--seconds", "0.003"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        whole = Town(server.stdout.readline().strip(), ledger, {}, {}, {})
        for agent in AGENTS:
            (folder / agent).mkdir()
            at = new_place(folder / agent, f"whole-{agent}", whole, agent=agent, concurrency=1)
            whole.inserts[agent] = play(at)
            whole.rows[agent], whole.asked[agent] = at.rows(), len(at.asked(ledger))
        yield whole
        server.kill()


@pytest.fixture(scope="module")
def figures(request: pytest.FixtureRequest) -> Iterator[Figures]:
    counted = Figures()
    yield counted
    capture = request.config.pluginmanager.getplugin("capturemanager")
    if capture is not None and counted.kills:
        with capture.global_and_fixture_disabled():
            print(f"\nchaos: {counted}")


def new_place(folder: Path, model: str, town: Town, *, agent: str, concurrency: int) -> Place:
    return place(folder, f"{model}@{town.url}", model=model, agent=agent, concurrency=concurrency)


def play(at: Place, die_at: int | None = None) -> int:
    """Plays or resumes; with `die_at`, kills itself as SQLite begins its so manieth INSERT. INSERTs seen."""
    seen = 0

    def watch(sql: str) -> None:
        nonlocal seen
        if sql.startswith("INSERT INTO "):
            seen += 1
            if seen == die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    with services.open_store(at.store) as store:
        store._connection.set_trace_callback(watch)
        assert services.resume_run(store, at.run).state == "done"
    return seen


def killed_from_inside(at: Place, die_at: int) -> None:
    child = os.fork()
    if child == 0:
        try:
            play(at, die_at)
        finally:
            os._exit(3)  # only reached when the kill did not happen
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL, "the child was to die"


def killed_from_outside(at: Place, ledger: Path, asked: int) -> None:
    child = endpoint_runs.play_apart(at)
    deadline = time.monotonic() + 150
    while len(at.asked(ledger)) < asked and time.monotonic() < deadline:
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL, "the child was to die"


@pytest.mark.parametrize("point", range(POINTS))
def test_a_killed_run_asks_nothing_again_that_was_kept(
    town: Town, figures: Figures, point: int, tmp_path: Path
) -> None:
    chance = random.Random(point)
    agent, concurrency = AGENTS[point % 2], CONCURRENCY[point % 3]
    at = new_place(tmp_path, f"point-{point}", town, agent=agent, concurrency=concurrency)
    if point % 4 < 2:
        killed_from_inside(at, chance.randint(1, town.inserts[agent] - 1))
    else:
        killed_from_outside(at, town.ledger, chance.randint(1, int(town.asked[agent] * 0.8)))
    time.sleep(0.05)  # what was on its way to the endpoint has come in
    kept, cold, before = at.committed(), at.kept_at_zero(), at.asked(town.ledger)
    in_flight = set(before) - kept

    play(at)

    later = at.asked(town.ledger)[len(before) :]
    again = set(later) & set(before)
    figures.kills += 1
    figures.kept += len(kept)
    figures.in_flight.append(len(in_flight))
    figures.again.append(len(again))
    figures.paid_again += len(kept.intersection(later))
    assert kept.isdisjoint(later), "no call with a committed answer is sent again"
    assert cold.isdisjoint(request for request, _ in later), "at temperature 0 under no seed at all"
    assert len(later) == len(set(later)), "and nothing twice"
    assert len(again) <= len(in_flight) <= BEAM * concurrency
    assert at.rows() == town.rows[agent]


def test_the_reference_runs_are_worth_comparing_with(town: Town) -> None:
    for agent in AGENTS:
        assert town.asked[agent] > 100
        assert all(len(body.splitlines()) >= 4 for body in town.rows[agent].values())
