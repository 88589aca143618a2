"""KTO on packed units (arXiv 2402.01306; arXiv 2409.04617, section 2.2): a unit is one generation, good or bad.

The units of a path share one forward pass; the reference's log-probabilities are computed once, before training. What
differs from TRL's trainer: the reference point stays 0 (`losses`), and no unit is cut from its context.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from josh_engine.training.config import TrainConfig
from josh_engine.training.loop import parts
from josh_engine.training.losses import kto_losses, token_log_probabilities, unit_sums
from josh_engine.training.packing import Packed


class PackedKto:
    sums: tuple[str, ...] = ("good", "bad", "ratio_good", "ratio_bad")

    def __init__(self, config: TrainConfig, sequences: Sequence[Packed]) -> None:
        self.config, self.sequences = config, sequences
        self.reference: dict[tuple[int, ...], Any] = {}

    def prepare(self, model: Any) -> None:
        """The model without its adapter is the reference."""
        self.try_on(model, parts(self.sequences))

    def try_on(self, model: Any, few: Sequence[Sequence[Packed]]) -> None:
        import torch

        model.eval()
        with torch.no_grad(), model.disable_adapter():
            for part in few:
                told = token_log_probabilities(model, part, self.config.bfloat16)
                for each, packed in zip(told, part, strict=True):
                    self.reference[packed.tokens] = unit_sums(each, packed)

    def loss(self, model: Any, part: Sequence[Packed], whole: Sequence[Packed]) -> tuple[Any, dict[str, float]]:
        import torch

        told = token_log_probabilities(model, part, self.config.bfloat16)
        sums = torch.cat([unit_sums(each, packed) for each, packed in zip(told, part, strict=True)])
        reference = torch.cat([self.reference[packed.tokens] for packed in part])
        good = torch.tensor([span.good for packed in part for span in packed.spans], device=sums.device)
        units = sum(len(packed.spans) for packed in whole)
        ratio = (sums - reference).detach()
        found = {
            "good": float(good.sum()),
            "bad": float((~good).sum()),
            "ratio_good": float(ratio[good].sum()),
            "ratio_bad": float(ratio[~good].sum()),
        }
        return kto_losses(sums, reference, good, self.config).sum() / units, found

    def metrics(self, sums: dict[str, float]) -> dict[str, float]:
        """Mean log-ratios to the reference in nats, and the reward margin, beta times their difference."""
        told = {f"log_ratio_{side}": sums[f"ratio_{side}"] / sums[side] for side in ("good", "bad") if sums.get(side)}
        if len(told) == 2:
            told["margin"] = self.config.beta * (told["log_ratio_good"] - told["log_ratio_bad"])
        return told
