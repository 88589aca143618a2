"""Parts for tests of the app: a domain-free world, an agent, a user and a model, named as "module:attribute".

Child processes open them too, so what a test wants of them comes through the environment: FAKE_SECONDS (latency of a
model call), FAKE_LEDGER (a file that gets a line per call served, as a paid endpoint's bill would), FAKE_FAULT (a
scenario whose model times out while the file of that name exists).
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from josh_engine.agents.scripted import ScriptedAgent
from josh_engine.errors import ModelUnavailable
from josh_engine.models.local.process import WorkerProcess
from josh_engine.models.local_chat import LocalChat
from josh_engine.models.scripted import ScriptedModel, say, use
from josh_engine.users.scripted import ScriptedUser
from josh_engine.values import Completion, Goal, Message, Scenario
from josh_engine.worlds.scripted import ScriptedWorld

WORLD = "tests.app.fake_parts:open_world"
AGENT = "tests.app.fake_parts:Agent"
USER = "tests.app.fake_parts:User"
MODEL = "tests.app.fake_parts:open_model"
SIZES = {"train": 12, "test": 6, "empty": 0, "aimless": 1}


class FakeWorld(ScriptedWorld):
    name = "fake"
    splits = tuple(SIZES)

    def __init__(self, data: Path) -> None:
        super().__init__(())
        self.attribution = f"Invented for tests, in {data.name}."

    def scenarios(self, split: str) -> Sequence[Scenario]:
        return [_scenario(split, number) for number in range(SIZES[split])]


def open_world(data: Path) -> FakeWorld:
    return FakeWorld(data)


def _scenario(split: str, number: int) -> Scenario:
    names = () if split == "aimless" else ("find_hotel", "book_hotel")
    goals = tuple(Goal(name, name, {"number": str(number)}) for name in names)
    return Scenario(f"{split}/{number}", "fake", split, (f"scenario {split}/{number}", "go on", "and then?"), goals)


class Agent(ScriptedAgent):
    """Shows its `max_generations`, so that a test can see it was handed on."""

    def __init__(self, max_generations: int) -> None:
        super().__init__(max_generations, system=f"At most {max_generations} generations.")


class User(ScriptedUser):
    def __init__(self) -> None:
        super().__init__()


def open_model() -> ScriptedModel:
    return ScriptedModel(answer, seconds=float(os.environ.get("FAKE_SECONDS", "0")), ledger=_bill)


def answer(messages: Sequence[Message], seed: int) -> Completion:
    """A seeded choice: the right call, a malformed one, or words."""
    number = messages[1].content.rpartition("/")[2]
    _fault(messages[1].content)
    if messages[-1].role == "tool":
        return say(f"done {messages[-1].content}")
    chance = random.Random(seed)
    name = chance.choice(("find_hotel", "book_hotel"))
    arguments: Mapping[float, str] = {0.4: f'{{"number": "{number}"}}', 0.6: '{"number": '}
    drawn = chance.random()
    for bound, raw in arguments.items():
        if drawn < bound:
            return use(name, raw)
    return say(f"Which hotel? ({seed % 7})")


def _fault(line: str) -> None:
    fault = os.environ.get("FAKE_FAULT", "")
    if fault and Path(fault).exists() and line.endswith(Path(fault).read_text()):
        raise ModelUnavailable("The model did not answer in time.")


def _bill(seed: int) -> None:
    if ledger := os.environ.get("FAKE_LEDGER"):
        with Path(ledger).open("a") as file:
            file.write(f"{seed}\n")


def open_stuck_model() -> LocalChat:
    """A local model that never answers, where `tests.app.stuck_worker` is put in the worker's place."""
    return LocalChat([WorkerProcess({}, small=True)])


def open_priced_model() -> ScriptedModel:
    return ScriptedModel(lambda messages, seed: replace(answer(messages, seed), usd=0.01))


def open_unpriced_model() -> ScriptedModel:
    return ScriptedModel(lambda messages, seed: replace(answer(messages, seed), usd=None))
