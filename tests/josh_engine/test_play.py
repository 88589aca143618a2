"""JOSH on one's own agent, in memory."""

from __future__ import annotations

import random

import pytest

from josh_engine.config import StrategyConfig
from josh_engine.errors import ConfigError, SimulationError
from josh_engine.play import play
from josh_engine.users.scripted import ScriptedUser
from josh_engine.values import Goal, Message, Preamble, ToolCall, Turn

GOALS = [Goal(f"g{n}", "say_hello") for n in range(3)]


class Greeter:
    def preamble(self, environment):
        return Preamble((Message("system", environment.policy),), environment.tools)

    async def turn(self, path, environment, model, seed):
        calls = (
            (environment.call(ToolCall(f"call_{len(path)}", "say_hello")),)
            if random.Random(seed).random() < 0.5
            else ()
        )
        text = f"Hello! ({seed})"
        return Turn("agent", (Message("assistant", text, sampled=True),), calls, text)


def test_goals_in_reward_tree_and_rows_out():
    outcome = play(GOALS, Greeter(), ScriptedUser(["hi"] * 15))
    assert outcome.reward == 1.0
    assert outcome.tree.ended == "all_goals_won"
    assert {row["label"] for row in outcome.rows("kto")} == {True, False}
    assert outcome.rows("sft") and outcome.rows("openai")


def test_the_same_seed_gives_the_same_rows_and_another_seed_others():
    def rows(seed: int):
        return play(GOALS, Greeter(), ScriptedUser(["hi"] * 15), seed=seed).rows("kto")

    assert rows(1) == rows(1) != rows(2)


def test_an_agent_that_asks_a_model_that_was_not_given_is_told_so():
    from josh_engine.agents.scripted import ScriptedAgent

    with pytest.raises(SimulationError, match=r"needs a model.*model="):
        play(GOALS, ScriptedAgent(), ScriptedUser())


def test_a_bad_strategy_is_refused_before_anything_is_played():
    with pytest.raises(ConfigError, match="beam"):
        play(GOALS, Greeter(), ScriptedUser(), strategy=StrategyConfig(max_beam=0))
