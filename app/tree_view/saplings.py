"""The data of `forest.js`: a cell for each rollout, with its outline where that is known yet. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.forest import Sapling
from app.listings import STATES_BY_URGENCY, address, stars, tree_address
from josh_engine.values import Json, Rollout

MOST_CELLS = 120  # more would neither be told apart nor redrawn in time
SEED = Sapling((), "", (), 0, 0)


def forest(
    rollouts: Sequence[Rollout],
    saplings: Mapping[str, Sapling],
    *,
    chosen: str | None = None,
    height: int | None = None,
) -> dict[str, Json]:
    """In playing order. Of more than MOST_CELLS, those being played and those that failed come first."""
    shown = list(rollouts)
    if len(shown) > MOST_CELLS:
        shown.sort(key=lambda rollout: STATES_BY_URGENCY.index(rollout.state))
    left = len(shown) - MOST_CELLS
    return {
        "height": height,
        "note": f"{left:,} more stand in the list below." if left > 0 else "",
        "chosen": chosen,
        "cells": [_cell(each, saplings.get(each.id, SEED), page="run") for each in shown[:MOST_CELLS]],
    }


def looped(rollout: Rollout, sapling: Sapling, *, height: int, moving: bool = True) -> dict[str, Json]:
    """One tree that leads to its page; `moving`: it grows again and again."""
    cell = _cell(rollout, sapling, page="tree") | {"leads": True, "name": rollout.scenario_id}
    return {"height": height, "note": "", "chosen": None, "single": True, "loop": moving, "cells": [cell]}


def _cell(rollout: Rollout, sapling: Sapling, *, page: str) -> dict[str, Json]:
    trial = f" · trial {rollout.trial}" if rollout.trial else ""
    told = (
        f"{rollout.scenario_id}{trial}, {rollout.state}, {rollout.won} of {rollout.goals} goals, {rollout.nodes} turns"
    )
    return {
        "id": rollout.id,
        "href": address(page, **tree_address(rollout)),
        "name": f"{_tail(rollout.scenario_id)}{trial}",
        "state": rollout.state,
        "stars": stars(rollout),
        "aria": told,
        "parents": list(sapling.parents),
        "marks": sapling.marks,
        "won": list(sapling.stars),
    }


def _tail(name: str, length: int = 14) -> str:
    """Names of a split begin alike and differ at their end."""
    return name if len(name) <= length else f"…{name[1 - length :]}"
