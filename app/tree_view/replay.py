"""A search as the steps of its replay: what each event changes in the drawing, and its caption.

The fold of a prefix of the events is the tree at that moment (`josh_engine.tree`), so a step holds only what differs
from the step before: the turn that came, the labels that changed, where the ideal path ends, the goal that was won.
The drawing puts these together by itself, at any moment and speed. Verdicts came after the search; the moments know
none of them. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.captions import caption
from app.words import goal_numbers
from josh_engine.tree import EMPTY, Tree, fold, label_turns, lineage
from josh_engine.values import Event, GoalsWon, Json, Label, NodeAdded

Numbered = tuple[int, Event]


def replay(events: Sequence[Numbered]) -> list[dict[str, Json]]:
    """One step per event: `seq`, `text`, and where they apply `add` (a turn's id), `labels` (those that changed),
    `end` (the ideal path's last turn) and `won` ([turn, goal number] each)."""
    tree, labels = EMPTY, dict[str, Label]()
    steps = []
    for number, event in events:
        after = fold([event], onto=tree)
        new = _labels(event, after, known=labels)
        step: dict[str, Json] = {"seq": number, "text": caption(event, tree)}
        if isinstance(event, NodeAdded):
            step["add"] = event.node.id
        if changed := {node: label for node, label in new.items() if labels.get(node) != label}:
            step["labels"] = changed
        if after.root != tree.root:
            step["end"] = after.root
        if isinstance(event, GoalsWon):
            numbers = goal_numbers(after)
            step["won"] = [[event.node, numbers[goal]] for goal in event.goals if goal in numbers]
        steps.append(step)
        tree, labels = after, new
    return steps


def _labels(event: Event, tree: Tree, *, known: Mapping[str, Label]) -> dict[str, Label]:
    """Most events add a turn that changes no other turn's label; those are not derived anew."""
    if isinstance(event, NodeAdded) and not (event.node.goals and _below_a_settled_turn(tree, event.node.id)):
        added: dict[str, Label] = {event.node.id: "open"} if event.node.turn.speaker == "agent" else {}
        return {**known, **added}
    return label_turns(tree)


def _below_a_settled_turn(tree: Tree, node_id: str) -> bool:
    return any(each.id in tree.reasons for each in lineage(tree, node_id))
