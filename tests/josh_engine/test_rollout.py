"""The driver: barriers, forks, faults, notes and resume."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from small import FIND_HOTEL, FIND_TRAIN, HOTEL, TOOLS, TRAIN, search, strategy

from josh_engine.agents.scripted import ScriptedAgent
from josh_engine.errors import JoshError, ModelUnavailable, StorageError
from josh_engine.memory import MemoryJournal, MemoryRecorder
from josh_engine.models.absent import AbsentModel
from josh_engine.models.scripted import ScriptedModel, say
from josh_engine.rollout import Players, roll_out
from josh_engine.search import open_strategy
from josh_engine.seeds import call_seed, turn_seed
from josh_engine.tree import branches, fold, label_turns
from josh_engine.users.scripted import ModelledUser, ScriptedUser
from josh_engine.values import (
    Collapsed,
    Grade,
    Message,
    Rollout,
    Scenario,
    ToolCall,
    Turn,
    Usage,
)
from josh_engine.worlds.scripted import ExactCalls, Notebook, ScriptedWorld
from tests import virtual_time

SCENARIO = Scenario("s", "scripted", "train", ("a hotel",), (HOTEL, TRAIN))


def roll(agent, user=None, *, model=None, user_model=None, recorder=None, journal=None, world=None, **more):
    return asyncio.run(
        roll_out(
            more.pop("rollout", Rollout("r", "run", "s", 0)),
            SCENARIO,
            world or ScriptedWorld([SCENARIO], TOOLS),
            Players(
                agent,
                user or ScriptedUser(["hello"] * 9),
                model or AbsentModel("--model"),
                user_model or AbsentModel("--user-model"),
            ),
            open_strategy(more.pop("config", strategy(depth=3))),
            recorder=recorder if recorder is not None else MemoryRecorder(),
            journal=journal or MemoryJournal(),
            seed=0,
            **more,
        )
    )


class Watched:
    """An agent that notes what it is shown and keeps a secret."""

    def __init__(self) -> None:
        self.seen: list[Sequence[Turn]] = []

    def preamble(self, environment):
        from josh_engine.values import Preamble

        return Preamble((Message("system", "x"),), environment.tools)

    async def turn(self, path, environment, model, seed):
        self.seen.append(path)
        call = environment.call(ToolCall(f"call_{len(path)}", "find_train", {"day": str(seed)}))
        said = Message("assistant", f"reply {seed}", sampled=True)
        return Turn("agent", (said,), (call,), said.content, notes={"secret": "agent's"}, usage=Usage(1))


class Gossip:
    def __init__(self) -> None:
        self.seen: list[Sequence[Turn]] = []

    async def turn(self, scenario, path, environment, model, seed):
        self.seen.append(path)
        return Turn("user", (Message("user", "hello"),), reply="hello", notes={"secret": "user's"})


def test_each_side_sees_only_what_it_may():
    agent, user = Watched(), Gossip()
    roll(agent, user)
    for path in agent.seen:
        assert all(not turn.notes for turn in path if turn.speaker == "user")
        assert all(turn.notes for turn in path if turn.speaker == "agent")
    for path in user.seen:
        agents = [turn for turn in path if turn.speaker == "agent"]
        assert all(not turn.notes and not turn.calls and not turn.messages and turn.reply for turn in agents)
        assert all(turn.notes for turn in path if turn.speaker == "user")


class Counting(Notebook):
    """Answers with how many calls it has accepted."""

    def call(self, call):
        return replace(super().call(call), result=str(len(self.written)))


class CountingWorld(ScriptedWorld):
    def environment(self, scenario):
        return Counting(TOOLS)


class Meddling(ScriptedUser):
    """A user that touches the environment; the touch belongs to its own turn's fork."""

    async def turn(self, scenario, path, environment, model, seed):
        environment.call(ToolCall("call_1", "find_train"))
        return await super().turn(scenario, path, environment, model, seed)


def test_siblings_play_in_environments_of_their_own_and_carry_them_on():
    recorder = MemoryRecorder()
    finished = roll(Watched(), recorder=recorder, world=CountingWorld([SCENARIO]))
    tree = fold(recorder.stored("r"))
    agents = [node for node in tree.nodes.values() if node.turn.speaker == "agent"]
    assert len(agents) == 14
    for node in agents:
        assert [call.result for call in node.turn.calls] == [str(len(branches(node.id)))]
    recorder = MemoryRecorder()
    roll(Watched(), Meddling(["hello"] * 9), recorder=recorder, world=CountingWorld([SCENARIO]))
    tree = fold(recorder.stored("r"))
    for node in (node for node in tree.nodes.values() if node.turn.speaker == "agent"):
        assert [call.result for call in node.turn.calls] == [str(2 * len(branches(node.id)))]
    assert finished.state == "done"


def test_a_fault_fails_the_rollout_after_the_others_finished_and_gives_no_label():
    class Flaky(ScriptedModel):
        async def complete(self, messages, tools=(), sampling=None, seed=None):
            if seed == call_seed(turn_seed(0, "s", 0, "0"), 0):
                raise ModelUnavailable("the server at 127.0.0.1:9 answered 503", remedy="Resume when it is back.")
            await asyncio.sleep(0.01)
            return await super().complete(messages, tools, sampling, seed)

    journal, recorder = MemoryJournal(), MemoryRecorder()
    flaky = Flaky(lambda messages, seed: say("hm"))
    failed = roll(ScriptedAgent(), model=flaky, journal=journal, recorder=recorder)
    assert failed.state == "failed"
    assert failed.error == "the server at 127.0.0.1:9 answered 503 Resume when it is back."
    assert ("r", "1", 0) in journal.entries, "the sibling's answer was paid for and is kept"
    assert label_turns(fold(recorder.stored("r"))) == {}

    model = ScriptedModel(lambda messages, seed: say("hm"))
    resumed = roll(ScriptedAgent(), model=model, journal=journal, recorder=recorder, rollout=failed)
    assert resumed.state == "done" and resumed.error is None
    assert model.served == 14 - 1, "2 + 4 + 8 turns, one of them already paid for"


def test_a_part_that_raises_fails_its_rollout_and_says_what_it_raised():
    class Broken(Watched):
        async def turn(self, path, environment, model, seed):
            raise ZeroDivisionError("division by zero")

    assert roll(Broken()).error == "ZeroDivisionError: division by zero"


def test_a_recorder_that_cannot_record_stops_the_run_with_its_own_error():
    class Full(MemoryRecorder):
        async def record(self, events, summary):
            if summary.depth > 1:
                raise StorageError("disk full")
            await super().record(events, summary)

    with pytest.raises(StorageError, match="disk full"):
        roll(Watched(), recorder=Full())


@pytest.mark.parametrize("broken", ["stored", "record"])
def test_a_store_out_of_reach_is_the_runs_error_and_no_rollouts_failure(broken):
    class Gone(MemoryRecorder):
        def stored(self, rollout):
            if broken == "stored":
                raise StorageError("the store is gone")
            return super().stored(rollout)

        async def record(self, events, summary):
            raise StorageError("the store is gone")

    class Raising(Watched):
        async def turn(self, path, environment, model, seed):
            raise ZeroDivisionError("and the agent is broken, too")

    for agent in (Watched(), Raising()):
        with pytest.raises(StorageError, match="the store is gone"):
            roll(agent, recorder=Gone())


@pytest.mark.parametrize("state", ["paused", "cancelled"])
def test_an_interrupt_stops_between_exchanges_and_a_resume_gives_the_same_events(state):
    whole = MemoryRecorder()
    roll(ScriptedAgent(), model=ScriptedModel(lambda messages, seed: say(f"hm {seed}")), recorder=whole)
    for after in range(1, 7):
        recorder, journal, asked = MemoryRecorder(), MemoryJournal(), iter(range(100))
        model = ScriptedModel(lambda messages, seed: say(f"hm {seed}"))
        stopped = roll(
            ScriptedAgent(),
            model=model,
            recorder=recorder,
            journal=journal,
            interrupt=lambda after=after, asked=asked: state if next(asked) >= after else None,
        )
        if after < 6:
            assert stopped.state == state
        resumed = roll(ScriptedAgent(), model=model, recorder=recorder, journal=journal, rollout=stopped)
        assert resumed.state == "done"
        assert recorder.stored("r") == whole.stored("r")
        assert resumed.usage == whole.summaries["r"].usage
        assert model.served == 14


def test_a_world_that_answers_differently_on_resume_is_an_error_and_not_a_label():
    class Moody(Notebook):
        def call(self, call):
            return replace(super().call(call), result=self.policy)

    class MoodyWorld(ScriptedWorld):
        def __init__(self, mood):
            super().__init__([SCENARIO], TOOLS)
            self.mood = mood

        def environment(self, scenario):
            environment = Moody(TOOLS)
            environment.policy = self.mood
            return environment

    Moody.fork = lambda self: _with_mood(self)  # type: ignore[method-assign]

    def _with_mood(environment):
        forked = Moody(environment.tools, environment.written)
        forked.policy = environment.policy
        return forked

    recorder = MemoryRecorder()
    steps = iter(range(100))
    stopped = roll(
        Watched(),
        recorder=recorder,
        world=MoodyWorld("fine"),
        interrupt=lambda: "paused" if next(steps) >= 3 else None,
    )
    resumed = roll(Watched(), recorder=recorder, world=MoodyWorld("grim"), rollout=stopped)
    assert resumed.state == "failed"
    assert "answers differently" in (resumed.error or "")


def test_the_critical_path_is_the_sum_of_the_slowest_turns(monkeypatch):
    """And the turns of an exchange are in flight together: 14 calls of 2 s take three times 2 s."""
    monkeypatch.setattr("time.perf_counter", lambda: asyncio.get_running_loop().time())
    monkeypatch.setattr("asyncio.run", virtual_time.run)
    model = ScriptedModel(lambda messages, seed: say("hm"), seconds=2.0)
    rollout = roll(ScriptedAgent(), model=model, config=strategy(depth=3))
    assert (rollout.critical_seconds, rollout.seconds, rollout.usage.calls) == (6.0, 6.0, 14)


def test_identical_user_requests_at_temperature_0_are_asked_for_once():
    user_model = ScriptedModel(lambda messages, seed: say("A hotel, please."), seconds=0.001)
    model = ScriptedModel(lambda messages, seed: say("Which area?"))
    recorder = MemoryRecorder()
    roll(ScriptedAgent(), ModelledUser(), model=model, user_model=user_model, recorder=recorder)
    turns = [node for node in fold(recorder.stored("r")).nodes.values() if node.turn.speaker == "user"]
    assert len(turns) == 1 + 2 + 4
    assert user_model.served == 3, "all siblings said the same, so the user is in the same place"
    assert sum(node.turn.usage.calls for node in turns) == 3


def test_a_grade_is_asked_of_the_whole_conversation_or_of_the_ideal_path():
    class Graded(ExactCalls):
        def graded(self, scenario, path, environment):
            return Grade(len(environment.written) / 10)

    world = ScriptedWorld([SCENARIO], TOOLS)
    world.reward = Graded()
    greedy = roll(Watched(), world=world, config=strategy("greedy", depth=3))
    assert greedy.grade == 0.3
    script = {"0": [FIND_HOTEL, say("a")], "0.1": [FIND_TRAIN, say("b")]}
    josh = search(script, [HOTEL, TRAIN], world=world)
    assert josh.rollout.grade == 0.2


def test_errors_carry_a_remedy():
    assert str(JoshError("What happened.", remedy="Do this.")) == "What happened. Do this."


def test_collapsed_root_is_recorded_once_per_reward():
    searched = search({"0": [FIND_HOTEL, say("a")], "0.1": [FIND_TRAIN, say("b")]}, [HOTEL, TRAIN])
    assert [event.root for event in searched.events if isinstance(event, Collapsed)] == ["0", "0.1"]
