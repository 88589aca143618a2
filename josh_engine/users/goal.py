"""The goal user simulator: a model plays a customer with the scenario's brief (arXiv 2409.04617, table 11).

It is asked for one line at a time, in one user message that holds brief and conversation, so equal conversations ask
equal questions. How it is sampled is the run's `user_sampling` (the paper: temperature 0).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from josh_engine.ports import ChatModel, Environment
from josh_engine.prompting import filled, prompt_text
from josh_engine.users.asking import ask
from josh_engine.users.speech import heard, numbered, spoken, written_down
from josh_engine.values import Message, Scenario, Turn

FORM = "Write the customer's next message, in plain words."


class GoalUser:
    """`prompts`: edited texts by name; without `goal` the shipped text is used."""

    needs_model = True
    prompt = "goal"

    def __init__(self, prompts: Mapping[str, str] | None = None) -> None:
        self.text = prompt_text(self.prompt, prompts)

    async def turn(
        self, scenario: Scenario, path: Sequence[Turn], environment: Environment, model: ChatModel, seed: int
    ) -> Turn:
        prompt = filled(self.text, {"brief": numbered(scenario), "conversation": written_down(path)})
        # One user message: there are chat templates that refuse a system message, alone or in the end.
        return spoken(await ask(model, [Message("user", prompt)], heard, form=FORM), path)
