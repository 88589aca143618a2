"""OpenAI's chat completions on the wire: a request read strictly, an answer written. Pure, but for random ids.

What would change an answer and is not offered (streams, stop strings, penalties, response formats, forced tools) is
refused by name, never silently ignored.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from josh_engine.messages import parse_arguments
from josh_engine.values import Json

MAX_CHOICES = 128
NOT_OFFERED: Mapping[str, Sequence[Json]] = {  # parameter -> the values that ask for nothing
    "stream": (None, False),
    "stop": (None, [], ""),
    "tool_choice": (None, "auto", "none"),
    "response_format": (None, {"type": "text"}),
    "top_logprobs": (None, 0),
    "logit_bias": (None, {}),
    "frequency_penalty": (None, 0),
    "presence_penalty": (None, 0),
    "repetition_penalty": (None, 1),
    "min_p": (None, 0),
}
ROLES = ("system", "developer", "user", "assistant", "tool")


class Refusal(Exception):
    """The request cannot be answered as it stands."""

    def __init__(self, message: str, *, param: str = "", code: str = "", status: int = 400) -> None:
        super().__init__(message)
        self.message, self.param, self.code, self.status = message, param, code, status


def requests_of(body: Mapping[str, Json], name: str) -> list[dict[str, Json]]:
    """The worker's requests for a chat request: one for each of its `n` choices, with the seeds `seed`, `seed` + 1, …
    Raises Refusal."""
    if body.get("model", name) != name:
        raise Refusal(f"There is no model {body['model']!r} here, only {name!r}.", code="model_not_found", status=404)
    for param, nothing in NOT_OFFERED.items():
        if body.get(param) not in nothing:
            raise Refusal(f"{param} = {json.dumps(body[param])} is not offered here.", param=param)
    limit = "max_completion_tokens" if body.get("max_completion_tokens") is not None else "max_tokens"
    common = {
        "messages": _messages(body.get("messages")),
        "tools": [] if body.get("tool_choice") == "none" else _tools(body.get("tools")),
        "temperature": _number(body, "temperature", 1.0, low=0.0, high=100.0),
        "top_p": _number(body, "top_p", None, low=0.0, high=1.0),
        "top_k": _whole(body, "top_k", None, low=-1, high=10**9),
        "max_tokens": _whole(body, limit, None, low=1, high=10**9),
        "logprobs": body.get("logprobs") is True,
    }
    if common["top_k"] is not None and common["top_k"] < 1:  # vLLM's -1 and 0: no cut
        common["top_k"] = None
    seed = _whole(body, "seed", uuid.uuid4().int % 2**31, low=-(2**63), high=2**63)
    choices = _whole(body, "n", 1, low=1, high=MAX_CHOICES)
    return [common | {"seed": seed + index} for index in range(choices)]


def completion(name: str, answers: Sequence[Mapping[str, Json]], created: int) -> dict[str, Json]:
    """The chat completion whose choices are these answers of the worker."""
    read, written = answers[0]["usage"], sum(answer["usage"]["completion_tokens"] for answer in answers)
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": created,
        "model": name,
        "choices": [_choice(index, answer) for index, answer in enumerate(answers)],
        "usage": {
            "prompt_tokens": read["prompt_tokens"],
            "completion_tokens": written,
            "total_tokens": read["prompt_tokens"] + written,
            "prompt_tokens_details": {"cached_tokens": read["reused_tokens"]},
        },
    }


def _choice(index: int, answer: Mapping[str, Json]) -> dict[str, Json]:
    message: dict[str, Json] = {"role": "assistant", "content": answer["content"]}
    if answer["tool_calls"]:
        message["content"] = answer["content"] or None
        message["tool_calls"] = [  # ids that every template takes when they come back (`josh_engine.messages`)
            {"id": uuid.uuid4().hex[:9], "type": "function", "function": dict(call)} for call in answer["tool_calls"]
        ]
    content = [
        {"token": word, "logprob": value, "bytes": list(word.encode()), "top_logprobs": []}
        for word, value in answer.get("logprobs", ())
    ]
    logprobs = {"content": content, "refusal": None} if "logprobs" in answer else None
    return {"index": index, "message": message, "finish_reason": answer["finish"], "logprobs": logprobs}


def _messages(given: Json) -> list[dict[str, Json]]:
    """As training rows have them: a call's arguments as an object, or as text where they are none."""
    if not isinstance(given, list) or not given:
        raise Refusal("messages must be a list of at least one message.", param="messages")
    return [_message(each, f"messages[{index}]") for index, each in enumerate(given)]


def _message(given: Json, where: str) -> dict[str, Json]:
    if not isinstance(given, dict) or given.get("role") not in ROLES:
        raise Refusal(f"{where} must be an object with a role: {', '.join(ROLES)}.", param=where)
    role = "system" if given["role"] == "developer" else given["role"]
    message: dict[str, Json] = {"role": role, "content": _text(given.get("content"), where)}
    if given.get("tool_calls"):
        try:
            message["tool_calls"] = [_call(call) for call in given["tool_calls"]]
        except (TypeError, KeyError) as error:
            raise Refusal(f"{where}.tool_calls holds something that is no call.", param=where) from error
    if given.get("tool_call_id") is not None:
        message["tool_call_id"] = given["tool_call_id"]
    return message


def _call(call: Mapping[str, Json]) -> dict[str, Json]:
    raw = call["function"].get("arguments") or ""
    parsed = parse_arguments(raw) if isinstance(raw, str) else raw
    function = {"name": call["function"]["name"], "arguments": raw if parsed is None else parsed}
    return {"type": "function", "id": call.get("id", ""), "function": function}


def _text(content: Json, where: str) -> str:
    if isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        return "".join(str(part.get("text", "")) for part in content)
    if content is None or isinstance(content, str):
        return content or ""
    raise Refusal(f"{where}.content must be text.", param=where)


def _tools(given: Json) -> list[Json]:
    tools = given or []
    if not isinstance(tools, list) or not all(_is_tool(tool) for tool in tools):
        raise Refusal('tools must be a list of {"type": "function", "function": {"name": ...}}.', param="tools")
    return tools


def _is_tool(tool: Json) -> bool:
    function = tool.get("function") if isinstance(tool, dict) else None
    return isinstance(function, dict) and isinstance(function.get("name"), str)


def _number(body: Mapping[str, Json], param: str, default: Any, *, low: float, high: float) -> Any:
    value = default if body.get(param) is None else body[param]
    if value is default:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise Refusal(f"{param} must be a number from {low:g} to {high:g}.", param=param)
    return value


def _whole(body: Mapping[str, Json], param: str, default: Any, *, low: int, high: int) -> Any:
    value = _number(body, param, default, low=low, high=high)
    if value is not default and not isinstance(value, int):
        raise Refusal(f"{param} must be a whole number.", param=param)
    return value


def json_object(body: bytes) -> dict[str, Json]:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal("The request is not JSON.") from error
    if not isinstance(parsed, dict):
        raise Refusal("The request must be a JSON object.")
    return parsed
