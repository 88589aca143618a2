"""What goes wrong at the fake endpoint, drawn from the request's own content and how often it was asked.

Never from the order of requests: so a run meets the same faults at any concurrency, and a request that is repeated
gets through in the end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

KINDS = ("limited", "error", "timeout", "reset", "truncated", "empty_choices", "wrong_shape", "unavailable")
INSIDE = (
    "error_inside",
    "words_inside",
    "error_in_choice",
    "too_large",
    "loading",
)  # refusals in disguise
NO_MOVES = ("length", "filtered", "broken_off", "silent", "thinking", "half_call")  # whole answers that are no move


@dataclass(frozen=True)
class Faults:
    """`share` of all tries go wrong, in one of these ways; `times`: a request goes wrong at most so often (0: any)."""

    share: float = 0.0
    kinds: Sequence[str] = KINDS
    seed: int = 0
    times: int = 0

    def drawn(self, request: str, attempt: int) -> str | None:
        """The kind of fault this try of a request meets; None: it is answered."""
        if self.times and attempt >= self.times:
            return None
        digest = hashlib.blake2b(f"{self.seed}/{request}/{attempt}".encode(), digest_size=8).digest()
        if int.from_bytes(digest[:4]) / 2**32 >= self.share:
            return None
        return self.kinds[int.from_bytes(digest[4:]) % len(self.kinds)]
