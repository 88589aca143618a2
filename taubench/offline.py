"""An offline pair, so that the loop, the tree and the tests run on this world without a model. Neither is one: the user
reads the task's gold calls out, one after another, and the agent does what it is told, with mistakes drawn by the
turn's seed. Their names say so; their figures say what a search finds, not what a model can do.

The agent sees the conversation alone, like any other. Both are deterministic by seed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from random import Random

from josh_engine.ports import ChatModel, Environment
from josh_engine.values import Json, Message, Preamble, Scenario, ToolCall, Turn, Usage
from taubench.schema import REASONS

ASKS = re.compile(r"Please (\w+) (\{.*\})\Z", re.S)
TELLS = re.compile(r"Please tell me: (.*)\Z", re.S)
DONE, STOP = "Done.", "###STOP###"
RIGHT, HESITATES, ERRS = 0.6, 0.75, 0.93  # below: does it, asks back, does it wrongly; else writes something unreadable
UNREADABLE = "Error: the arguments are not valid JSON."


class GoldReader:
    """The user: says each goal's call until it was done, then asks for what must be said, then hangs up."""

    async def turn(
        self, scenario: Scenario, path: Sequence[Turn], environment: Environment, model: ChatModel, seed: int
    ) -> Turn:
        done = sum(turn.speaker == "agent" and (turn.reply or "").startswith(DONE) for turn in path)
        outputs = [str(each) for each in scenario.setup.get("outputs", ())]
        wishes = [f"Please {goal.name} {json.dumps(dict(goal.arguments))}" for goal in scenario.goals]
        wishes += [f"Please tell me: {'; '.join(outputs)}"] if outputs else []
        if done >= len(wishes):
            return Turn("user", (Message("user", STOP),), reply=STOP, stop="ended")
        return Turn("user", (Message("user", wishes[done]),), reply=wishes[done])


class GoldFollower:
    """The agent: one call, and a word about how it went."""

    def preamble(self, environment: Environment) -> Preamble:
        return Preamble((Message("system", environment.policy),), environment.tools)

    async def turn(self, path: Sequence[Turn], environment: Environment, model: ChatModel, seed: int) -> Turn:
        asked = path[-1].reply or "" if path else ""
        if told := TELLS.match(asked):
            return _spoken(f"{DONE} {told[1]}")
        wish = ASKS.match(asked)
        dice = Random(seed)
        mood = dice.random()
        if wish is None or RIGHT <= mood < HESITATES:
            return _spoken("Are you sure? Please say it once more.")
        number = 1 + sum(len(turn.calls) for turn in path)
        name, arguments = wish[1], json.loads(wish[2])
        if mood >= ERRS:
            raw = wish[2][:-1]
            call = ToolCall(f"call_{number}", name, raw=raw, error=UNREADABLE, fault="format")
        else:
            given = arguments if mood < RIGHT else _wrong(arguments, dice)
            call = environment.call(ToolCall(f"call_{number}", name, given, raw=json.dumps(given)))
        said = f"{DONE} {name}" if call.error is None else "I am sorry, that did not work."
        asks = ToolCall(call.id, call.name, call.arguments, call.raw)
        messages = (
            Message("assistant", "", tool_calls=(asks,), sampled=True),
            Message("tool", call.answer, tool_call_id=call.id),
            Message("assistant", said, sampled=True),
        )
        return Turn("agent", messages, (call,), said, usage=Usage(calls=2))


def _spoken(text: str) -> Turn:
    return Turn("agent", (Message("assistant", text, sampled=True),), (), text, usage=Usage(calls=1))


def _wrong(arguments: Mapping[str, Json], dice: Random) -> dict[str, Json]:
    """One argument other than it should be, in a way that may well succeed: the worst kind."""
    name = dice.choice(sorted(arguments))
    value = arguments[name]
    if name == "reason":
        return {**arguments, name: next(each for each in REASONS if each != value)}
    if isinstance(value, list | tuple):
        return {**arguments, name: list(value)[:-1]}
    return {**arguments, name: f"{value}0"}
