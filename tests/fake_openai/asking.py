"""Asks the fake endpoint through the real client: what most tests of it begin with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from fake_openai.server import Programme, Running, running

from josh_engine.models.limits import Limits, Patience
from josh_engine.models.openai_chat import OpenAIChat
from josh_engine.values import Completion, Message, Tool

T = TypeVar("T")
KEY = "sk-canary-8d1f"
ASKED = (Message("system", "You book hotels."), Message("user", "A cheap one, please."))
TOOL = Tool("find_hotel", "Finds a hotel.", {"type": "object", "properties": {"area": {"type": "string"}}})
HASTY = Patience(first=0.01, longest=0.02)


def chat(url: str, **settings: Any) -> OpenAIChat:
    settings = {"limits": Limits(patience=HASTY), "key": KEY, "key_env": "MY_KEY"} | settings
    return OpenAIChat(url, settings.pop("model", "tiny"), **settings)


def using(model: OpenAIChat, work: Callable[[OpenAIChat], Awaitable[T]]) -> T:
    async def and_close() -> T:
        try:
            return await work(model)
        finally:
            await model.close()

    return asyncio.run(and_close())


def ask(model: OpenAIChat, **given: Any) -> Completion:
    return using(model, lambda opened: opened.complete(ASKED, **given))


def answered(answer: Any, **settings: Any) -> Completion:
    """What the model makes of this answer."""
    with running(Programme(lambda body: answer)) as server:
        return ask(chat(server.url, **settings))


def failed(programme: Programme, kind: type[T], **settings: Any) -> tuple[T, Running]:
    """The error, and the server with what it was asked."""
    with running(programme) as server, pytest.raises(kind) as caught:  # type: ignore[type-var]
        ask(chat(server.url, **settings))
    return caught.value, server  # type: ignore[return-value]
