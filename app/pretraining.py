"""Makes the embedded model again, and says on standard error how far it is."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from josh_engine.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Pretrained:
    """`model`: the finished model's folder. `held_out`: mean loss per agent's token on conversations never trained
    on; None where the training had been finished before."""

    model: str
    tokens: int
    seconds: float
    held_out: float | None


def pretrain_model(folder: Path, tokens: int | None, threads: int | None, compiled: bool) -> Pretrained:
    """None: the usual. The same folder goes on where it stopped. Raises ConfigError and DatasetError."""
    from embedded.pretraining import Point, Schedule, Shape, pretrain

    usual = Schedule()
    schedule = Schedule(
        tokens=usual.tokens if tokens is None else tokens,
        threads=usual.threads if threads is None else threads,
        compiled=compiled,
    )
    for name, value in (("tokens", schedule.tokens), ("threads", schedule.threads)):
        if value < 1:
            raise ConfigError(f"{name} is {value}, but must be at least 1.")
    points: list[Point] = []

    def report(point: Point) -> None:
        points.append(point)
        held_out = "" if point.held_out is None else f"  held out {point.held_out:.4f}"
        share = f"{point.tokens / 1e6:.2f} of {schedule.tokens / 1e6:.2f} M tokens"
        print(f"{share}  {point.seconds:,.0f} s  loss {point.loss:.4f}{held_out}", file=sys.stderr, flush=True)

    made = pretrain(folder.absolute(), Shape(), schedule, report)
    last = points[-1] if points else Point(schedule.tokens, 0, 0.0, 0.0)
    return Pretrained(str(made), last.tokens, last.seconds, last.held_out)
