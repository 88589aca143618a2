"""One agent's turn by itself: a model that answers from a list and keeps what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from small import TOOLS

from josh_engine.models.scripted import say
from josh_engine.ports import Agent, Environment, UserSimulator
from josh_engine.values import Completion, Message, Sampling, Scenario, Tool, Turn
from josh_engine.worlds.scripted import Notebook


@dataclass
class Listed:
    """Answers in order; `asked` holds the messages and tools of each call."""

    answers: Sequence[Completion | str]
    asked: list[tuple[tuple[Message, ...], tuple[Tool, ...]]] = field(default_factory=list)

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        sampling: Sampling | None = None,
        seed: int | None = None,
    ) -> Completion:
        assert sampling is None and seed is None, "how to sample is the run's business"
        self.asked.append((tuple(messages), tuple(tools)))
        answer = self.answers[len(self.asked) - 1]
        return say(answer) if isinstance(answer, str) else answer


def user_says(text: str) -> Turn:
    return Turn("user", (Message("user", text),), reply=text)


def agent_says(text: str) -> Turn:
    return Turn("agent", (), reply=text)


def turn_of(
    agent: Agent,
    answers: Sequence[Completion | str],
    *,
    path: Sequence[Turn] = (),
    environment: Environment | None = None,
) -> tuple[Turn, Listed]:
    """The agent's turn after `path` (default: the user says hello), and its model."""
    model = Listed(answers)
    place = environment or Notebook(TOOLS)
    return asyncio.run(agent.turn(tuple(path) or (user_says("Hello."),), place, model, 0)), model


def user_turn_of(
    user: UserSimulator, answers: Sequence[str], scenario: Scenario, path: Sequence[Turn] = ()
) -> tuple[Turn, Listed]:
    model = Listed(answers)
    return asyncio.run(user.turn(scenario, tuple(path), Notebook(TOOLS), model, 0)), model
