"""The world of one conversation: steered searches, and bookings that succeed for the goal alone.

Source: arXiv 2409.04617, appendix D, algorithms 2 and 3. Where they are silent or their public code differs:

- "goal ⊄ result" tests train times as bounds. By equality nearly every train would count as wrong.
- A train is its id *and* the goal's constraints, since ids are not unique in the table.
- A booking needs all of the goal's booking arguments (day, time, people, stay), not the unique id alone: the stricter
  form, which the authors' code has and which produced the paper's numbers.
- Arguments are normalised before they are compared; numbers and booleans are taken as the text they stand for.

Goal definitions never change, so an answer depends on the call and the scenario alone. The state is the set of
bookings made. Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from josh_engine.values import Fault, Goal, Json, Scenario, Tool, ToolCall
from toolwoz.database import Database, Row, Table
from toolwoz.normalisation import comparables
from toolwoz.schema import DOMAINS, TOOL_DOMAINS, UNIQUE, contains, slots_of

POLICY = """\
You work at the travel desk of a town and help one guest in a conversation. You can look up restaurants, hotels, \
trains and places to go, reserve tables and rooms, and buy train tickets, all through your tools.

Find out what the guest wants and use everything they have told you so far when you search; leave out what they do \
not care about. A search shows one option at most. If it fits, tell the guest about it, with the details they ask \
for; if nothing comes back or it does not fit, say so and ask what may be changed. Book only what the guest asks you \
to book, with the day, time, number of people and nights they name, and with the name or train id exactly as the \
search gave it. After a booking give the guest its reference. Say only what your tools have told you; never make up \
places, times, prices or references."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a scenario's goals make of one domain, precomputed. `wanted`: the search goal's arguments, comparable;
    `satisfying`: the rows that fit it; `booked`: the booking goal's arguments, or None without one; `right`: the rows
    that are the booking's record; `answer`: what a successful booking reads."""

    wanted: Mapping[str, str]
    satisfying: int
    right: int = 0
    booked: Mapping[str, str] | None = None
    answer: str = ""


class TownEnvironment:
    """One conversation's view of a town. Forks share everything but the bookings made."""

    __slots__ = ("_bookings", "_definition", "_plans", "database")

    def __init__(self, database: Database, goals: Sequence[Goal], references: Mapping[str, str]) -> None:
        """`references`: domain -> the reference that its booking gets."""
        self.database = database
        self._plans = _plans(database, goals, references)
        calls = [[goal.name, dict(goal.arguments), goal.record] for goal in goals]
        self._definition = _digest([database.digest, calls, dict(references)])
        self._bookings: frozenset[str] = frozenset()

    @property
    def tools(self) -> tuple[Tool, ...]:
        return self.database.tools

    @property
    def policy(self) -> str:
        return POLICY

    @property
    def bookings(self) -> frozenset[str]:
        """The domains booked so far."""
        return self._bookings

    def call(self, call: ToolCall) -> ToolCall:
        """The call answered; a malformed one comes back as it is."""
        if call.error is not None:
            return call
        if call.name not in TOOL_DOMAINS:
            return _refused(call, "unknown_tool", f"There is no tool named {call.name!r}.")
        problem, arguments = read_arguments(call.name, call.arguments)
        if problem:
            return _refused(call, "bad_argument", problem)
        kind, domain = TOOL_DOMAINS[call.name]
        if kind == "search":
            row = self._served(domain, arguments)
            return replace(call, result=_text([] if row is None else [row]))
        return replace(call, result=self._book(domain, arguments))

    def fork(self) -> TownEnvironment:
        twin = object.__new__(TownEnvironment)
        twin.database, twin._plans, twin._definition = self.database, self._plans, self._definition
        twin._bookings = self._bookings
        return twin

    def fingerprint(self) -> str:
        return _digest([self._definition, sorted(self._bookings)])

    def _served(self, domain: str, arguments: Mapping[str, str]) -> Row | None:
        """Algorithm 2: at most one row."""
        table = self.database.tables[domain]
        found = table.matching(arguments)
        plan = self._plans.get(domain)
        if plan is None or not found:
            return _first(table, found)
        wrong, right = found & ~plan.satisfying, found & plan.right
        if contains(arguments, plan.wanted):  # line 21
            if plan.booked is None:
                return _first(table, found)
            return _first(table, right) or _last(table, wrong)
        if contains(plan.wanted, arguments):  # line 33
            return _last(table, wrong) or _first(table, right) or _first(table, found)
        return _first(table, found)  # line 40

    def _book(self, domain: str, arguments: Mapping[str, str]) -> str:
        """Algorithm 3, in its stricter form. Booking the same again gives the same reference and changes nothing."""
        plan = self._plans.get(domain)
        if plan is None or plan.booked is None or not contains(arguments, plan.booked):
            return _text({"success": False, "return": None})
        self._bookings |= {domain}
        return plan.answer


def scenario_environment(scenario: Scenario, database: Database) -> TownEnvironment:
    """The environment at the start of a ToolWOZ scenario; its parts hold the booking references."""
    references = {part["domain"]: part.get("reference") or "" for part in scenario.setup.get("parts", ())}
    return TownEnvironment(database, scenario.goals, references)


def read_arguments(tool: str, arguments: Mapping[str, Json]) -> tuple[str, dict[str, str]]:
    """What is wrong with a known tool's arguments ("" if nothing), and the arguments in comparable form.

    Null asks for nothing; true, false and numbers stand for their text; lists and objects are an error.
    """
    slots = slots_of(tool)
    texts: dict[str, str] = {}
    for name, value in arguments.items():
        if name not in slots:
            return f"{tool} has no argument {name!r}; it takes {', '.join(slots)}.", {}
        if isinstance(value, list | dict):
            return f"{tool}: argument {name!r} must be a string.", {}
        if value is not None:
            texts[name] = _plain(value)
    return "", comparables(texts)


def _plans(database: Database, goals: Sequence[Goal], references: Mapping[str, str]) -> dict[str, Plan]:
    plans: dict[str, Plan] = {}
    by_tool = {goal.name: goal for goal in goals}
    for domain in DOMAINS:
        search, booking = by_tool.get(f"search_{domain}"), by_tool.get(f"book_{domain}")
        if search is None and booking is None:
            continue
        wanted = comparables(search.arguments) if search else {}
        plan = Plan(wanted, database.tables[domain].matching(wanted))
        if booking is not None:
            plan = _with_booking(plan, database.tables[domain], booking=booking, reference=references.get(domain, ""))
        plans[domain] = plan
    return plans


def _with_booking(plan: Plan, table: Table, *, booking: Goal, reference: str) -> Plan:
    unique = UNIQUE[TOOL_DOMAINS[booking.name][1]]
    identity = str(booking.arguments.get(unique, booking.record or ""))
    right = table.matching(comparables({unique: identity})) & plan.satisfying
    row = _first(table, right)
    answer = {"success": True, "return": {unique: identity if row is None else row[unique], "reference": reference}}
    return replace(plan, right=right, booked=comparables(booking.arguments), answer=_text(answer))


def _first(table: Table, rows: int) -> Row | None:
    return table.rows[(rows & -rows).bit_length() - 1] if rows else None


def _last(table: Table, rows: int) -> Row | None:
    return table.rows[rows.bit_length() - 1] if rows else None


def _plain(value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _refused(call: ToolCall, fault: Fault, message: str) -> ToolCall:
    return replace(call, error=f"Error: {message}", fault=fault)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
