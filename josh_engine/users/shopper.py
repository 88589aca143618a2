"""τ-bench retail's user simulator: a model plays the customer of a task's instruction, turn by turn in a chat whose
roles are flipped. Strategy `llm` (https://github.com/sierra-research/tau-bench, user.py); temperature 0 by the run's
`user_sampling`.

Its best-known flaw is left out: ###STOP### beside an agreement, before the agent can act, is not taken as the end
(`josh_engine.users.speech`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from josh_engine.ports import ChatModel, Environment
from josh_engine.prompting import filled, prompt_text
from josh_engine.users.asking import ask
from josh_engine.users.speech import heard, spoken
from josh_engine.values import Message, Scenario, Turn

OPENING = "Hi! How can I help you today?"
FORM = "Write the customer's next message, in plain words."
# ###STOP###, also with other marks around it, or the bare word alone.
STOP = re.compile(r"[*_`\"'“”\[({<]*#{2,}\s*STOP\b\s*#*|\A[*_`\"'“”\[({<#\s]*STOP\b[^\w]*\Z")


class ShopperUser:
    """`prompts`: edited texts by name; without `shopper` the shipped text is used."""

    needs_model = True
    prompt = "shopper"

    def __init__(self, prompts: Mapping[str, str] | None = None) -> None:
        self.text = prompt_text(self.prompt, prompts)

    async def turn(
        self, scenario: Scenario, path: Sequence[Turn], environment: Environment, model: ChatModel, seed: int
    ) -> Turn:
        asked = [Message("system", filled(self.text, {"brief": "\n".join(scenario.brief)})), Message("user", OPENING)]
        for turn in path:
            asked.append(Message("assistant" if turn.speaker == "user" else "user", turn.reply or ""))
        return spoken(await ask(model, asked, lambda content: heard(content, STOP), form=FORM), path)
