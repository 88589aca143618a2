"""τ-bench retail's user simulator: a model plays the customer of a task's instruction, turn by turn in a chat whose
roles are flipped. Strategy `llm` (https://github.com/sierra-research/tau-bench, user.py); temperature 0 by the run's
`user_sampling`.

Its best-known flaw is left out: ###STOP### beside an agreement, before the agent can act, is not taken as the end
(`josh_engine.users.speech`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from josh_engine.messages import without_thoughts
from josh_engine.ports import ChatModel, Environment
from josh_engine.prompting import filled, prompt_text
from josh_engine.users.speech import Speech, spoken
from josh_engine.values import Message, Scenario, Turn

OPENING = "Hi! How can I help you today?"
STOP = "###STOP###"


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
        completion = await model.complete(tuple(asked))
        words, stop, _ = without_thoughts(completion.content).partition(STOP)
        return spoken(Speech(words.strip(), bool(stop)), path)
