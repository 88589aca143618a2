"""What a model has already read: keys and values per layer, in transformers' own cache classes.

`Past` is one sequence's, without padding. `RowCache` is that of a running batch: every row ends at the same column
and is padded on the left, which keeps each row in one piece, as sliding windows need. A row joins by copying its past
in, and leaves by giving its place to the last row; a step appends one column. transformers' `DynamicLayer` copies the
whole cache at each of these; `roomy_layer` keeps room to grow instead and is otherwise that class.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

Past = tuple[tuple["Tensor", "Tensor"], ...]  # per layer: keys, values; each [heads, tokens, size]
SPARE = 64  # columns of room kept beyond what is used


def past_bytes(past: Past) -> int:
    return sum(each.numel() * each.element_size() for layer in past for each in layer)


def shortened(past: Past, tokens: int) -> Past:
    """The first so many tokens' past: a view, not a copy."""
    return tuple((keys[:, :tokens], values[:, :tokens]) for keys, values in past)


def roomy(rows: int) -> int:
    """Rows of a buffer, so that a few more may join before it is copied again."""
    return rows + rows // 8 + 1


@cache
def roomy_layer() -> type[Any]:
    """The layer class; a function, because transformers may be imported inside functions only."""
    from transformers.cache_utils import DynamicLayer

    class RoomyLayer(DynamicLayer):  # type: ignore[misc]
        """`keys` and `values` are views of the used part of `rooms`, two buffers that have room to grow."""

        is_initialized: bool
        keys: Tensor
        values: Tensor
        rooms: list[Tensor]

        def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
            if not self.is_initialized:
                self.dtype, self.device, self.is_initialized = key_states.dtype, key_states.device, True
                rows, heads = key_states.shape[:2]
                self.rooms = [each.new_zeros(rows, heads, SPARE, each.shape[3]) for each in (key_states, value_states)]
                self.show(rows, 0)
            used = self.keys.shape[2]
            rows, new = key_states.shape[0], key_states.shape[2]
            self.make_room(rows, used + new)
            for room, states in zip(self.rooms, (key_states, value_states), strict=True):
                room[:rows, :, used : used + new] = states
            self.show(rows, used + new)
            return self.keys, self.values

        def show(self, rows: int, columns: int) -> None:
            self.keys, self.values = (room[:rows, :, :columns] for room in self.rooms)

        def make_room(self, rows: int, columns: int) -> None:
            """At least so many rows and columns, and few more: the many rows of once and the long ones of now need not
            fit at once. What was used stays, at the same place."""
            if rows <= self.rooms[0].shape[0] and columns <= self.rooms[0].shape[2]:
                return
            had_rows, had_columns = self.keys.shape[0], self.keys.shape[2]
            for index, room in enumerate(self.rooms):
                larger = room.new_zeros(roomy(max(rows, had_rows)), room.shape[1], columns + SPARE, room.shape[3])
                larger[:had_rows, :, :had_columns] = room[:had_rows, :, :had_columns]
                self.rooms[index] = larger
            self.show(had_rows, had_columns)

    return RoomyLayer


class RowCache:
    """The cache of a batch. Row i's past stands in columns `starts[i]` to `columns`."""

    def __init__(self, pasts: Sequence[Past], device: Any) -> None:
        """Rows with these pasts; an empty past is a row that has read nothing."""
        import torch
        from transformers.cache_utils import Cache

        self.cache = Cache(layer_class_to_replicate=roomy_layer())
        self.starts: list[int] = []
        self.columns = 0
        self.mask = torch.zeros(0, 0, dtype=torch.bool, device=device)
        self.join(pasts)

    def __len__(self) -> int:
        return len(self.starts)

    def length(self, row: int) -> int:
        """How many tokens the row has read."""
        return self.columns - self.starts[row]

    def join(self, pasts: Sequence[Past]) -> None:
        """New rows after those there are."""
        if not pasts:
            return
        before, rows = len(self), len(self) + len(pasts)
        lengths = [past[0][0].shape[1] if past else 0 for past in pasts]
        longest = max([self.length(row) for row in range(before)] + lengths)
        if longest > self.columns or self.columns > longest + max(SPARE, longest // 4):
            self._move(longest)
        self.starts += [self.columns - length for length in lengths]
        self._make_layers(next((past for past in pasts if past), ()), before)
        for depth, layer in enumerate(self.cache.layers):
            layer.make_room(rows, self.columns)
            layer.show(rows, self.columns)
            for row, past in enumerate(pasts, before):
                layer.keys[row, :, : self.starts[row]] = 0  # masked, but a NaN left there would still spread
                layer.values[row, :, : self.starts[row]] = 0
                if past:
                    layer.keys[row, :, self.starts[row] :] = past[depth][0]
                    layer.values[row, :, self.starts[row] :] = past[depth][1]
        self._mask_again()

    def leave(self, row: int) -> None:
        """The row goes; the last row takes its number."""
        last = len(self) - 1
        for layer in self.cache.layers:
            if row != last:
                layer.keys[row] = layer.keys[last]
                layer.values[row] = layer.values[last]
            layer.show(last, self.columns)
        self.starts[row] = self.starts[last]
        self.starts.pop()
        self._mask_again()

    def read(self, width: int, unused: Sequence[int] = ()) -> Tensor:
        """The mask for a step that appends `width` columns. `unused`: how many of them are padding at a row's right
        (only in a cache that is taken apart after the step)."""
        import torch

        self.columns += width
        if self.columns > self.mask.shape[1]:
            self._mask_again()
        mask = self.mask[:, : self.columns]
        if not any(unused):
            return mask
        place = torch.arange(self.columns, device=mask.device)
        stops = self.columns - torch.tensor(unused, device=mask.device)
        return mask & (place.unsqueeze(0) < stops.unsqueeze(1))

    def take(self, row: int, unused: int = 0) -> Past:
        """A copy of one row's past, without the padding at its right."""
        start, stop = self.starts[row], self.columns - unused
        return tuple(
            (layer.keys[row, :, start:stop].clone(), layer.values[row, :, start:stop].clone())
            for layer in self.cache.layers
        )

    def _make_layers(self, sample: Past, rows: int) -> None:
        """The layers, where no step has made them yet."""
        if self.cache.layers:
            return
        for depth, layer in enumerate(sample):
            keys, values = (each.new_zeros(rows, each.shape[0], 0, each.shape[2]) for each in layer)
            self.cache.update(keys, values, depth)

    def _move(self, columns: int) -> None:
        """All rows end at this column from now on; what is cut off at the left is padding."""
        kept = min(columns, self.columns)
        for layer in self.cache.layers:
            for index, used in enumerate((layer.keys, layer.values)):
                rows, heads, _, size = used.shape
                moved = used.new_zeros(roomy(rows), heads, columns + SPARE, size)
                moved[:rows, :, columns - kept : columns] = used[:, :, self.columns - kept :]
                layer.rooms[index] = moved
            layer.show(len(self), columns)
        self.starts = [start + columns - self.columns for start in self.starts]
        self.columns = columns

    def _mask_again(self) -> None:
        """True from each row's start on, with columns to spare."""
        import torch

        place = torch.arange(self.columns + SPARE, device=self.mask.device)
        starts = torch.tensor(self.starts, device=self.mask.device, dtype=torch.long)
        self.mask = place.unsqueeze(0) >= starts.unsqueeze(1)
