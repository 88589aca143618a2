"""Asks a model for the user's next words, and again where none came back.

A user simulator's empty or unreadable answer is no one's move: the agent in training did nothing wrong, so it must not
become a turn. The model is told and asked again; if that does not help, the rollout fails by a BadResponse.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from josh_engine.errors import BadResponse
from josh_engine.ports import ChatModel
from josh_engine.values import Message

T = TypeVar("T")
TRIES = 3


async def ask(model: ChatModel, prompt: str, read: Callable[[str], T | None], *, form: str) -> T:
    """What `read` makes of the model's answer to `prompt`. `form` says how it must look, in the repeated request.

    The prompt is one user message: there are chat templates that refuse a system message, alone or in the end.
    """
    asked = prompt
    for attempt in range(1, TRIES + 1):
        completion = await model.complete((Message("user", asked),))
        answer = read(completion.content)
        if answer is not None:
            return answer
        asked = f"{prompt}\n\n(Attempt {attempt} could not be used. {form})"
    raise BadResponse(
        f"The user's model gave no usable answer in {TRIES} attempts.", remedy="Name another one with --user-model."
    )
