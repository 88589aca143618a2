"""A domain-free world: the environment writes down each call of a tool it knows and answers "ok"; the reward pays for
the exact call.

Ships with the package because it is how one tries JOSH on goals of one's own without building a world first
(`josh_engine.play`), and how the engine's tests see a claim in a world small enough to read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Self

from josh_engine.errors import ConfigError
from josh_engine.ports import Environment
from josh_engine.values import Goal, Grade, Scenario, Tool, ToolCall, Turn

ANY_ARGUMENTS = {"type": "object", "properties": {}, "additionalProperties": True}


class Notebook:
    """An environment whose state is the list of calls it accepted."""

    policy = "Help the user."

    def __init__(self, tools: tuple[Tool, ...], written: tuple[str, ...] = ()) -> None:
        self.tools = tools
        self.written = written

    def call(self, call: ToolCall) -> ToolCall:
        if call.name not in {tool.name for tool in self.tools}:
            return replace(call, error=f"There is no tool {call.name!r}.", fault="unknown_tool")
        self.written = (*self.written, f"{call.name}({sorted(call.arguments.items())})")
        return replace(call, result="ok")

    def fork(self) -> Self:
        return type(self)(self.tools, self.written)

    def fingerprint(self) -> str:
        return "\n".join(self.written)


class ExactCalls:
    """Pays a goal for a call of its name that was answered without error and has at least its arguments."""

    def reached(self, open_goals: Iterable[Goal], turn: Turn, environment: Environment) -> frozenset[str]:
        unpaid = list(open_goals)
        reached = set()
        for call in turn.calls:
            goal = next((goal for goal in unpaid if call.error is None and _does(call, goal)), None)
            if goal is not None:  # one call pays at most one goal: equal goals need as many calls
                unpaid.remove(goal)
                reached.add(goal.id)
        return frozenset(reached)

    def graded(self, scenario: Scenario, path: Sequence[Turn], environment: Environment) -> Grade | None:
        return None


def _does(call: ToolCall, goal: Goal) -> bool:
    return call.name == goal.name and goal.arguments.items() <= call.arguments.items()


class ScriptedWorld:
    """Scenarios given as they are; each gets a fresh notebook with the tools its goals name, and those given."""

    name = "scripted"
    splits = ("all",)

    def __init__(self, scenarios: Sequence[Scenario], tools: Sequence[Tool] = ()) -> None:
        self._scenarios = tuple(scenarios)
        self._tools = tuple(tools)
        self.reward = ExactCalls()

    def scenarios(self, split: str) -> Sequence[Scenario]:
        if split not in self.splits:
            raise ConfigError(f"World {self.name!r} has no split {split!r}.", remedy="Use one of: all.")
        return self._scenarios

    def environment(self, scenario: Scenario) -> Notebook:
        known = {tool.name for tool in self._tools}
        named = sorted({goal.name for goal in scenario.goals} - known)
        return Notebook((*self._tools, *(Tool(name, name.replace("_", " "), ANY_ARGUMENTS) for name in named)))
