"""JOSH, Algorithm 1 of arXiv 2409.04617, as ask/tell. The comments give the paper's line numbers.

Readings and deviations ("ours"), each with its reason:

- Line 5 starts from an empty list of leaves, which would never expand: we start from one empty conversation.
- Line 7 loops while depth <= max_depth, one exchange more than the number says: we loop while depth < max_depth.
- Lines 19-25 remove one goal and stop. We remove every goal the winning turn reached: the turn did both calls, and a
  goal left open although reached would send the search after a call already made.
- Line 22 divides by len(Goal Set), which shrinks as goals are removed: we divide by |G| at the start, so that all
  goals won is exactly 1.
- "Another turn simultaneously achieves the goal g" (section 2.1) is partial credit: ours for any open goal.
- A leaf ends when the user ends the conversation, when the agent hands over, or when its turn failed. Ended leaves
  free their slots in the beam. A failed turn cannot win, even if a call in it reached a goal: its conversation has no
  reply to go on from.
"""

from __future__ import annotations

from collections.abc import Sequence

from josh_engine.config import StrategyConfig
from josh_engine.search.growth import added, next_agent_turns, next_user_turns, users_turn, winning
from josh_engine.search.reasons import settle
from josh_engine.tree import Tree, fold
from josh_engine.values import Collapsed, Event, Expansion, GoalsWon, Played, SearchEnded


class Josh:
    """Turn-level beam search that follows the first reward."""

    def __init__(self, config: StrategyConfig) -> None:
        self.config = config

    def ask(self, tree: Tree) -> Sequence[Expansion]:
        if tree.ended or not tree.open_goals:  # line 7: G is empty
            return ()
        if users_turn(tree):
            return next_user_turns(tree)  # line 10: U(l) for every leaf
        fits = len(tree.frontier) * self.config.branching_factor <= self.config.max_beam  # line 13
        return next_agent_turns(tree, self.config.branching_factor if fits else 1)  # lines 14-15: A(l)

    def tell(self, tree: Tree, played: Sequence[Played]) -> Sequence[Event]:
        events: list[Event] = [*added(played)]
        tree = fold(events, onto=tree)
        if played[0].expansion.speaker == "agent":
            won = self._win(tree, played)  # lines 17-25
            events += won
            tree = fold(won, onto=tree)
        if end := self._end(tree):
            events.append(end)
        return events

    def _win(self, tree: Tree, played: Sequence[Played]) -> list[Event]:
        """The first leaf in tree order that reached a goal still open becomes the only leaf."""
        winner = next((each for each in played if winning(each)), None)  # lines 17-19
        if winner is None:
            return []
        node = winner.expansion.node
        goals = tuple(goal for goal in tree.open_goals if goal in winner.goals)
        booked = GoalsWon(node, goals)  # lines 21-22
        return [booked, Collapsed(node, settle(fold([booked], onto=tree), node))]  # line 20

    def _end(self, tree: Tree) -> SearchEnded | None:
        if not tree.open_goals:
            return SearchEnded("all_goals_won", settle(tree))
        if not tree.frontier:
            return SearchEnded("no_live_leaf", settle(tree))
        if tree.depth >= self.config.max_depth and users_turn(tree):  # lines 7 and 26
            return SearchEnded("depth_exhausted", settle(tree))
        return None
