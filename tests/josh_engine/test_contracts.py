"""The engine's own parts keep the contracts they ask of others."""

from __future__ import annotations

from contracts import check_players, check_world
from small import HOTEL, TOOLS, TRAIN

from josh_engine.agents.scripted import ScriptedAgent
from josh_engine.models.scripted import ScriptedModel, say, use
from josh_engine.users.person import PersonUser
from josh_engine.users.scripted import ModelledUser, ScriptedUser
from josh_engine.values import Scenario
from josh_engine.worlds.scripted import ScriptedWorld

SCENARIO = Scenario("s", "scripted", "all", ("a hotel",), (HOTEL, TRAIN))
WORLD = ScriptedWorld([SCENARIO], TOOLS)


def test_the_scripted_world():
    check_world(WORLD, "all")


def test_the_scripted_players():
    model = ScriptedModel(lambda messages, seed: use("find_hotel") if messages[-1].role == "user" else say("done"))
    check_players(ScriptedAgent(), ScriptedUser(["a", "b", "c"]), WORLD, SCENARIO, model=model)
    chatty = ScriptedModel(lambda messages, seed: say("well"))
    check_players(ScriptedAgent(), ModelledUser(), WORLD, SCENARIO, model=chatty)
    check_players(ScriptedAgent(), PersonUser(), WORLD, SCENARIO, model=chatty)
