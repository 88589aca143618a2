"""The loop of the packed trainers: batches in an order that the seed fixes, checkpoints, and how it can end.

Determined by rows, base model and configuration; a checkpoint (safetensors and JSON, written whole or not at all)
holds adapter and optimizer, and the order needs no state, so going on gives what an uninterrupted job would have.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from josh_engine.errors import DatasetError, OutOfMemory, TrainingError
from josh_engine.training.config import Progress, Report, TrainConfig
from josh_engine.training.packing import Packed
from josh_engine.training.team import Team

CHECKPOINT, ADAPTER = "checkpoint", "adapter"
FORWARD_TOKENS = 6144  # of one forward pass, padding included; a step is split into as many as it takes
LOWER = "Lower sequences_per_step or max_length."


class Objective(Protocol):
    """What a trainer minimises. `sums`: the names of what `loss` finds."""

    sums: tuple[str, ...]

    def prepare(self, model: Any) -> None:
        """Before the first step, with the model as it starts."""
        ...

    def try_on(self, model: Any, few: Sequence[Sequence[Packed]]) -> None:
        """As `prepare`, for these sequences only: enough to take a step on them and see how long it takes."""
        ...

    def loss(self, model: Any, part: Sequence[Packed], whole: Sequence[Packed]) -> tuple[Any, dict[str, float]]:
        """The share of `part` in the loss of the step's `whole`, and sums for the metrics."""
        ...

    def metrics(self, sums: dict[str, float]) -> dict[str, float]: ...


class Loop:
    def __init__(
        self, out: Path, model: Any, sequences: Sequence[Packed], config: TrainConfig, objective: Objective, team: Team
    ) -> None:
        import torch

        self.team, self.device = team, next(model.parameters()).device
        self.out, self.model, self.sequences, self.config, self.objective = out, model, sequences, config, objective
        self.per_epoch = math.ceil(len(sequences) / config.sequences_per_step)
        self.steps = step_count(len(sequences), config)
        self.trained = [(name, each) for name, each in model.named_parameters() if each.requires_grad]
        self.optimizer = torch.optim.AdamW(
            [each for _, each in self.trained], lr=config.learning_rate, weight_decay=0.0
        )
        self.step, self.seconds, self.tokens = 0, 0.0, 0

    def run(self, report: Report) -> float:
        """The last step's loss. Raises TrainingError for what cannot go on; a checkpoint is kept on the way out."""
        self.objective.prepare(self.model)
        self._go_on()
        started, last = time.monotonic() - self.seconds, math.nan
        try:
            while self.step < self.steps:
                loss, metrics = self._one(self._batch(self.step))
                self.step += 1
                self.seconds, last = time.monotonic() - started, loss
                self._tell(report, loss, metrics)
                self._guard(metrics)
                if self.step % self.config.checkpoint_steps == 0:
                    self.save()
        except KeyboardInterrupt:
            self.save()
            raise
        return last

    def _tell(self, report: Report, loss: float, metrics: dict[str, float]) -> None:
        """Where it ends one of them, it ends them all, after the same step."""
        stopped: KeyboardInterrupt | None = None
        try:
            report(Progress(self.step, self.steps, loss, self._rate(self.step - 1), self.seconds, self.tokens, metrics))
        except KeyboardInterrupt as wanted:
            stopped = wanted
        if self.team.any_of(stopped is not None, self.device):
            raise stopped or KeyboardInterrupt

    def _batch(self, step: int) -> list[Packed]:
        epoch, place = divmod(step, self.per_epoch)
        order = list(range(len(self.sequences)))
        random.Random(f"{self.config.seed} {epoch}").shuffle(order)
        size = self.config.sequences_per_step
        return [self.sequences[each] for each in order[place * size : (place + 1) * size]]

    def _one(self, batch: Sequence[Packed]) -> tuple[float, dict[str, float]]:
        import torch

        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(self.step)
        if self.config.dropout:
            torch.manual_seed(self.config.seed * 1_000_003 + self.step)
        total, sums = 0.0, dict[str, float]()
        self.model.train()
        try:
            for part in self.team.share(parts(batch)):
                loss, found = self.objective.loss(self.model, part, batch)
                loss.backward()
                total += float(loss.detach())
                for name, value in found.items():
                    sums[name] = sums.get(name, 0.0) + value
            total, sums = self._together(total, sums)
        except torch.OutOfMemoryError as error:
            raise OutOfMemory(f"The memory does not hold step {self.step + 1}. {self._last()}", remedy=LOWER) from error
        if not math.isfinite(total):
            raise TrainingError(
                f"The loss of step {self.step + 1} is {total}. {self._last()}", remedy="Lower the rate."
            )
        torch.nn.utils.clip_grad_norm_([each for _, each in self.trained], 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.tokens += sum(len(each.tokens) for each in batch)
        return total, self.objective.metrics(sums)

    def _together(self, total: float, sums: dict[str, float]) -> tuple[float, dict[str, float]]:
        """Everybody's shares of the step: gradients, loss and sums for the metrics."""
        if self.team.size == 1:
            return total, sums
        import torch

        for _, each in self.trained:
            each.grad = torch.zeros_like(each) if each.grad is None else each.grad
        told = [total, *(sums.get(name, 0.0) for name in self.objective.sums)]
        figures = torch.tensor(told, dtype=torch.float32, device=self.device)
        self.team.sum_up([*(each.grad for _, each in self.trained), figures])
        total, *summed = figures.tolist()
        return total, dict(zip(self.objective.sums, summed, strict=True))

    def _guard(self, metrics: dict[str, float]) -> None:
        """A trainer that pushes good units down does so without end: arXiv 2402.01306 bounds neither side."""
        below, good = self.config.collapse_below, metrics.get("log_ratio_good")
        if below is not None and good is not None and good < below:
            raise TrainingError(
                f"Good units have fallen by {-good:.2f} nats in the mean at step {self.step}: the model unlearns what"
                f" it should keep. {self._last()}",
                remedy="Lower the learning rate or undesirable_weight, or raise beta.",
            )

    def _last(self) -> str:
        place = self.out / CHECKPOINT
        return f"The last good checkpoint is {place}." if place.exists() else "No checkpoint had been written."

    def _rate(self, step: int) -> float:
        warm = self.config.warmup * self.steps
        if step < warm:
            return self.config.learning_rate * (step + 1) / (warm + 1)
        left = (self.steps - step) / max(1.0, self.steps - warm)
        shapes = {"cosine": 0.5 * (1 + math.cos(math.pi * (1 - left))), "linear": left, "constant": 1.0}
        return self.config.learning_rate * shapes[self.config.schedule]

    def save(self) -> None:
        if not self.team.leads:
            return
        from safetensors import SafetensorError
        from safetensors.torch import save_file

        new, old, place = (self.out / f"{CHECKPOINT}{end}" for end in (".new", ".old", ""))
        for each in (new, old):
            shutil.rmtree(each, ignore_errors=True)
        try:
            new.mkdir(parents=True)
            save_file(
                {name: each.detach().cpu().contiguous() for name, each in self.trained}, new / "adapter.safetensors"
            )
            state = self.optimizer.state_dict()["state"]
            flat = {f"{key}.{name}": value.cpu() for key, kept in state.items() for name, value in kept.items()}
            save_file(flat, new / "optimizer.safetensors")
            stands = {"step": self.step, "seconds": self.seconds, "tokens": self.tokens}
            (new / "state.json").write_text(json.dumps(stands), encoding="utf-8")
        except (OSError, SafetensorError) as error:  # of a full disk it depends who was writing
            raise TrainingError(
                f"No checkpoint of step {self.step} can be written: {error}. {self._last()}", remedy="Free some disk."
            ) from error
        if place.exists():
            place.replace(old)
        new.replace(place)
        shutil.rmtree(old, ignore_errors=True)

    def _go_on(self) -> None:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        found = next((each for end in ("", ".old") if (each := self.out / f"{CHECKPOINT}{end}").exists()), None)
        if found is None:
            return
        try:
            weights, state = load_file(found / "adapter.safetensors"), dict[int, dict[str, Any]]()
            for name, each in self.trained:
                each.data.copy_(weights[name])
            for name, value in load_file(found / "optimizer.safetensors").items():
                key, _, part = name.partition(".")
                state.setdefault(int(key), {})[part] = value
            self.optimizer.load_state_dict(
                {"state": state, "param_groups": self.optimizer.state_dict()["param_groups"]}
            )
            stands = json.loads((found / "state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise DatasetError(f"{found} cannot be read: {error}.", remedy="Delete it to start over.") from error
        self.step, self.seconds, self.tokens = stands["step"], stands["seconds"], stands["tokens"]


def step_count(sequences: int, config: TrainConfig) -> int:
    per_epoch = math.ceil(sequences / config.sequences_per_step)
    return min(config.max_steps or 10**9, max(1, round(per_epoch * config.epochs)))


def parts(batch: Sequence[Packed]) -> list[list[Packed]]:
    """The batch in forward passes of at most FORWARD_TOKENS, sequences of like length together."""
    found: list[list[Packed]] = []
    for each in sorted(batch, key=lambda packed: len(packed.tokens)):
        if found and (len(found[-1]) + 1) * len(each.tokens) <= FORWARD_TOKENS:
            found[-1].append(each)
        else:
            found.append([each])
    return found
