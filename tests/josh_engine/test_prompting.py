"""Prompt texts: as they are sent to a model (read by eye: tests/golden), edited copies, and what cannot be filled."""

from __future__ import annotations

from pathlib import Path

import pytest
from one_turn import agent_says, user_says, user_turn_of

from josh_engine.agents.act import ActAgent
from josh_engine.agents.function_calling import FunctionCallingAgent
from josh_engine.agents.react import ReactAgent
from josh_engine.agents.tau import TauActAgent, TauFunctionCallingAgent, TauReactAgent
from josh_engine.errors import ConfigError
from josh_engine.prompting import PLACES, filled, prompt_text
from josh_engine.users.goal import GoalUser
from josh_engine.users.guide import GuideUser
from josh_engine.users.shopper import ShopperUser
from josh_engine.values import Scenario
from tests.toolwoz.small_town import environment, goals

GOLDEN = Path(__file__).parents[1] / "golden"
GUIDE = ("I need somewhere cheap to eat.", "Which food?", "Thai, in the north.", "The Red Lantern is booked.")
SCENARIO = Scenario(
    "s",
    "toolwoz",
    "test",
    ("You are looking for a thai restaurant in the north.", "Book a table for 2 people on monday at 19:00."),
    goals("restaurant", {"food": "thai", "area": "north"}),
    GUIDE,
)
PATH = (user_says("I'd like to eat out."), agent_says("Gladly. What kind of food?"))


def sent(name: str) -> str:
    """What the player's model gets first."""
    agents = {
        "react": ReactAgent, "act": ActAgent, "function_calling": FunctionCallingAgent, "tau_react": TauReactAgent,
        "tau_act": TauActAgent, "tau_function_calling": TauFunctionCallingAgent,
    }  # fmt: skip
    if name in agents:
        return agents[name]().preamble(environment(*SCENARIO.goals)).messages[0].content
    user = {"goal": GoalUser, "guide": GuideUser, "shopper": ShopperUser}[name]()
    _, model = user_turn_of(user, ['"Thai food."'], SCENARIO, PATH)
    return model.asked[0][0][0].content


@pytest.mark.parametrize("name", PLACES)
def test_what_is_sent_is_what_was_read_by_eye(name):
    golden = (GOLDEN / f"{name}_prompt.txt").read_text(encoding="utf-8")
    assert sent(name) + "\n" == golden, f"Read the new text; if it is right, save it as tests/golden/{name}_prompt.txt."


@pytest.mark.parametrize("name", PLACES)
def test_every_prompt_file_is_headed_by_what_it_is_and_the_header_is_not_sent(name):
    text = prompt_text(name)
    assert text.startswith("<!--") and "arXiv 2409.04617" in text and "This comment is not sent." in text
    assert "arXiv" not in filled(text, {})


def test_what_is_filled_in_is_not_filled_again():
    assert filled("{{a}} {{b}} {c} {{d}}", {"a": "{{b}}", "b": "<!-- x -->"}) == "{{b}} <!-- x --> {c} {{d}}"


def test_only_a_comment_at_the_head_is_left_out():
    assert filled("\n<!-- head\n{{a}} -->\nbody <!-- kept -->", {"a": "x"}) == "body <!-- kept -->"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("react", "{{tools}} {{polcy}}", "holds {{polcy}}.*{{policy}}, {{tools}}"),
        ("react", "{{policy}}", "lacks {{tools}}"),
        ("goal", "{{brief}}", "lacks {{conversation}}"),
        ("guide", "<!-- {{guide}} -->{{brief}} {{conversation}}", "lacks {{guide}}"),
    ],
)
def test_an_edited_prompt_that_cannot_be_filled_is_refused(name, text, said):
    with pytest.raises(ConfigError, match=said):
        prompt_text(name, {name: text})
