"""A model's passes: reading prompts, many at once, each from where its known past ends."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from josh_engine.models.local.past import Past, RowCache
from josh_engine.models.local.prefixes import Tokens

if TYPE_CHECKING:
    from torch import Tensor

READ_AT_ONCE = 8192  # tokens read in one pass; more would keep running rows waiting, and take memory


class Reader:
    """`model`: a causal model of transformers, in eval mode."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.picks_columns = "logits_to_keep" in inspect.signature(model.forward).parameters

    def forward(self, ids: Tensor, positions: Tensor, mask: Tensor, *, cache: RowCache, columns: list[int]) -> Tensor:
        """One pass. Logits at these columns of `ids`, in float32: [rows, columns, vocabulary]."""
        import torch

        device = self.model.device
        wanted = torch.tensor(columns, device=device)
        more = {"logits_to_keep": wanted} if self.picks_columns else {}
        given = {"input_ids": ids.to(device), "position_ids": positions.to(device), "attention_mask": mask}
        logits: Tensor = self.model(**given, past_key_values=cache.cache, use_cache=True, **more).logits
        return (logits if self.picks_columns else logits[:, wanted]).float()

    def read_all(self, prompts: Sequence[tuple[Tokens, Past]]) -> list[tuple[Past, Tensor]]:
        """Each prompt, from where its past ends, as (its whole past, the logits after its last token). Prompts with
        similarly many new tokens share a pass: the shorter ones are padded."""
        new = [len(tokens) - _length(past) for tokens, past in prompts]
        groups: list[list[int]] = []
        for index in sorted(range(len(prompts)), key=new.__getitem__):
            if not groups or (len(groups[-1]) + 1) * new[index] > READ_AT_ONCE:
                groups.append([])
            groups[-1].append(index)
        read: dict[int, tuple[Past, Tensor]] = {}
        for group in groups:
            read.update(zip(group, self._read([prompts[index] for index in group]), strict=True))
        return [read[index] for index in range(len(prompts))]

    def _read(self, prompts: Sequence[tuple[Tokens, Past]]) -> list[tuple[Past, Tensor]]:
        """Pasts stand padded on the left, new tokens on the right: a padded token comes after all that see it not."""
        import torch

        cache = RowCache([past for _, past in prompts], self.model.device)
        known = [_length(past) for _, past in prompts]
        new = [tokens[length:] for (tokens, _), length in zip(prompts, known, strict=True)]
        width = max(map(len, new))
        unused = [width - len(tokens) for tokens in new]
        ids = torch.zeros(len(new), width, dtype=torch.long)
        for row, tokens in enumerate(new):
            ids[row, : len(tokens)] = torch.from_numpy(tokens)
        positions = torch.tensor(known).unsqueeze(1) + torch.arange(width)
        ends = sorted({len(tokens) - 1 for tokens in new})
        logits = self.forward(ids, positions, cache.read(width, unused), cache=cache, columns=ends)
        places = [ends.index(len(tokens) - 1) for tokens in new]
        return [(cache.take(row, unused[row]), logits[row, place]) for row, place in enumerate(places)]


def _length(past: Past) -> int:
    return past[0][0].shape[1] if past else 0
