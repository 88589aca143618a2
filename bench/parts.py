"""The offline players with a latency for each call, as models would have."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from josh_engine.ports import ChatModel, Environment
from josh_engine.values import Preamble, Scenario, Turn
from toolwoz.agenda import AgendaUser
from toolwoz.scripted import ScriptedAgent

SECONDS_PER_CALL = 0.1


def calls(turn: Turn) -> int:
    """A turn's model calls; the agenda user's turn counts as one, which is what a simulator would need."""
    return max(1, turn.usage.calls)


class SlowAgent:
    def __init__(self, max_generations: int) -> None:
        self.agent = ScriptedAgent(max_generations)

    def preamble(self, environment: Environment) -> Preamble:
        return self.agent.preamble(environment)

    async def turn(self, path: Sequence[Turn], environment: Environment, model: ChatModel, seed: int) -> Turn:
        turn = await self.agent.turn(path, environment, model, seed)
        await asyncio.sleep(SECONDS_PER_CALL * calls(turn))
        return turn


class SlowUser:
    def __init__(self) -> None:
        self.user = AgendaUser()

    async def turn(
        self, scenario: Scenario, path: Sequence[Turn], environment: Environment, model: ChatModel, seed: int
    ) -> Turn:
        turn = await self.user.turn(scenario, path, environment, model, seed)
        await asyncio.sleep(SECONDS_PER_CALL * calls(turn))
        return turn
