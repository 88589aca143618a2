"""A person as a chat model: what is asked lies on a table until somebody answers it.

So a person can play either side of a conversation, and everything else stays as it is: the journal keeps each answer,
a killed run goes on where it was, and the conversation is a rollout like any other. The question's id is the hash of
what is asked; an answer that was given while nobody played is found again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import replace

from josh_engine.errors import Away
from josh_engine.messages import wire, wire_tools
from josh_engine.ports import Table
from josh_engine.values import Completion, Message, Question, Sampling, Tool, Usage

LOOK_SECONDS = 0.2  # how soon an answer is seen
PATIENCE_SECONDS = 900.0  # without an answer for so long the run pauses; answering resumes it


class PersonModel:
    """`patience`: seconds until the person counts as away."""

    def __init__(self, table: Table, patience: float = PATIENCE_SECONDS) -> None:
        self.table, self.patience = table, patience

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        sampling: Sampling | None = None,
        seed: int | None = None,
    ) -> Completion:
        """Raises Away where nobody answers in time, or the run is to stop."""
        question = question_of(messages, tools)
        self.table.put(question)
        deadline = time.monotonic() + self.patience
        while (answer := self.table.answer(question.id)) is None:
            if self.table.is_left() or time.monotonic() > deadline:
                raise Away("Nobody has answered.", remedy="Answer on the Talk page, and the run goes on.")
            await asyncio.sleep(LOOK_SECONDS)
        return replace(answer, usage=Usage(calls=1), usd=0.0)


def question_of(messages: Sequence[Message], tools: Sequence[Tool]) -> Question:
    asked = json.dumps([[wire(message) for message in messages], wire_tools(tools)], ensure_ascii=False)
    return Question(hashlib.sha256(asked.encode()).hexdigest()[:32], tuple(messages), tuple(tools))
