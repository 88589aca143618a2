"""The shop's desk in one conversation: 16 tools over an overlay of records. Pure.

Upstream answers whatever raises with Python's own words; here wrong, missing and further arguments are told in our
words after the same "Error: ", and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from josh_engine.values import Fault, Json, Tool, ToolCall
from taubench.actions import ACTIONS, Refused
from taubench.records import Base, Overlay
from taubench.schema import LISTS, PARAMETERS, TOOLS, TRANSFER

MOST_STEPS = 30  # of an agent, calls and replies together, as τ-bench has it


class RetailEnvironment:
    """Forks share every record. `over`: the user was handed to a person, and nothing more is done. `calls`: how many
    were made; with the last of those that a conversation may take (see `taubench.reward`) it is `spent`."""

    __slots__ = ("calls", "over", "shop")

    def __init__(self, base: Base) -> None:
        self.shop = Overlay(base)
        self.over, self.calls = False, 0

    @property
    def spent(self) -> bool:
        return self.calls >= MOST_STEPS

    @property
    def tools(self) -> tuple[Tool, ...]:
        return TOOLS

    @property
    def policy(self) -> str:
        return self.shop.base.policy

    def call(self, call: ToolCall) -> ToolCall:
        """The call answered; a malformed one comes back as it is."""
        if call.error is not None:
            return call
        self.calls += 1
        if call.name not in ACTIONS:
            return _refused(call, "unknown_tool", f"Unknown action {call.name}")
        if problem := wrong_arguments(call.name, call.arguments):
            return _refused(call, "bad_argument", problem)
        try:
            answer = ACTIONS[call.name](self.shop, **call.arguments)
        except Refused as refusal:
            return _refused(call, "refused", str(refusal))
        self.over = self.over or call.name == TRANSFER
        return replace(call, result=answer)

    def fork(self) -> RetailEnvironment:
        twin = object.__new__(RetailEnvironment)
        twin.shop, twin.over, twin.calls = self.shop.fork(), self.over, self.calls
        return twin

    def fingerprint(self) -> str:
        return f"{self.shop.digest()}{' over' if self.over else ''}"


def wrong_arguments(tool: str, arguments: Mapping[str, Json]) -> str:
    """What is wrong with a known tool's arguments; empty: nothing."""
    known = PARAMETERS[tool]
    if strange := [name for name in arguments if name not in known]:
        return f"Error: {tool} has no argument {strange[0]!r}; it takes {', '.join(known) or 'none'}"
    if absent := [name for name in known if name not in arguments]:
        return f"Error: {tool} needs the argument {absent[0]!r}"
    for name, value in arguments.items():
        if name in LISTS:
            if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
                return f"Error: the argument {name!r} of {tool} must be a list of texts"
        elif not isinstance(value, str):
            return f"Error: the argument {name!r} of {tool} must be a text"
    return ""


def _refused(call: ToolCall, fault: Fault, error: str) -> ToolCall:
    return replace(call, error=error, fault=fault)


def played(base: Base, actions: Any) -> tuple[RetailEnvironment, list[ToolCall]]:
    """Actions ({"name", "kwargs"}) one after another on the untouched shop, and how each was answered."""
    environment, answered = RetailEnvironment(base), []
    for number, action in enumerate(actions, start=1):
        answered.append(environment.call(ToolCall(f"call_{number}", action["name"], action["kwargs"])))
    return environment, answered
