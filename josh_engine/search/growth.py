"""What every strategy does alike: whose turn it is, which turns come next, and what a played turn adds."""

from __future__ import annotations

from collections.abc import Sequence

from josh_engine.tree import EMPTY_CONVERSATION, Tree, agent_address, user_address
from josh_engine.values import Expansion, Node, NodeAdded, Played


def users_turn(tree: Tree) -> bool:
    """Whether the live leaves wait for the user. Between exchanges all leaves wait for the same side."""
    return not tree.frontier[0].endswith("u")


def next_user_turns(tree: Tree) -> tuple[Expansion, ...]:
    return tuple(
        Expansion(user_address(leaf), None if leaf == EMPTY_CONVERSATION else leaf, "user") for leaf in tree.frontier
    )


def next_agent_turns(tree: Tree, branching_factor: int) -> tuple[Expansion, ...]:
    return tuple(
        Expansion(agent_address(leaf, branch), leaf, "agent")
        for leaf in tree.frontier
        for branch in range(branching_factor)
    )


def added(played: Sequence[Played]) -> list[NodeAdded]:
    return [NodeAdded(Node(each.expansion.node, each.expansion.parent, each.turn, each.goals)) for each in played]


def winning(played: Played) -> bool:
    """Whether the turn reached an open goal and its conversation can be followed."""
    return bool(played.goals) and played.turn.stop != "failed"
