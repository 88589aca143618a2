"""The loop of every agent here: the model writes, its calls are made, it reads what came back, until it speaks.

An agent says two things: how to hear a generation, and how a call's answer is told to the model. Generations are kept
as they were written, malformed ones too; those stand in the turn's calls with fault `format` and never reach the
environment. A turn without a reply within `max_generations` (Appendix B names none; the authors' code takes 3) fails,
and so does one with a generation that is no move (`models/finishes.py`): how it would have gone on, nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from josh_engine.messages import calls_made, conversation
from josh_engine.models.finishes import NoMove, moved
from josh_engine.ports import ChatModel, Environment
from josh_engine.values import Completion, Message, Preamble, Stop, ToolCall, Turn


@dataclass(frozen=True, slots=True)
class Heard:
    """One generation. `reply` None: the turn goes on once the calls are answered. Calls are numbered; those with a
    fault are answered already."""

    message: Message
    calls: tuple[ToolCall, ...] = ()
    reply: str | None = None
    stop: Stop = "spoke"


HANDED_OVER = "(handed over)"  # the reply of a turn with which the agent leaves

Hear = Callable[[Completion, int], Heard]  # (what the model wrote, the number of its first call)
Tell = Callable[[ToolCall], Message]  # an answered call, as the model reads it


async def play_turn(
    path: Sequence[Turn],
    environment: Environment,
    model: ChatModel,
    *,
    preamble: Preamble,
    hear: Hear,
    tell: Tell,
    max_generations: int,
) -> Turn:
    """The agent's whole turn after `path`."""
    messages = list(conversation(preamble, path))
    before, made, calls = len(messages), calls_made(path), list[ToolCall]()
    for _ in range(max_generations):
        try:
            completion = moved(await model.complete(tuple(messages), preamble.tools))
        except NoMove as fault:
            return ended_by(fault, made + len(calls), tuple(messages[before:]), tuple(calls))
        heard = hear(completion, made + len(calls) + 1)
        messages.append(heard.message)
        if heard.reply is not None:
            return Turn("agent", tuple(messages[before:]), tuple(calls), heard.reply, heard.stop)
        for call in heard.calls:
            answered = call if call.fault is not None else environment.call(call)
            calls.append(answered)
            messages.append(tell(answered))
            if getattr(environment, "over", False):  # handed over: nothing is to be done after it
                return Turn("agent", tuple(messages[before:]), tuple(calls), HANDED_OVER, "ended")
            if getattr(environment, "spent", False):
                return Turn("agent", tuple(messages[before:]), tuple(calls), stop="failed")
    return Turn("agent", tuple(messages[before:]), tuple(calls), stop="failed")


def ended_by(fault: NoMove, made: int, messages: tuple[Message, ...] = (), calls: tuple[ToolCall, ...] = ()) -> Turn:
    """The failed turn of an answer that is no move, kept as it came. `made`: the calls on the path and in this turn;
    `messages` and `calls`: what came before it in this turn."""
    completion = fault.completion
    asked = tuple(replace(each, id=f"call_{made + n}") for n, each in enumerate(completion.tool_calls, start=1))
    written = asked or (ToolCall(f"call_{made + 1}", "", raw=completion.content),)
    unmade = tuple(replace(call, error=f"{fault.message} Nothing was done.", fault=fault.fault) for call in written)
    said = Message("assistant", completion.content, asked, sampled=True)
    return Turn("agent", (*messages, said), (*calls, *unmade), stop="failed")
