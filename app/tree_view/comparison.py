"""The searches of one scenario by two or three runs, as the data of `compare.js`: what they share and where they part.

A turn is shared when every tree holds it at the same address, word for word, and all turns above it likewise;
addresses and seeds are the same across runs, so equal players begin alike. The first difference is sought on the
conversation each search settled on: its ideal path, or, where nothing was won, the conversation to its last turn.
Ours; the paper compares figures only. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from app.listings import address, last_turn, stars, tree_address
from app.results import OpenedRollout
from app.tree_view.picture import picture
from app.words import exchange, goal_numbers
from josh_engine.tree import EMPTY_CONVERSATION, Tree, ideal_path, lineage
from josh_engine.values import Json, Node, Turn

MOST = 3  # trees that can be told apart on one screen


def comparison(trees: Sequence[OpenedRollout], *, height: int = 640) -> dict[str, Json]:
    """`trees`: the same scenario's, at least two, the one looked at first."""
    shared = _shared([each.tree for each in trees])
    lines = [main_line(each) for each in trees]
    parting = _parting(lines)
    return {
        "height": height,
        "said": in_words(lines),
        "parting": parting + 1 if parting is not None else None,  # a level, as in the drawing
        "trees": [
            _tree(each, shared=shared, line=line, parting=parting) for each, line in zip(trees, lines, strict=True)
        ],
        "goals": _arrivals([each.tree for each in trees]),
    }


def main_line(opened: OpenedRollout) -> tuple[Node, ...]:
    """The conversation the search settled on."""
    path = ideal_path(opened.tree, opened.verdicts)
    return lineage(opened.tree, path[-1] if path else last_turn(opened.tree) or EMPTY_CONVERSATION)


def in_words(lines: Sequence[Sequence[Node]]) -> str:
    """Where the conversations part."""
    parting = _parting(lines)
    if parting is None:
        return "The conversations these searches settled on are the same, word for word."
    there = next(line[parting] for line in lines if len(line) > parting)
    who = "the user's turn" if there.turn.speaker == "user" else "the agent's turn"
    ended = any(len(line) <= parting for line in lines)
    place = f"exchange {exchange(there.id)}, {who}"
    return f"First difference: {place}{', which not every conversation has' if ended else ''}."


def _tree(opened: OpenedRollout, *, shared: set[str], line: Sequence[Node], parting: int | None) -> dict[str, Json]:
    tree, rollout, config = opened.tree, opened.rollout, opened.run.config
    counts = f"{len(tree.nodes)} turns, {tree.depth} exchanges, {rollout.usage.calls} model outputs"
    drawn = picture(tree, opened.labels, verdicts=opened.verdicts)
    here = line[parting].id if parting is not None and parting < len(line) else None
    return {
        "run": opened.run.id,
        "name": opened.run.name,
        "played": f"{config.strategy.name}, agent {config.agent}, user {config.user}",
        "figures": f"{stars(rollout)} {counts}",
        "leads": address("tree", **tree_address(rollout)),
        "parts": here,
        "nodes": [node | {"shared": node["id"] in shared} for node in drawn["nodes"]],
    }


def _shared(trees: Sequence[Tree]) -> set[str]:
    found: set[str] = set()
    for node in trees[0].nodes.values():  # parents come before their children
        others = [tree.nodes.get(node.id) for tree in trees[1:]]
        same = all(other is not None and _same(node.turn, other.turn) for other in others)
        if same and (node.parent is None or node.parent in found):
            found.add(node.id)
    return found


def _parting(lines: Sequence[Sequence[Node]]) -> int | None:
    """The place on the lines at which they first differ; None where they are equal to the end."""
    for place, nodes in enumerate(zip_longest(*lines)):
        if any(node is None or not _same(nodes[0].turn, node.turn) for node in nodes):
            return place
    return None


def _same(one: Turn, other: Turn) -> bool:
    """What was said, called and answered; not what it cost."""
    return (one.messages, one.calls, one.stop) == (other.messages, other.calls, other.stop)


def _arrivals(trees: Sequence[Tree]) -> list[dict[str, Json]]:
    """Each goal with the exchange in which each tree won it."""
    known = next((tree for tree in trees if tree.scenario), trees[0])
    goals = known.scenario.goals if known.scenario else ()
    numbers = goal_numbers(known)
    return [
        {
            "number": numbers[goal.id],
            "name": goal.name,
            "exchanges": [exchange(tree.won[goal.id]) if goal.id in tree.won else None for tree in trees],
        }
        for goal in goals
    ]
