"""The panes about one turn itself: Pair, the turn beside an alternative; Raw, its record word for word. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from app.tree_view.sheets import Block, code, compared_turns, facts, head, text
from app.words import LABEL_WORDS, siblings, turn_name
from josh_engine.encoding import to_json
from josh_engine.tree import Tree, lineage
from josh_engine.values import Collapsed, Event, GoalsWon, Json, Label, Node, NodeAdded, SearchEnded, Verdict

Labels = Mapping[str, Label]


def pair_sheet(tree: Tree, labels: Labels, node_id: str, rival: str | None) -> list[Block]:
    """The turn beside `rival`, where that is an alternative to it; else beside the alternative that tells most."""
    node = tree.nodes[node_id]
    others = [each for each in siblings(tree, node) if each.id != node_id]
    if not others:
        return _alone(tree, node)
    chosen = next((each for each in others if each.id == rival), None) or _telling(labels, others)
    chips = [
        {
            "id": each.id,
            "label": labels.get(each.id),
            "word": _word(labels, each.id),
            "current": each.id == chosen.id,
        }
        for each in others
    ]
    return [
        {"kind": "chips", "text": f"{turn_name(node)} ({_word(labels, node_id)}) beside", "chips": chips},
        compared_turns(node, chosen),
    ]


def _telling(labels: Labels, others: Sequence[Node]) -> Node:
    """The ideal turn, else a negative one, else the first."""
    order: Sequence[Label] = ("ideal", "negative", "partial")
    ranks = {label: rank for rank, label in enumerate(order)}
    return min(others, key=lambda each: ranks.get(labels.get(each.id, "open"), len(order)))


def _alone(tree: Tree, node: Node) -> list[Block]:
    """Nothing to compare: the nearest turn above that has an alternative is one click away."""
    above = [each for each in lineage(tree, node.id) if len(siblings(tree, each)) > 1]
    told = "This turn has no alternative to compare it with"
    if not above:
        return [text(f"{told}, nor has any turn above it.")]
    return [text(f"{told}; the nearest branch point above it is at turn {above[-1].id}.", link=above[-1].id)]


def _word(labels: Labels, node_id: str) -> str:
    label = labels.get(node_id)
    return LABEL_WORDS[label] if label else ""


def raw_sheet(node: Node, events: Sequence[tuple[int, Event]], verdicts: Sequence[Verdict]) -> list[Block]:
    """The turn as it is stored: the node, the events that name it and the verdicts on it, superseded ones too."""
    usage = node.turn.usage
    found: list[Block] = [
        head(turn_name(node)),
        facts(
            ("Model outputs", str(usage.calls)),
            ("Tokens in", str(usage.prompt_tokens)),
            ("Tokens out", str(usage.completion_tokens)),
        ),
        code("The turn", _pretty(node), note="JSON"),
    ]
    for number, event in events:
        if _names(event, node.id):
            found.append(code(f"Event {number}: {type(event).__name__}", _pretty(event), note="JSON"))
    on_turn = [each for each in verdicts if node.id in (each.node, each.rival)]
    return found + [code(f"Verdict {each.id}", _pretty(each), note="JSON") for each in on_turn]


def _names(event: Event, node_id: str) -> bool:
    match event:
        case NodeAdded(node):
            return node.id == node_id
        case GoalsWon(winner, _):
            return winner == node_id
        case Collapsed(root, pruned):
            return root == node_id or any(each.node == node_id for each in pruned)
        case SearchEnded(_, pruned):
            return any(each.node == node_id for each in pruned)
    return False


def _pretty(value: object) -> str:
    shown: Json = to_json(value)
    return json.dumps(shown, ensure_ascii=False, indent=2)
