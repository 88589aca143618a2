"""The work loop over a run's rollouts, in whatever process holds the run; and asking such a process to end.

Everything between processes goes through the store: the worker writes a heartbeat and reads what is wanted of it a
few times a second, never per call. The run's lock says whether somebody works on it. A worker ends after the turns
in flight: those of endpoints are paid for, so they are waited for; what a local model still does after LOCAL_SECONDS is
dropped, and played again on a resume. `paused` runs can be resumed, and so can cancelled and failed ones when a person
says so.
"""

from __future__ import annotations

import asyncio
import logging
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app import catalog
from app.models import OpenedModels
from app.parts import Parts, check_budget, open_parts
from app.progress import progress_of
from app.results import Progress
from josh_engine.config import Run, RunLimits
from josh_engine.errors import ConfigError, JoshError
from josh_engine.rollout import roll_out
from josh_engine.values import Rollout, State
from storage import locks, runs
from storage.database import Store
from storage.table import StoredTable
from storage.writer import RunWriter

log = logging.getLogger(__name__)

POLL_SECONDS = 0.3  # how soon a wish is seen
BEAT_SECONDS = 1.0
STALE_SECONDS = 5.0  # a heartbeat older than this is no sign of life
LOCAL_SECONDS = 6.0  # that a local model gets for the turns in flight: a stop is obeyed within ten

Report = Callable[[Progress], None]


def reopen(store: Store, run_id: str, *, limits: RunLimits | None = None) -> Run:
    """The run, ready to be played on. Raises RunHeld when another process works on it, ConfigError for results that
    others played."""
    if runs.load_run(store, run_id).config.agent == catalog.FOREIGN_AGENT:
        raise ConfigError(f"Run {run_id} was imported: nobody here can play it on.", remedy="Import its results again.")
    with locks.holding(store.path, run_id):
        if limits is not None:
            check_budget(runs.load_run(store, run_id).config, limits.checked())
            runs.set_limits(store, run_id, limits)
        runs.queue_again(store, run_id)
    return runs.load_run(store, run_id)


def play(store: Store, run_id: str, *, data: Path, failed_only: bool = False, progress: Report | None = None) -> None:
    """Plays what is left of a queued (or interrupted) run and ends it; any other run is left as it is.

    What a part or the world gets wrong fails its rollout. What makes the run impossible (a part that cannot be
    opened, a store that cannot be written) fails the run and is raised.
    """
    with locks.holding(store.path, run_id):
        run = runs.load_run(store, run_id)
        if run.state not in ("queued", "running"):
            return
        runs.begin(store, run_id)
        try:
            ending = asyncio.run(_Work(store, run, failed_only, progress).run(data))
        except KeyboardInterrupt:
            ending = Ending("cancelled", signal.Signals.SIGINT.name)
        except BaseException as error:
            said = str(error) if isinstance(error, JoshError) else f"{type(error).__name__}: {error}"
            runs.end(store, run_id, "failed", error=said)
            raise
        runs.end(store, run_id, ending.state, paused_by=ending.paused_by)


def ask_to_end(store: Store, run_id: str, state: State, *, wait: float = 0.0) -> Run:
    """Asks for `paused` or `cancelled`. Where nobody works on the run it is so at once; else within `wait` seconds,
    or later. A run that has ended stays as it is, but that a paused one can be cancelled."""
    run = runs.load_run(store, run_id)
    if run.state == "paused" and state == "cancelled":
        with locks.holding(store.path, run_id):
            runs.end(store, run_id, state)
    if run.state not in ("queued", "running"):
        return runs.load_run(store, run_id)
    runs.want(store, run_id, state)
    deadline = time.monotonic() + wait
    while not _settled(store, run_id) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS / 6)
    return runs.load_run(store, run_id)


def fail_queued(store: Store, said: str, *, run_id: str) -> None:
    """A run that its process never took up is failed, with where to look."""
    if runs.load_run(store, run_id).state == "queued":
        runs.end(store, run_id, "failed", error=said)


def shown_state(store: Store, run: Run) -> str:
    """The state to show: "interrupted" where the store says running, the heartbeat is stale and nobody is at it."""
    if run.state != "running" or not is_stale(run.heartbeat) or locks.is_held(store.path, run.id):
        return run.state
    return "interrupted"


@dataclass(frozen=True, slots=True)
class Ending:
    """`paused_by`: as `Run` has it."""

    state: State
    paused_by: str | None = None


class _Work:
    """One sitting over one run."""

    def __init__(self, store: Store, run: Run, failed_only: bool, report: Report | None) -> None:
        self.store, self.run_id, self.config, self.limits = store, run.id, run.config, run.limits
        self.report = report or (lambda progress: None)
        self.rollouts = {rollout.id: rollout for rollout in runs.list_rollouts(store, run.id)}
        wanted = {"failed"} if failed_only else {"queued", "running", "paused", "failed", "cancelled"}
        self.todo = [rollout for rollout in self.rollouts.values() if rollout.state in wanted]
        self.writer = RunWriter(store, tuple(self.rollouts.values()))
        self.asked: State | None = None
        self.asked_by = "person"  # or a signal's name
        self.asked_at = math.inf
        self.noticed = 0
        self.tasks: list[asyncio.Task[None]] = []
        self.started = self.beaten = time.monotonic()

    async def run(self, data: Path) -> Ending:
        self._listen()
        self._look()
        if self.asked is None and self.todo:
            table = StoredTable(self.store, self.run_id, left=lambda: self._interrupt() is not None)
            parts = open_parts(self.config, data, table)
            try:
                await self._all(parts)
            finally:
                await parts.models.close()
            self._keep_notices(parts.models)
        self._look(beat=True)
        self._tell()
        return self._ending()

    async def _all(self, parts: Parts) -> None:
        left = iter(self.todo)
        players = [
            asyncio.create_task(self._player(left, parts)) for _ in range(min(self.limits.concurrency, len(self.todo)))
        ]
        watch = asyncio.create_task(self._watch(parts.models))
        self.tasks = [*players, watch]
        try:
            await asyncio.gather(*players)
        except asyncio.CancelledError:
            log.info("run %s: cut off by a second signal", self.run_id)
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
        with suppress(asyncio.CancelledError):
            watch.result()  # a fault of the watch is the run's

    async def _player(self, left: Iterator[Rollout], parts: Parts) -> None:
        """Takes one rollout after another from those left."""
        for rollout in left:
            if self._interrupt() is not None:
                return
            self.rollouts[rollout.id] = await roll_out(
                rollout,
                parts.scenarios[rollout.scenario_id],
                parts.world,
                parts.players,
                parts.strategy,
                recorder=self.writer,
                journal=self.writer,
                seed=self.config.seed,
                interrupt=self._interrupt,
            )
            self._tell()

    def _interrupt(self) -> State | None:
        if self.asked is not None:
            return self.asked
        return "paused" if self._over_budget() else None

    def _over_budget(self) -> bool:
        """Turns in flight when the cap is reached are finished, so a run may go over by those."""
        calls, usd = self.limits.budget_calls, self.limits.budget_usd
        if calls is not None and self.writer.calls >= calls:
            return True
        if usd is None:
            return False
        spent = self.writer.usd
        return spent is None or spent >= usd  # an unknown price cannot be held to a cap

    async def _watch(self, models: OpenedModels) -> None:
        try:
            while True:
                await asyncio.sleep(POLL_SECONDS)
                self._look()
                self._tell()
                self._keep_notices(models)
                if time.monotonic() > self.asked_at + LOCAL_SECONDS:
                    await models.give_up_local()
        except JoshError:
            self._ask("paused", self.asked_by)  # the store is out of reach: end the turns in flight, then say so
            raise

    def _keep_notices(self, models: OpenedModels) -> None:
        """While the run goes: whoever watches may want to end it."""
        found = models.notices()
        if len(found) > self.noticed:
            runs.tell(self.store, self.run_id, found)
            self.noticed = len(found)

    def _look(self, *, beat: bool = False) -> None:
        """Reads what is wanted, and beats when it is time."""
        wanted = runs.wanted(self.store, self.run_id)
        if self.asked != "cancelled" and wanted is not None:
            self._ask(wanted, "person")
        passed = time.monotonic() - self.beaten
        if beat or passed >= BEAT_SECONDS:
            runs.beat(self.store, self.run_id, seconds=passed)
            self.beaten += passed

    def _ask(self, state: State, by: str) -> None:
        if self.asked != state:
            self.asked, self.asked_by = state, by
        self.asked_at = min(self.asked_at, time.monotonic())

    def _listen(self) -> None:
        """SIGTERM pauses; SIGINT cancels, a second one without waiting for the turns in flight."""
        if threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._on_interrupt)
        loop.add_signal_handler(signal.SIGTERM, self._on_terminate)

    def _on_interrupt(self) -> None:
        if self.asked == "cancelled":
            for task in self.tasks:
                task.cancel()
        self._ask("cancelled", signal.Signals.SIGINT.name)

    def _on_terminate(self) -> None:
        if self.asked is None:
            self._ask("paused", signal.Signals.SIGTERM.name)

    def _tell(self) -> None:
        self.report(
            progress_of(
                self.run_id,
                tuple(self.rollouts.values()),
                calls=self.writer.calls,
                seconds=time.monotonic() - self.started,
            )
        )

    def _ending(self) -> Ending:
        states = {rollout.state for rollout in self.rollouts.values()}
        if states <= {"done", "failed"}:
            return Ending("failed" if "failed" in states else "done")
        if self.asked is not None:
            return Ending(self.asked, None if (self.asked, self.asked_by) == ("cancelled", "person") else self.asked_by)
        return Ending("paused", "budget" if self._over_budget() else "person")


def _settled(store: Store, run_id: str) -> bool:
    """Whether the run has ended; where nobody works on it, it is ended here as was asked."""
    if runs.load_run(store, run_id).state not in ("queued", "running"):
        return True
    try:
        with locks.holding(store.path, run_id, patience=0.0):
            wanted = runs.wanted(store, run_id)
            if wanted is not None:
                runs.end(store, run_id, wanted, paused_by="person" if wanted == "paused" else None)
    except locks.RunHeld:
        return False
    return True


def is_stale(moment: str | None, *, after: float = STALE_SECONDS) -> bool:
    """Whether a time is longer ago than so many seconds; one that never was is."""
    if moment is None:
        return True
    return (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds() > after
