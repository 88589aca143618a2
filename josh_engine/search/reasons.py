"""Why an agent turn is not on the ideal path: the closed list of josh.md 1.8, first match.

The paper names none of these; its authors' code throws the tree above a reward away. We keep every turn and say of
each, once, when it is settled, why it is not on the path: so a person can read the search, and no reason is guessed
afterwards.
"""

from __future__ import annotations

from josh_engine.tree import Tree, agent_turns, lineage, tree_order
from josh_engine.values import Node, Pruned, Reason


def settle(tree: Tree, winner: str | None = None) -> tuple[Pruned, ...]:
    """A reason for each agent turn that has none and is not on the path to the last reward, in tree order.

    `winner` is the turn the frontier has just collapsed to; None at the search's end.
    """
    on_path = {node.id for node in lineage(tree, tree.root)} if tree.root else set()
    unsettled = [node for node in agent_turns(tree) if node.id not in on_path and node.id not in tree.reasons]
    answered, hung_up = _followed_up(tree)
    return tuple(
        _reason(tree, node, winner, answered=node.id in answered, hung_up=node.id in hung_up)
        for node in sorted(unsettled, key=lambda node: tree_order(node.id))
    )


def _followed_up(tree: Tree) -> tuple[set[str], set[str]]:
    """Agent turns with an agent turn below them, and those after which the user ended the conversation."""
    answered: set[str] = set()
    hung_up: set[str] = set()
    for node in tree.nodes.values():
        if node.parent is None:
            continue
        if node.turn.speaker == "user" and node.turn.stop == "ended":
            hung_up.add(node.parent)
        if node.turn.speaker == "agent" and (above := tree.nodes[node.parent].parent) is not None:
            answered.add(above)
    return answered, hung_up


def _reason(tree: Tree, node: Node, winner: str | None, *, answered: bool, hung_up: bool) -> Pruned:
    if answered:
        return Pruned(node.id, "not_continued")
    if node.turn.stop == "failed":
        return Pruned(node.id, "turn_failed")
    if node.goals:
        return Pruned(node.id, "partial_credit", _first_goal(tree, node))
    if node.turn.stop == "ended" or hung_up:
        return Pruned(node.id, "conversation_ended")
    if winner is not None:
        return Pruned(node.id, "lost_race", winner)
    reason: Reason = "depth_exhausted"
    return Pruned(node.id, reason)


def _first_goal(tree: Tree, node: Node) -> str:
    order = [goal.id for goal in (tree.scenario.goals if tree.scenario else ())]
    return min(node.goals, key=lambda goal: (order.index(goal) if goal in order else len(order), goal))
