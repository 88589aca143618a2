"""A pair of turns as an auditor sees it, as data of `judging.js`: what the user is after and what was said before,
folded; the user's last words; both turns aligned, left and right. Pure.

Blind by construction: what is drawn is made of a `PairView`, which has no label, no goal reached, no turn's number and
no model, and the gold calls only where somebody judges openly.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from app.tree_view.aligning import align, steps
from app.tree_view.sheets import Block, aligned_row, compared, folded, text
from josh_engine.tree import Tree, lineage
from josh_engine.values import Goal, Json, Turn

HEIGHT = 560


@dataclass(frozen=True, slots=True)
class PairView:
    """`brief`: what the user wants, in words. `before`: the turns before the two. `wanted`: the gold calls; none where
    the pair is judged blind, for who sees them compares the turns with them and not with the user's wish."""

    brief: tuple[str, ...]
    before: tuple[Turn, ...]
    left: Turn
    right: Turn
    wanted: tuple[Goal, ...] = ()


def pair_view(tree: Tree, left: str, right: str, *, gold: bool = False) -> PairView:
    """Both nodes answer the same user turn."""
    before = lineage(tree, tree.nodes[left].parent or "")
    brief, goals = (tree.scenario.brief, tree.scenario.goals) if tree.scenario else ((), ())
    return PairView(
        brief, tuple(each.turn for each in before), tree.nodes[left].turn, tree.nodes[right].turn, goals if gold else ()
    )


def judging(tree: Tree, left: str, right: str, *, gold: bool = False, height: int = HEIGHT) -> dict[str, Json]:
    """The component's data. `gold`: whether the gold calls are shown."""
    return _drawn(pair_view(tree, left, right, gold=gold), height)


def _drawn(view: PairView, height: int) -> dict[str, Json]:
    asked = view.before[-1] if view.before else None
    blocks: list[Block] = []
    if wishes := [*view.brief, *map(_wish, view.wanted)]:
        blocks.append(folded("What the user is after", wishes))
    if len(view.before) > 1:
        said = [line for turn in view.before[:-1] for line in _lines(turn)]
        blocks.append(folded(f"What was said before: {len(view.before) - 1} turns", said))
    blocks.append(text("The user says", tone="faint"))
    blocks.append(text(spoken(asked) if asked else "Nothing yet: the agent begins.", tone="strong"))
    rows = [aligned_row(each) for each in align(view.left, view.right)]
    blocks.append(compared("Left", "Right", rows))
    shown = hashlib.sha256(json.dumps(blocks, sort_keys=True, default=str).encode()).hexdigest()[:12]
    return {"height": height, "blocks": list(blocks), "key": shown}


def spoken(turn: Turn) -> str:
    return "\n".join(message.content for message in turn.messages if message.content) or turn.reply or ""


def _wish(goal: Goal) -> str:
    return f"Wanted: {goal.name} {_arguments(goal.arguments)}"


def _lines(turn: Turn) -> list[str]:
    """A turn in lines."""
    if turn.speaker == "user":
        return [f"User: {spoken(turn)}"]
    said = []
    for step in steps(turn):
        told = {"says": f"Agent: {step.text}", "reads": f"  gets back: {step.text}"}
        said.append(told.get(step.kind) or f"  calls {step.name} {step.text or _arguments(step.arguments)}")
    return said


def _arguments(given: Mapping[str, Json]) -> str:
    return json.dumps(dict(given), ensure_ascii=False, default=dict)
