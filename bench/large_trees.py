"""A world, a user and a model whose searches grow large: goals are reached late, so nothing is cut before. Everything
is played through the real engine and store; how large a tree gets follows from beam and depth."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

from josh_engine.config import RunConfig, StrategyConfig
from josh_engine.models.scripted import ScriptedModel, say, use
from josh_engine.users.scripted import ScriptedUser
from josh_engine.values import Completion, Goal, Message, Scenario
from josh_engine.worlds.scripted import ScriptedWorld

GOALS = tuple(Goal(f"{name}#1", name, {"place": "p1"}) for name in ("search_hotel", "book_hotel", "book_train"))
SCENARIO = Scenario("large", "scripted", "all", ("I need a hotel and a train.",), GOALS)
FIRST_REWARD = 12  # exchanges before which no call is right
TALK = "I have looked at several places in that part of town; could you tell me a little more about what you need?"


def open_world() -> ScriptedWorld:
    return ScriptedWorld((SCENARIO,))


def patient_user() -> ScriptedUser:
    return ScriptedUser(patient=True)


def model() -> ScriptedModel:
    return ScriptedModel(answer)


def answer(messages: Sequence[Message], seed: int) -> Completion:
    """After a result, words; else a call, which is right once in a while after FIRST_REWARD exchanges."""
    if messages[-1].role == "tool":
        return say(f"{TALK} ({seed % 1000})")
    dice = random.Random(seed)
    late = sum(message.role == "user" for message in messages) > FIRST_REWARD
    if late and dice.random() < 0.004:
        return use(dice.choice(GOALS).name, json.dumps({"place": "p1"}), content="Let me see.")
    return use("search_hotel", json.dumps({"place": f"p{dice.randrange(2, 99)}"})) if dice.random() < 0.5 else say(TALK)


def config(*, beam: int, depth: int) -> RunConfig:
    return RunConfig(
        world="bench.large_trees:open_world",
        split="all",
        scenarios=(SCENARIO.id,),
        agent="josh_engine.agents.scripted:ScriptedAgent",
        user="bench.large_trees:patient_user",
        model="bench.large_trees:model",
        strategy=StrategyConfig(max_beam=beam, max_depth=depth),
    )
