"""Tokens per second of a local model, by rows in flight, over transformers' own `generate` one prompt after another.

A random Llama of 3 million parameters and 2,048 tokens, on the CPU, one thread; distinct prompts, 64 tokens each,
sampled with Appendix B's settings. Ours includes the process, the pipe, the chat template and the tokenizer. And what
a prompt costs that goes on from an earlier one. With long prompts most of the work is reading them, which one core
does no faster together than one by one; with short ones the gain of the batch shows.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.figures import Figure
from josh_engine.models.local_chat import LocalChat, open_local
from josh_engine.values import Completion, Message, Sampling

TOKENS = 64
LONG, SHORT = (120, 360), (8, 24)  # tokens a prompt has
SAMPLING = Sampling(1.5, top_p=0.75, top_k=50, max_tokens=TOKENS)
TEMPLATE = "{% for message in messages %}<{{ message.content }}>{% endfor %}"
VOCABULARY = 2048


def measure() -> Iterator[Figure]:
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        place = save_model(Path(folder))
        for name, length in (("prompts of 120-360", LONG), ("prompts of 8-24", SHORT)):
            plain = plain_speed(place, prompts(8, length, seed=0))
            yield Figure(f"transformers' generate, {name}", plain, "tokens/s")
            for rows in (1, 8, 64):
                speed = asyncio.run(ours(place, length, rows))
                yield Figure(f"local chat over it, {name}, {rows} in flight", speed / plain, "", "", f"{speed:.0f}/s")
        yield asyncio.run(reuse(place))


async def ours(place: Path, length: tuple[int, int], rows: int) -> float:
    """Tokens per second of a fresh process, which has read nothing."""
    chat = open_local(place, device="cpu")
    await chat.ready()
    await speed_of(chat, prompts(1, SHORT, seed=9), 1)
    speed = await speed_of(chat, prompts(max(rows, 8), length, seed=1), rows)
    await chat.close()
    return speed


async def speed_of(chat: LocalChat, texts: Sequence[str], rows: int) -> float:
    """Tokens per second with so many requests in flight at any time."""
    free = asyncio.Semaphore(rows)

    async def one(index: int, text: str) -> Completion:
        async with free:
            return await chat.complete([Message("user", text)], sampling=SAMPLING, seed=index)

    started = time.perf_counter()
    done = await asyncio.gather(*(one(index, text) for index, text in enumerate(texts)))
    return sum(each.usage.completion_tokens for each in done) / (time.perf_counter() - started)


async def reuse(place: Path) -> Figure:
    """One token after a prompt of 3,000 tokens: read as a whole, over read on from an earlier prompt."""
    chat = open_local(place, device="cpu")
    await chat.ready()
    short, long = Sampling(0.0, max_tokens=1), prompts(3, (3000, 3000), seed=2)
    fresh, known = 0.0, 0.0
    for text in long:
        for goes_on in (False, True):
            started = time.perf_counter()
            await chat.complete([Message("user", text + " go on" * goes_on)], sampling=short, seed=0)
            seconds = time.perf_counter() - started
            fresh, known = fresh + seconds * (not goes_on), known + seconds * goes_on
    await chat.close()
    detail = f"{1000 * known / len(long):.0f} ms over {1000 * fresh / len(long):.0f} ms"
    return Figure("a prompt that goes on from an earlier one, time", known / fresh, "", "", detail)


def plain_speed(place: Path, texts: Sequence[str]) -> float:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(1)
    tokenizer: Any = AutoTokenizer.from_pretrained(place)
    model: Any = AutoModelForCausalLM.from_pretrained(place)
    how = {"do_sample": True, "temperature": 1.5, "top_p": 0.75, "top_k": 50, "max_new_tokens": TOKENS}

    def generate(text: str) -> None:
        model.generate(**tokenizer(f"<{text}>", return_tensors="pt"), **how, pad_token_id=0)

    generate(texts[0])
    started = time.perf_counter()
    for text in texts:
        generate(text)
    return len(texts) * TOKENS / (time.perf_counter() - started)


def prompts(count: int, length: tuple[int, int], *, seed: int) -> list[str]:
    """Letters in random order: one token each."""
    chance = random.Random(seed)
    return ["".join(chance.choices("abcdefghij klmnop", k=chance.randint(*length))) for _ in range(count)]


def save_model(folder: Path) -> Path:
    """No end token, so that every reply has all its tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed

    letters = {letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocab=letters, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    set_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=5,
        num_attention_heads=6,
        max_position_embeddings=4096,
        eos_token_id=None,
        bos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, chat_template=TEMPLATE).save_pretrained(folder)
    return folder
