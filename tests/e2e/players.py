"""A world, a user and models for the browser tests: domain-free, deterministic by seed, as slow as a test wants.

Named on no page; the tests' runs name them as "module:attribute". The third scenario's name and words are hostile.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

from josh_engine.errors import ModelUnavailable
from josh_engine.models.scripted import ScriptedModel, say, use
from josh_engine.users.scripted import ScriptedUser
from josh_engine.values import Completion, Goal, Message, Scenario
from josh_engine.worlds.scripted import ScriptedWorld
from tests.app.sample_search import HOSTILE

ERRANDS = ("search_hotel", "book_hotel", "search_train", "book_train")


def scenario(name: str, *, words: str = "", goals: int = 3) -> Scenario:
    wanted = tuple(Goal(f"{errand}#{i}", errand, {"place": f"p{i}"}) for i, errand in enumerate(ERRANDS[:goals]))
    brief = tuple(f"Please do {goal.name} for {goal.arguments['place']}. {words}".strip() for goal in wanted)
    return Scenario(name, "scripted", "all", brief, wanted)


SCENARIOS = (
    scenario("SCN-01"),
    scenario("SCN-02", goals=4),
    scenario(f"SCN-03 {HOSTILE[0]} {HOSTILE[2]}", words=" ".join(HOSTILE)),
    *(scenario(f"SCN-{number:02d}", goals=2) for number in range(4, 9)),
)


def open_world() -> ScriptedWorld:
    return ScriptedWorld(SCENARIOS)


def patient_user() -> ScriptedUser:
    return ScriptedUser(patient=True)


def answer(messages: Sequence[Message], seed: int) -> Completion:
    """After a result: a reply. Else the errand of the user's last line, rightly in three of five seeds."""
    if messages[-1].role == "tool":
        return say(f"Done. {HOSTILE[4]}")
    said = messages[-1].content.split(".")[0].split()
    dice = random.Random(seed).random()
    if dice < 0.6:
        return use(said[2], json.dumps({"place": said[4]}), content="Let me see.")
    if dice < 0.75:
        return use(said[2] + "s", json.dumps({"place": HOSTILE[0]}))
    return say(f"Could you say more? {HOSTILE[3]}")


def quick_model() -> ScriptedModel:
    return ScriptedModel(answer)


def slow_model() -> ScriptedModel:
    return ScriptedModel(answer, seconds=0.8)


def broken_model() -> ScriptedModel:
    """Does not answer who asks for the fourth errand, which only the second scenario's user does."""
    return ScriptedModel(_not_the_fourth)


def _not_the_fourth(messages: Sequence[Message], seed: int) -> Completion:
    if ERRANDS[3] in messages[-1].content:
        raise ModelUnavailable("The model did not answer in time.")
    return answer(messages, seed)
