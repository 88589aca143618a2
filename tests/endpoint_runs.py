"""Whole runs against the fake endpoint: ReACT or function calling, with the goal user, in a domain-free world."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from app import services
from josh_engine.config import RunConfig, RunLimits, StrategyConfig
from josh_engine.encoding import load
from josh_engine.seeds import call_seed, turn_seed
from josh_engine.values import Completion, Goal, Scenario
from josh_engine.worlds.scripted import ScriptedWorld

TOOLS = ("find_hotel", "find_train", "book_hotel")
SCENARIOS = tuple(f"s{number}" for number in range(8))
ROW_FILES = ("sft.jsonl", "kto.jsonl", "dpo.jsonl")
CONFIG = RunConfig(
    "endpoint_runs:open_world",
    "all",
    SCENARIOS,
    agent="react",
    user="goal",
    strategy=StrategyConfig(max_depth=6),
    max_generations=4,
    seed=11,
)
Asked = tuple[str, str]  # request hash, seed


def open_world() -> ScriptedWorld:
    return _world(len(SCENARIOS))


def open_large_world() -> ScriptedWorld:
    return _world(30)


def _world(scenarios: int) -> ScriptedWorld:
    sizes = (1, 2, 3, 1, 2, 1, 2, 1)
    return ScriptedWorld([_scenario(f"s{number}", sizes[number % len(sizes)]) for number in range(scenarios)])


def _scenario(name: str, size: int) -> Scenario:
    goals = tuple(Goal(tool, tool) for tool in TOOLS[:size])
    return Scenario(name, "scripted", "all", (f"I need {size} things for {name}.",), goals)


@dataclass(frozen=True)
class Place:
    """A run in a store of its own. `model` is its name for the endpoint, by which the ledger tells runs apart."""

    store: Path
    run: str
    model: str

    def rows(self) -> dict[str, bytes]:
        with services.open_store(self.store) as store:
            _, files = services.export_files(store, [self.run], formats=("sft", "kto", "dpo"))
        return {name: files[name] for name in ROW_FILES}

    def committed(self) -> set[Asked]:
        """The calls whose answer is in the journal (shared answers were never asked for)."""
        with services.open_store(self.store) as store:
            scenario_of = {each.id: each.scenario_id for each in services.list_rollouts(store, self.run)}
            kept = store.read("SELECT rollout, node, call, request, completion FROM journal")
        return {
            (row["request"], str(call_seed(_turn_seed(scenario_of[row["rollout"]], row["node"]), row["call"])))
            for row in kept
            if load(Completion, row["completion"]).usage.calls
        }

    def kept_at_zero(self) -> set[str]:
        """The customer's requests that have an answer: at temperature 0 the same is never asked twice."""
        with services.open_store(self.store) as store:
            return {row["request"] for row in store.read("SELECT request FROM journal WHERE node LIKE '%u'")}

    def asked(self, ledger: Path, mark: str = "asked") -> list[Asked]:
        """What the endpoint was asked for this run, in order."""
        own = ledger / self.model
        lines = own.read_text().split("\n")[:-1] if own.exists() else []  # the last may be half written
        return [(request, seed) for what, request, seed in map(str.split, lines) if what == mark]


def _turn_seed(scenario: str, node: str) -> int:
    return turn_seed(CONFIG.seed, scenario, 0, node)


def place(
    folder: Path, name: str, *, model: str, agent: str = "react", concurrency: int = 4, scenarios: int = len(SCENARIOS)
) -> Place:
    """A queued run; `name` is what `--model` would take, `model` what the endpoint calls it."""
    chosen = tuple(f"s{number}" for number in range(scenarios))
    world = CONFIG.world if scenarios <= len(SCENARIOS) else "endpoint_runs:open_large_world"
    config = replace(CONFIG, world=world, agent=agent, model=name, user_model=name, scenarios=chosen)
    with services.open_store(folder / "josh.db") as store:
        run = services.create_run(store, config, limits=RunLimits(concurrency=concurrency))
    return Place(folder / "josh.db", run.id, model)


def play(at: Place) -> str:
    """Plays or resumes; the state it ended in."""
    with services.open_store(at.store) as store:
        return services.resume_run(store, at.run).state


def play_apart(at: Place) -> int:
    """As `play`, in a child process; its id."""
    child = os.fork()
    if child == 0:
        try:
            play(at)
            os._exit(0)
        finally:
            os._exit(3)
    return child
