"""Opened trees and their pictures, kept between reruns: a click on a turn must not read and derive everything again.

Kept under the rollout's stamp, which changes whenever the log, the state or a verdict does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from app import services
from app.results import OpenedRollout
from app.tree_view.comparison import MOST
from app.tree_view.finding import found, texts
from app.tree_view.picture import picture
from josh_engine.values import Json, Rollout

KEPT = 24
Stamp = tuple[str, int, str | None, int]


def opened(store: services.Store, rollout_id: str) -> OpenedRollout:
    """Raises NotFound."""
    return _opened(store, (str(store.path), rollout_id), services.rollout_stamp(store, rollout_id))


def explored(
    store: services.Store,
    rollout_id: str,
    *,
    selected: str | None,
    height: int,
    place: Mapping[str, str],
    told: tuple[str, int] = ("", 0),
) -> dict[str, Json]:
    """The explorer's data. `place` is what the address says of lens, hoist, t, q and filter. `told` by the drawing: the
    version it has, the turns of which, nearly all of the data, are not sent again; and the number of its last message,
    so that it knows whether the address already says what it wanted."""
    where, stamp = (str(store.path), rollout_id), services.rollout_stamp(store, rollout_id)
    version = f"{rollout_id} {stamp}"
    query = place.get("q", "")
    return (_drawn(store, where, stamp) if version != told[0] else {}) | {
        "height": height,
        "selected": selected,
        "place": dict(place),
        "tree": rollout_id,
        "version": version,
        "heard": told[1],
        "matches": found(_texts(store, where, stamp), query) if query else None,
    }


def rivals(
    store: services.Store, chosen: Rollout, run_ids: Sequence[str]
) -> tuple[tuple[OpenedRollout, ...], tuple[str, ...]]:
    """The rollout and its like in other runs, of the same trial where they have it; and the ids that name none."""
    known = {run.id for run in services.runs_with_scenario(store, chosen)}
    wanted = list(dict.fromkeys(run_ids))[: MOST - 1]
    found = [opened(store, chosen.id)]
    for run_id in (each for each in wanted if each in known):
        like = [each for each in services.list_rollouts(store, run_id) if each.scenario_id == chosen.scenario_id]
        found.append(opened(store, next((each for each in like if each.trial == chosen.trial), like[0]).id))
    return tuple(found), tuple(each for each in wanted if each not in known)


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _opened(_store: services.Store, where: tuple[str, str], stamp: Stamp) -> OpenedRollout:
    return services.open_rollout(_store, where[1])


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _drawn(_store: services.Store, where: tuple[str, str], stamp: Stamp) -> dict[str, Json]:
    each = _opened(_store, where, stamp)
    return picture(each.tree, each.labels, seq=each.last_seq, verdicts=each.verdicts, events=each.events)


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _texts(_store: services.Store, where: tuple[str, str], stamp: Stamp) -> dict[str, str]:
    return texts(_opened(_store, where, stamp).tree)
