"""What the tests of the offline players share: a turn by itself, and a whole search in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from josh_engine.config import StrategyConfig
from josh_engine.memory import MemoryJournal, MemoryRecorder
from josh_engine.models.absent import AbsentModel
from josh_engine.ports import Agent, Environment, UserSimulator, World
from josh_engine.rollout import Players, roll_out
from josh_engine.search import open_strategy
from josh_engine.seeds import turn_seed
from josh_engine.tree import Tree, fold
from josh_engine.values import Goal, Message, Rollout, Scenario, Turn
from toolwoz.agenda import AgendaUser
from toolwoz.scripted import ScriptedAgent

ABSENT = AbsentModel("--model")


def search(
    world: World, scenario: Scenario, strategy: str, *, agent: Agent, user: UserSimulator | None = None, seed: int = 0
) -> tuple[Rollout, Tree]:
    """One rollout at the defaults (beam 8, branching 2, 15 exchanges); a fault of the world fails the test."""
    recorder = MemoryRecorder()
    players = Players(agent, user or AgendaUser(), ABSENT, ABSENT)
    rollout = asyncio.run(
        roll_out(
            Rollout("r", "run", scenario.id, 0), scenario, world, players, open_strategy(StrategyConfig(name=strategy)),
            recorder=recorder, journal=MemoryJournal(), seed=seed,
        )
    )  # fmt: skip
    assert rollout.error is None, rollout.error
    return rollout, fold(recorder.stored("r"))


def user_turn(scenario: Scenario, path: Sequence[Turn], environment: Environment, seed: int = 0) -> Turn:
    return asyncio.run(AgendaUser().turn(scenario, path, environment, ABSENT, seed))


def agent_turn(path: Sequence[Turn], environment: Environment, seed: int = 0, max_generations: int = 10) -> Turn:
    return asyncio.run(ScriptedAgent(max_generations).turn(path, environment, ABSENT, seed))


def conversation(scenario: Scenario, environment: Environment, *, seed: int, exchanges: int = 15) -> list[Turn]:
    """Agenda user and scripted agent in turn, as the driver shows each the path."""
    path: list[Turn] = []
    for _ in range(exchanges):
        path.append(user_turn(scenario, seen_by_user(path), environment, seed_of(scenario, seed, len(path))))
        if path[-1].stop != "spoke":
            break
        path.append(agent_turn(seen_by_agent(path), environment, seed_of(scenario, seed, len(path))))
        if path[-1].stop != "spoke":
            break
    return path


def seed_of(scenario: Scenario, seed: int, place: int) -> int:
    """The seed of the turn at this place of `conversation`."""
    return turn_seed(seed, scenario.id, 0, str(place))


def seen_by_user(path: Sequence[Turn]) -> list[Turn]:
    return [turn if turn.speaker == "user" else Turn("agent", (), reply=turn.reply, stop=turn.stop) for turn in path]


def seen_by_agent(path: Sequence[Turn]) -> list[Turn]:
    return [replace(turn, notes={}) if turn.speaker == "user" else turn for turn in path]


def says(text: str) -> Turn:
    return Turn("user", (Message("user", text),), reply=text)


def answers(text: str) -> Turn:
    return Turn("agent", (), reply=text)


def part(domain: str, info: dict[str, str], **others: Any) -> dict[str, Any]:
    empty = {"fail_info": {}, "book": {}, "fail_book": {}, "requests": [], "record": None, "reference": None}
    return {"domain": domain, "info": info, **empty, **others}


def scenario_of(*parts: dict[str, Any], goals: Sequence[Goal] = ()) -> Scenario:
    return Scenario("small", "toolwoz", "test", ("You want something.",), tuple(goals), setup={"parts": list(parts)})
