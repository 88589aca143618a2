"""Finding words in a tree: in what was said, called and answered. Pure.

The words are looked for as they stand, without regard to case; words apart must all occur in the turn, in any order,
and words in double quotes in one piece. Nothing in them is a pattern.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from josh_engine.tree import Tree, tree_order
from josh_engine.values import ToolCall, Turn

PIECES = re.compile(r'"([^"]+)"|(\S+)')


def texts(tree: Tree) -> dict[str, str]:
    """Each turn's words, folded for comparing, in tree order."""
    return {node: _words(tree.nodes[node].turn) for node in sorted(tree.nodes, key=tree_order)}


def found(words: Mapping[str, str], query: str) -> list[str]:
    """The turns that hold every piece of `query`, in tree order; none for an empty one."""
    pieces = [(quoted or word).casefold() for quoted, word in PIECES.findall(query)]
    return [node for node, text in words.items() if all(piece in text for piece in pieces)] if pieces else []


def _words(turn: Turn) -> str:
    said = [message.content for message in turn.messages]
    asked = {call.id: call for message in turn.messages for call in message.tool_calls}
    calls = [*asked.values(), *turn.calls]
    return "\n".join([*said, turn.reply or "", *(_called(call) for call in calls)]).casefold()


def _called(call: ToolCall) -> str:
    arguments = json.dumps(dict(call.arguments), ensure_ascii=False, default=dict)
    return f"{call.name} {call.raw} {arguments} {call.answer}"
