"""Between everyone who plays and one endpoint: how many calls are in flight, how fast they start, which are repeated.

One `Limits` per endpoint, shared by all scenarios of a run, and by agent and user where they use the same one. The
decisions are `models/pace.py`'s; here are the queue, the clock and the dice. A call that waits for its repetition
takes no place. Bounded: after `Patience.tries` the fault is raised, and fails one rollout, which can be resumed.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from josh_engine.errors import ModelError, RateLimited
from josh_engine.models.endpoint import USUAL_TRIES
from josh_engine.models.pace import Pace, answered, first_pace, limited, started, troubled

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a call is repeated, and how long that may take; seconds.

    A Retry-After above `longest_wait` is no pause but a refusal.
    """

    tries: int = USUAL_TRIES
    first: float = 0.5
    longest: float = 30.0
    longest_wait: float = 120.0


def backoff(attempt: int, patience: Patience, dice: float) -> float:
    """Seconds before try `attempt` + 1, counted from 0: doubled each time, then shortened by up to half (`dice` in
    0..1), so that calls which failed together do not come back together."""
    return min(patience.longest, patience.first * 2.0 ** min(attempt, 30)) * (1.0 - dice / 2.0)


class Limits:
    """`roll` gives numbers in 0..1; a test brings its own. The clock is the event loop's."""

    def __init__(
        self,
        pace: Pace | None = None,
        patience: Patience = Patience(),
        *,
        roll: Callable[[], float] = random.random,
    ) -> None:
        self.pace = pace or first_pace()
        self.patience = patience
        self.roll = roll
        self.in_flight = 0
        self._waiting: deque[asyncio.Future[float]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def call(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` gives, asked as often as it takes and the patience allows. Raises its last ModelError."""
        attempt = 0
        while True:
            try:
                return await self._once(ask, again=attempt > 0)
            except ModelError as error:
                if not self._worth_repeating(error, attempt + 1):
                    raise
                asked = (error.wait or 0.0) if isinstance(error, RateLimited) else 0.0
            await asyncio.sleep(max(asked, backoff(attempt, self.patience, self.roll())))
            attempt += 1

    def _worth_repeating(self, error: ModelError, tried: int) -> bool:
        if not error.retry:
            return False
        if isinstance(error, RateLimited) and (error.wait or 0.0) > self.patience.longest_wait:
            return False
        return tried < self.patience.tries

    async def _once(self, ask: Callable[[], Awaitable[T]], *, again: bool) -> T:
        sent = await self._admitted(again)
        clock = asyncio.get_running_loop()
        try:
            answer = await ask()
        except RateLimited as error:
            wait = None if error.wait is None else min(error.wait, self.patience.longest_wait)
            self.pace = limited(self.pace, sent=sent, now=clock.time(), wait=wait)
            raise
        except ModelError as error:
            if error.retry:
                self.pace = troubled(self.pace)
            raise
        else:
            pressed = bool(self._waiting) or self.in_flight >= self.pace.slots
            self.pace = answered(self.pace, sent=sent, pressed=pressed)
            return answer
        finally:
            self._leave()

    async def _admitted(self, again: bool) -> float:
        """When the call was let go. First come, first served; a repeated call has waited longest."""
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        if again:
            self._waiting.appendleft(future)
        else:
            self._waiting.append(future)
        self._admit()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():  # let go and called off in the same moment
                self._leave()
            raise

    def _leave(self) -> None:
        self.in_flight -= 1
        self._admit()

    def _admit(self) -> None:
        """Lets go whoever may; where only time is in the way, comes back when it has passed."""
        loop = asyncio.get_running_loop()
        while self._waiting and self.in_flight < self.pace.slots:
            now = loop.time()
            if self.pace.opens > now:
                self._wake(self.pace.opens - now)
                return
            future = self._waiting.popleft()
            if future.done():  # called off while it waited
                continue
            self.in_flight += 1
            self.pace = started(self.pace, now)
            future.set_result(now)

    def _wake(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._admit)
