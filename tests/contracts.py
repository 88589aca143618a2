"""What every world, agent, user and model must keep, as one line in a test:

def test_contract(): check_world(open_world(...), split="test")

The questions are `josh_engine.contracts`', which the command line and the page ask too.
"""

from __future__ import annotations

from collections.abc import Sequence

from josh_engine.contracts import environment_findings, player_findings, world_findings
from josh_engine.models.absent import AbsentModel
from josh_engine.ports import Agent, ChatModel, Environment, UserSimulator, World
from josh_engine.values import Goal, Scenario


def check_world(world: World, split: str, *, scenarios: int = 5) -> None:
    assert world_findings(world, split, scenarios=scenarios) == ()


def check_environment(environment: Environment, goals: Sequence[Goal]) -> None:
    assert environment_findings(environment, goals) == ()


def check_players(
    agent: Agent,
    user: UserSimulator,
    world: World,
    scenario: Scenario,
    *,
    exchanges: int = 4,
    model: ChatModel | None = None,
) -> None:
    chat = model or AbsentModel("--model")
    assert player_findings(agent, user, world, scenario, model=chat, exchanges=exchanges) == ()
