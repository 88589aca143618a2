"""The Why pane: what became of a turn and why; who won; how full the beam was; what was asked and what was called.

The beam is read off the tree: all conversations of an exchange are played together (Algorithm 1), so the user's turns
of an exchange are the leaves that were live, and the agent's turns are the answers they got. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.tree_view.aligning import Mark, arguments_apart
from app.tree_view.overlay import marks
from app.tree_view.sheets import Block, compared, compared_arguments, facts, head, text
from app.words import LABEL_WORDS, ending, exchange, goal_names, turn_name, use, won_by
from josh_engine.config import StrategyConfig
from josh_engine.tree import Tree
from josh_engine.values import Goal, Label, Node, ToolCall, Verdict
from josh_engine.verdicts import standing

ASKED = "The goal asks for"
CALLED = "This turn called"
NOTE = "Compared as text; what counts as reached is for the world to say."


def why_sheet(
    tree: Tree,
    labels: Mapping[str, Label],
    node_id: str,
    *,
    strategy: StrategyConfig,
    verdicts: Sequence[Verdict] = (),
    world: Sequence[Block] = (),
) -> list[Block]:
    """`world`: what the world says of the turn, where it says anything."""
    node = tree.nodes[node_id]
    label = labels.get(node_id)
    blocks = [head(turn_name(node), label=label or "", word=LABEL_WORDS[label] if label else "")]
    blocks += _fate(tree, labels, node, verdicts)
    blocks += [*world, *_beam(tree, node, strategy)]
    return blocks + (_goals(tree, node) if node.turn.speaker == "agent" else [])


def _fate(tree: Tree, labels: Mapping[str, Label], node: Node, verdicts: Sequence[Verdict]) -> list[Block]:
    """The search's sentence, a person's, and what the rows make of it."""
    found: list[Block] = []
    end = ending(tree, node)
    if end is not None:
        found.append(text(end.text, tone="strong", link=end.link if end.link in tree.nodes else None))
    elif node.turn.speaker == "agent":
        found.append(text(_undecided(tree, node), tone="strong"))
    mark = marks(tree, labels, verdicts).get(node.id)
    if mark is not None:
        found.append(text(f"✎ {mark.text[:1].upper()}{mark.text[1:]}.{_reason(node, verdicts)}"))
    label = labels.get(node.id)
    if label is not None:
        found.append(text(use(tree, node, label, verdicts), tone="faint"))
    return found + _winner(tree, node, linked=end.link if end else None)


def _undecided(tree: Tree, node: Node) -> str:
    if tree.ended or node.id in tree.won.values():
        return "The search went on from this turn to a later reward."
    return "The search has not settled this turn yet."


def _reason(node: Node, verdicts: Sequence[Verdict]) -> str:
    given = [each.reason for each in standing(verdicts) if each.node == node.id and each.rival is None and each.reason]
    return f" Reason: {given[-1]}" if given else ""


def _winner(tree: Tree, node: Node, *, linked: str | None) -> list[Block]:
    """Who won the round this turn was in, where that was another turn and not all was said with a link already."""
    here = exchange(node.id)
    winner = next((each for each in tree.won.values() if exchange(each) == here and each != node.id), None)
    if winner is None or node.turn.speaker == "user":
        return []
    reached = goal_names(tree, won_by(tree, winner))
    several = sum(bool(each.goals) for each in _agents(tree, here)) > 1
    if linked == winner and not several:
        return []
    by_order = " Several reached a goal in this exchange: the first in tree order won." if several else ""
    return [text(f"Winner of exchange {here}: turn {winner}, which reached {reached}.{by_order}", link=winner)]


def _beam(tree: Tree, node: Node, strategy: StrategyConfig) -> list[Block]:
    here = exchange(node.id)
    users = [each for each in tree.nodes.values() if each.turn.speaker == "user" and exchange(each.id) == here]
    live = sum(each.turn.stop == "spoke" for each in users)
    answers = len(_agents(tree, here))
    if strategy.name != "josh":
        return [head("Search"), text(f"Exchange {here}: strategy {strategy.name}, {live} conversation, one answer.")]
    size, factor = strategy.max_beam, strategy.branching_factor
    rows = [
        ("Exchange", str(here)),
        ("Live conversations", f"{live} of at most {size} (beam)"),
        ("Answers played", str(answers)),
    ]
    full = live * factor > size
    if full:
        told = f"Not branched: beam full. {live} × {factor} answers are more than {size}, so each got exactly one."
    else:
        told = f"Branched: {live} × {factor} answers fit into {size}, so each conversation got {factor}."
    return [head("Beam"), facts(*rows), text(told, tone="note" if full else "faint")]


def _agents(tree: Tree, here: int) -> list[Node]:
    return [each for each in tree.nodes.values() if each.turn.speaker == "agent" and exchange(each.id) == here]


def _goals(tree: Tree, node: Node) -> list[Block]:
    """Each goal against the call of this turn that comes nearest; goals whose tool was not called in one line each."""
    goals = list(enumerate(tree.scenario.goals if tree.scenario else (), start=1))
    if not goals:
        return []
    nearest = {goal.id: _nearest(goal, node.turn.calls) for _, goal in goals}
    rows = [
        _goal_row(call, f"Goal {number}: {goal.name} · {_status(tree, node, goal)}", goal)
        for number, goal in goals
        if (call := nearest[goal.id]) is not None
    ]
    uncalled = [
        (f"Goal {number}", f"{goal.name} · not called in this turn · {_status(tree, node, goal)}")
        for number, goal in goals
        if nearest[goal.id] is None
    ]
    blocks = [head("Asked and called")]
    blocks += [compared(ASKED, CALLED, rows), text(NOTE, tone="faint")] if rows else []
    blocks += [facts(*uncalled)] if uncalled else []
    used = {call.id for call in nearest.values() if call is not None}
    others = [f"{call.name}({_listed(call)})" for call in node.turn.calls if call.id not in used]
    return blocks + ([text(f"Called besides: {', '.join(others)}")] if others else [])


def _goal_row(call: ToolCall, title: str, goal: Goal) -> Block:
    rows = arguments_apart(goal.arguments, call.arguments)
    mark: Mark = "same" if all(each.mark == "same" for each in rows) else "changed"
    return compared_arguments(f"{title}{' · the call got an error' if call.error is not None else ''}", mark, rows)


def _status(tree: Tree, node: Node, goal: Goal) -> str:
    winner = tree.won.get(goal.id)
    if goal.id in node.goals:
        return "reached here" if winner == node.id else "reached here too, booked elsewhere"
    if winner is not None and exchange(winner) < exchange(node.id):
        return f"reached before, at turn {winner}"
    return "not reached"


def _nearest(goal: Goal, calls: Sequence[ToolCall]) -> ToolCall | None:
    """The call of the goal's tool with the most equal arguments; the first of equals."""
    named = [call for call in calls if call.name == goal.name]
    alike = [sum(call.arguments.get(name) == value for name, value in goal.arguments.items()) for call in named]
    return named[alike.index(max(alike))] if named else None


def _listed(call: ToolCall) -> str:
    return ", ".join(f"{name}={value}" for name, value in call.arguments.items())
