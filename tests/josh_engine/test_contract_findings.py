"""Each promise of a part that is broken is found, in words; what a part raises is a finding, never a crash."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small import HOTEL, TOOLS, TRAIN

from josh_engine.agents.scripted import ScriptedAgent
from josh_engine.contracts import environment_findings, player_findings, world_findings
from josh_engine.models.scripted import ScriptedModel, say
from josh_engine.users.scripted import ScriptedUser
from josh_engine.values import Message, Scenario, Turn
from josh_engine.worlds.scripted import ExactCalls, Notebook, ScriptedWorld

SCENARIO = Scenario("s", "scripted", "all", ("a hotel",), (HOTEL, TRAIN))
MODEL = ScriptedModel(lambda messages, seed: say("well"))


class Shared(Notebook):
    """Forks write into one book."""

    def fork(self):
        return self


class Forgetful(Notebook):
    def fingerprint(self):
        return str(id(self))


class Raising(Notebook):
    def call(self, call):
        raise KeyError(call.name)


class Silent(Notebook):
    policy = "  "


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Shared, "Forks are not independent"),
        (Forgetful, "A fork's fingerprint differs"),
        (Raising, "It raised KeyError"),
        (Silent, "The policy is empty"),
    ],
)
def test_an_environment_that_breaks_a_promise_is_found(kind, said):
    found = environment_findings(kind(TOOLS), SCENARIO.goals)
    assert any(finding.startswith(said) for finding in found), found
    assert environment_findings(Notebook(TOOLS), SCENARIO.goals) == ()


class Generous(ExactCalls):
    def reached(self, open_goals, turn, environment):
        return frozenset(goal.id for goal in open_goals)


class Stingy(ExactCalls):
    def reached(self, open_goals, turn, environment):
        return frozenset()


@pytest.mark.parametrize(
    ("reward", "said"), [(Generous(), "was paid 2 goals"), (Stingy(), "is not credited by its own")]
)
def test_a_reward_that_pays_wrongly_is_found(reward, said):
    world = ScriptedWorld([SCENARIO], TOOLS)
    world.reward = reward
    found = world_findings(world, "all")
    assert any(said in finding for finding in found) and all(finding.startswith("s: ") for finding in found)


def test_a_world_without_scenarios_or_with_strange_ones_is_found():
    assert world_findings(ScriptedWorld([]), "all") == ("Split 'all' has no scenario.",)
    assert "named 'none'" not in str(world_findings(ScriptedWorld([SCENARIO], TOOLS), "all"))
    elsewhere = ScriptedWorld([replace(SCENARIO, world="none"), replace(SCENARIO, world="none")], TOOLS)
    found = " ".join(world_findings(elsewhere, "all"))
    assert "names two scenarios alike" in found and "its world is 'none'" in found
    assert "has no split 'other'" in world_findings(elsewhere, "other")[0]


class Counting(ScriptedAgent):
    """Keeps state between turns, which no agent may."""

    turns = 0

    async def turn(self, path, environment, model, seed):
        self.turns += 1
        return replace(await super().turn(path, environment, model, seed), reply=f"turn {self.turns}")


class Mute(ScriptedUser):
    async def turn(self, scenario, path, environment, model, seed):
        return Turn("user", (Message("assistant", "hm"), Message("user", "hm")), reply="hm")


def test_players_that_break_a_promise_are_found():
    world = ScriptedWorld([SCENARIO], TOOLS)

    def found(agent, user):
        return player_findings(agent, user, world, SCENARIO, model=MODEL)

    assert found(ScriptedAgent(), ScriptedUser(["a", "b"])) == ()
    assert "The agent's turn differs for the same path and seed." in found(Counting(), ScriptedUser(["a", "b"]))
    assert "A user's turn holds one message, a reply, and no calls." in found(ScriptedAgent(), Mute(["a"]))
