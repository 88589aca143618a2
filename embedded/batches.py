"""Conversations as batches of token ids, made in a process beside the trainer's, in an order that their numbers fix.

A row is one conversation, padded on the right to one of a few lengths; so a batch has one of a few shapes, and what
is learnt stays within a conversation. What the agent wrote weighs 1; what a guest or a tool wrote weighs little.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from embedded.corpus import Conversation, conversation
from embedded.vocabulary import AGENT, END

LENGTHS = (384, 576, 768, 1024, 1408, 2048)  # rows are padded to the next of these, or cut to the last
BATCH_TOKENS = 6144
BLOCK = 1600  # conversations that are shuffled together: those of 32 towns
OTHERS_WEIGHT = 0.1  # of a token that guest or tool wrote; ours
POLICY_MESSAGE = {"role": "system", "content": ""}  # the template writes policy and tools as one mark


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation: its ids, and which of them the agent wrote (one byte each)."""

    ids: tuple[int, ...]
    agents: bytes

    @property
    def length(self) -> int:
        return next((each for each in LENGTHS if len(self.ids) <= each), LENGTHS[-1])


Batch = tuple[Row, ...]  # rows of one length


def batches(block: int, tokenizer: Path, size: int = BLOCK) -> list[Batch]:
    """The block's conversations as batches of about BATCH_TOKENS, shuffled; the same arguments give the same."""
    opened = _opened(str(tokenizer))
    numbers = list(range(block * size, (block + 1) * size))
    random = Random(f"block {block}")
    random.shuffle(numbers)
    by_length: dict[int, list[Row]] = {}
    for number in numbers:
        row = row_of(conversation(number), opened)
        by_length.setdefault(row.length, []).append(row)
    made = [batch for length, rows in by_length.items() for batch in _cut(rows, max(1, BATCH_TOKENS // length))]
    random.shuffle(made)
    return made


def row_of(messages: Conversation, tokenizer: Any) -> Row:
    told = [POLICY_MESSAGE, *({"role": each.role, "content": each.content} for each in messages)]
    text = tokenizer.apply_chat_template(told, tokenize=False)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"][: LENGTHS[-1]]
    agent, end = tokenizer.convert_tokens_to_ids([AGENT, END])
    speaking, agents = False, bytearray()
    for each in ids:
        agents.append(speaking)
        speaking = (speaking or each == agent) and each != end
    return Row(tuple(ids), bytes(agents))


def stream(start: int, tokenizer: Path, size: int = BLOCK) -> Iterator[tuple[int, list[Batch]]]:
    """Blocks from `start` on, endlessly, each with its number; the next is made while one is used."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting: Future[list[Batch]] = pool.submit(batches, start, tokenizer, size)
        block = start
        while True:
            ready = waiting.result()
            waiting = pool.submit(batches, block + 1, tokenizer, size)
            yield block, ready
            block += 1


@lru_cache(maxsize=1)
def _opened(folder: str) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def _cut(rows: Sequence[Row], size: int) -> list[Batch]:
    """Full batches only, so that a trainer meets few shapes; what is left over is left out."""
    return [tuple(rows[start : start + size]) for start in range(0, len(rows) - size + 1, size)]
