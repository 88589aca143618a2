"""Continuous batching: whatever waits is played in one forward pass; rows join and leave between the passes.

Greedy output equals transformers' `generate`, row for row, whatever the batch and whatever was read before, up to the
last float bits: other shapes make other sums, in bfloat16 visibly so. Sampled output of a row is drawn from that row's
own generator (`sampling`), so the same bits are all that its neighbours can change.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from josh_engine.errors import BadResponse, ModelError, ModelUnavailable
from josh_engine.models.local.past import Past, RowCache, past_bytes
from josh_engine.models.local.prefixes import Prefixes, Tokens, as_tokens, shared_length
from josh_engine.models.local.reading import READ_AT_ONCE, Reader
from josh_engine.models.local.sampling import Wish, choose, log_probabilities

if TYPE_CHECKING:
    from torch import Tensor

WORTH_SHARING = 32  # a common beginning shorter than this is read by each row itself
FOR_PREFIXES = 3  # one part in so many of the room is for prompts read before


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `limit`: at most so many tokens are generated."""

    id: int
    prompt: Tokens
    limit: int
    seed: int
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int | None = None
    log_probabilities: bool = False

    @property
    def longest(self) -> int:
        return len(self.prompt) + self.limit


@dataclass(frozen=True, slots=True)
class Generated:
    """The tokens, without the one that ended them; or why there are none. `reused`: prompt tokens not read again."""

    id: int
    tokens: tuple[int, ...] = ()
    finish: str = "stop"
    reused: int = 0
    log_probabilities: tuple[float, ...] = ()
    error: ModelError | None = None


@dataclass(slots=True)
class _Row:
    asked: Asked
    chance: random.Random
    reused: int = 0
    tokens: list[int] = field(default_factory=list)
    log_probabilities: list[float] = field(default_factory=list)

    def wish(self) -> Wish:
        return Wish(self.asked.temperature, self.asked.top_p, self.asked.top_k, self.chance.random())

    def generated(self, finish: str) -> Generated:
        tokens = self.tokens[:-1] if finish == "stop" else self.tokens
        return Generated(
            self.asked.id, tuple(tokens), finish, self.reused, tuple(self.log_probabilities[: len(tokens)])
        )


class Batch:
    """`model`: a causal model of transformers, in eval mode. `stops`: the tokens that end a reply. `room`: bytes for
    keys and values; a single row may take more."""

    def __init__(self, model: Any, *, stops: frozenset[int], room: int, max_rows: int) -> None:
        self.reader, self.stops, self.max_rows = Reader(model), stops, max_rows
        self.prefixes = Prefixes(room // FOR_PREFIXES)
        self.room = room - room // FOR_PREFIXES
        self.waiting: deque[Asked] = deque()
        self.joining: list[Asked] = []
        self.rows: list[_Row] = []
        self.cache: RowCache | None = None
        self.token_bytes = 0

    def warm_up(self) -> None:
        """One pass over one token: it measures what a token takes, and raises BadResponse for weights that are
        numbers in name only."""
        import torch

        with torch.inference_mode():
            ((past, logits),) = self.reader.read_all([(as_tokens([0]), ())])
        self.token_bytes = past_bytes(past)
        if not _is_number(logits):
            raise _not_a_number()

    @property
    def busy(self) -> bool:
        return bool(self.waiting or self.rows)

    def add(self, asked: Asked) -> None:
        self.waiting.append(asked)

    def drop(self, number: int) -> None:
        """Nobody waits for this answer any more."""
        import torch

        self.waiting = deque(asked for asked in self.waiting if asked.id != number)
        for index, row in enumerate(self.rows):
            if row.asked.id == number:
                with torch.inference_mode():
                    self._leave(index)
                return

    def step(self) -> list[Generated]:
        """Lets waiting rows join, and all rows generate one token. What this finished."""
        import torch

        try:
            with torch.inference_mode():
                return [*self._join(), *self._generate()]
        except torch.OutOfMemoryError:
            return self._retreat()

    def _join(self) -> list[Generated]:
        self.joining = self._chosen()
        if not self.joining:
            return []
        self._read_shared()
        same: dict[bytes, list[Asked]] = {}
        for asked in self.joining:
            same.setdefault(asked.prompt.tobytes(), []).append(asked)
        prompts = [group[0].prompt for group in same.values()]
        known = [self.prefixes.longest(prompt) for prompt in prompts]
        read = self._read([(prompt, past) for prompt, (_, past) in zip(prompts, known, strict=True)])
        rows, pasts, logits = [], [], []
        for group, (reused, _), (past, last) in zip(same.values(), known, read, strict=True):
            rows += [_Row(asked, random.Random(asked.seed), reused) for asked in group]
            pasts += [past] * len(group)
            logits += [last] * len(group)
        done = self._choose(rows, logits)
        going = [index for index in range(len(rows)) if index not in done]
        if going:
            self.rows += [rows[index] for index in going]
            self.cache = self.cache or RowCache([], self.reader.model.device)
            self.cache.join([pasts[index] for index in going])
        self.joining = []
        return list(done.values())

    def _chosen(self) -> list[Asked]:
        """Those that may join now: as many as fit, first come first served; at least one where none runs."""
        chosen: list[Asked] = []
        longest = max((row.asked.longest for row in self.rows), default=0)
        tokens = 0
        while self.waiting and len(self.rows) + len(chosen) < self.max_rows:
            asked = self.waiting[0]
            longest, tokens = max(longest, asked.longest), tokens + len(asked.prompt)
            rows = len(self.rows) + len(chosen) + 1
            too_long = bool(chosen) and bool(self.rows) and tokens > READ_AT_ONCE
            if too_long or (rows > 1 and rows * longest * self.token_bytes > self.room):
                break
            chosen.append(self.waiting.popleft())
        return chosen

    def _read_shared(self) -> None:
        """What all that join begin with is read once, unless it was read before."""
        ordered = sorted(asked.prompt.tolist() for asked in self.joining)
        first, last = as_tokens(ordered[0]), as_tokens(ordered[-1])
        shared = shared_length(first, last)
        if ordered[0] == ordered[-1] or shared < WORTH_SHARING:
            return
        known, past = self.prefixes.longest(first[:shared])
        if shared - known >= WORTH_SHARING:
            self._read([(first[:shared], past)])

    def _read(self, prompts: Sequence[tuple[Tokens, Past]]) -> list[tuple[Past, Tensor]]:
        read = self.reader.read_all(prompts)
        for (tokens, _), (past, logits) in zip(prompts, read, strict=True):
            if _is_number(logits):
                self.prefixes.keep(tokens, past)
        return read

    def _generate(self) -> list[Generated]:
        import torch

        if not self.rows or self.cache is None:
            return []
        ids = torch.tensor([[row.tokens[-1]] for row in self.rows])
        positions = torch.tensor([[self.cache.length(row)] for row in range(len(self.rows))])
        logits = self.reader.forward(ids, positions, self.cache.read(1), cache=self.cache, columns=[0])
        done = self._choose(self.rows, list(logits[:, 0]))
        for index in sorted(done, reverse=True):
            if done[index].error is None:
                row = self.rows[index]
                tokens = as_tokens([*row.asked.prompt.tolist(), *row.tokens[:-1]])
                self.prefixes.keep(tokens, self.cache.take(index))
            self._leave(index)
        return list(done.values())

    def _choose(self, rows: Sequence[_Row], logits: Sequence[Tensor]) -> dict[int, Generated]:
        """Gives each row its next token. By index, those that this finished."""
        import torch

        scores = torch.stack(list(logits))
        broken = (~scores.max(-1).values.isfinite()).tolist()
        if any(broken):
            scores = torch.where(torch.tensor(broken, device=scores.device).unsqueeze(1), 0.0, scores)
        tokens = choose(scores, [row.wish() for row in rows])
        if any(row.asked.log_probabilities for row in rows):
            for row, found in zip(rows, log_probabilities(scores, tokens), strict=True):
                row.log_probabilities.append(found)
        done: dict[int, Generated] = {}
        for index, (row, token) in enumerate(zip(rows, tokens, strict=True)):
            row.tokens.append(token)
            if broken[index]:
                done[index] = Generated(row.asked.id, error=_not_a_number())
            elif token in self.stops:
                done[index] = row.generated("stop")
            elif len(row.tokens) >= row.asked.limit:
                done[index] = row.generated("length")
        return done

    def _leave(self, index: int) -> None:
        """The row goes; the last one takes its place, here and in the cache."""
        last = self.rows.pop()
        if index < len(self.rows):
            self.rows[index] = last
        if self.cache is not None:
            self.cache.leave(index)
        if not self.rows:
            self.cache = None

    def _retreat(self) -> list[Generated]:
        """The memory does not reach: everybody starts again, fewer at a time. Seeds make the same rows of it."""
        import torch

        again = [*(row.asked for row in self.rows), *self.joining]
        self.rows, self.joining, self.cache = [], [], None
        self.prefixes.clear()
        torch.cuda.empty_cache()
        if len(again) < 2:
            return [Generated(asked.id, error=_too_large()) for asked in again]
        self.max_rows = len(again) // 2
        self.waiting.extendleft(reversed(again))
        return []


def _is_number(logits: Tensor) -> bool:
    return bool(logits.max().isfinite())


def _not_a_number() -> BadResponse:
    error = BadResponse(
        "The model's output is not a number (NaN).",
        remedy="Its weights are damaged, or training diverged: use another checkpoint, or get the weights again.",
    )
    error.retry = False
    return error


def _too_large() -> ModelUnavailable:
    error = ModelUnavailable(
        "The device's memory does not hold this model with one conversation.",
        remedy="Lower max_tokens, use a smaller model, or load it with 4-bit quantisation.",
    )
    error.retry = False
    return error
