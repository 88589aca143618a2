"""A domain-free fake agent: what its model answers, it does. Calls are made, the first answer without a call is its
reply.

All imperfection lives in the model it is given (`models/scripted.py`), so a test decides by seed what each branch
does, and every answer passes the journal as a real model's would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from josh_engine.messages import calls_made, conversation, parse_arguments
from josh_engine.ports import ChatModel, Environment
from josh_engine.values import Message, Preamble, ToolCall, Turn


class ScriptedAgent:
    def __init__(self, max_generations: int = 10, system: str = "Use the tools, then answer.") -> None:
        self.max_generations = max_generations
        self.system = system

    def preamble(self, environment: Environment) -> Preamble:
        return Preamble((Message("system", self.system),), environment.tools)

    async def turn(self, path: Sequence[Turn], environment: Environment, model: ChatModel, seed: int) -> Turn:
        preamble = self.preamble(environment)
        messages = list(conversation(preamble, path))
        before, calls = len(messages), list[ToolCall]()
        first_id = calls_made(path) + 1
        for _ in range(self.max_generations):
            completion = await model.complete(messages, preamble.tools)
            asked = tuple(
                replace(call, id=f"call_{first_id + len(calls) + index}")
                for index, call in enumerate(completion.tool_calls)
            )
            messages.append(Message("assistant", completion.content, asked, sampled=True))
            if not asked:
                stop = "ended" if completion.finish == "handed_over" else "spoke"
                said = tuple(messages[before:])
                return Turn("agent", said, tuple(calls), completion.content, stop)  # type: ignore[arg-type]
            for call in asked:
                answered = _made(call, environment)
                calls.append(answered)
                messages.append(Message("tool", answered.answer, tool_call_id=answered.id))
        return Turn("agent", tuple(messages[before:]), tuple(calls), stop="failed")


def _made(call: ToolCall, environment: Environment) -> ToolCall:
    arguments = parse_arguments(call.raw) if call.raw else dict(call.arguments)
    if arguments is None:
        return replace(call, arguments={}, error="The arguments are not a JSON object.", fault="format")
    return environment.call(replace(call, arguments=arguments))
