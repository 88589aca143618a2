"""JOSH with your own agent: your agent and your user, a list of goals in; reward, tree and rows out.

Everything stays in memory. A run that should survive a crash, be watched or be shared goes through the app or
`python -m app run`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from josh_engine.config import RunConfig, StrategyConfig
from josh_engine.errors import SimulationError
from josh_engine.extract import RowPolicy, Source, extract
from josh_engine.memory import MemoryJournal, MemoryRecorder
from josh_engine.models.absent import AbsentModel
from josh_engine.ports import Agent, ChatModel, UserSimulator, World
from josh_engine.rollout import Players, roll_out
from josh_engine.rows import rows
from josh_engine.search import open_strategy
from josh_engine.tree import Tree, fold
from josh_engine.values import Goal, Json, Rollout, Scenario
from josh_engine.worlds.scripted import ScriptedWorld


@dataclass(frozen=True, slots=True)
class Outcome:
    """One search: its summary and its tree."""

    rollout: Rollout
    tree: Tree
    config: RunConfig

    @property
    def reward(self) -> float | None:
        """Average Reward: goals won / goals given."""
        return self.tree.average_reward

    def rows(self, row_format: str = "kto", policy: RowPolicy | None = None) -> list[dict[str, Json]]:
        """Training rows in TRL's columns: "sft", "kto", "dpo"; or "openai". Default policy: the paper's filter."""
        source = Source(self.rollout, self.config, self.tree)
        return rows(extract([source], policy), row_format)


def play(
    goals: Sequence[Goal],
    agent: Agent,
    user: UserSimulator,
    *,
    brief: Sequence[str] = (),
    model: ChatModel | None = None,
    user_model: ChatModel | None = None,
    world: World | None = None,
    strategy: StrategyConfig = StrategyConfig(),  # noqa: B008 - frozen
    seed: int = 0,
) -> Outcome:
    """Searches one conversation. `world` None: tools named by the goals, which answer "ok" (`worlds.scripted`).

    Raises SimulationError with the fault's message where a part raised.
    """
    scenario = Scenario("mine", "scripted", "all", tuple(brief), tuple(goals))
    config = RunConfig(scenario.world, scenario.split, (scenario.id,), strategy=strategy, seed=seed)
    players = Players(agent, user, model or AbsentModel("model="), user_model or AbsentModel("user_model="))
    recorder = MemoryRecorder()
    rollout = asyncio.run(
        roll_out(
            Rollout("mine", "mine", scenario.id, 0),
            scenario,
            world or ScriptedWorld([scenario]),
            players,
            open_strategy(config.checked().strategy),
            recorder=recorder,
            journal=MemoryJournal(),
            seed=seed,
        )
    )
    if rollout.state == "failed":
        raise SimulationError(rollout.error or "The search failed.")
    return Outcome(rollout, fold(recorder.stored(rollout.id)), config)
