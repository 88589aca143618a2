"""Plays one scenario: ask, run the turns concurrently, tell; and the one place where failures are caught.

The driver owns the environments, one per live leaf: it forks the parent's before *every* turn, either side, and the
turn owns its fork. Each `ask` is answered in full and `tell` gets the answers in ask's order (a barrier), so events
do not depend on which answer came first. The events of one `tell` and the rollout's summary are one record.

Resume folds the kept events, rebuilds the leaves' environments by making the calls on their paths again (a different
answer is a SimulationError), and asks again; answers of a half-played exchange come from the journal.

What the model got wrong is data. What the world got wrong (a timeout, a lost key, a part that raises) lets the other
turns of the exchange finish and be journalled, and then fails this rollout, which can be resumed: no label is ever
derived from a fault.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from josh_engine.agents.generations import ended_by
from josh_engine.errors import Away, JoshError, SimulationError
from josh_engine.messages import calls_made
from josh_engine.models.finishes import NoMove
from josh_engine.models.journal import JournalledModel, JournalledRollout
from josh_engine.ports import Agent, ChatModel, Environment, Journal, Recorder, Strategy, UserSimulator, World
from josh_engine.seeds import turn_seed
from josh_engine.tree import EMPTY, EMPTY_CONVERSATION, Tree, fold, graded_end, lineage, path
from josh_engine.values import (
    Event,
    Expansion,
    Played,
    Rollout,
    Sampling,
    Scenario,
    SearchStarted,
    State,
    ToolCall,
    Turn,
    Usage,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Players:
    """Who plays, with which models, sampled how."""

    agent: Agent
    user: UserSimulator
    model: ChatModel
    user_model: ChatModel
    sampling: Sampling = Sampling()
    user_sampling: Sampling = Sampling(temperature=0.0)


def uninterrupted() -> State | None:
    return None


async def roll_out(
    rollout: Rollout,
    scenario: Scenario,
    world: World,
    players: Players,
    strategy: Strategy,
    *,
    recorder: Recorder,
    journal: Journal,
    seed: int,
    interrupt: Callable[[], State | None] = uninterrupted,
) -> Rollout:
    """Plays or resumes one rollout to its end; the final summary, which is also recorded.

    `interrupt` is asked before each exchange's half; "paused" or "cancelled" stops there. Never raises for a fault of
    the world or of a part: the rollout is then `failed`, with `error` set; where a person who plays is away it is
    `paused`. What the recorder raises passes.
    """
    search = _Search(rollout, scenario, world, players, strategy, recorder=recorder, journal=journal, seed=seed)
    try:
        return await _or_failed(search, interrupt)
    except _Unrecorded as lost:
        raise lost.cause from lost.cause.__cause__


async def _or_failed(search: _Search, interrupt: Callable[[], State | None]) -> Rollout:
    try:
        return await search.run(interrupt)
    except _Unrecorded:
        raise
    except Away:
        return await search.close("paused")
    except JoshError as error:
        return await search.close("failed", str(error))
    except Exception as error:
        log.exception("rollout %s: a part raised", search.summary.id)
        return await search.close("failed", f"{type(error).__name__}: {error}")


class _Unrecorded(Exception):
    """The recorder failed: nothing can be kept any more, so this is no rollout's failure but the run's."""

    def __init__(self, cause: Exception) -> None:
        self.cause = cause


class _Search:
    def __init__(
        self,
        rollout: Rollout,
        scenario: Scenario,
        world: World,
        players: Players,
        strategy: Strategy,
        *,
        recorder: Recorder,
        journal: Journal,
        seed: int,
    ) -> None:
        self.summary = replace(rollout, state="running", error=None, goals=len(scenario.goals))
        self.scenario, self.world, self.players, self.strategy = scenario, world, players, strategy
        self.recorder, self.seed = recorder, seed
        self.journal = JournalledRollout(rollout.id, journal)
        self.tree: Tree = EMPTY
        self.environments: dict[str, Environment] = {}
        self.views: dict[str, tuple[Turn, Turn]] = {}
        self.earlier_seconds, self.started = rollout.seconds, time.perf_counter()

    async def run(self, interrupt: Callable[[], State | None]) -> Rollout:
        await self._open()
        while expansions := self.strategy.ask(self.tree):
            if stopped := interrupt():
                return await self.close(stopped)
            played = await self._exchange(expansions)
            events = self.strategy.tell(self.tree, [each for each, _, _ in played])
            self.tree = fold(events, onto=self.tree)
            self._keep_environments({each.expansion.node: environment for each, environment, _ in played})
            self._count([each.turn for each, _, _ in played], [model for _, _, model in played])
            await self._record(events)
        return await self.close("done", grade=self._grade())

    async def close(self, state: State, error: str | None = None, *, grade: float | None = None) -> Rollout:
        """The last summary, recorded without events."""
        self.summary = replace(self.summary, state=state, error=error, grade=grade)
        await self._record(())
        return self.summary

    async def _open(self) -> None:
        events = self._stored()
        if events:
            self.tree = fold(events)
            self.environments = {leaf: self._environment_at(leaf) for leaf in self.tree.frontier}
            spent = sum((node.turn.usage for node in self.tree.nodes.values()), Usage())
            self.summary = replace(self.summary, usage=spent, events=len(events))
            return
        environment = self.world.environment(self.scenario)
        started = SearchStarted(self.scenario, self.players.agent.preamble(environment))
        self.tree = fold([started])
        self.environments = {EMPTY_CONVERSATION: environment}
        await self._record([started])

    def _stored(self) -> tuple[Event, ...]:
        try:
            return tuple(self.recorder.stored(self.summary.id))
        except Exception as error:
            raise _Unrecorded(error) from error

    async def _exchange(
        self, expansions: Sequence[Expansion]
    ) -> list[tuple[Played, Environment, JournalledModel | float]]:
        """All turns of one ask, at once. On a fault the others finish first (their answers are paid for)."""
        outcomes = await asyncio.gather(*map(self._play, expansions), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]

    async def _play(self, expansion: Expansion) -> tuple[Played, Environment, JournalledModel | float]:
        players = self.players
        parent = expansion.parent or EMPTY_CONVERSATION
        environment = self.environments[parent].fork()
        seed = turn_seed(self.seed, self.scenario.id, self.summary.trial, expansion.node)
        started = time.perf_counter()
        if expansion.speaker == "user":
            model = self.journal.model_for(
                expansion.node, players.user_model, players.user_sampling, seed=seed, speaker="user"
            )
            seen = self._path_for("user", parent)
            turn = await players.user.turn(self.scenario, seen, environment, model, seed)
        else:
            model = self.journal.model_for(expansion.node, players.model, players.sampling, seed=seed)
            try:
                turn = await players.agent.turn(self._path_for("agent", parent), environment, model, seed)
            except NoMove as fault:  # an agent of one's own that does not know of it
                turn = ended_by(fault, calls_made(path(self.tree, parent)))
        elapsed = time.perf_counter() - started
        if turn.speaker != expansion.speaker:
            raise SimulationError(f"The {expansion.speaker} answered with a turn of the {turn.speaker}.")
        if model.calls:
            turn = replace(turn, usage=model.usage)
        goals = self._reached(turn, environment)
        return Played(expansion, turn, goals), environment, model if model.calls else elapsed

    def _reached(self, turn: Turn, environment: Environment) -> frozenset[str]:
        if turn.speaker == "user" or not turn.calls:
            return frozenset()
        still_open = set(self.tree.open_goals)
        goals = [goal for goal in self.scenario.goals if goal.id in still_open]
        return self.world.reward.reached(goals, turn, environment) & still_open

    def _path_for(self, side: str, leaf: str) -> tuple[Turn, ...]:
        """The conversation as one side may see it: the user reads replies and no calls, each only its own notes."""
        if leaf == EMPTY_CONVERSATION:
            return ()
        index = 0 if side == "agent" else 1
        seen = []
        for node in lineage(self.tree, leaf):
            if node.id not in self.views:
                self.views[node.id] = (_for_agent(node.turn), _for_user(node.turn))
            seen.append(self.views[node.id][index])
        return tuple(seen)

    def _keep_environments(self, played: Mapping[str, Environment]) -> None:
        self.environments = {leaf: played[leaf] for leaf in self.tree.frontier}

    def _environment_at(self, leaf: str) -> Environment:
        """The environment after the calls on a leaf's path, made again."""
        environment = self.world.environment(self.scenario)
        for turn in path(self.tree, leaf):
            for call in turn.calls:
                if not call.reached:
                    continue
                asked = ToolCall(call.id, call.name, call.arguments, call.raw)
                if environment.call(asked).answer != call.answer:
                    raise SimulationError(
                        f"{call.name} now answers differently than when scenario {self.scenario.id} was played.",
                        remedy="The world's data or code changed; start a new run.",
                    )
        return environment

    def _grade(self) -> float | None:
        """The world's own check, where it has one: of the whole conversation (one branch) or of the ideal path."""
        end = graded_end(self.tree)
        if end is None:
            return None
        turns = path(self.tree, end)
        grade = self.world.reward.graded(self.scenario, turns, self._environment_at(end))
        return None if grade is None else grade.reward

    def _count(self, turns: Sequence[Turn], costs: Sequence[JournalledModel | float]) -> None:
        usage = sum((turn.usage for turn in turns), self.summary.usage)
        slowest = max(cost if isinstance(cost, float) else cost.seconds for cost in costs)
        usd = self.summary.usd
        for cost in costs:
            spent = 0.0 if isinstance(cost, float) else cost.usd
            usd = None if usd is None or spent is None else usd + spent
        critical = self.summary.critical_seconds + slowest
        self.summary = replace(self.summary, usage=usage, usd=usd, critical_seconds=critical)

    async def _record(self, events: Sequence[Event]) -> None:
        self.summary = replace(
            self.summary,
            won=len(self.tree.won),
            depth=self.tree.depth,
            nodes=len(self.tree.nodes),
            events=self.summary.events + len(events),
            seconds=self.earlier_seconds + time.perf_counter() - self.started,
        )
        try:
            await self.recorder.record(events, self.summary)
        except Exception as error:
            raise _Unrecorded(error) from error


def _for_agent(turn: Turn) -> Turn:
    return replace(turn, notes={}) if turn.speaker == "user" and turn.notes else turn


def _for_user(turn: Turn) -> Turn:
    if turn.speaker == "user":
        return turn
    return Turn("agent", (), reply=turn.reply, stop=turn.stop)
