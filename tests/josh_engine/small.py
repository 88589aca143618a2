"""Searches small enough to see: one scenario, a scripted agent, and a script that says what each node does.

A script maps an agent node's address to its generations. Nodes it does not name say something harmless that differs
per node. Everything runs through the real driver, journal and strategies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from josh_engine.agents.scripted import ScriptedAgent
from josh_engine.config import RunConfig, StrategyConfig
from josh_engine.extract import RowPolicy, Source, extract
from josh_engine.memory import MemoryJournal, MemoryRecorder
from josh_engine.models.absent import AbsentModel
from josh_engine.models.scripted import ScriptedModel, say, use
from josh_engine.rollout import Players, roll_out
from josh_engine.rows import rows
from josh_engine.search import open_strategy
from josh_engine.seeds import call_seed, turn_seed
from josh_engine.tree import Tree, fold
from josh_engine.users.scripted import ScriptedUser
from josh_engine.values import Completion, Event, Goal, Json, Message, Rollout, Scenario, Tool, Verdict
from josh_engine.worlds.scripted import ANY_ARGUMENTS, ScriptedWorld

Script = Mapping[str, Sequence[Completion]]
HOTEL = Goal("hotel", "find_hotel", {"area": "north"})
TRAIN = Goal("train", "find_train", {"day": "monday"})
FIND_HOTEL = use("find_hotel", '{"area": "north"}')
FIND_TRAIN = use("find_train", '{"day": "monday"}')
MALFORMED = use("find_hotel", '{"area": north')
TOOLS = tuple(Tool(name, name, ANY_ARGUMENTS) for name in ("find_hotel", "find_train"))
HAND_OVER = replace(say("I put you through."), finish="handed_over")


@dataclass(frozen=True)
class Searched:
    tree: Tree
    rollout: Rollout
    events: tuple[Event, ...]
    config: RunConfig
    journal: MemoryJournal
    model: ScriptedModel

    def source(self, *verdicts: Verdict) -> Source:
        return Source(self.rollout, self.config, self.tree, verdicts)

    def rows(self, row_format: str, policy: RowPolicy | None = None, *verdicts: Verdict) -> list[dict[str, Json]]:
        return rows(extract([self.source(*verdicts)], policy), row_format)


def strategy(name: str = "josh", *, beam: int = 8, branching: int = 2, depth: int = 15) -> StrategyConfig:
    return StrategyConfig(name, beam, branching, depth)


def search(
    script: Script,
    goals: Sequence[Goal] = (HOTEL,),
    config: StrategyConfig | None = None,
    *,
    lines: int = 20,
    max_generations: int = 4,
    seed: int = 0,
    trial: int = 0,
    world: ScriptedWorld | None = None,
    journal: MemoryJournal | None = None,
    recorder: MemoryRecorder | None = None,
) -> Searched:
    """Plays the script; the user has `lines` lines and then hangs up."""
    scenario = Scenario("s", "scripted", "train", ("I need a hotel and a train.",), tuple(goals))
    run = RunConfig("scripted", "train", ("s",), strategy=config or strategy(), seed=seed)
    model = ScriptedModel(_answers(script, seed, trial))
    agent = ScriptedAgent(max_generations)
    players = Players(agent, ScriptedUser([f"line {n}" for n in range(lines)]), model, AbsentModel("--user-model"))
    journal, recorder = journal or MemoryJournal(), recorder or MemoryRecorder()
    rollout = asyncio.run(
        roll_out(
            Rollout("r", "run", "s", trial),
            scenario,
            world or ScriptedWorld([scenario], TOOLS),
            players,
            open_strategy(run.strategy),
            recorder=recorder,
            journal=journal,
            seed=seed,
        )
    )
    events = tuple(recorder.stored("r"))
    return Searched(fold(events), rollout, events, run, journal, model)


def _answers(script: Script, seed: int, trial: int):
    known = {
        call_seed(turn_seed(seed, "s", trial, node), index): completion
        for node, completions in script.items()
        for index, completion in enumerate(completions)
    }

    def answer(messages: Sequence[Message], at: int) -> Completion:
        return known.get(at) or say(f"anything else? ({at})")

    return answer
