"""What the packed trainers minimise. All take the sums of log-probabilities of whole generations (units)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from josh_engine.training.config import TrainConfig
from josh_engine.training.packing import Packed


def token_log_probabilities(model: Any, sequences: Sequence[Packed], bfloat16: bool | None) -> list[Any]:
    """For each sequence the log-probability of every token but the first, given those before it."""
    import torch

    device = next(model.parameters()).device
    longest = max(len(each.tokens) for each in sequences)
    ids = torch.zeros(len(sequences), longest, dtype=torch.long)
    for row, each in enumerate(sequences):
        ids[row, : len(each.tokens)] = torch.tensor(each.tokens)
    ids = ids.to(device)  # attention is causal: padding on the right is never seen
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bool(bfloat16)):
        logits = model(input_ids=ids[:, :-1]).logits
    losses = torch.nn.functional.cross_entropy(
        logits.float().flatten(0, 1), ids[:, 1:].flatten(), reduction="none"
    ).view(len(sequences), -1)
    return [-losses[row, : len(each.tokens) - 1] for row, each in enumerate(sequences)]


def unit_sums(log_probabilities: Any, packed: Packed) -> Any:
    """The sum over each span's tokens, in the spans' order."""
    import torch

    return torch.stack([log_probabilities[span.start - 1 : span.stop - 1].sum() for span in packed.spans])


def sft_loss(sums: Any, tokens: int) -> Any:
    """Mean negative log-likelihood over the agent's own tokens; what a guest or a tool wrote counts nothing."""
    return -sums.sum() / tokens


def kto_losses(sums: Any, reference: Any, good: Any, config: TrainConfig) -> Any:
    """KTO's loss of each unit (arXiv 2402.01306, equation 8) with reference point 0.

    The paper estimates the reference point from mismatched pairs and clamps it at 0 from below; with cached reference
    log-probabilities and a LoRA that starts as the reference itself it starts at 0, and there it stays here.
    """
    import torch

    ratio = sums - reference
    signed = torch.where(good, ratio, -ratio)
    weight = torch.where(good, config.desirable_weight, config.undesirable_weight)
    return weight * (1 - torch.sigmoid(config.beta * signed))
