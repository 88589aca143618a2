"""How many calls an endpoint is sent at once, and when the next may start: a state machine without a clock.

It starts at 20 and doubles with every clean round until the endpoint first says "too many" (429); from then on it
grows by 5 % a round and falls to 0.8 of itself per episode. A round is as many good answers as calls are allowed, and
makes it grow only where the limit was in the way. A 429 for a call that was sent before the last cut belongs to the
episode that was already paid for. Server faults and timeouts say nothing about how many are too many: they pause
growth. The rule is that of congestion control (additive-increase, multiplicative-decrease); the numbers are ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

START = 20.0
GROWTH = 1.05
CUT = 0.8
NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class Pace:
    """`allowed` calls at once, never above `ceiling`; `gap` seconds between two starts (60 / requests a minute).

    `clean` good answers in this round, in which the limit was `pressed` or not; `opens` is when the next call may
    start, `cut` when the last one was: both on the clock of whoever asks.
    """

    allowed: float = START
    ceiling: int = 512
    gap: float = 0.0
    doubling: bool = True
    clean: int = 0
    pressed: bool = False
    opens: float = NEVER
    cut: float = NEVER

    @property
    def slots(self) -> int:
        return max(1, int(self.allowed))


def first_pace(max_concurrency: int | None = None, requests_per_minute: float | None = None) -> Pace:
    ceiling = Pace().ceiling if max_concurrency is None else max_concurrency
    return Pace(
        allowed=min(START, ceiling),
        ceiling=ceiling,
        gap=60.0 / requests_per_minute if requests_per_minute else 0.0,
    )


def started(pace: Pace, now: float) -> Pace:
    """A call went out."""
    return replace(pace, opens=max(pace.opens, now) + pace.gap) if pace.gap else pace


def answered(pace: Pace, *, sent: float, pressed: bool) -> Pace:
    """A good answer to a call sent at `sent`; `pressed`: the limit was reached meanwhile."""
    if sent < pace.cut:  # it tells of the time before the cut
        return pace
    pace = replace(pace, clean=pace.clean + 1, pressed=pace.pressed or pressed)
    if pace.clean < pace.slots:
        return pace
    grown = pace.allowed * (2.0 if pace.doubling else GROWTH) if pace.pressed else pace.allowed
    return replace(pace, allowed=min(grown, float(pace.ceiling)), clean=0, pressed=False)


def limited(pace: Pace, *, sent: float, now: float, wait: float | None) -> Pace:
    """A 429 for a call sent at `sent`; nothing more is sent for `wait` seconds where the endpoint named them."""
    opens = max(pace.opens, now + wait) if wait else pace.opens
    pace = replace(pace, opens=opens, doubling=False, clean=0, pressed=False)
    return pace if sent < pace.cut else replace(pace, allowed=max(1.0, pace.allowed * CUT), cut=now)


def troubled(pace: Pace) -> Pace:
    """A server fault or a timeout: the round starts again."""
    return replace(pace, clean=0, pressed=False)
