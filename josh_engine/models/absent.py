"""The model of a part that plays without one. Asking it anything is the person's mistake, and says so."""

from __future__ import annotations

from collections.abc import Sequence

from josh_engine.errors import ConfigError
from josh_engine.values import Completion, Message, Sampling, Tool


class AbsentModel:
    def __init__(self, option: str) -> None:
        """`option` is what would have named a model, for the message: "--model" or "--user-model"."""
        self.option = option

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        sampling: Sampling | None = None,
        seed: int | None = None,
    ) -> Completion:
        raise ConfigError("This part needs a model, and the run names none.", remedy=f"Give one with {self.option}.")
