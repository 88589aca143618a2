"""What a tree says in words: labels, goals and why a branch ended (josh.md sections 1.8 and 2; the paper's 2.2).

One place for the sentences, so the drawing's names, the hover card and the conversation cannot disagree. A goal is
called by its call (`book_hotel`) and numbered by its place in the scenario. Pure: values in, strings out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from josh_engine.tree import Tree, branches, ideal_path, sampled, tree_order, user_address
from josh_engine.values import Label, Node, Verdict, Why
from josh_engine.verdicts import standing

LABEL_WORDS: Mapping[Label, str] = {
    "ideal": "ideal",
    "negative": "negative",
    "partial": "partial credit",
    "off_path": "pruned",
    "open": "open",
}
LABEL_MEANINGS: Mapping[Label, str] = {
    "ideal": "On the ideal path: trained towards.",
    "negative": "An alternative to an ideal turn that led to no reward: trained away from.",
    "partial": "An alternative that led to a reward too, but was not chosen: not used for training.",
    "off_path": "Not an alternative to an ideal turn: not used for training.",
    "open": "Not settled yet: the search is still running.",
}
JUDGED_MEANINGS: Mapping[str, str] = {
    "good": "A person called it good: trained towards.",
    "bad": "A person called it bad: trained away from.",
    "partial": "A person called it right in part: not used for training.",
    "exclude": "A person excluded it: not used for training.",
}
CUT_MEANING = (
    "The model's answer was cut short or empty, so nobody knows what it would have said: not used for training."
)
ENDINGS: Mapping[Why, str] = {
    "all_goals_won": "Every goal was reached.",
    "no_live_leaf": "No conversation was left to continue.",
    "depth_exhausted": "The exchanges allowed were used up.",
    "ended": "The conversation came to its end.",
}


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a branch ended: a sentence, and the node it is about (None: none)."""

    text: str
    link: str | None = None


def goal_numbers(tree: Tree) -> dict[str, int]:
    """Goal id -> its number, from 1, in the scenario's order."""
    return {goal.id: number for number, goal in enumerate(tree.scenario.goals if tree.scenario else (), start=1)}


def goal_names(tree: Tree, goals: Sequence[str]) -> str:
    """`book_hotel and search_train`; an id no goal carries stands for itself."""
    names = {goal.id: goal.name for goal in (tree.scenario.goals if tree.scenario else ())}
    found = [names.get(goal, goal) for goal in goals]
    return " and ".join(filter(None, (", ".join(found[:-1]), *found[-1:])))


def won_by(tree: Tree, node_id: str) -> tuple[str, ...]:
    """The goals the search booked to this node, in the scenario's order."""
    numbers = goal_numbers(tree)
    return tuple(sorted((goal for goal, node in tree.won.items() if node == node_id), key=lambda goal: numbers[goal]))


def exchange(node_id: str) -> int:
    """The exchange a turn belongs to, from 1: a user's turn opens it, the agent's closes it."""
    return len(branches(node_id)) + node_id.endswith("u")


def turn_name(node: Node) -> str:
    return f"{node.turn.speaker.capitalize()} turn {node.id}"


def ending(tree: Tree, node: Node) -> Ending | None:
    """Why the branch ended at this turn, or how the search went on from here; None while that is open.

    For a user's turn: only that the user ended the conversation, or that the turn failed.
    """
    if node.turn.speaker == "user":
        return _user_ending(node)
    pruned = tree.reasons.get(node.id)
    if pruned is None:
        return _kept(tree, node)
    match pruned.reason:
        case "lost_race":
            return _lost_race(tree, node, winner=pruned.link)
        case "partial_credit":
            return _partial_credit(tree, node, goal=pruned.link)
        case "not_continued":
            return Ending("The search went on below this turn, and then continued elsewhere.", tree.root)
        case "turn_failed" if node.turn.cut:
            return Ending(f"{node.turn.calls[-1].answer} The branch ended here, and the turn is in no row.")
        case "turn_failed":
            return Ending("This turn failed: no reply within the generations allowed, so the branch ended here.")
        case "conversation_ended":
            return Ending(f"The conversation ended here: {_who_ended(tree, node)}.")
        case "depth_exhausted":
            return Ending(f"The exchanges allowed ({tree.depth}) were used up before this branch reached a goal.")


def _user_ending(node: Node) -> Ending | None:
    if node.turn.stop == "ended":
        return Ending("The user ended the conversation here.")
    if node.turn.stop == "failed":
        return Ending("The user simulator gave no turn here.")
    return None


def _kept(tree: Tree, node: Node) -> Ending | None:
    goals = won_by(tree, node.id)
    if goals and tree.root == node.id and tree.ended:
        return Ending(f"This turn reached {goal_names(tree, goals)}, the last reward. {ENDINGS[tree.ended]}")
    if goals:
        return Ending(f"This turn reached {goal_names(tree, goals)}; the search continued from here only.")
    return None


def _lost_race(tree: Tree, node: Node, *, winner: str | None) -> Ending:
    if winner is None:
        return Ending(f"Pruned at exchange {exchange(node.id)}: the search continued elsewhere.")
    reached = goal_names(tree, won_by(tree, winner)) or "a goal"
    return Ending(
        f"Pruned at exchange {exchange(node.id)}: turn {winner} reached {reached} in this round; "
        f"the search continued from {winner} only.",
        winner,
    )


def _partial_credit(tree: Tree, node: Node, *, goal: str | None) -> Ending:
    winner = tree.won.get(goal) if goal else None
    reached = goal_names(tree, sorted(node.goals, key=lambda each: goal_numbers(tree).get(each, 0)))
    text = f"This turn reached {reached} too, but turn {winner} comes first in tree order and won by order."
    return Ending(text if winner else f"This turn reached {reached}, but the search had chosen another branch.", winner)


def _who_ended(tree: Tree, node: Node) -> str:
    if node.turn.stop == "ended":
        return "the agent handed over"
    answer = tree.nodes.get(user_address(node.id))
    return "the user hung up" if answer and answer.turn.stop == "ended" else "one side ended it"


def described(tree: Tree, node: Node, label: Label | None) -> str:
    """A turn's name for those who hear the tree: "Agent turn 0.1, ideal, reached goal 2 of 4: book_hotel"."""
    parts = [turn_name(node)]
    if label:
        parts.append(LABEL_WORDS[label])
    numbers = goal_numbers(tree)
    won = won_by(tree, node.id)
    parts += [f"reached goal {numbers[goal]} of {len(numbers)}: {goal_names(tree, [goal])}" for goal in won]
    if label == "partial" and node.goals:
        parts.append(f"also reached {goal_names(tree, sorted(node.goals))}")
    if node.turn.stop != "spoke":
        parts.append("the turn failed" if node.turn.stop == "failed" else "the conversation ended here")
    return ", ".join(parts)


def use(tree: Tree, node: Node, label: Label, verdicts: Sequence[Verdict] = ()) -> str:
    """What the rows make of a turn with this label."""
    if node.turn.cut:
        return CUT_MEANING
    said = [each.verdict for each in standing(verdicts) if each.node == node.id and each.verdict in JUDGED_MEANINGS]
    if said:
        return JUDGED_MEANINGS[said[-1]]
    path = ideal_path(tree, verdicts)
    ideal = next((each for each in siblings(tree, node) if each.id in path and each.id != node.id), None)
    if label == "off_path" and ideal and sampled(ideal.turn) == sampled(node.turn):
        return f"The model wrote word for word what it wrote in the ideal turn {ideal.id}: not used for training."
    return LABEL_MEANINGS[label]


def siblings(tree: Tree, node: Node) -> tuple[Node, ...]:
    """The turns that stand at the same branch point, this one included, in tree order."""
    found = [each for each in tree.nodes.values() if each.parent == node.parent]
    return tuple(sorted(found, key=lambda each: tree_order(each.id)))
