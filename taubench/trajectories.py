"""Conversations that others played, read from their result files: τ-bench v1's (a list of {task_id, trial, reward,
info, traj}) and τ²-bench's ({info, tasks, simulations}); as turns, with the reward that stands in the file. Pure.

What does not parse is named by file, index and field. Formats: https://github.com/sierra-research/tau-bench at 59a200c
and https://github.com/sierra-research/tau2-bench at a2c0247.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from josh_engine.errors import DatasetError
from josh_engine.values import Fault, Json, Message, ToolCall, Turn, Usage

STOPS = ("###STOP###", "###TRANSFER###", "###OUT-OF-SCOPE###")
CUT = "API output: "  # what act and react agents read their results as
ERROR = "Error"


@dataclass(frozen=True, slots=True)
class Trajectory:
    """`opening`: what was said before the user's first words, system messages among it. `turns` alternate, the user's
    first. `detail`: how the reward came about, in words. `usd`: agent and user; None: not told."""

    task: str
    trial: int
    reward: float
    opening: tuple[Message, ...]
    turns: tuple[Turn, ...]
    detail: str = ""
    agent_usd: float | None = None
    user_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """`kind`: tau1 or tau2. `agent`, `user`: models as the file names them, "" where it does not."""

    kind: str
    trajectories: tuple[Trajectory, ...]
    agent: str = ""
    user: str = ""


def read_results(text: str, name: str) -> Results:
    """Raises DatasetError naming the file, the index and the field."""
    try:
        told = json.loads(text)
    except ValueError as error:
        raise DatasetError(f"{name} is not JSON: {error}.") from error
    if isinstance(told, list):
        return Results("tau1", tuple(_first(each, f"{name}, result {index}") for index, each in enumerate(told)))
    if isinstance(told, dict) and isinstance(told.get("simulations"), list):
        info = told.get("info") or {}
        found = enumerate(told["simulations"])
        return Results(
            "tau2",
            tuple(_second(each, f"{name}, simulation {index}") for index, each in found),
            str((info.get("agent_info") or {}).get("llm") or ""),
            str((info.get("user_info") or {}).get("llm") or ""),
        )
    raise DatasetError(f"{name} holds neither τ-bench's list of results nor τ²-bench's simulations.")


def _first(told: Any, where: str) -> Trajectory:
    task, reward = _field(told, "task_id", (int, str), where), _field(told, "reward", (int, float), where)
    opening, turns = _turns(_field(told, "traj", (list,), where), where)
    info = told.get("info") or {}
    graded = info.get("reward_info") or {}
    return Trajectory(
        str(task), int(told.get("trial") or 0), float(reward), opening, turns, _words(graded.get("info") or info),
        user_usd=_number(info.get("user_cost")),
    )  # fmt: skip


def _second(told: Any, where: str) -> Trajectory:
    task = _field(told, "task_id", (int, str), where)
    graded = told.get("reward_info") or {}
    reward = _field(graded, "reward", (int, float), f"{where}, reward_info")
    opening, turns = _turns(_field(told, "messages", (list,), where), where)
    parts = {name: graded.get(name) for name in ("reward_basis", "reward_breakdown") if graded.get(name)}
    detail = _words({"ended": told.get("termination_reason"), **parts})
    costs = _number(told.get("agent_cost")), _number(told.get("user_cost"))
    return Trajectory(str(task), int(told.get("trial") or 0), float(reward), opening, turns, detail, *costs)


def _field(told: Any, name: str, kinds: tuple[type, ...], where: str) -> Any:
    value = told.get(name) if isinstance(told, dict) else None
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise DatasetError(f"{where}: {name} is absent or of another kind.")
    return value


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _words(told: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in told.items() if value is not None
    )


def _turns(messages: Sequence[Any], where: str) -> tuple[tuple[Message, ...], tuple[Turn, ...]]:
    """(what came before the user's first words, the turns). A user's words end the agent's turn before them."""
    opening: list[Message] = []
    turns: list[Turn] = []
    held: list[Any] = []
    number = 0
    for index, told in enumerate(messages):
        if not isinstance(told, dict) or told.get("role") not in ("system", "user", "assistant", "tool"):
            raise DatasetError(f"{where}, message {index}: role is absent or unknown.")
        if told.get("role") == "user" and not _text(told).startswith(CUT):
            if held and turns:
                made = _agent(held, number, where)
                number += len(made.calls)
                turns.append(made)
            elif held:
                opening += [Message("assistant", _text(each)) for each in held]
            held = []
            said = _text(told)
            stop = any(each in said for each in STOPS)
            turns.append(Turn("user", (Message("user", said),), reply=said, stop="ended" if stop else "spoke"))
        elif told["role"] == "system":
            opening.append(Message("system", _text(told)))
        else:
            held.append({**told, "_index": index})
    if held and turns:
        turns.append(_agent(held, number, where))
    if not turns:
        raise DatasetError(f"{where}: no user says a word.")
    return tuple(opening), tuple(turns)


def _agent(held: Sequence[Mapping[str, Any]], before: int, where: str) -> Turn:
    """One turn of an agent's: its outputs, its calls and what they were answered."""
    answers = list(_answers(held))
    messages: list[Message] = []
    calls: list[ToolCall] = []
    reply: str | None = None
    outputs = 0
    for told in held:
        if told["role"] != "assistant":
            messages.append(Message("tool", _text(told).removeprefix(CUT), tool_call_id=_last_id(calls)))
            continue
        outputs += 1
        asked = []
        for call in told.get("tool_calls") or ():
            name, raw = _called(call, f"{where}, message {told['_index']}")
            answered = answers.pop(0) if answers else ""
            made = _call(f"call_{before + len(calls) + 1}", name, raw, answered)
            calls.append(made)
            asked.append(ToolCall(made.id, made.name, made.arguments, made.raw))
        messages.append(Message("assistant", _text(told), tool_calls=tuple(asked), sampled=True))
        reply = _text(told) or reply if not asked else reply
    return Turn("agent", tuple(messages), tuple(calls), reply, usage=Usage(calls=outputs))


def _answers(held: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    return (_text(told).removeprefix(CUT) for told in held if told["role"] != "assistant")


def _last_id(calls: Sequence[ToolCall]) -> str | None:
    return calls[-1].id if calls else None


def _called(call: Any, where: str) -> tuple[str, Any]:
    """Name and arguments, in OpenAI's form or τ²'s."""
    of = call.get("function") if isinstance(call, dict) and isinstance(call.get("function"), dict) else call
    if not isinstance(of, dict) or not isinstance(of.get("name"), str):
        raise DatasetError(f"{where}: a tool call names no tool.")
    return of["name"], of.get("arguments")


def _call(number: str, name: str, raw: Any, answer: str) -> ToolCall:
    text = raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False)
    try:
        read = json.loads(text) if isinstance(raw, str) else raw
    except ValueError:
        read = None
    arguments: Mapping[str, Json] = read if isinstance(read, dict) else {}
    fault: Fault = "refused" if isinstance(read, dict) else "format"
    if answer.startswith(ERROR) or not isinstance(read, dict):
        return ToolCall(number, name, arguments, text, error=answer or "Error: unreadable arguments", fault=fault)
    return ToolCall(number, name, arguments, text, result=answer)


def _text(told: Mapping[str, Any]) -> str:
    content = told.get("content")
    return content if isinstance(content, str) else "" if content is None else json.dumps(content, ensure_ascii=False)
