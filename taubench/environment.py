"""The shop's desk in one conversation: 16 tools over an overlay of records. Pure.

τ-bench checks no types: its tools are functions, called with whatever arguments a model writes, and what raises is an
error. So it is here, for a model must get no second try that the benchmark does not give; only the words after
"Error: " are ours where Python's would stand there. `strict` refuses every argument that the tools' schema does not
allow, which is no rule of the benchmark's.
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
    """Forks share every record. `over`: the user was handed to a person, and nothing more is done; as in τ-bench a call
    that failed hands over too. `calls`: how many were made; with the last of those that a conversation may take (see
    `taubench.reward`) it is `spent`."""

    __slots__ = ("calls", "over", "shop", "strict")

    def __init__(self, base: Base, *, strict: bool = False) -> None:
        self.shop, self.strict = Overlay(base), strict
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
        if problem := wrong_names(call.name, call.arguments) or (
            self.strict and wrong_types(call.name, call.arguments)
        ):
            answered = _refused(call, "bad_argument", problem)
        else:
            answered = self._done(call)
        self.over = self.over or (call.name == TRANSFER and (answered.error is None or not self.strict))
        return answered

    def _done(self, call: ToolCall) -> ToolCall:
        arguments = {name: _plain(value) for name, value in call.arguments.items()}
        try:
            return replace(call, result=ACTIONS[call.name](self.shop, **arguments))
        except Refused as refusal:
            return _refused(call, "refused", str(refusal))
        except (TypeError, AttributeError):
            if problem := wrong_types(call.name, arguments):
                return _refused(call, "bad_argument", problem)
            raise

    def fork(self) -> RetailEnvironment:
        twin = object.__new__(RetailEnvironment)
        twin.shop, twin.strict, twin.over, twin.calls = self.shop.fork(), self.strict, self.over, self.calls
        return twin

    def fingerprint(self) -> str:
        return f"{self.shop.digest()}{' over' if self.over else ''}"


def wrong_names(tool: str, arguments: Mapping[str, Json]) -> str:
    """Which arguments a known tool does not take or lacks; empty: none."""
    known = PARAMETERS[tool]
    if strange := [name for name in arguments if name not in known]:
        return f"Error: {tool} has no argument {strange[0]!r}; it takes {', '.join(known) or 'none'}"
    absent = [name for name in known if name not in arguments]
    return f"Error: {tool} needs the argument {absent[0]!r}" if absent else ""


def wrong_types(tool: str, arguments: Mapping[str, Json]) -> str:
    """Which argument is not of the type that the tool's schema names; empty: none."""
    for name, value in arguments.items():
        if name in LISTS:
            if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
                return f"Error: the argument {name!r} of {tool} must be a list of texts"
        elif not isinstance(value, str):
            return f"Error: the argument {name!r} of {tool} must be a text"
    return ""


def _plain(value: Json) -> Any:
    """Copied, so that no record shares it; as lists and objects of Python, whatever holds it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _refused(call: ToolCall, fault: Fault, error: str) -> ToolCall:
    return replace(call, error=error, fault=fault)


def played(base: Base, actions: Any) -> tuple[RetailEnvironment, list[ToolCall]]:
    """Actions ({"name", "kwargs"}) one after another on the untouched shop, and how each was answered."""
    environment, answered = RetailEnvironment(base), []
    for number, action in enumerate(actions, start=1):
        answered.append(environment.call(ToolCall(f"call_{number}", action["name"], action["kwargs"])))
    return environment, answered
