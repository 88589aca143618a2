"""Conversations that others played, read from their result files: τ-bench v1's (a list of {task_id, trial, reward,
info, traj}) and τ²-bench's ({info, tasks, simulations}); as turns, with the reward that stands in the file. Pure.

What does not parse is named by file, index and field, and the rest is read. Formats:
https://github.com/sierra-research/tau-bench at 59a200c and https://github.com/sierra-research/tau2-bench at a2c0247.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from josh_engine.errors import DatasetError
from josh_engine.values import Message, Turn
from taubench import result_fields as fields
from taubench.result_turns import turns_of
from taubench.schema import PARAMETERS

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
    told = fields.read(text, name)
    if isinstance(told, list):
        first = _read("tau1", [(each, f"{name}, result {index}") for index, each in enumerate(told)], _first)
        return replace(first, domain="airline" if _is_airline(told, first.trajectories) else "retail")
    apart = [(fields.read(each, where), where) for where, each in simulations]
    if isinstance(told, dict) and (apart or isinstance(told.get("simulations"), list)):
        inside = [(each, f"{name}, simulation {index}") for index, each in enumerate(_list(told.get("simulations")))]
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
    return _list(task.get("actions") if isinstance(task, dict) else None)


def _list(told: Any) -> Sequence[Any]:
    return told if isinstance(told, list) else ()


def _briefs(tasks: Any) -> dict[str, tuple[str, ...]]:
    """τ²-bench's instructions to its user, a line each."""
    found: dict[str, tuple[str, ...]] = {}
    for task in _list(tasks):
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
            fields.refuse_unkeepable(each, where)
            found.append(read(each, where))
        except DatasetError as error:
            rejected.append(error.message)
            unread += _unread(each, error.message)
    if rejected and not found:
        raise DatasetError(rejected[0], remedy="Nothing was imported.")
    return Results(kind, tuple(found), rejected=tuple(rejected), unread=tuple(unread))


def _unread(told: Any, error: str) -> list[Trajectory]:
    """One without a conversation; none where no task is named."""
    try:
        task, trial = fields.name_of(told, "task_id", ""), fields.trial(told, "")
    except DatasetError:
        return []
    return [Trajectory(task, trial, 0.0, (), (), error=error, unread=True)]


def _first(told: Any, where: str) -> Trajectory:
    task, reward = fields.name_of(told, "task_id", where), fields.reward(told, where)
    info = told.get("info") or {}
    info = info if isinstance(info, dict) else {"error": str(info)}
    said, trial = fields.of(told, "traj", (list,), where), fields.trial(told, where)
    brief = _told(info, "task", "instruction")
    if not said and info.get("error"):  # the harness stopped, and wrote 0
        return Trajectory(task, trial, 0.0, (), (), error=str(info["error"]), brief=brief)
    opening, turns = turns_of(said, where)
    graded = fields.part(info, "reward_info", f"{where}, info")
    return Trajectory(
        task, trial, reward, opening, turns, _words(fields.part(graded, "info", f"{where}, reward_info")),
        user_usd=fields.cost(info, "user_cost", f"{where}, info"), brief=brief,
    )  # fmt: skip


def _second(told: Any, where: str) -> Trajectory:
    task, trial = fields.name_of(told, "task_id", where), fields.trial(told, where)
    if told.get("termination_reason") == BROKEN_OFF:
        return Trajectory(task, trial, 0.0, (), (), error=BROKEN_OFF.replace("_", " "))
    graded = fields.part(told, "reward_info", where)
    reward = fields.reward(graded, f"{where}, reward_info")
    opening, turns = turns_of(fields.of(told, "messages", (list,), where), where)
    parts = {name: graded.get(name) for name in BREAKDOWN if graded.get(name)}
    detail = _words({"ended": told.get("termination_reason"), **parts})
    costs = fields.cost(told, "agent_cost", where), fields.cost(told, "user_cost", where)
    return Trajectory(task, trial, reward, opening, turns, detail, *costs)


def _words(told: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in told.items() if value is not None
    )
