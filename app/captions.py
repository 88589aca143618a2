"""An event of a search as a sentence: the replay's caption, and the ticker of a run that is being played.

The events are those of Algorithm 1 as `josh_engine.values` names them. `tree_before` is the fold of the events before
this one, for a goal has its number and name from the scenario. Nothing is derived here that the tree does not say.
Pure; what a model or a user wrote is quoted, shortened and never marked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from textwrap import shorten

from app.words import ENDINGS, exchange, goal_names, goal_numbers, turn_name
from josh_engine.tree import Tree
from josh_engine.values import Collapsed, Event, GoalsWon, Node, NodeAdded, Scenario, SearchEnded, SearchStarted

QUOTE_LENGTH = 90


def caption(event: Event, tree_before: Tree) -> str:
    """One or two sentences, about the moment at which `event` is folded onto `tree_before`."""
    match event:
        case SearchStarted(scenario, _):
            return _started(scenario)
        case NodeAdded(node):
            return _user_turn(node) if node.turn.speaker == "user" else _agent_turn(node, tree_before)
        case GoalsWon(node_id, goals):
            return _won(node_id, goals, tree_before)
        case Collapsed(root, pruned):
            return f"The search continues from turn {root} only{_cut(len(pruned))}."
        case SearchEnded(why, pruned):
            return f"The search is over{_cut(len(pruned))}. {ENDINGS[why]}"


def _started(scenario: Scenario) -> str:
    if not scenario.goals:
        return "The search begins. The scenario has no goals."
    wanted = goal_names(replace(Tree(), scenario=scenario), [goal.id for goal in scenario.goals])
    return f"The search begins, with {_counted(len(scenario.goals), 'goal')} to reach: {wanted}."


def _user_turn(node: Node) -> str:
    end = {"ended": " The user ends the conversation.", "failed": " The user simulator gave no turn."}
    return f"Exchange {exchange(node.id)}, the user{_quoted(node)}{end.get(node.turn.stop, '')}"


def _agent_turn(node: Node, tree: Tree) -> str:
    calls = ", ".join(dict.fromkeys(call.name or "(unparsable)" for call in node.turn.calls))
    parts = [f"{turn_name(node)}{f' calls {calls}, then' if calls else ''}{_quoted(node)}"]
    if node.goals:
        numbers = goal_numbers(tree)
        parts.append(f"It reaches {goal_names(tree, sorted(node.goals, key=lambda goal: numbers.get(goal, 0)))}.")
    if node.turn.stop == "failed":
        parts.append("No reply within the generations allowed: the turn failed.")
    if node.turn.stop == "ended":
        parts.append("The agent hands over.")
    if faults := sum(call.error is not None for call in node.turn.calls):
        parts.append(f"{_counted(faults, 'call')} came back with an error.")
    return " ".join(parts)


def _won(node_id: str, goals: Sequence[str], tree: Tree) -> str:
    numbers = goal_numbers(tree)
    places = ", ".join(str(numbers[goal]) for goal in goals if goal in numbers)
    left = len(numbers) - len(set(tree.won) | set(goals))
    still = f"{_counted(left, 'goal')} left" if left else "none left"
    return f"★ Turn {node_id} wins goal {places} of {len(numbers)}, {goal_names(tree, goals)}; {still}."


def _quoted(node: Node) -> str:
    said = node.turn.reply or ""
    if not said:
        return " says nothing."
    return f" says: “{shorten(said, QUOTE_LENGTH, placeholder=' …')}”"


def _cut(count: int) -> str:
    return f"; {_counted(count, 'turn')} {'is' if count == 1 else 'are'} pruned" if count else ""


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
