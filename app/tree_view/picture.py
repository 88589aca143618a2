"""A tree as the drawing's data: what `tree.js` needs of each turn and nothing more, in tree order, parents first.

Labels are handed in, not derived again, so the colours are those of the rows. Pure: the same tree gives the same
data. Goals are numbers in the scenario's order: a star says which goal was won.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import shorten

from app.tree_view.overlay import Mark, marks
from app.tree_view.replay import replay
from app.words import LABEL_WORDS, described, ending, exchange, goal_numbers, turn_name, won_by
from josh_engine.tree import Tree, ideal_path, tree_order
from josh_engine.values import Event, Json, Label, Node, NodeAdded, Verdict

TIP_LENGTH = 110
UNMARKED = Mark()


def picture(
    tree: Tree,
    labels: Mapping[str, Label],
    *,
    seq: int = -1,
    selected: str | None = None,
    height: int = 560,
    leads: str | None = None,
    verdicts: Iterable[Verdict] = (),
    events: Sequence[tuple[int, Event]] = (),
) -> dict[str, Json]:
    """The component's data. `seq` is the number of the last event in `tree`; `height` is in pixels;
    `leads` is the address of the tree's own page, for a picture elsewhere: a click on a turn goes there.
    `events`, those behind the tree, make it the explorer: with lenses, search and replay."""
    given = tuple(verdicts)
    path = set(ideal_path(tree, given))
    came = {event.node.id: number for number, event in events if isinstance(event, NodeAdded)}
    marked = marks(tree, labels, given)
    reached = _reached(tree)
    goals = _goals(tree)
    return {
        "seq": seq,
        "height": height,
        "selected": selected if selected in tree.nodes else None,
        "leads": leads,
        "aria": f"Conversation tree, {len(tree.nodes)} turns, {len(tree.won)} of {len(goals)} goals reached",
        "empty": "The first turn is on its way.",
        "goals": goals,
        "nodes": [
            _drawn(tree, node, label=labels.get(node.id), on_path=node.id in path, mark=marked.get(node.id, UNMARKED))
            | {"at": came.get(node.id, -1), "progress": len(reached[node.id])}
            for node in _in_order(tree)
        ],
        "replay": replay(events) if events else None,
    }


def _in_order(tree: Tree) -> list[Node]:
    return sorted(tree.nodes.values(), key=lambda node: tree_order(node.id))


def _reached(tree: Tree) -> dict[str, frozenset[str]]:
    """The goals that the conversation up to each turn has reached, whether or not the search booked them."""
    found: dict[str | None, frozenset[str]] = {None: frozenset()}
    for node in _in_order(tree):
        found[node.id] = found[node.parent] | node.goals
    return {node: goals for node, goals in found.items() if node is not None}


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


def _drawn(tree: Tree, node: Node, *, label: Label | None, on_path: bool, mark: Mark) -> dict[str, Json]:
    numbers = goal_numbers(tree)
    usage = node.turn.usage
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
        "cost": [usage.calls, usage.prompt_tokens + usage.completion_tokens],
        "tools": sorted({call.name for call in node.turn.calls}),
        "faults": sum(call.error is not None for call in node.turn.calls) + (node.turn.stop == "failed"),
        "override": mark.override,
        "was": mark.was,
        "aria": ", ".join(filter(None, (described(tree, node, label), mark.text))),
        "tip": _tip(tree, node, label=label, mark=mark),
    }


def _tip(tree: Tree, node: Node, *, label: Label | None, mark: Mark) -> list[str]:
    """The hover card, of three lines: what the turn is, what was said, what it called and how it ended."""
    said = node.turn.reply or next((message.content for message in node.turn.messages if message.content), "")
    calls = ", ".join(call.name for call in node.turn.calls)
    end = ending(tree, node)
    third = (f"calls {shorten(calls, TIP_LENGTH, placeholder=' …')}" if calls else "", end.text if end else "")
    lines = [
        " · ".join(filter(None, (turn_name(node), LABEL_WORDS[label] if label else "", mark.text))),
        shorten(said, TIP_LENGTH, placeholder=" …"),
        " · ".join(filter(None, third)),
    ]
    return [line for line in lines if line]
