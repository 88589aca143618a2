"""Result files of τ-bench and τ²-bench as runs: what others played, in the viewer. A v1 result is graded again where
its task is known, and what differs is told.

A run of them is finished, plain play, and cannot be resumed; its journal is empty.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from app import demo, parts
from josh_engine.config import Run, RunConfig, RunLimits, StrategyConfig
from josh_engine.errors import DatasetError, JoshError
from josh_engine.tree import fold
from josh_engine.values import (
    Event,
    GoalsWon,
    Message,
    Node,
    NodeAdded,
    Preamble,
    Rollout,
    Scenario,
    SearchEnded,
    SearchStarted,
    Usage,
)
from storage import runs
from storage.database import Store
from storage.writer import RunWriter
from taubench.attribution import NAME
from taubench.environment import RetailEnvironment
from taubench.trajectories import Results, Trajectory, read_results
from taubench.world import RetailWorld, open_world

SPLIT = "test"
AGENT, USER = "foreign:agent", "foreign:user"  # nobody here plays them


@dataclass(frozen=True, slots=True)
class Imported:
    """`conversations` of `tasks` tasks; `success`: by the file's own rewards. `regraded`: v1 results that were graded
    again, `differing`: those whose reward is another than the file's."""

    run: str
    kind: str
    tasks: int
    conversations: int
    success: float
    regraded: int
    differing: tuple[str, ...]


def import_results(store: Store, file: Path, data: Path, *, name: str = "") -> Imported:
    """Raises DatasetError naming file, index and field, and StorageError; then nothing is in the store."""
    demo.refuse("Importing results")
    try:
        found = read_results(file.read_text(encoding="utf-8"), file.name)
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{file} cannot be read: {error}.") from error
    if not found.trajectories:
        raise DatasetError(f"{file.name} holds no conversation.")
    known = _known(data) if found.kind == "tau1" else {}
    placed = _placed(found, file.name)
    trials = max(trial for _, trial in placed) + 1
    names = tuple(dict.fromkeys(scenario for scenario, _ in placed))
    config = RunConfig(
        world=NAME, split=SPLIT, scenarios=names, agent=AGENT, user=USER, model=found.agent or None,
        user_model=found.user or None, strategy=StrategyConfig(name="greedy"), trials=trials,
    )  # fmt: skip
    run = runs.create_run(
        store, config, limits=RunLimits(), name=name or f"Imported: {file.name}", code_version=parts.code_version()
    )
    world = open_world(data) if known else None
    rollouts = {(each.scenario_id, each.trial): each for each in runs.list_rollouts(store, run.id)}
    told = {key: _rollout(rollouts[key], trajectory, known.get(key[0]), world) for key, trajectory in placed.items()}
    with ThreadPoolExecutor(1) as apart:  # an event loop of its own, wherever this is called
        apart.submit(asyncio.run, _record(store, told)).result()
    _without_the_absent(store, run, set(rollouts) - set(told))
    rewards = [(key, trajectory.reward, told[key][2]) for key, trajectory in placed.items()]
    graded = [(key, reward, again) for key, reward, again in rewards if again is not None]
    return Imported(
        run.id, found.kind, len(names), len(placed), sum(reward >= 1 for _, reward, _ in rewards) / len(rewards),
        len(graded), tuple(f"{key[0]}/{key[1]}" for key, reward, again in graded if reward != again),
    )  # fmt: skip


def _known(data: Path) -> Mapping[str, Scenario]:
    """The test tasks by scenario id; none where τ-bench was not imported."""
    try:
        return {each.id: each for each in open_world(data).scenarios(SPLIT)}
    except JoshError:
        return {}


def _placed(found: Results, name: str) -> dict[tuple[str, int], Trajectory]:
    """(scenario, trial) -> conversation; trials count from 0 per task, in the file's order."""
    seen: Counter[str] = Counter()
    placed = {}
    for each in sorted(found.trajectories, key=lambda one: one.trial):
        scenario = f"{SPLIT}-{int(each.task):03d}" if each.task.isdecimal() else each.task
        placed[scenario, seen[scenario]] = each
        seen[scenario] += 1
    return placed


Told = tuple[list[Event], Rollout, float | None]


def _rollout(rollout: Rollout, trajectory: Trajectory, known: Scenario | None, world: RetailWorld | None) -> Told:
    """(events, summary, the reward of grading again)."""
    scenario = known or Scenario(
        rollout.scenario_id, NAME, SPLIT, (trajectory.detail,) if trajectory.detail else (), (), setup={}
    )
    again, won = None, dict[int, frozenset[str]]()
    if known is not None and world is not None:
        again, won = _graded(world, known, trajectory)
    events = list(_events(scenario, trajectory, won))
    tree = fold(events)
    usage = sum((turn.usage for turn in trajectory.turns), Usage())
    usd = trajectory.agent_usd if trajectory.user_usd is None else (trajectory.agent_usd or 0.0) + trajectory.user_usd
    return (
        events,
        replace(
            rollout, state="done", goals=len(scenario.goals), won=len(tree.won), grade=trajectory.reward,
            depth=sum(turn.speaker == "agent" for turn in trajectory.turns), nodes=len(tree.nodes), events=len(events),
            usage=usage, usd=usd,
        ),
        again,
    )  # fmt: skip


def _graded(world: RetailWorld, scenario: Scenario, trajectory: Trajectory) -> tuple[float, dict[int, frozenset[str]]]:
    """The calls played on an untouched shop: the reward, and which goals each turn reached. No model is asked."""
    environment = RetailEnvironment(world.reward.base)
    left, won, played = list(scenario.goals), dict[int, frozenset[str]](), []
    for place, turn in enumerate(trajectory.turns):
        asked = [replace(call, result=None, error=None, fault=None) for call in turn.calls if call.fault != "format"]
        turn = replace(turn, calls=tuple(environment.call(call) for call in asked))
        reached = world.reward.reached(left, turn, environment) if turn.calls else frozenset()
        if reached:
            won[place] = reached
            left = [goal for goal in left if goal.id not in reached]
        played.append(turn)
    return world.reward.graded(scenario, played, environment).reward, won


def _events(scenario: Scenario, trajectory: Trajectory, won: Mapping[int, frozenset[str]]) -> Iterator[Event]:
    yield SearchStarted(scenario, Preamble(trajectory.opening or (Message("system", ""),), ()))
    parent: str | None = None
    for place, turn in enumerate(trajectory.turns):
        node = _named(parent, turn.speaker)
        reached = won.get(place, frozenset())
        yield NodeAdded(Node(node, parent, turn, reached))
        if reached:
            yield GoalsWon(node, tuple(goal.id for goal in scenario.goals if goal.id in reached))
        parent = node
    yield SearchEnded("ended")


def _named(parent: str | None, speaker: str) -> str:
    """As the search names its only branch: u, 0, 0u, 0.0, 0.0u …"""
    if parent is None:
        return "u"
    if speaker == "user":
        return f"{parent}u"
    before = parent.removesuffix("u")
    return f"{before}.0" if before else "0"


async def _record(store: Store, told: Mapping[tuple[str, int], Told]) -> None:
    writer = RunWriter(store, [rollout for _, rollout, _ in told.values()])
    for events, rollout, _ in told.values():
        writer.stored(rollout.id)
        await writer.record(events, rollout)


def _without_the_absent(store: Store, run: Run, absent: set[tuple[str, int]]) -> None:
    """Trials that the file does not have are failed, by name; the run is over."""
    with store.write() as connection:
        for scenario, trial in absent:
            connection.execute(
                "UPDATE rollouts SET state = 'failed', error = ? WHERE run_id = ? AND scenario_id = ? AND trial = ?",
                ("The file holds no such trial.", run.id, scenario, trial),
            )
    runs.end(store, run.id, "done")
