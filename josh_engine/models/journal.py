"""A paid call is never paid twice.

The driver wraps the model once per turn. The wrapper numbers the turn's calls, fills in sampling and seed, and keeps
each answer under (rollout, node, call) before it is used. On a resume the same turn asks the same questions and gets
the kept answers; a question that differs means that code or prompts changed in between, which is an error, never a
silent second answer.

An answer that is no move (`models/finishes.py`) is asked for again before it is kept. An agent's that is none to the
end is kept too, so that the turn fails in the same way on a resume; a user's is not, and the rollout that it fails can
be resumed. What the others cost is counted with the answer that is kept.

At temperature 0 an identical request within a rollout is asked for once (josh.md 1.10: sibling leaves often put the
user in the very same place): a kept answer is reused, a call in flight is shared. Never across trials, which exist to
measure variation.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import replace

from josh_engine.errors import SimulationError
from josh_engine.messages import wire, wire_tools
from josh_engine.models.finishes import moved, no_move
from josh_engine.ports import ChatModel, Journal
from josh_engine.seeds import call_seed
from josh_engine.values import Completion, JournalEntry, Message, Sampling, Speaker, Tool, Usage

TRIES = 6  # of an answer that is no move: as many as of a call that fails
OWN_TRIES = 3  # where the model itself is the reason, and only another seed can help


def request_hash(messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> str:
    """What was asked: messages, tools and sampling, but not the seed, which the node and call number imply."""
    asked = [
        [wire(message) for message in messages],
        wire_tools(tools),
        [sampling.temperature, sampling.top_p, sampling.top_k, sampling.max_tokens],
    ]
    return hashlib.sha256(json.dumps(asked, ensure_ascii=False).encode()).hexdigest()


class JournalledRollout:
    """One rollout's view of the journal, and its calls in flight."""

    def __init__(self, rollout: str, journal: Journal) -> None:
        self.rollout = rollout
        self.journal = journal
        self.in_flight: dict[str, asyncio.Future[Completion]] = {}

    def model_for(
        self, node: str, model: ChatModel, sampling: Sampling, *, seed: int, speaker: Speaker = "agent"
    ) -> JournalledModel:
        return JournalledModel(self, node, model, sampling, seed=seed, speaker=speaker)


class JournalledModel:
    """The ChatModel one turn gets. `calls`, `usage`, `usd` and `seconds` are what this turn's answers cost."""

    def __init__(
        self,
        rollout: JournalledRollout,
        node: str,
        model: ChatModel,
        sampling: Sampling,
        *,
        seed: int,
        speaker: Speaker,
    ) -> None:
        self.rollout, self.node, self.model = rollout, node, model
        self.sampling, self.seed, self.speaker = sampling, seed, speaker
        self.thrown_away: list[Completion] = []  # paid for, and not yet counted with an answer that was kept
        self.calls = 0
        self.usage = Usage()
        self.usd: float | None = 0.0
        self.seconds = 0.0

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        sampling: Sampling | None = None,
        seed: int | None = None,
    ) -> Completion:
        """Raises NoMove where the answer is none, also when it was asked again."""
        call, self.calls = self.calls, self.calls + 1
        chosen = sampling or self.sampling
        request = request_hash(messages, tools, chosen)
        entry = self._replayed(call, request)
        if entry is None and chosen.temperature == 0:
            entry = await self._shared(call, request)
        if entry is None:
            seed = call_seed(self.seed, call) if seed is None else seed
            entry = await self._asked(call, request, messages, tools=tools, sampling=chosen, seed=seed)
        return moved(self._counted(entry))

    def _replayed(self, call: int, request: str) -> JournalEntry | None:
        entry = self.rollout.journal.find(self.rollout.rollout, self.node, call)
        if entry is not None and entry.request != request:
            raise SimulationError(
                f"Call {call} of turn {self.node} is not the one that was answered before: code or prompts changed.",
                remedy="Start a new run.",
            )
        return entry

    async def _shared(self, call: int, request: str) -> JournalEntry | None:
        if request in self.rollout.in_flight:
            completion = await asyncio.shield(self.rollout.in_flight[request])
        else:
            same = self.rollout.journal.find_same(self.rollout.rollout, request)
            if same is None:
                return None
            completion = same.completion
        free = replace(completion, usage=Usage(), usd=0.0)
        return await self._kept(JournalEntry(self.rollout.rollout, self.node, call, request, free, 0.0))

    async def _asked(
        self,
        call: int,
        request: str,
        messages: Sequence[Message],
        *,
        tools: Sequence[Tool],
        sampling: Sampling,
        seed: int,
    ) -> JournalEntry:
        answer: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(lambda future: future.cancelled() or future.exception())  # others may not be waiting
        if sampling.temperature == 0:
            self.rollout.in_flight[request] = answer
        started = time.perf_counter()
        try:
            completion = await self._asked_again(messages, tools, sampling, seed=seed)
            if self.speaker == "user":
                moved(completion)
            completion = self._with_thrown_away(completion)
            seconds = time.perf_counter() - started
            entry = JournalEntry(self.rollout.rollout, self.node, call, request, completion, seconds)
            await self._kept(entry)
            answer.set_result(completion)
        except BaseException as error:
            answer.set_exception(error)
            raise
        finally:
            self.rollout.in_flight.pop(request, None)
        return entry

    async def _asked_again(
        self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling, *, seed: int
    ) -> Completion:
        """The first answer that is a move; else the last one.

        A server's fault passes, so it is asked the very same again. A model that was stopped by the run's own token
        limit, or that answers alike whenever the seed is the same (`repeatable`), gets another seed."""
        tried = 0
        while True:
            completion = await self.model.complete(messages, tools, sampling, seed)
            own = getattr(self.model, "repeatable", False) or (
                sampling.max_tokens is not None and completion.usage.completion_tokens >= sampling.max_tokens
            )
            tried += 1
            if no_move(completion) is None or tried >= (OWN_TRIES if own else TRIES):
                return completion
            self.thrown_away.append(completion)
            seed = call_seed(seed, tried) if own else seed

    def _with_thrown_away(self, completion: Completion) -> Completion:
        """The answer with what the ones before it cost that were no move."""
        usage, usd = completion.usage, completion.usd
        for each in self.thrown_away:
            usage += each.usage
            usd = None if usd is None or each.usd is None else usd + each.usd
        self.thrown_away.clear()
        return replace(completion, usage=usage, usd=usd)

    async def _kept(self, entry: JournalEntry) -> JournalEntry:
        await self.rollout.journal.keep(entry)
        return entry

    def _counted(self, entry: JournalEntry) -> Completion:
        self.usage += entry.completion.usage
        usd = entry.completion.usd
        self.usd = None if usd is None or self.usd is None else self.usd + usd
        self.seconds += entry.seconds
        return entry.completion
