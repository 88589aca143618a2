"""Message <-> OpenAI's wire, and Message -> TRL's rows.

The two differ in one thing: on the wire a call's arguments are the text the model emitted; in a row they are the
object (TRL renders them through the chat template).

What a model wrote wrongly stays in the conversation, in a form that strict servers and templates take, for they refuse
every later request that holds it (vllm-project/vllm#43995): unreadable arguments are `{}` (the tool's answer quotes
them), an unusable name is made a usable one, and a message without words or calls says so. A generation that this form
cannot express (`expressible`) is context only, and never what a row trains on.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Sequence

from josh_engine.values import Json, Message, Preamble, Tool, ToolCall, Turn

MAX_NESTING = 50  # ours; no tool takes as much, and deeper values break the recursion of what writes them down

EMPTY_WORDS = "(empty)"  # Anthropic's and Mistral's APIs refuse a message of the assistant that is empty
NAMELESS = "unnamed"
_NINE = re.compile(r"[A-Za-z0-9]{9}")
_NUMBERED = re.compile(r"call_(\d{1,5})")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_NAME = 64  # of a function, at OpenAI

_THOUGHT = re.compile(r"\A(?:.*?</think(?:ing)?>\s*|\s*<think(?:ing)?>.*\Z)", re.S)


def conversation(preamble: Preamble, path: Iterable[Turn]) -> tuple[Message, ...]:
    """Exactly the messages a model is called with after `path`."""
    return (*preamble.messages, *(message for turn in path for message in turn.messages))


def wire(message: Message) -> dict[str, Json]:
    """The message as OpenAI's chat completions take it."""
    return _chat(message, [_call(call, _arguments_text(call)) for call in message.tool_calls])


def row(message: Message) -> dict[str, Json]:
    """The message as TRL's conversational datasets take it."""
    return _chat(message, [_call(call, _arguments(call)) for call in message.tool_calls])


def expressible(message: Message) -> bool:
    """Whether request and row can hold what the model wrote in this message."""
    if not message.tool_calls:
        return bool(message.content.strip())
    return all(
        wire_name(call.name) == call.name and parse_arguments(call.raw) is not None for call in message.tool_calls
    )


def wire_id(call_id: str) -> str:
    """The id in nine letters and digits: Mistral's API and templates take no other (vllm-project/vllm#9019)."""
    if _NINE.fullmatch(call_id):
        return call_id
    if numbered := _NUMBERED.fullmatch(call_id):
        return f"call{int(numbered[1]):05}"
    return hashlib.sha256(call_id.encode()).hexdigest()[:9]


def wire_name(name: str) -> str:
    """The tool's name in the characters that OpenAI takes; models make up others ("functions.find_hotel")."""
    return _NOT_IN_NAMES.sub("_", name)[:_LONGEST_NAME] or NAMELESS


def wire_tools(tools: Sequence[Tool]) -> list[dict[str, Json]]:
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
        }
        for tool in tools
    ]


def parse_arguments(raw: str) -> dict[str, Json] | None:
    """The JSON object in a model's arguments text; None where it is not one. Empty text is an empty object.

    Of a text that was encoded twice (a JSON string whose text is an object) the inner object, and no deeper."""
    if not raw.strip():
        return {}
    parsed = _read_or_none(raw)
    if isinstance(parsed, str):
        parsed = _read_or_none(parsed)
    return parsed if isinstance(parsed, dict) else None


def encoded_twice(raw: str) -> bool:
    """Whether `parse_arguments` finds the object one JSON string deep."""
    return raw.lstrip().startswith('"') and parse_arguments(raw) is not None


def read_json(text: str, *, strict: bool = True) -> Json:
    """What a model's JSON text says. Raises ValueError for all that is not JSON, and for what could not be written
    down again: NaN and infinities (Python reads them, nothing else does; NaN is not even equal to itself), numbers
    beyond Python's limits, deep nesting. `strict` False takes line breaks inside strings, which models write."""
    try:
        parsed = json.loads(text, strict=strict, parse_constant=_no_number, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if _nesting(parsed) > MAX_NESTING:
        raise ValueError("it is nested too deeply")
    if "\\u" in text:
        json.dumps(parsed, ensure_ascii=False).encode()  # half characters (lone surrogates) cannot be written
    return parsed


def without_thoughts(text: str) -> str:
    """A model's text without the thoughts in front, which reasoning models write as `<think>...</think>` where their
    server does not take it out. The opening may stand in the prompt and so be absent; without a close all is thought.
    For what is read and said only: a message keeps its text as emitted."""
    return _THOUGHT.sub("", text)


def calls_made(path: Iterable[Turn]) -> int:
    """How many calls the path holds: the next canonical id is `call_<this + 1>`."""
    return sum(len(turn.calls) for turn in path)


def _chat(message: Message, calls: list[dict[str, Json]]) -> dict[str, Json]:
    silent = message.role == "assistant" and not calls and not message.content.strip()
    chat: dict[str, Json] = {"role": message.role, "content": EMPTY_WORDS if silent else message.content}
    if calls:
        chat["tool_calls"] = calls
    if message.tool_call_id is not None:
        chat["tool_call_id"] = wire_id(message.tool_call_id)
    return chat


def _call(call: ToolCall, arguments: Json) -> dict[str, Json]:
    return {
        "type": "function",
        "id": wire_id(call.id),
        "function": {"name": wire_name(call.name), "arguments": arguments},
    }


def _arguments(call: ToolCall) -> dict[str, Json]:
    return (parse_arguments(call.raw) or {}) if call.raw else dict(call.arguments)


def _arguments_text(call: ToolCall) -> str:
    """As emitted, where that is the text of one JSON object."""
    as_emitted = call.raw.lstrip().startswith("{") and parse_arguments(call.raw) is not None
    return call.raw if as_emitted else json.dumps(_arguments(call))


def _read_or_none(text: str) -> Json:
    try:
        return read_json(text)
    except ValueError:
        return None


def _no_number(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large a number")
    return number


def _nesting(value: Json) -> int:
    """How many containers lie inside each other, counted level by level: recursion is what this guards against."""
    level, depth = [value], 0
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return depth
