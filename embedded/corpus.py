"""The conversations the embedded model is pretrained on: invented, endless, each determined by its number.

A conversation is played in an invented town of the split `pretrain`, whose names no other split can have, between
ToolWOZ's agenda user (reworded by `embedded.phrasing`) and the teacher. In part of them names and kinds of food are
replaced by other words (`embedded.renaming`), so that what a guest names is learnt by copying it and not by heart, and
records hold facts that nobody asked for (`embedded.widening`).
Unlike rollouts of the app these stop at no goal: the user hangs up, or the exchanges run out.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from random import Random

from embedded.mistakes import temper
from embedded.phrasing import reworded
from embedded.renaming import names_of, renamed
from embedded.teacher import Teacher
from embedded.widening import widened
from josh_engine.models.absent import AbsentModel
from josh_engine.ports import Environment
from josh_engine.values import Message, Scenario, Turn
from toolwoz.agenda import AgendaUser
from toolwoz.environment import scenario_environment
from toolwoz.generated import make_scenario
from toolwoz.generated_town import town_by_id

SPLIT = "pretrain"
HELD_OUT = 1_000_000  # conversations from this number on are never trained on
MAX_EXCHANGES = 15  # as in a run: josh_engine.config.StrategyConfig.max_depth

Conversation = tuple[Message, ...]


def conversation(number: int) -> Conversation:
    """The messages of this conversation after the system message; `sampled` ones are the agent's."""
    random = Random(f"conversation {number}")
    scenario = make_scenario(SPLIT, number)
    environment = scenario_environment(scenario, town_by_id(str(scenario.setup["town"])).database)
    path = asyncio.run(_played(scenario, environment, random))
    messages = [_as_heard(message, random) for turn in path for message in turn.messages]
    texts = widened(renamed([each.content for each in messages], names_of(scenario), random), random)
    return tuple(replace(each, content=said) for each, said in zip(messages, texts, strict=True))


async def _played(scenario: Scenario, environment: Environment, random: Random) -> list[Turn]:
    user, teacher, nobody = AgendaUser(), Teacher(temper(random)), AbsentModel("pretraining")
    path: list[Turn] = []
    for _ in range(MAX_EXCHANGES):
        path.append(await user.turn(scenario, path, environment, nobody, random.getrandbits(48)))
        path.append(await teacher.turn(path, environment, nobody, random.getrandbits(48)))
        if path[-2].stop == "ended" or path[-1].stop != "spoke":
            break
    return path


def _as_heard(message: Message, random: Random) -> Message:
    """What a person typed, reworded; answers of tools and the agent's own messages stay."""
    if message.sampled or message.content.startswith("APIRETURN"):
        return message
    return replace(message, content=reworded(message.content, random))


def as_line(messages: Conversation) -> str:
    """One JSON line: role and content, as a chat template takes them."""
    return json.dumps([{"role": each.role, "content": each.content} for each in messages], ensure_ascii=False)
