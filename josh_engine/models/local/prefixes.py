"""Prompts read before, so that a prompt that goes on from one of them is read from there.

A conversation's next prompt is its last one and more; siblings and scenarios share their system prompt. The longest
common beginning with any kept sequence is reused, to the token. The least recently used go when room is short.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from josh_engine.models.local.past import Past, past_bytes, shortened

Tokens = NDArray[np.int32]


def as_tokens(ids: Sequence[int]) -> Tokens:
    return np.asarray(ids, dtype=np.int32)


def shared_length(one: Tokens, other: Tokens) -> int:
    """How many tokens both begin with."""
    length = min(len(one), len(other))
    differing = np.flatnonzero(one[:length] != other[:length])
    return int(differing[0]) if len(differing) else length


class Prefixes:
    """`room`: how many bytes of past may be kept."""

    def __init__(self, room: int) -> None:
        self.room, self.used = room, 0
        self.kept: OrderedDict[bytes, tuple[Tokens, Past]] = OrderedDict()

    def longest(self, tokens: Tokens) -> tuple[int, Past]:
        """How many of these tokens were read before, and their past: a view of what is kept. Never all of them, since
        the last token's logits are wanted."""
        best, key = 0, b""
        for name, (known, _) in self.kept.items():
            shared = shared_length(tokens[:-1], known)
            if shared > best:
                best, key = shared, name
        if not best:
            return 0, ()
        self.kept.move_to_end(key)
        return best, shortened(self.kept[key][1], best)

    def keep(self, tokens: Tokens, past: Past) -> None:
        """Keeps a sequence, in the place of those it goes on from; the beginning of another is kept already."""
        for name, (known, _) in list(self.kept.items()):
            shared = shared_length(tokens, known)
            if shared == len(tokens):
                self.kept.move_to_end(name)
                return
            if shared == len(known):
                self._forget(name)
        size = past_bytes(past)
        if size > self.room:
            return
        while self.used + size > self.room:
            self._forget(next(iter(self.kept)))
        self.kept[tokens.tobytes()] = (tokens, past)
        self.used += size

    def clear(self) -> None:
        self.kept.clear()
        self.used = 0

    def _forget(self, name: bytes) -> None:
        _, past = self.kept.pop(name)
        self.used -= past_bytes(past)
