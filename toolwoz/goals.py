"""When a call reaches a goal: ToolWOZ's sparse reward, under two rules.

Source: arXiv 2409.04617, appendix A: "a goal g(x) is done by f(y) if f = g and x ⊆ y, or both return only one
result from the database, which is the same". Rule `paper` (the default) is that sentence; where it is silent:

- A search that served nothing reaches nothing. Where the domain has a booking goal, the record served must be the
  booking's: an agent that is shown another hotel has not found the guest's.
- "Both return one result" compares what the tables hold, before any steering.
- A search that asks for less than the goal (y ⊂ x) and is served the booking's record is credited, as in the
  authors' code: nothing it could have found was wrong.
- A booking is reached by a call with all of the goal's booking arguments that was answered with success.

Rule `authors` scores as their public code does, for comparison: no second half of the sentence; an under-specified
search without a booking goal is credited when the row served has all goal values (times by equality); a booking's
answer is not looked at. In both, a call that was answered with an error reaches nothing, and a goal's definition
never depends on which goals are still open (theirs does). Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from josh_engine.errors import ConfigError, SimulationError
from josh_engine.ports import Environment
from josh_engine.values import Goal, Grade, Scenario, ToolCall, Turn
from toolwoz.database import Database, Row, Table
from toolwoz.environment import TownEnvironment, read_arguments, scenario_environment
from toolwoz.normalisation import comparable, comparables
from toolwoz.schema import TOOL_DOMAINS, UNIQUE, contains, row_satisfies

GoalRule = Literal["paper", "authors"]
GOAL_RULES: tuple[GoalRule, ...] = ("paper", "authors")


class GoalReward:
    """The reward of both ToolWOZ worlds: goals reached, and no other check of the end state."""

    __slots__ = ("rule",)

    def __init__(self, rule: GoalRule = "paper") -> None:
        self.rule = rule

    def reached(self, open_goals: Iterable[Goal], turn: Turn, environment: Environment) -> frozenset[str]:
        """Ids of the goals this turn's calls reach. Each call pays the first goal it reaches that no earlier call
        of the turn has paid; in ToolWOZ at most one goal has its name."""
        if not isinstance(environment, TownEnvironment):
            raise SimulationError("ToolWOZ's goals can only be judged in a ToolWOZ environment.")
        waiting = list(open_goals)
        paid: list[str] = []
        for call in turn.calls:
            for goal in waiting:
                if call_reaches(goal, call, database=environment.database, rule=self.rule):
                    paid.append(goal.id)
                    waiting.remove(goal)
                    break
        return frozenset(paid)

    def graded(self, scenario: Scenario, path: Sequence[Turn], environment: Environment) -> Grade | None:
        return None


def parse_rule(text: str) -> GoalRule:
    for rule in GOAL_RULES:
        if rule == text:
            return rule
    raise ConfigError(f"Unknown goal rule {text!r}.", remedy=f"Use one of: {', '.join(GOAL_RULES)}.")


def call_reaches(goal: Goal, call: ToolCall, *, database: Database, rule: GoalRule = "paper") -> bool:
    """Whether an answered call reaches the goal."""
    if call.name != goal.name or call.name not in TOOL_DOMAINS or call.result is None:
        return False
    _, asked = read_arguments(call.name, call.arguments)
    kind, domain = TOOL_DOMAINS[goal.name]
    if kind == "book":
        return contains(asked, comparables(goal.arguments)) and (rule == "authors" or _succeeded(call))
    row = _served_row(call)
    if row is None:
        return False
    if rule == "authors":
        return _found_by_authors(goal, row, asked)
    return _found_by_paper(goal, row, asked=asked, table=database.tables[domain])


def uncredited(scenario: Scenario, database: Database, rule: GoalRule = "paper") -> tuple[Goal, ...]:
    """The oracle check: goals whose own call, issued verbatim in a fresh world and in order, would not be credited.

    Nobody could win them, so a world shows such scenarios instead of playing them.
    """
    environment, reward = scenario_environment(scenario, database), GoalReward(rule)
    missed = []
    for goal in scenario.goals:
        answered = environment.call(ToolCall(id="call_1", name=goal.name, arguments=goal.arguments))
        if not reward.reached((goal,), Turn("agent", (), (answered,)), environment):
            missed.append(goal)
    return tuple(missed)


def _found_by_paper(goal: Goal, row: Row, *, asked: Mapping[str, str], table: Table) -> bool:
    wanted = comparables(goal.arguments)
    if goal.record is not None and not _is_booked(goal, row):
        return False
    if contains(asked, wanted) or (goal.record is not None and contains(wanted, asked)):
        return True
    found = table.matching(asked)
    return found.bit_count() == 1 and found == table.matching(wanted)


def _found_by_authors(goal: Goal, row: Row, asked: Mapping[str, str]) -> bool:
    wanted = comparables(goal.arguments)
    if contains(asked, wanted):
        return goal.record is None or _has_id(goal, row)
    if not contains(wanted, asked):
        return False
    return contains(comparables(row), wanted) if goal.record is None else _has_id(goal, row)


def _is_booked(goal: Goal, row: Row) -> bool:
    """Whether a row is the booking's record. A train is its id and the goal's wishes: ids are not unique."""
    return _has_id(goal, row) and row_satisfies(row, goal.arguments)


def _has_id(goal: Goal, row: Row) -> bool:
    unique = UNIQUE[TOOL_DOMAINS[goal.name][1]]
    return comparable(unique, row.get(unique, "")) == comparable(unique, goal.record or "")


def _served_row(call: ToolCall) -> Row | None:
    rows = json.loads(call.result or "[]")
    return rows[0] if rows else None


def _succeeded(call: ToolCall) -> bool:
    return json.loads(call.result or "{}").get("success") is True
