"""Parts for the crash tests, named as a person's own would be ("crash_parts:open_world"). Models stand where paid
endpoints would: what they are asked goes into a ledger file that survives kill -9."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path

from josh_engine.models.scripted import ScriptedModel, say, use
from josh_engine.values import Completion, Goal, Message, Scenario
from josh_engine.worlds.scripted import ScriptedWorld

LEDGER: Path | None = None
TOOLS = ("find_hotel", "find_train", "book_hotel")


def open_world() -> ScriptedWorld:
    return ScriptedWorld(
        [
            Scenario(
                f"s{number}",
                "scripted",
                "all",
                (f"I need {count} things for {number}.",),
                tuple(Goal(tool, tool) for tool in TOOLS[:count]),
            )
            for number, count in enumerate((1, 2, 3, 2, 3, 1))
        ]
    )


def agent_model() -> ScriptedModel:
    return ScriptedModel(_agent, seconds=0.0005, ledger=_write)


def user_model() -> ScriptedModel:
    return ScriptedModel(_user, seconds=0.0005, ledger=_write)


def _agent(messages: Sequence[Message], seed: int) -> Completion:
    chance = random.Random(seed)
    if messages[-1].role == "user" and chance.random() < 0.35:
        return use(chance.choice(TOOLS))
    if messages[-1].role == "tool" and chance.random() < 0.2:
        return use(chance.choice(TOOLS), '{"broken')
    return say(chance.choice(("Anything else?", "One moment.", f"I see ({seed}).")))


def _user(messages: Sequence[Message], seed: int) -> Completion:
    if len(messages) > 12:
        return say("Never mind. END_CONVERSATION")
    return say(f"Please go on, {len(messages)}.")


def _write(seed: int) -> None:
    if LEDGER is not None:
        with os.fdopen(os.open(LEDGER, os.O_APPEND | os.O_CREAT | os.O_WRONLY), "a") as ledger:
            ledger.write(f"{seed}\n")
