"""The conversation from the start to one turn, as the data of `conversation.js`: every message with its role, every
call with its arguments and its full result or error, whether the model wrote it, and why the branch ended.

Nothing is shortened and nothing is marked up: what a model, a user or a data file wrote travels as plain strings and
is shown as text. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from app.tree_view.overlay import marks
from app.words import LABEL_WORDS, ending, exchange, goal_names, goal_numbers, siblings, turn_name, use, won_by
from josh_engine.tree import EMPTY_CONVERSATION, Tree, lineage
from josh_engine.values import Json, Label, Message, Node, Preamble, ToolCall, Turn, Verdict

STOPS = {"ended": "ended the conversation", "failed": "failed: no reply within the generations allowed", "spoke": ""}


def transcript(
    tree: Tree,
    labels: Mapping[str, Label],
    selected: str | None,
    *,
    height: int = 560,
    verdicts: Sequence[Verdict] = (),
) -> dict[str, Json]:
    """The component's data for a node of the tree; None: only what the agent was given."""
    nodes = lineage(tree, selected or EMPTY_CONVERSATION)
    marked = marks(tree, labels, verdicts)
    return {
        "selected": selected,
        "height": height,
        "preamble": _preamble(tree.preamble),
        "turns": [
            _turn(tree, labels, node)
            | {
                "mark": marked[node.id].text if node.id in marked else "",
                "use": use(tree, node, labels[node.id], verdicts) if node.id == selected and node.id in labels else "",
            }
            for node in nodes
        ],
    }


def _preamble(preamble: Preamble) -> dict[str, Json]:
    return {
        "messages": [_message(message, turn=None) for message in preamble.messages],
        "tools": [
            {"name": tool.name, "text": f"{tool.description}\n{_pretty(tool.parameters)}".strip()}
            for tool in preamble.tools
        ],
    }


def _turn(tree: Tree, labels: Mapping[str, Label], node: Node) -> dict[str, Json]:
    label = labels.get(node.id)
    alternatives = siblings(tree, node)
    end = ending(tree, node)
    return {
        "id": node.id,
        "name": turn_name(node),
        "speaker": node.turn.speaker,
        "exchange": exchange(node.id),
        "label": label,
        "word": LABEL_WORDS[label] if label else "",
        "goals": _goals(tree, node),
        "stop": STOPS[node.turn.stop],
        "why": {"text": end.text, "link": end.link if end.link in tree.nodes else None} if end else None,
        "branch": [_chip(labels, each, current=node.id) for each in alternatives] if len(alternatives) > 1 else [],
        "messages": [_message(message, turn=node.turn) for message in node.turn.messages],
        "calls": [_answered(call) for call in _unseen_calls(node.turn)],
    }


def _goals(tree: Tree, node: Node) -> list[str]:
    numbers = goal_numbers(tree)
    return [f"goal {numbers[goal]}/{len(numbers)} {goal_names(tree, [goal])}" for goal in won_by(tree, node.id)]


def _chip(labels: Mapping[str, Label], node: Node, *, current: str) -> dict[str, Json]:
    label = labels.get(node.id)
    return {"id": node.id, "label": label, "word": LABEL_WORDS[label] if label else "", "current": node.id == current}


def _message(message: Message, *, turn: Turn | None) -> dict[str, Json]:
    asked = {call.id: call for call in turn.calls} if turn else {}
    answering = asked.get(message.tool_call_id or "")
    answered = _answered_ids(turn) if turn else frozenset()
    return {
        "role": message.role,
        "text": message.content,
        "sampled": message.sampled,
        "calls": [_call(asked.get(call.id, call), answered=call.id in answered) for call in message.tool_calls],
        "answers": f"{answering.name} ({answering.id})" if answering else message.tool_call_id,
        "fault": _fault(answering) if answering else None,
    }


def _call(call: ToolCall, *, answered: bool) -> dict[str, Json]:
    """A call; its answer too, where no message of its own carries that."""
    return _asked(call) if answered else _answered(call)


def _asked(call: ToolCall) -> dict[str, Json]:
    """`raw` only where the arguments could not be read from it."""
    return {
        "id": call.id,
        "name": call.name,
        "arguments": _pretty(call.arguments),
        "raw": "" if call.reached else call.raw,
        "answer": None,
        "fault": None,
    }


def _answered(call: ToolCall) -> dict[str, Json]:
    made = call.result is not None or call.error is not None
    return _asked(call) | {"answer": call.answer if made else None, "fault": _fault(call)}


def _fault(call: ToolCall) -> str | None:
    return (call.fault or "error").replace("_", " ") if call.error is not None else None


def _answered_ids(turn: Turn) -> frozenset[str]:
    return frozenset(message.tool_call_id for message in turn.messages if message.tool_call_id)


def _unseen_calls(turn: Turn) -> Sequence[ToolCall]:
    """Calls that no message shows as a call of its own, as with agents that write their calls into the text."""
    shown = {call.id for message in turn.messages for call in message.tool_calls}
    return [call for call in turn.calls if call.id not in shown]


def _pretty(value: Mapping[str, Json]) -> str:
    return json.dumps(dict(value), ensure_ascii=False, indent=2, default=dict) if value else "{}"


def all_turns(tree: Tree, labels: Mapping[str, Label], verdicts: Sequence[Verdict] = ()) -> dict[str, dict[str, Json]]:
    """Every turn as `transcript` gives it where it is the chosen one, for a page that puts them together by itself."""
    marked = marks(tree, labels, verdicts)
    return {
        node.id: _turn(tree, labels, node)
        | {
            "mark": marked[node.id].text if node.id in marked else "",
            "use": use(tree, node, labels[node.id], verdicts) if node.id in labels else "",
        }
        for node in tree.nodes.values()
    }


def what_was_given(tree: Tree) -> dict[str, Json]:
    """What the agent was given, as `transcript` has it."""
    return _preamble(tree.preamble)
