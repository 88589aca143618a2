"""Seeds that depend on what is played and on nothing else: not on ids given by chance, time or completion order.

Siblings get different seeds (the authors' public code gives all siblings one, and a server that honours seeds then
returns identical branches); a rerun gets the same ones; and `greedy` shares those of `josh`'s first branches.
"""

from __future__ import annotations

from hashlib import blake2b


def turn_seed(run_seed: int, scenario_id: str, trial: int, node_id: str) -> int:
    """The seed of one turn, in 0..2^31-1 (what OpenAI-compatible servers take)."""
    return _hash(f"{run_seed}\x1f{scenario_id}\x1f{trial}\x1f{node_id}")


def call_seed(turn: int, call: int) -> int:
    """The seed of the turn's model call number `call`, counted from 0."""
    return _hash(f"{turn}\x1f{call}")


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest()) & 0x7FFFFFFF
