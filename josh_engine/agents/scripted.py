"""A domain-free fake agent: what its model answers, it does. Calls are made, the first answer without a call is its
reply; one that finishes with "handed_over" ends the conversation.

It calls functions as `josh_engine.agents.function_calling` does. All imperfection lives in the model it is given
(`models/scripted.py`), so a test decides by seed what each branch does, and every answer passes the journal as a real
model's would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from josh_engine.agents import function_calling
from josh_engine.agents.generations import Heard, play_turn
from josh_engine.ports import ChatModel, Environment
from josh_engine.values import Completion, Message, Preamble, Turn


class ScriptedAgent:
    def __init__(self, max_generations: int = 10, system: str = "Use the tools, then answer.") -> None:
        self.max_generations = max_generations
        self.system = system

    def preamble(self, environment: Environment) -> Preamble:
        return Preamble((Message("system", self.system),), environment.tools)

    async def turn(self, path: Sequence[Turn], environment: Environment, model: ChatModel, seed: int) -> Turn:
        return await play_turn(
            path,
            environment,
            model,
            preamble=self.preamble(environment),
            hear=_hear,
            tell=function_calling.tell,
            max_generations=self.max_generations,
        )


def _hear(completion: Completion, number: int) -> Heard:
    heard = function_calling.hear(completion, number)
    return replace(heard, stop="ended") if completion.finish == "handed_over" else heard
