"""Plain evaluation through the same driver: one conversation, one answer per turn.

Goals are won without a collapse; the conversation goes on after the last goal to its own end or `max_depth`, as a
deployed agent's would. Its nodes are `josh`'s first branches, so both share seeds.
"""

from __future__ import annotations

from collections.abc import Sequence

from josh_engine.config import StrategyConfig
from josh_engine.search.growth import added, next_agent_turns, next_user_turns, users_turn, winning
from josh_engine.search.reasons import settle
from josh_engine.tree import Tree, fold
from josh_engine.values import Event, Expansion, GoalsWon, Played, SearchEnded


class Greedy:
    """One branch, played to its own end."""

    def __init__(self, config: StrategyConfig) -> None:
        self.config = config

    def ask(self, tree: Tree) -> Sequence[Expansion]:
        if tree.ended:
            return ()
        return next_user_turns(tree) if users_turn(tree) else next_agent_turns(tree, 1)

    def tell(self, tree: Tree, played: Sequence[Played]) -> Sequence[Event]:
        events: list[Event] = [*added(played)]
        (only,) = played
        if winning(only):
            goals = tuple(goal for goal in tree.open_goals if goal in only.goals)
            events.append(GoalsWon(only.expansion.node, goals))
        tree = fold(events, onto=tree)
        if not tree.frontier:
            events.append(SearchEnded("ended", settle(tree)))
        elif tree.depth >= self.config.max_depth and users_turn(tree):
            events.append(SearchEnded("depth_exhausted", settle(tree)))
        return events
