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


def unfinished(kind: str, answer: Json) -> Json:
    """The answer, as it would be had the server not let the model end it (`faults.NO_MOVES`)."""
    message = dict(answer["choices"][0]["message"])
    words = message["content"] or ""
    finishes = {"length": "length", "filtered": "content_filter", "broken_off": "error", "half_call": "length"}
    match kind:
        case "length" | "broken_off":
            message |= {"content": words[: len(words) // 2] or "I have"}
        case "silent" | "filtered":
            message = {"role": "assistant", "content": ""}
        case "thinking":
            message = {"role": "assistant", "content": f"<think>They want {words}"}
        case "half_call":
            call = {"id": "x", "type": "function", "function": {"name": "find_hotel", "arguments": '{"area": "no'}}
            message |= {"tool_calls": [call]}
        case _:
            raise ValueError(f"no fault {kind!r}")
    choice = answer["choices"][0] | {"message": message, "finish_reason": finishes.get(kind, "stop")}
    return answer | {"choices": [choice]}
