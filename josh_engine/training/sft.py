"""Supervised fine-tuning on the good generations (arXiv 2409.04617, section 2.2), all of a path in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from josh_engine.training.config import TrainConfig
from josh_engine.training.losses import sft_loss, token_log_probabilities, unit_sums
from josh_engine.training.packing import Packed


class Supervised:
    sums: tuple[str, ...] = ()

    def __init__(self, config: TrainConfig) -> None:
        self.config = config

    def prepare(self, model: Any) -> None:
        """Nothing: there is no reference."""

    def try_on(self, model: Any, few: Sequence[Sequence[Packed]]) -> None:
        """Nothing either."""

    def loss(self, model: Any, part: Sequence[Packed], whole: Sequence[Packed]) -> tuple[Any, dict[str, float]]:
        tokens = sum(span.stop - span.start for each in whole for span in each.spans)
        told = token_log_probabilities(model, part, self.config.bfloat16)
        sums = [unit_sums(each, packed) for each, packed in zip(told, part, strict=True)]
        return sum(sft_loss(each, tokens) for each in sums), {}

    def metrics(self, sums: dict[str, float]) -> dict[str, float]:
        return {}
