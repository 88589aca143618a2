"""Result files of τ-bench and τ²-bench as runs: what others played, in the viewer. A v1 result is graded again where
its task is known, and what differs is told.

A run of them is finished, plain play, and cannot be resumed. Its journal holds what each side of a conversation cost,
as the file tells it: one answer without words.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from app import catalog, demo, parts
from app.listings import figure, joined, least
from app.results import GRADED
from josh_engine.config import Run, RunConfig, RunLimits, StrategyConfig
from josh_engine.errors import DatasetError
from josh_engine.rates import Rate, rate, success
from josh_engine.tree import fold
from josh_engine.values import (
    Completion,
    Event,
    GoalsWon,
    JournalEntry,
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
from taubench.world import ALL_OF_TRAIN, RetailWorld, open_world

SPLIT = "test"  # where a v1 file does not tell whose tasks it is of
MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Imported:
    """`conversations` of `tasks` tasks; `success`: by the file's own rewards, over the `finished` of the `asked`, which
    are every trial of every task; `success_low`: with the others as 0. `failed`: those the harness broke off.
    `rejected`: what could not be read, by file, index and field. `regraded`: v1 results that were graded again,
    `differing`: those whose reward is another than the file's; `caveat`: what their grades must be read with."""

    run: str
    kind: str
    tasks: int
    conversations: int
    success: float | None
    success_low: float | None
    finished: int
    asked: int
    failed: int
    rejected: tuple[str, ...]
    regraded: int
    differing: tuple[str, ...]
    caveat: str = ""


def in_words(made: Imported) -> str:
    """What came of an import, in lines."""
    rate = Rate(made.success, made.success_low, made.finished, made.asked)
    told = f"{made.conversations:,} conversations of {made.tasks:,} tasks"
    if rate.value is not None:
        told += f", success by the file {joined(figure(rate.value), least(rate))}, {rate.of} finished"
    lines = [f"{told}."]
    if made.failed:
        lines.append(f"{made.failed:,} were broken off by the harness.")
    if made.regraded:
        apart = ", ".join(made.differing[:MOST_NAMED]) + (" …" if len(made.differing) > MOST_NAMED else "")
        differing = f"{len(made.differing):,} differ: {apart}" if made.differing else "all as in the file"
        lines.append(f"{made.regraded:,} were graded again: {differing}. {made.caveat}".strip())
    lines += [f"Left out: {each}" for each in made.rejected[:MOST_NAMED]]
    return "\n".join(lines)


def import_results(store: Store, file: Path, data: Path, *, name: str = "") -> Imported:
    """`file`: a results JSON, or τ²-bench's folder of results.json and simulations. Raises DatasetError naming file,
    index and field, and StorageError; then nothing is in the store."""
    demo.refuse("Importing results")
    return _keep(store, _read(file), data, name or f"Imported: {file.name}")


def import_uploaded(store: Store, content: bytes, file: str, data: Path) -> Imported:
    """As `import_results`, of a file that a page was given."""
    demo.refuse("Importing results")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{file} is not UTF-8 text: {error}.") from error
    return _keep(store, read_results(text, file), data, f"Imported: {file}")


def _keep(store: Store, found: Results, data: Path, name: str) -> Imported:
    if not found.trajectories:
        raise DatasetError("There is no conversation in it.", remedy="Nothing was imported.")
    world, split, known = _played_on(found, data)
    placed = _placed(found, split)
    trials = max(trial for _, trial in placed) + 1
    names = tuple(dict.fromkeys(scenario for scenario, _ in placed))
    config = RunConfig(
        world=world, split=split, scenarios=names, agent=catalog.FOREIGN_AGENT, user=catalog.FOREIGN_USER,
        model=found.agent or None, user_model=found.user or None, strategy=StrategyConfig(name="greedy"), trials=trials,
    )  # fmt: skip
    shop = open_world(data) if known else None
    played = {key: each for key, each in placed.items() if not each.error}
    bare = {key: Scenario(key[0], world, split, _brief(found, key[0], each), ()) for key, each in played.items()}
    meant = {key: known[key[0]] if _is_of(known.get(key[0]), each) else bare[key] for key, each in played.items()}
    told = {key: _told(key, each, meant[key], shop) for key, each in played.items()}
    run = runs.create_run(store, config, limits=RunLimits(), name=name, code_version=parts.code_version())
    rollouts = {(each.scenario_id, each.trial): each for each in runs.list_rollouts(store, run.id)}
    with ThreadPoolExecutor(1) as apart:  # an event loop of its own, wherever this is called
        apart.submit(asyncio.run, _record(store, rollouts, told, played)).result()
    broken = {key: _why(each) for key, each in placed.items() if key not in played}
    _end(store, run, {key: broken.get(key, "The file holds no such trial.") for key in rollouts if key not in told})
    rewards = [(key, each.reward, told[key][2]) for key, each in played.items()]
    graded = [(key, reward, again) for key, reward, again in rewards if again is not None]
    won = rate(runs.list_rollouts(store, run.id), success)
    return Imported(
        run.id, found.kind, len(names), len(found.trajectories), won.value, won.low, won.finished, won.asked,
        sum(bool(each.error) for each in found.trajectories), found.rejected, len(graded),
        tuple(f"{key[0]}/{key[1]}" for key, reward, again in graded if reward != again),
        caveat=shop.caveat([known[each] for each in dict.fromkeys(key[0] for key, _, _ in graded)]) if shop else "",
    )  # fmt: skip


def _read(file: Path) -> Results:
    try:
        if not file.is_dir():
            return read_results(file.read_text(encoding="utf-8"), file.name)
        apart = sorted((file / "simulations").glob("*.json"))
        texts = [(f"simulations/{each.name}", each.read_text(encoding="utf-8")) for each in apart]
        return read_results((file / "results.json").read_text(encoding="utf-8"), "results.json", texts)
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{file} cannot be read: {error}.") from error


def _played_on(found: Results, data: Path) -> tuple[str, str, Mapping[str, Scenario]]:
    """World and split, and the tasks of theirs that are known, by scenario id."""
    if (found.kind, found.domain) == ("tau1", "retail"):
        return NAME, *_known(data, found)
    return f"{found.kind}-{found.domain}", SPLIT if found.kind == "tau1" else "base", {}


def _known(data: Path, found: Results) -> tuple[str, Mapping[str, Scenario]]:
    """(split, its tasks by scenario id): the one whose users were told what the file says; SPLIT where the file says
    nothing, no task where τ-bench was not imported. Raises DatasetError where what was imported is damaged."""
    world, best, most = open_world(data), (SPLIT, dict[str, Scenario]()), -1
    if not (data / NAME).is_dir():
        return best
    for split in (SPLIT, ALL_OF_TRAIN, "dev"):
        tasks = {each.id: each for each in world.scenarios(split)}
        of_these = sum(_is_of(tasks.get(_scenario_id(split, each)), each) for each in found.trajectories)
        if of_these > most:
            best, most = (split, tasks), of_these
        if most == len(found.trajectories):
            break
    return best


def _is_of(scenario: Scenario | None, trajectory: Trajectory) -> bool:
    """Whether it is of this task, by what the user was told; without that, by its number."""
    return scenario is not None and trajectory.brief in ("", *scenario.brief)


def _scenario_id(split: str, trajectory: Trajectory) -> str:
    of = "train" if split == ALL_OF_TRAIN else split
    return f"{of}-{int(trajectory.task):03d}" if trajectory.task.isdecimal() else trajectory.task


def _brief(found: Results, scenario: str, trajectory: Trajectory) -> tuple[str, ...]:
    return (trajectory.brief,) if trajectory.brief else found.briefs.get(scenario, ())


def _placed(found: Results, split: str) -> dict[Key, Trajectory]:
    """(scenario, trial) -> conversation; trials count from 0 per task, in the file's order."""
    seen: Counter[str] = Counter()
    placed = {}
    for each in sorted((*found.trajectories, *found.unread), key=lambda one: one.trial):
        scenario = _scenario_id(split, each) if found.kind == "tau1" else each.task
        placed[scenario, seen[scenario]] = each
        seen[scenario] += 1
    return placed


def _why(trajectory: Trajectory) -> str:
    """Why there is no conversation."""
    return f"The file says: {trajectory.error}" if not trajectory.unread else f"It cannot be read: {trajectory.error}"


Key = tuple[str, int]  # scenario and trial
Told = tuple[list[Event], Rollout, float | None]


def _told(key: Key, trajectory: Trajectory, scenario: Scenario, shop: RetailWorld | None) -> Told:
    """(events, summary of a rollout that has no id yet, the reward of grading again: None where the task is not
    known)."""
    again, won = None, dict[int, frozenset[str]]()
    if shop is not None and "actions" in scenario.setup:
        again, won = _graded(shop, scenario, trajectory)
    scenario = replace(scenario, setup={**scenario.setup, GRADED: trajectory.detail})
    events = list(_events(scenario, trajectory, won))
    tree = fold(events)
    costs = (trajectory.agent_usd, trajectory.user_usd)
    summary = Rollout(
        "", "", *key, state="done", goals=len(scenario.goals), won=len(tree.won), grade=trajectory.reward,
        depth=sum(turn.speaker == "agent" for turn in trajectory.turns), nodes=len(tree.nodes), events=len(events),
        usage=sum((turn.usage for turn in trajectory.turns), Usage()),
        usd=None if None in costs else sum(each or 0.0 for each in costs),
    )  # fmt: skip
    return events, summary, again


def _graded(world: RetailWorld, scenario: Scenario, trajectory: Trajectory) -> tuple[float, dict[int, frozenset[str]]]:
    """The calls played on an untouched shop: the reward, and which goals each turn reached. No model is asked."""
    environment = RetailEnvironment(world.reward.base)
    left, won, played = list(scenario.goals), dict[int, frozenset[str]](), []
    for place, turn in enumerate(trajectory.turns):
        own = [call for call in turn.calls if turn.speaker == "agent" and call.reached]
        asked = [replace(call, result=None, error=None, fault=None) for call in own]
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


async def _record(
    store: Store, rollouts: Mapping[Key, Rollout], told: Mapping[Key, Told], played: Mapping[Key, Trajectory]
) -> None:
    """All of them together, so that they share commits."""
    writer = RunWriter(store, list(rollouts.values()))

    async def one(key: Key) -> None:
        events, summary, _ = told[key]
        mine = rollouts[key]
        writer.stored(mine.id)
        await writer.record(events, replace(summary, id=mine.id, run_id=mine.run_id))
        for node, speaker, usd in (("u", "user", played[key].user_usd), ("0", "agent", played[key].agent_usd)):
            turns = [turn for turn in played[key].turns if turn.speaker == speaker]
            calls = sum(turn.usage.calls for turn in turns) if speaker == "agent" else len(turns)
            cost = Completion("", finish="imported", usage=Usage(calls=calls), usd=usd)
            await writer.keep(JournalEntry(mine.id, node, 0, "", cost, 0.0))

    await asyncio.gather(*map(one, told))


def _end(store: Store, run: Run, absent: Mapping[Key, str]) -> None:
    """Trials without a conversation are failed, each with its reason; the run is over."""
    with store.write() as connection:
        connection.executemany(
            "UPDATE rollouts SET state = 'failed', error = ? WHERE run_id = ? AND scenario_id = ? AND trial = ?",
            [(reason, run.id, scenario, trial) for (scenario, trial), reason in absent.items()],
        )
    runs.end(store, run.id, "done")
