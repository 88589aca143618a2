"""The user played by a person: the scenario's brief and the conversation are put to them, and they say the rest.

Unlike a model's, a person's words are taken as they are, and they hang up by saying so (`HUNG_UP`), at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from josh_engine.models.finishes import HUNG_UP
from josh_engine.ports import ChatModel, Environment
from josh_engine.users.speech import FAREWELL, numbered
from josh_engine.values import Message, Scenario, Turn


class PersonUser:
    """Its model is a person; it would take any other one by its word as well."""

    needs_model = True

    async def turn(
        self, scenario: Scenario, path: Sequence[Turn], environment: Environment, model: ChatModel, seed: int
    ) -> Turn:
        """The other side's words are `user` messages here, and its own `assistant`, as a chat model would see it."""
        heard = [Message("assistant" if turn.speaker == "user" else "user", turn.reply or "") for turn in path]
        answer = await model.complete((Message("system", numbered(scenario)), *heard))
        words = answer.content.strip() or FAREWELL
        stop = "ended" if answer.finish == HUNG_UP else "spoke"
        return Turn("user", (Message("user", words),), reply=words, stop=stop)  # type: ignore[arg-type]
