"""A pair of turns as an auditor sees it, as data of `judging.js`: what the user is after and what was said before,
folded; the user's last words; both turns aligned, left and right. Pure.

Blind by construction: no label, no goal reached, no turn's number, no model is among the data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from app.tree_view.aligning import align, steps
from app.tree_view.sheets import Block, aligned_row, compared, folded, text
from josh_engine.tree import Tree, lineage
from josh_engine.values import Goal, Json, Node, Turn

HEIGHT = 560


def judging(tree: Tree, left: str, right: str, *, height: int = HEIGHT) -> dict[str, Json]:
    """The component's data. Both nodes answer the same user turn."""
    before = lineage(tree, tree.nodes[left].parent or "")
    asked = before[-1] if before else None
    blocks: list[Block] = []
    if tree.scenario is not None:
        blocks.append(folded("What the user is after", [*tree.scenario.brief, *map(_wish, tree.scenario.goals)]))
    if len(before) > 1:
        said = [line for node in before[:-1] for line in _lines(node)]
        blocks.append(folded(f"What was said before: {len(before) - 1} turns", said))
    blocks.append(text("The user says", tone="faint"))
    blocks.append(text(spoken(asked.turn) if asked else "Nothing yet: the agent begins.", tone="strong"))
    rows = [aligned_row(each) for each in align(tree.nodes[left].turn, tree.nodes[right].turn)]
    blocks.append(compared("Left", "Right", rows))
    shown = hashlib.sha256(json.dumps(blocks, sort_keys=True, default=str).encode()).hexdigest()[:12]
    return {"height": height, "blocks": list(blocks), "key": shown}


def spoken(turn: Turn) -> str:
    return "\n".join(message.content for message in turn.messages if message.content) or turn.reply or ""


def _wish(goal: Goal) -> str:
    return f"Wanted: {goal.name} {_arguments(goal.arguments)}"


def _lines(node: Node) -> list[str]:
    """A turn in lines."""
    if node.turn.speaker == "user":
        return [f"User: {spoken(node.turn)}"]
    said = []
    for step in steps(node.turn):
        told = {"says": f"Agent: {step.text}", "reads": f"  gets back: {step.text}"}
        said.append(told.get(step.kind) or f"  calls {step.name} {step.text or _arguments(step.arguments)}")
    return said


def _arguments(given: Mapping[str, Json]) -> str:
    return json.dumps(dict(given), ensure_ascii=False, default=dict)
