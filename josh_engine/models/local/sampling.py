"""One next token for every row of a batch, each by its own wishes and its own chance.

Order as in transformers: temperature, top_k, top_p. A row's chance is one uniform number per token from a generator
seeded for that row, so that what a row gets does not depend on who else is in the batch, nor on the device; only the
logits do, by their last float bits. Equal logits (bfloat16 makes many) are ordered by token id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

COLDEST = 1e-4  # divided by less, logits leave float32

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Wish:
    """How one row samples. temperature 0: the likeliest token. top_p 1 and top_k None: no cut. chance: in [0, 1)."""

    temperature: float
    top_p: float
    top_k: int | None
    chance: float


def choose(logits: Tensor, wishes: Sequence[Wish]) -> list[int]:
    """One token id per row. `logits`: [rows, vocabulary], float32, without NaN."""
    likeliest = logits.argmax(-1).tolist()
    groups: dict[int | None, list[int]] = {}
    for row, wish in enumerate(wishes):
        if wish.temperature > 0:
            groups.setdefault(wish.top_k, []).append(row)
    chosen: list[int] = likeliest
    for top_k, rows in groups.items():
        drawn = _draw(logits[rows], [wishes[row] for row in rows], top_k)
        for row, token in zip(rows, drawn, strict=True):
            chosen[row] = token
    return chosen


def log_probabilities(logits: Tensor, tokens: Sequence[int]) -> list[float]:
    """The model's own log-probability of each row's token, before temperature and cuts."""
    import torch

    picked = torch.tensor(tokens, device=logits.device).unsqueeze(1)
    found: list[float] = (logits.gather(1, picked).squeeze(1) - logits.logsumexp(-1)).tolist()
    return found


def _draw(logits: Tensor, wishes: Sequence[Wish], top_k: int | None) -> list[int]:
    import torch

    def column(values: list[float]) -> Tensor:
        return torch.tensor(values, device=logits.device, dtype=torch.float32).unsqueeze(1)

    if top_k is None and all(wish.top_p >= 1 for wish in wishes):
        return _draw_from_all(logits, column([max(wish.temperature, COLDEST) for wish in wishes]), wishes)
    ranked, ids = _ranked(logits, top_k)
    probabilities = (ranked / column([max(wish.temperature, COLDEST) for wish in wishes])).softmax(-1)
    before = probabilities.cumsum(-1) - probabilities
    kept = before < column([wish.top_p for wish in wishes])
    kept[:, 0] = True  # the likeliest always stays
    mass = (probabilities * kept).cumsum(-1)
    point = column([wish.chance for wish in wishes]) * mass[:, -1:]
    place = torch.minimum((mass <= point).sum(-1, keepdim=True), kept.sum(-1, keepdim=True) - 1)
    tokens: list[int] = ids.gather(1, place).squeeze(1).tolist()
    return tokens


def _draw_from_all(logits: Tensor, temperatures: Tensor, wishes: Sequence[Wish]) -> list[int]:
    """Nothing is cut, so nothing need be ranked: the chance is a place in the whole distribution, by token id."""
    import torch

    mass = (logits / temperatures).softmax(-1).cumsum(-1)
    chance = torch.tensor([wish.chance for wish in wishes], device=logits.device).unsqueeze(1)
    place = (mass <= chance * mass[:, -1:]).sum(-1).clamp(max=logits.shape[-1] - 1)
    tokens: list[int] = place.tolist()
    return tokens


def _ranked(logits: Tensor, top_k: int | None) -> tuple[Tensor, Tensor]:
    """(logits, token ids), best first; of equals, the lower id first."""
    if top_k is None or top_k >= logits.shape[-1]:
        ranked = logits.sort(dim=-1, descending=True, stable=True)
        return ranked.values, ranked.indices
    best = logits.topk(top_k, dim=-1)
    ids = best.indices.sort(dim=-1).values
    ranked = logits.gather(1, ids).sort(dim=-1, descending=True, stable=True)
    return ranked.values, ids.gather(1, ranked.indices)
