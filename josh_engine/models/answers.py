"""A chat request and its answer: our values to OpenAI's wire, and what came back to a `Completion`.

Endpoints differ in what they leave out, so an answer is read leniently where its meaning is clear (content null is no
words; arguments of any JSON type become their text, for the agent to judge) and refused where it is not (no choices).
Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from josh_engine.errors import BadResponse
from josh_engine.messages import wire, wire_tools
from josh_engine.models.endpoint import Extras
from josh_engine.models.prices import Price, usd
from josh_engine.values import Completion, Json, Message, Sampling, Tool, ToolCall, Usage

ABOUT_TOOLS = ("tool_choice", "parallel_tool_calls")


def request_body(
    model: str, messages: Sequence[Message], tools: Sequence[Tool], *, sampling: Sampling, seed: int | None
) -> dict[str, Json]:
    """What an endpoint is asked. `top_k` is no parameter of OpenAI's, but of most servers people run themselves."""
    body: dict[str, Json] = {
        "model": model,
        "messages": [wire(message) for message in messages],
        "temperature": sampling.temperature,
    }
    if tools:
        body["tools"] = wire_tools(tools)
    chosen = {"top_p": sampling.top_p, "max_tokens": sampling.max_tokens, "top_k": sampling.top_k, "seed": seed}
    return body | {name: value for name, value in chosen.items() if value is not None}


def with_extras(body: Mapping[str, Json], extras: Extras) -> dict[str, Json]:
    """The request as a person wants this endpoint asked: with more fields, without others. Fields about tools go with
    tools only; OpenAI refuses them alone."""
    more = {name: value for name, value in extras.body.items() if body.get("tools") or name not in ABOUT_TOOLS}
    return {name: value for name, value in {**body, **more}.items() if name not in extras.omit}


def answer_of(text: str) -> dict[str, Json]:
    """The JSON object an endpoint sent. Raises BadResponse."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadResponse(f"The endpoint's answer is not JSON; it begins {_excerpt(text)}.") from error
    if not isinstance(answer, dict):
        raise BadResponse(f"The endpoint's answer is no JSON object; it begins {_excerpt(text)}.")
    return answer


def answer_unread(refused: str) -> dict[str, Json]:
    """The answer behind a refusal in which a server says that it could not read its own model's call: no move
    (`models/finishes.py`), with what the model wrote where the server quotes it (`failed_generation`, Groq)."""
    try:
        error = json.loads(refused)["error"]
        written = error["failed_generation"]
    except (ValueError, RecursionError, LookupError, TypeError):
        written = ""
    message = {"role": "assistant", "content": written if isinstance(written, str) else ""}
    usage = {"prompt_tokens": 0, "completion_tokens": 0}  # refusals are not paid for
    return {"choices": [{"message": message, "finish_reason": "malformed_function_call"}], "usage": usage}


def completion_of_answer(answer: Mapping[str, Json], price: Price = Price()) -> Completion:  # noqa: B008 - frozen
    """Raises BadResponse where this is no chat completion."""
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices:
        raise BadResponse(f"The endpoint's answer holds no choices; it is {_excerpt(json.dumps(answer))}.")
    message = choices[0].get("message") if isinstance(choices[0], dict) else None
    if not isinstance(message, dict):
        raise BadResponse(f"The endpoint's first choice holds no message; it is {_excerpt(json.dumps(answer))}.")
    usage, reported = _usage(answer.get("usage"))
    return Completion(
        content=_words(message.get("content")) or _words(message.get("refusal")),
        tool_calls=tuple(map(_call, _list(message.get("tool_calls")))),
        finish=_words(choices[0].get("finish_reason")) or "stop",
        usage=usage,
        usd=usd(price, usage, reported=reported),
    )


def _call(given: Any) -> ToolCall:
    """A call as the model made it; what is no call at all has no name, and its text as arguments."""
    function = given.get("function") if isinstance(given, dict) else None
    if not isinstance(function, dict):
        return ToolCall("", "", raw=_raw(given))
    return ToolCall(
        _words(given.get("id")) if isinstance(given, dict) else "",
        _words(function.get("name")),
        raw=_raw(function.get("arguments")),
    )


def _raw(arguments: Any) -> str:
    if arguments is None:
        return ""
    return storable(arguments) if isinstance(arguments, str) else storable(json.dumps(arguments, ensure_ascii=False))


def _words(content: Any) -> str:
    """Text; of a list of parts the text parts, joined."""
    if isinstance(content, list):
        return "".join(_words(part.get("text")) for part in content if isinstance(part, dict))
    return storable(content) if isinstance(content, str) else ""


def storable(text: str) -> str:
    """Without half characters (lone surrogates), which JSON can carry and no file can."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []


def _usage(given: Any) -> tuple[Usage, bool]:
    """The usage, and whether the endpoint told it."""
    counts = given if isinstance(given, dict) else {}
    prompt, completion = counts.get("prompt_tokens"), counts.get("completion_tokens")
    told = _is_count(prompt) and _is_count(completion)
    return Usage(1, prompt if _is_count(prompt) else 0, completion if _is_count(completion) else 0), told


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _excerpt(text: str) -> str:
    return repr(" ".join(text[:400].split())[:80])
