"""Trains the embedded model from nothing on the invented corpus. Minutes on a GPU; on two CPU cores, sittings.

Shapes, weights of tokens and the corpus' habits are reasoned in `docs/embedded.md`. Matrices are trained by Muon,
embeddings and norms by AdamW (torch.optim's own); the rates warm up, hold, and fall linearly over the last part, so
that a sitting may be added by raising `tokens` before the fall has begun. A checkpoint is written every few minutes
and on Ctrl-C; the same command goes on from it, at the batch where it stood.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from embedded import checkpoints
from embedded.batches import BLOCK, OTHERS_WEIGHT, Batch, row_of, stream
from embedded.corpus import HELD_OUT, conversation
from embedded.vocabulary import SIZE, TEMPLATE, WINDOW, train
from embedded.weights import write_manifest

HELD_OUT_ROWS = 64
LONGEST_REPLY = 128  # tokens; the teacher's longest has 65
JUDGED = 250  # steps between two looks at the held-out loss
LOG = "log.jsonl"


@dataclass(frozen=True, slots=True)
class Shape:
    """A Llama. The default: 1.9 million parameters, 3.8 MB in bfloat16; larger ones learn no faster on two cores."""

    width: int = 160
    layers: int = 5
    heads: int = 5
    inner: int = 448


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast; `tokens` are without padding. Rates: ours. `compiled`: by torch.compile, which needs a
    C++ compiler and makes two cores 1.3 times as fast. `block`: conversations shuffled together; `texts`: those the
    tokenizer is learnt from; `reported`: steps between two points."""

    tokens: int = 48_000_000
    matrix_rate: float = 0.02
    other_rate: float = 0.004
    warmup_tokens: int = 300_000
    falling: float = 0.4  # the last part, in which the rates fall to 0
    weight_decay: float = 0.01
    threads: int = 2
    compiled: bool = False
    checkpoint_seconds: float = 180.0
    block: int = BLOCK
    texts: int = 3_000
    reported: int = 50


@dataclass(frozen=True, slots=True)
class Point:
    """Where a run stands. `loss`: mean per agent's token since the last point. `held_out`: the same on conversations
    that are never trained on; None between two looks at it."""

    tokens: int
    steps: int
    seconds: float
    loss: float
    held_out: float | None = None


Report = Callable[[Point], None]


def pretrain(folder: Path, shape: Shape, schedule: Schedule, report: Report) -> Path:
    """Trains, or goes on, in `folder`; returns the finished model's folder in it. Ctrl-C keeps a checkpoint."""
    import torch

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    torch.set_num_threads(schedule.threads)
    folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(folder, shape, schedule)
    try:
        for point in trainer.run():
            with (folder / LOG).open("a", encoding="utf-8") as log:
                log.write(json.dumps(asdict(point)) + "\n")
            report(point)
    finally:
        trainer.save()
    return trainer.finish()


class Trainer:
    def __init__(self, folder: Path, shape: Shape, schedule: Schedule) -> None:
        import torch

        torch.manual_seed(0)
        self.folder, self.shape, self.schedule = folder, shape, schedule
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.tokenizer = _tokenizer(folder, schedule.texts)
        self.model = new_model(shape, self.tokenizer).to(self.device)
        self.optimizers = _optimizers(self.model, schedule)
        self.tokens = self.steps = self.block = self.used = 0
        self.seconds = 0.0
        self.held_out = [row_of(conversation(HELD_OUT + each), self.tokenizer) for each in range(HELD_OUT_ROWS)]
        self._go_on(checkpoints.load(folder, self.model, self.optimizers, asdict(shape)))
        self.forward = torch.compile(self.model, dynamic=False) if schedule.compiled else self.model

    def run(self) -> Iterator[Point]:
        started, saved = time.monotonic() - self.seconds, time.monotonic()
        losses: list[float] = []
        for batch in self._batches():
            if self.tokens >= self.schedule.tokens:
                return
            losses.append(self._step(batch))
            self.seconds = time.monotonic() - started
            last = self.tokens >= self.schedule.tokens
            if last or self.steps % self.schedule.reported == 0:
                held_out = self.held_out_loss() if last or self.steps % JUDGED == 0 else None
                yield Point(self.tokens, self.steps, self.seconds, sum(losses) / len(losses), held_out)
                losses.clear()
            if time.monotonic() - saved > self.schedule.checkpoint_seconds:
                self.save()
                saved = time.monotonic()

    def _batches(self) -> Iterator[Batch]:
        """From where the run stands; `block` and `used` say what comes next."""
        for block, made in stream(self.block, self.folder, self.schedule.block):
            for batch in made[self.used :]:
                self.used += 1
                yield batch
            self.block, self.used = block + 1, 0

    def _step(self, batch: Batch) -> float:
        import torch

        factor = rate_factor(self.tokens, self.schedule)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["full_rate"] * factor
        loss, agents = self._loss(self.forward, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        self.steps += 1
        self.tokens += sum(len(row.ids) for row in batch)
        return agents

    def _loss(self, model: Any, batch: Batch) -> tuple[Any, float]:
        """The weighted mean loss, and the plain mean over the agent's tokens."""
        import torch

        ids, agents, real = (each.to(self.device) for each in padded(batch))
        with torch.autocast(self.device, dtype=torch.bfloat16):
            logits = model(input_ids=ids[:, :-1]).logits
        losses = torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1), ids[:, 1:].flatten(), reduction="none"
        ).view(ids.shape[0], -1)
        agents, real = agents[:, 1:], real[:, 1:]
        weights = agents + OTHERS_WEIGHT * (real - agents)
        mean = (losses.detach() * agents).sum() / agents.sum().clamp(min=1)
        return (losses * weights).sum() / weights.sum(), float(mean)

    def held_out_loss(self) -> float:
        import torch

        rows = sorted(self.held_out, key=lambda row: len(row.ids))
        total = count = 0.0
        with torch.no_grad():
            for start in range(0, len(rows), 4):
                batch = tuple(rows[start : start + 4])
                agents = sum(sum(row.agents) for row in batch)
                total += self._loss(self.model, batch)[1] * agents
                count += agents
        return total / count

    def save(self) -> None:
        stands = {name: getattr(self, name) for name in ("tokens", "steps", "block", "used", "seconds")}
        checkpoints.save(self.folder, self.model, self.optimizers, {**stands, "shape": asdict(self.shape)})

    def _go_on(self, before: dict[str, Any] | None) -> None:
        for name in ("tokens", "steps", "block", "used", "seconds") if before else ():
            setattr(self, name, before[name] if before else None)

    def finish(self) -> Path:
        """The model as it stands, in bfloat16, beside its tokenizer."""
        import torch

        made = self.folder / "model"
        self.model.generation_config.max_new_tokens = LONGEST_REPLY
        self.model.to(torch.bfloat16).save_pretrained(made, safe_serialization=True)
        self.tokenizer.chat_template = TEMPLATE
        self.tokenizer.save_pretrained(made)
        write_manifest(made, {"tokens": self.tokens, "steps": self.steps, "seconds": round(self.seconds)})
        return made


def rate_factor(tokens: int, schedule: Schedule) -> float:
    """Warm-up, then 1, then linearly to 0 at the end."""
    left = max(0.0, 1 - tokens / schedule.tokens)
    return min(1.0, (tokens + 1) / schedule.warmup_tokens, left / schedule.falling)


def new_model(shape: Shape, tokenizer: Any) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        hidden_size=shape.width, num_hidden_layers=shape.layers, num_attention_heads=shape.heads,
        intermediate_size=shape.inner, vocab_size=SIZE, max_position_embeddings=WINDOW, tie_word_embeddings=True,
        bos_token_id=None, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        initializer_range=1 / math.sqrt(shape.width) / 2, attn_implementation="sdpa",
    )  # fmt: skip
    return LlamaForCausalLM(config)


def _optimizers(model: Any, schedule: Schedule) -> list[Any]:
    import torch

    named = list(model.named_parameters())
    matrices = [each for name, each in named if each.ndim == 2 and "embed" not in name]
    others = [each for name, each in named if each.ndim != 2 or "embed" in name]
    muon = torch.optim.Muon(matrices, lr=schedule.matrix_rate, weight_decay=schedule.weight_decay)
    adam = torch.optim.AdamW(others, lr=schedule.other_rate, betas=(0.9, 0.98), weight_decay=0.0)
    for optimizer in (muon, adam):
        for group in optimizer.param_groups:
            group["full_rate"] = group["lr"]
    return [muon, adam]


def padded(batch: Batch) -> tuple[Any, Any, Any]:
    """Ids, agent's tokens and real tokens, each (rows, length + 1). Attention is causal, so padding on the right is
    never seen by what stands before it."""
    import torch

    length = max(row.length for row in batch) + 1
    ids = torch.zeros(len(batch), length, dtype=torch.long)
    agents, real = torch.zeros(len(batch), length), torch.zeros(len(batch), length)
    for place, row in enumerate(batch):
        ids[place, : len(row.ids)] = torch.tensor(row.ids)
        agents[place, : len(row.ids)] = torch.tensor(list(row.agents), dtype=torch.float)
        real[place, : len(row.ids)] = 1
    return ids, agents, real


def _tokenizer(folder: Path, texts: int) -> Any:
    """The folder's, learnt first where it has none."""
    from transformers import AutoTokenizer

    if not (folder / "tokenizer.json").exists():
        train([each.content for number in range(texts) for each in conversation(number)]).save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder, local_files_only=True)
