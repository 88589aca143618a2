"""A log from which events are missing: where the holes are, and the tree of what is known.

An event's number says where it belongs, so a hole shows. Events behind it that build on what is lost are left out: a
turn without its parent has no place, a goal without its turn is not booked. Nothing is guessed. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from josh_engine.tree import EMPTY, Tree, fold
from josh_engine.values import Collapsed, Event, GoalsWon, NodeAdded

Numbered = tuple[int, Event]


@dataclass(frozen=True, slots=True)
class Gap:
    """`count` events are missing after number `after` (-1: from the start)."""

    after: int
    count: int


def gaps(events: Sequence[Numbered]) -> tuple[Gap, ...]:
    """In order; empty for a whole log, also one that is still being written."""
    numbers = [-1, *(number for number, _ in events)]
    return tuple(Gap(before, after - before - 1) for before, after in pairwise(numbers) if after - before > 1)


def known(events: Sequence[Numbered]) -> tuple[Numbered, ...]:
    """The events that can be folded: all, where nothing is missing."""
    if not gaps(events):
        return tuple(events)
    tree, kept = EMPTY, []
    for number, event in events:
        if _has_its_place(event, tree):
            tree = fold([event], onto=tree)
            kept.append((number, event))
    return tuple(kept)


def in_words(missing: Sequence[Gap], *, left_out: int = 0) -> str:
    """`3 events missing after #412.`, and what that does to the drawing; empty where nothing is missing."""
    if not missing:
        return ""
    holes = "; ".join(f"{gap.count} {_events(gap.count)} missing {_place(gap)}" for gap in missing)
    later = f" {left_out} later {_events(left_out)} built on them and cannot be drawn." if left_out else ""
    return f"⚠ {holes}.{later} What is known is drawn; its labels may be wrong."


def _has_its_place(event: Event, tree: Tree) -> bool:
    match event:
        case NodeAdded(node):
            return node.id not in tree.nodes and (node.parent is None or node.parent in tree.nodes)
        case GoalsWon(node_id, _):
            return node_id in tree.nodes and tree.scenario is not None
        case Collapsed(root, _):
            return root in tree.nodes
        case _:
            return True


def _events(count: int) -> str:
    return "event" if count == 1 else "events"


def _place(gap: Gap) -> str:
    return "from the start" if gap.after < 0 else f"after #{gap.after}"
