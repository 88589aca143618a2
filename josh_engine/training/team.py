"""Several processes at one job, as accelerate's and torch's launchers start them, told by their environment.

Each takes its share of every step, gradients are summed, so the step is the one a single process would take. The first
one, the leader, writes everything. All of them read the same folders: between machines these are shared ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Team:
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def share(self, whole: list[Any]) -> list[Any]:
        return whole[self.rank :: self.size]

    def sum_up(self, tensors: Iterable[Any]) -> None:
        """Each becomes, in place, the sum of everybody's."""
        if self.size == 1:
            return
        from torch import distributed

        for each in tensors:
            distributed.all_reduce(each)

    def any_of(self, mine: bool, device: Any) -> bool:
        """Whether it holds for one of them. All must ask."""
        if self.size == 1:
            return mine
        import torch

        told = torch.tensor([float(mine)], device=device)
        self.sum_up([told])
        return bool(told.item())

    def wait(self) -> None:
        """For all of them."""
        if self.size > 1:
            from torch import distributed

            distributed.barrier()


def announced() -> Team:
    """As the environment says, before any of them has met another."""
    return Team(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))


def join() -> Team:
    """The same, with a way to talk to one another. The launcher ends all of them where one fails."""
    team = announced()
    if team.size > 1:
        import torch
        from torch import distributed

        if not distributed.is_initialized():
            distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return team


def own_device() -> str:
    """Where this process's model lies."""
    import torch

    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"
