"""What the fake endpoint says: answers in OpenAI's shape."""

from __future__ import annotations

from typing import Any

Json = Any


def said(
    content: object,
    calls: Json = None,
    *,
    usage: Json = None,
    finish: str = "stop",
) -> Json:
    """One choice with this content and these tool calls, as they stand."""
    message = {"role": "assistant", "content": content} | ({"tool_calls": calls} if calls is not None else {})
    counted = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15} if usage is None else usage
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"id": "x", "object": "chat.completion", "created": 0, "choices": [choice], "usage": counted}


def called(name: str, arguments: Json, *, content: object = None) -> Json:
    call = {"id": "server-1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return said(content, [call], finish="tool_calls")
