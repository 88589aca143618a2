"""Conversations that others played, read from their result files: τ-bench v1's (a list of {task_id, trial, reward,
info, traj}) and τ²-bench's ({info, tasks, simulations}); as turns, with the reward that stands in the file. Pure.

What does not parse is named by file, index and field, and the rest is read. Formats:
https://github.com/sierra-research/tau-bench at 59a200c and https://github.com/sierra-research/tau2-bench at a2c0247.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from josh_engine.errors import DatasetError
from josh_engine.values import Fault, Json, Message, ToolCall, Turn, Usage
from taubench.schema import PARAMETERS

STOPS = ("###STOP###", "###TRANSFER###", "###OUT-OF-SCOPE###")
CUT = "API output: "  # what act and react agents read their results as
ERROR = "Error"
BROKEN_OFF = "infrastructure_error"  # τ²-bench leaves such out of Pass^k
BRIEF = ("reason_for_call", "known_info", "unknown_info", "task_instructions")
AIRLINE = frozenset(
    (
        "book_reservation", "cancel_reservation", "get_reservation_details", "list_all_airports",
        "search_direct_flight", "search_onestop_flight", "send_certificate", "update_reservation_baggages",
        "update_reservation_flights", "update_reservation_passengers",
    )
)  # fmt: skip  # what only τ-bench's other domain has
SHARED = frozenset({"calculate", "get_user_details", "think", "transfer_to_human_agents"})
BREAKDOWN = ("reward_basis", "reward_breakdown", "db_check", "communicate_checks", "nl_assertions", "action_checks")


@dataclass(frozen=True, slots=True)
class Trajectory:
    """`brief`: what the user was told, where a v1 file says it. `opening`: what was said before the user's first words,
    system messages among it. `turns` alternate, the user's first. `detail`: how the reward came about, in words. `usd`:
    agent and user; None: not told. `error`: why it says nothing of the model (the harness failed, or it is `unread`: it
    could not be read); such a conversation has no reward."""

    task: str
    trial: int
    reward: float
    opening: tuple[Message, ...]
    turns: tuple[Turn, ...]
    detail: str = ""
    agent_usd: float | None = None
    user_usd: float | None = None
    error: str = ""
    brief: str = ""
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Results:
    """`kind`: tau1 or tau2. `domain`: retail, airline …; tau1's files name none, so it is told by their tools. `agent`,
    `user`: models as the file names them, "" where it does not. `rejected`: what could not be read, each by file, index
    and field; `unread`: those of them that name a task, so that they are counted among the asked. `briefs`: what the
    user of a task was told, where the file says it."""

    kind: str
    trajectories: tuple[Trajectory, ...]
    agent: str = ""
    user: str = ""
    domain: str = "retail"
    rejected: tuple[str, ...] = ()
    unread: tuple[Trajectory, ...] = ()
    briefs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_results(text: str, name: str, simulations: Iterable[tuple[str, str]] = ()) -> Results:
    """`simulations`: (name, text) of those that τ²-bench keeps in files of their own, beside `text`. Raises
    DatasetError where it is no results file, or nothing in it can be read."""
    told = _json(text, name)
    if isinstance(told, list):
        first = _read("tau1", [(each, f"{name}, result {index}") for index, each in enumerate(told)], _first)
        return replace(first, domain="airline" if _is_airline(told, first.trajectories) else "retail")
    apart = [(_json(each, where), where) for where, each in simulations]
    if isinstance(told, dict) and (apart or isinstance(told.get("simulations"), list)):
        inside = [(each, f"{name}, simulation {index}") for index, each in enumerate(told.get("simulations") or ())]
        info = told.get("info") or {}
        found = _read("tau2", [*inside, *apart], _second)
        return replace(
            found,
            agent=_told(info, "agent_info", "llm"),
            user=_told(info, "user_info", "llm"),
            domain=_told(info, "environment_info", "domain_name") or "unknown",
            briefs=_briefs(told.get("tasks")),
        )
    raise DatasetError(f"{name} holds neither τ-bench's list of results nor τ²-bench's simulations.")


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{name} is not JSON: {error}.") from error


def _told(info: Any, part: str, field: str) -> str:
    inside = info.get(part) if isinstance(info, dict) else None
    return str(inside.get(field) or "") if isinstance(inside, dict) else ""


def _is_airline(told: Sequence[Any], trajectories: Iterable[Trajectory]) -> bool:
    """Whether gold and agents call the airline's own tools more often than retail's own."""
    gold = (call for each in told for call in _gold(each))
    names = [call.get("name") for call in gold if isinstance(call, dict)]
    names += [call.name for each in trajectories for turn in each.turns for call in turn.calls]
    return sum(name in AIRLINE for name in names) > sum(name in PARAMETERS and name not in SHARED for name in names)


def _gold(result: Any) -> Sequence[Any]:
    info = result.get("info") if isinstance(result, dict) else None
    task = info.get("task") if isinstance(info, dict) else None
    actions = task.get("actions") if isinstance(task, dict) else None
    return actions if isinstance(actions, list) else ()


def _briefs(tasks: Any) -> dict[str, tuple[str, ...]]:
    """τ²-bench's instructions to its user, a line each."""
    found: dict[str, tuple[str, ...]] = {}
    for task in tasks if isinstance(tasks, list) else ():
        scenario = task.get("user_scenario") if isinstance(task, dict) else None
        given = scenario.get("instructions") if isinstance(scenario, dict) else None
        if isinstance(given, str):
            found[str(task.get("id"))] = (given,)
        elif isinstance(given, dict):
            found[str(task.get("id"))] = tuple(str(given[name]) for name in BRIEF if given.get(name))
    return found


def _read(kind: str, told: Sequence[tuple[Any, str]], read: Callable[[Any, str], Trajectory]) -> Results:
    found, rejected, unread = [], [], []
    for each, where in told:
        try:
            found.append(read(each, where))
        except DatasetError as error:
            rejected.append(error.message)
            unread += _unread(each, error.message)
    if rejected and not found:
        raise DatasetError(rejected[0], remedy="Nothing was imported.")
    return Results(kind, tuple(found), rejected=tuple(rejected), unread=tuple(unread))


def _unread(told: Any, error: str) -> list[Trajectory]:
    """One without a conversation; none where no task is named."""
    task, trial = (told.get("task_id"), told.get("trial")) if isinstance(told, dict) else (None, None)
    if not isinstance(task, int | str) or isinstance(task, bool):
        return []
    return [Trajectory(str(task), trial if isinstance(trial, int) else 0, 0.0, (), (), error=error, unread=True)]


def _first(told: Any, where: str) -> Trajectory:
    task, reward = _field(told, "task_id", (int, str), where), _field(told, "reward", (int, float), where)
    info = told.get("info") or {}
    info = info if isinstance(info, dict) else {"error": str(info)}
    said, trial = _field(told, "traj", (list,), where), _whole(told, "trial", where)
    brief = _told(info, "task", "instruction")
    if not said and info.get("error"):  # the harness stopped, and wrote 0
        return Trajectory(str(task), trial, 0.0, (), (), error=str(info["error"]), brief=brief)
    opening, turns = _turns(said, where)
    graded = info.get("reward_info") or {}
    return Trajectory(
        str(task), trial, float(reward), opening, turns, _words(graded.get("info") or {}),
        user_usd=_number(info.get("user_cost")), brief=brief,
    )  # fmt: skip


def _second(told: Any, where: str) -> Trajectory:
    task, trial = _field(told, "task_id", (int, str), where), _whole(told, "trial", where)
    if told.get("termination_reason") == BROKEN_OFF:
        return Trajectory(str(task), trial, 0.0, (), (), error=BROKEN_OFF.replace("_", " "))
    graded = told.get("reward_info") or {}
    reward = _field(graded, "reward", (int, float), f"{where}, reward_info")
    opening, turns = _turns(_field(told, "messages", (list,), where), where)
    parts = {name: graded.get(name) for name in BREAKDOWN if graded.get(name)}
    detail = _words({"ended": told.get("termination_reason"), **parts})
    costs = _number(told.get("agent_cost")), _number(told.get("user_cost"))
    return Trajectory(str(task), trial, float(reward), opening, turns, detail, *costs)


def _whole(told: Any, name: str, where: str) -> int:
    value = told.get(name) or 0
    if not isinstance(value, int) or value < 0:
        raise DatasetError(f"{where}: {name} is no number of a trial.")
    return value


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
