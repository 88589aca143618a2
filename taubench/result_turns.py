"""Messages of a results file as turns. Pure.

A user's words end the agent's turn before them. In τ²-bench the customer has tools too (telecom's "dual control"): its
calls, told by their requestor, stand in the user's turn that they led to, and are nobody else's. Formats:
https://github.com/sierra-research/tau-bench at 59a200c and https://github.com/sierra-research/tau2-bench at a2c0247.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from josh_engine.errors import DatasetError
from josh_engine.values import Fault, Message, ToolCall, Turn, Usage
from taubench import result_fields as fields

STOPS = ("###STOP###", "###TRANSFER###", "###OUT-OF-SCOPE###")
CUT = "API output: "  # what act and react agents read their results as
ERROR = "Error"
ROLES = ("system", "user", "assistant", "tool")
Told = tuple[Mapping[str, Any], str]  # a message, and where it stands


def turns_of(messages: Sequence[Any], where: str) -> tuple[tuple[Message, ...], tuple[Turn, ...]]:
    """(what came before the user's first words, the turns)."""
    opening: list[Message] = []
    turns: list[Turn] = []
    for side, group in _groups(messages, where):
        if side == "system":
            opening += [Message("system", text(told)) for told, _ in group]
        elif side == "user":
            turns.append(_user(group, sum(len(turn.calls) for turn in turns)))
        elif turns:
            turns.append(_agent(group, sum(len(turn.calls) for turn in turns)))
        else:
            opening += [Message("assistant", text(told)) for told, _ in group]
    if not turns:
        raise DatasetError(f"{where}: no user says a word.")
    return tuple(opening), tuple(turns)


def _groups(messages: Sequence[Any], where: str) -> list[tuple[str, list[Told]]]:
    """Messages of one side in a row, together. System messages stand apart, and part nothing."""
    system: list[Told] = []
    groups: list[tuple[str, list[Told]]] = []
    for index, told in enumerate(messages):
        here = f"{where}, message {index}"
        if not isinstance(told, dict) or told.get("role") not in ROLES:
            raise DatasetError(f"{here}: role is absent or unknown.")
        if told["role"] == "system":
            system.append((told, here))
            continue
        side = "user" if _is_users(told) else "agent"
        if not groups or groups[-1][0] != side:
            groups.append((side, []))
        groups[-1][1].append((told, here))
    return [("system", system), *groups]


def _is_users(told: Mapping[str, Any]) -> bool:
    if told["role"] == "user":
        return not text(told).startswith(CUT)
    return bool(told["role"] == "tool" and told.get("requestor") == "user")


def _user(group: Sequence[Told], before: int) -> Turn:
    calls, _ = _calls(group, before)
    said = "\n".join(text(told) for told, _ in group if told["role"] == "user" and text(told))
    stop = any(each in said for each in STOPS)
    return Turn("user", (Message("user", said),), tuple(calls), said, stop="ended" if stop else "spoke")


def _agent(group: Sequence[Told], before: int) -> Turn:
    """One turn of an agent's: its outputs, its calls and what they were answered."""
    calls, ids = _calls(group, before)
    made = {call.id: ToolCall(call.id, call.name, call.arguments, call.raw) for call in calls}
    messages: list[Message] = []
    reply: str | None = None
    for place, (told, _) in enumerate(group):
        if told["role"] != "assistant":
            answered = ids[place][0] if ids[place] else None
            messages.append(Message("tool", _result(told), tool_call_id=answered))
            continue
        asked = tuple(made[each] for each in ids[place])
        messages.append(Message("assistant", text(told), tool_calls=asked, sampled=True))
        reply = text(told) or reply if not asked else reply
    outputs = sum(told["role"] == "assistant" for told, _ in group)
    return Turn("agent", tuple(messages), tuple(calls), reply, usage=Usage(calls=outputs))


def _calls(group: Sequence[Told], before: int) -> tuple[list[ToolCall], list[list[str]]]:
    """The calls with their answers; and for each message the ids of the calls that it makes or answers. An answer
    belongs to the waiting call that it names, and where it names none to the first that waits."""
    made: dict[str, tuple[str, Any, str]] = {}
    answers: dict[str, str] = {}
    waiting: list[tuple[str, Any]] = []
    ids: list[list[str]] = []
    for told, here in group:
        if not _answers(told):
            named = [(f"call_{before + len(made) + n}", each) for n, each in enumerate(_asked(told, here), start=1)]
            made |= {own: (*_called(each, here), here) for own, each in named}
            waiting += [(own, each.get("id")) for own, each in named]
            ids.append([own for own, _ in named])
            continue
        answering = told.get("tool_call_id") or told.get("id")
        found = next((each for each in waiting if each[1] == answering), waiting[0] if waiting else None)
        ids.append([found[0]] if found else [])
        if found:
            waiting.remove(found)
            answers[found[0]] = _result(told)
    return [_call(own, *told, answer=answers.get(own, "")) for own, told in made.items()], ids


def _answers(told: Mapping[str, Any]) -> bool:
    return bool(told["role"] == "tool" or (told["role"] == "user" and text(told).startswith(CUT)))


def _asked(told: Mapping[str, Any], here: str) -> Sequence[dict[str, Any]]:
    asked = fields.listed(told, "tool_calls", here)
    if not all(isinstance(each, dict) for each in asked):
        raise DatasetError(f"{here}: a tool call names no tool.")
    return asked


def _called(call: dict[str, Any], here: str) -> tuple[str, Any]:
    """Name and arguments, in OpenAI's form or τ²'s."""
    inside = call.get("function")
    told = inside if isinstance(inside, dict) else call
    if not isinstance(told.get("name"), str):
        raise DatasetError(f"{here}: a tool call names no tool.")
    return told["name"], told.get("arguments")


def _call(own: str, name: str, raw: Any, here: str, *, answer: str) -> ToolCall:
    written = raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False)
    read = fields.arguments(raw, here)
    fault: Fault = "format" if read is None else "refused"
    if read is None or answer.startswith(ERROR):
        return ToolCall(own, name, read or {}, written, error=answer or "Error: unreadable arguments", fault=fault)
    return ToolCall(own, name, read, written, result=answer)


def _result(told: Mapping[str, Any]) -> str:
    return text(told).removeprefix(CUT)


def text(told: Mapping[str, Any]) -> str:
    content = told.get("content")
    return content if isinstance(content, str) else "" if content is None else json.dumps(content, ensure_ascii=False)
