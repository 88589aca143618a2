"""Asks a model for the user's next words, and again where none came back.

A user simulator's answer that is no move (`models/finishes.py`) or cannot be read is no one's turn: the agent in
training did nothing wrong. The model is told and asked again; if that does not help, the rollout fails by a
BadResponse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from josh_engine.errors import BadResponse
from josh_engine.models.finishes import NoMove, moved
from josh_engine.ports import ChatModel
from josh_engine.values import Message

T = TypeVar("T")
TRIES = 3


async def ask(model: ChatModel, messages: Sequence[Message], read: Callable[[str], T | None], *, form: str) -> T:
    """What `read` makes of the model's answer to `messages`; None: it cannot be used. `form` says how it must look, and
    is put after the last message when it is asked for again."""
    asked, why = messages, ""
    for attempt in range(1, TRIES + 1):
        try:
            answer = read(moved(await model.complete(tuple(asked))).content)
        except NoMove as fault:
            answer, why = None, f" The last one: {fault.why}."
        if answer is not None:
            return answer
        *before, last = messages
        asked = [*before, replace(last, content=f"{last.content}\n\n(Attempt {attempt} could not be used. {form})")]
    raise BadResponse(
        f"The user's model gave no usable answer in {TRIES} attempts.{why}",
        remedy="Name another one with --user-model, or raise --user-max-tokens.",
    )
