"""The embedded model by transformers' own `generate`, one request after another: the peer of `bench.embedded`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from embedded import MODEL
from josh_engine.values import Completion, Message, Sampling, Tool, Usage


class PlainModel:
    """A ChatModel; every prompt is read from its first token, as `generate` does it."""

    def __init__(self) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        torch.set_num_threads(1)
        self.tokenizer = AutoTokenizer.from_pretrained(MODEL)
        self.model: Any = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32).eval()

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        sampling: Sampling | None = None,
        seed: int | None = None,
    ) -> Completion:
        import torch

        torch.manual_seed(seed or 0)
        told = [{"role": each.role, "content": each.content} for each in messages]
        text = self.tokenizer.apply_chat_template(told, tokenize=False, add_generation_prompt=True)
        ids = self.tokenizer(text, add_special_tokens=False, return_tensors="pt").input_ids
        with torch.inference_mode():
            out = self.model.generate(
                ids, attention_mask=torch.ones_like(ids), do_sample=True,
                temperature=sampling.temperature if sampling else 1.0, max_new_tokens=128,
            )  # fmt: skip
        made = out[0, ids.shape[1] :]
        words = self.tokenizer.decode(made, skip_special_tokens=True).strip()
        return Completion(words, usage=Usage(1, ids.shape[1], len(made)))
