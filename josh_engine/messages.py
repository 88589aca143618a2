"""Message <-> OpenAI's wire, and Message -> TRL's rows.

The two differ in one thing: on the wire a call's arguments are the text the model emitted; in a row they are the
object (TRL renders them through the chat template), or that text where it is not a JSON object: a malformed call must
reach the trainer as it was written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from josh_engine.values import Json, Message, Preamble, Tool, ToolCall, Turn


def conversation(preamble: Preamble, path: Iterable[Turn]) -> tuple[Message, ...]:
    """Exactly the messages a model is called with after `path`."""
    return (*preamble.messages, *(message for turn in path for message in turn.messages))


def wire(message: Message) -> dict[str, Json]:
    """The message as OpenAI's chat completions take it."""
    return _chat(message, [_call(call, call.raw or json.dumps(call.arguments)) for call in message.tool_calls])


def row(message: Message) -> dict[str, Json]:
    """The message as TRL's conversational datasets take it."""
    return _chat(message, [_call(call, _object(call)) for call in message.tool_calls])


def wire_tools(tools: Sequence[Tool]) -> list[dict[str, Json]]:
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
        }
        for tool in tools
    ]


def parse_arguments(raw: str) -> dict[str, Json] | None:
    """The JSON object in a model's arguments text; None where it is not one. Empty text is an empty object."""
    if not raw.strip():
        return {}
    try:
        parsed = json.loads(raw)
    except (json.JSONDecodeError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def calls_made(path: Iterable[Turn]) -> int:
    """How many calls the path holds: the next canonical id is `call_<this + 1>`."""
    return sum(len(turn.calls) for turn in path)


def _chat(message: Message, calls: list[dict[str, Json]]) -> dict[str, Json]:
    chat: dict[str, Json] = {"role": message.role, "content": message.content}
    if calls:
        chat["tool_calls"] = calls
    if message.tool_call_id is not None:
        chat["tool_call_id"] = message.tool_call_id
    return chat


def _call(call: ToolCall, arguments: Json) -> dict[str, Json]:
    return {"type": "function", "id": call.id, "function": {"name": call.name, "arguments": arguments}}


def _object(call: ToolCall) -> Json:
    if not call.raw:
        return dict(call.arguments)
    parsed = parse_arguments(call.raw)
    return call.raw if parsed is None else parsed
