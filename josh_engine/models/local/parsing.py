"""From a model's text to what it said and which tools it called. Pure.

Models write calls in their own markup. Where a tokenizer carries a `response_template`, transformers reads it
(`loading`); here are the two forms that most others use:

- Hermes and Qwen: `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`, any number, words before and between;
- Llama and Mistral: the whole text is such an object, or a list of them, or several separated by `;`; the arguments
  may be called `parameters`, and `<|python_tag|>` or `[TOOL_CALLS]` may stand before it.

The arguments are kept as the text the model emitted, to the character. What was meant as a call and cannot be read
becomes a call whose `raw` cannot be read either, so that the agent counts it as malformed; it never vanishes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator

from josh_engine.values import ToolCall

OPEN, CLOSE = "<tool_call>", "</tool_call>"
MARKS = ("<|python_tag|>", "[TOOL_CALLS]")
ARGUMENTS = ("arguments", "parameters")

_TAGGED = re.compile(rf"{OPEN}(.*?)(?:{CLOSE}|(?={OPEN})|\Z)", re.S)
_BARE = re.compile(r'\s*\[?\s*\{\s*"(?:name|type|function|arguments|parameters)"\s*:')
_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"\s*")


def parse_reply(text: str, tools: Collection[str]) -> tuple[str, tuple[ToolCall, ...]]:
    """(what was said, the calls in order). Only for requests that offered `tools`: else a text is a text.

    An object without markup is a call only where it has arguments or names a tool: models also say plain JSON."""
    if OPEN in text:
        calls = tuple(read_call(body) for body in _TAGGED.findall(text))
        return _TAGGED.sub("", text).strip(), calls
    marked = next((mark for mark in MARKS if text.lstrip().startswith(mark)), "")
    bare = text.lstrip().removeprefix(marked)
    if marked or _BARE.match(bare):
        calls = tuple(_bare_calls(bare))
        if marked or all(call.name and (call.raw or call.name in tools) for call in calls):
            return "", calls
    return text.strip(), ()


def read_call(body: str) -> ToolCall:
    """One call from its JSON text. Unreadable: the name if it can be seen, and `raw` as it stands."""
    name, raw = "", None
    for key, value, source in _members(body):
        if key == "name" and isinstance(value, str):
            name = value
        elif key in ARGUMENTS:
            raw = value if isinstance(value, str) else source
        elif key == "function" and isinstance(value, dict):  # OpenAI's own nesting
            return read_call(source)
    if raw is None:
        raw = "" if name and _complete(body) else body.strip()
    return ToolCall("", name, raw=raw)


def _bare_calls(text: str) -> Iterator[ToolCall]:
    """Objects in a row, whatever separates them; from the first that cannot be read, one call with the rest."""
    position = 0
    while (start := text.find("{", position)) >= 0:
        try:
            _, position = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            yield read_call(text[start:])
            return
        yield read_call(text[start:position])
    if position == 0:
        yield ToolCall("", "", raw=text.strip())


def _members(text: str) -> Iterator[tuple[str, object, str]]:
    """(key, value, the value's text) of a JSON object, as far as it can be read. A value that cannot be read is
    given as None, with the rest of the text."""
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        return
    at = _skip(text, at + 1)
    while text[at : at + 1] == '"':
        try:
            key, at = _DECODER.raw_decode(text, at)
        except ValueError:
            return
        at = _skip(text, at)
        if text[at : at + 1] != ":":
            return
        at = _skip(text, at + 1)
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            rest = text[at:].strip()
            yield key, None, rest.removesuffix("}") if rest.endswith("}}") else rest  # the object's own brace
            return
        yield key, value, text[at:end]
        at = _skip(text, end)
        if text[at : at + 1] != ",":
            return
        at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _complete(body: str) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True
