"""A tree as the drawing's data: what `tree.js` needs of each turn and nothing more, in tree order, parents first.

Labels are handed in, not derived again, so the colours are those of the rows. Pure: the same tree gives the same
data. Goals are numbers in the scenario's order: a star says which goal was won.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from textwrap import shorten

from app.words import LABEL_WORDS, described, ending, exchange, goal_numbers, turn_name, won_by
from josh_engine.tree import Tree, ideal_path, tree_order
from josh_engine.values import Json, Label, Node, Verdict

TIP_LENGTH = 110


def picture(
    tree: Tree,
    labels: Mapping[str, Label],
    *,
    seq: int = -1,
    selected: str | None = None,
    height: int = 560,
    leads: str | None = None,
    verdicts: Iterable[Verdict] = (),
) -> dict[str, Json]:
    """The component's data. `seq` is the number of the last event in `tree`; `height` is in pixels;
    `leads` is the address of the tree's own page, for a picture elsewhere: a click on a turn goes there."""
    path = set(ideal_path(tree, tuple(verdicts)))
    nodes = sorted(tree.nodes.values(), key=lambda node: tree_order(node.id))
    return {
        "seq": seq,
        "height": height,
        "selected": selected if selected in tree.nodes else None,
        "leads": leads,
        "aria": f"Conversation tree, {len(nodes)} turns, {len(tree.won)} of {len(goal_numbers(tree))} goals reached",
        "empty": "The first turn is on its way.",
        "goals": _goals(tree),
        "nodes": [_drawn(tree, node, label=labels.get(node.id), on_path=node.id in path) for node in nodes],
    }


def _goals(tree: Tree) -> list[dict[str, Json]]:
    """The checklist: which goal was reached where, in the scenario's order."""
    return [
        {
            "number": number,
            "name": goal.name,
            "arguments": ", ".join(f"{name}={value}" for name, value in goal.arguments.items()),
            "node": tree.won.get(goal.id),
            "exchange": exchange(tree.won[goal.id]) if goal.id in tree.won else None,
        }
        for number, goal in enumerate(tree.scenario.goals if tree.scenario else (), start=1)
    ]


def _drawn(tree: Tree, node: Node, *, label: Label | None, on_path: bool) -> dict[str, Json]:
    numbers = goal_numbers(tree)
    return {
        "id": node.id,
        "parent": node.parent,
        "kind": node.turn.speaker,
        "label": label or ("ideal" if on_path else "off_path"),
        "path": on_path,
        "level": 2 * exchange(node.id) - (node.turn.speaker == "user"),
        "stop": node.turn.stop,
        "reached": sorted(node.goals, key=lambda goal: numbers.get(goal, 0)),
        "won": [numbers[goal] for goal in won_by(tree, node.id)],
        "aria": described(tree, node, label),
        "tip": _tip(tree, node, label=label),
    }


def _tip(tree: Tree, node: Node, *, label: Label | None) -> list[str]:
    """The hover card: what it is, what was said, why it ended."""
    said = node.turn.reply or next((message.content for message in node.turn.messages if message.content), "")
    calls = ", ".join(call.name for call in node.turn.calls)
    end = ending(tree, node)
    lines = [
        f"{turn_name(node)} · {LABEL_WORDS[label]}" if label else turn_name(node),
        shorten(said, TIP_LENGTH, placeholder=" …"),
        f"calls {shorten(calls, TIP_LENGTH, placeholder=' …')}" if calls else "",
        end.text if end else "",
    ]
    return [line for line in lines if line]
