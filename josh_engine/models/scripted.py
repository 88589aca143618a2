"""A fake chat model: answers from a function of (messages, seed), after a latency, and keeps a ledger of what it was
asked. It stands where a paid endpoint would, so the ledger shows what would have been paid.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from josh_engine.values import Completion, Message, Sampling, Tool, ToolCall, Usage

Answer = Callable[[Sequence[Message], int], Completion]


class ScriptedModel:
    """`ledger` is called with the seed of each call as it is served, before the answer goes out."""

    def __init__(self, answer: Answer, *, seconds: float = 0.0, ledger: Callable[[int], None] | None = None) -> None:
        self.answer = answer
        self.seconds = seconds
        self.ledger = ledger
        self.served = 0

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        sampling: Sampling | None = None,
        seed: int | None = None,
    ) -> Completion:
        self.served += 1
        if self.ledger is not None:
            self.ledger(seed or 0)
        completion = self.answer(messages, seed or 0)
        await asyncio.sleep(self.seconds)
        return completion


def say(text: str) -> Completion:
    """An answer in words."""
    return Completion(text, usage=Usage(1, 10, len(text.split())))


def use(name: str, raw: str = "{}", content: str = "") -> Completion:
    """An answer that calls one tool with `raw` as its arguments."""
    call = ToolCall("", name, raw=raw)
    return Completion(content, (call,), finish="tool_calls", usage=Usage(1, 10, 5))
