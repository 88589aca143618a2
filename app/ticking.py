"""The last events of a search in words, for the ticker of a run that is being played."""

from __future__ import annotations

from collections.abc import Sequence

from app.captions import caption
from josh_engine.tree import fold
from josh_engine.values import Event


def captions(events: Sequence[tuple[int, Event]], *, last: int) -> tuple[tuple[int, str], ...]:
    """The last so many as (number, sentence), newest first. `events`: all of a rollout's, in order."""
    cut = max(0, len(events) - last)
    tree, told = fold(event for _, event in events[:cut]), []
    for number, event in events[cut:]:
        told.append((number, caption(event, tree)))
        tree = fold([event], onto=tree)
    return tuple(reversed(told))
