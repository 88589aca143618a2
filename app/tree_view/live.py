"""A run on its way, as the Run page shows it: figures, a grid of small trees, and one of them large with its events.

The address says which scenario is followed. Without one it is the newest: a tree is followed until it is done, then
the one begun last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import streamlit as st

from app import listings, seeing, services, shell
from app.forest import Forest
from app.panels import looks
from app.results import RunResult
from app.ticking import captions
from app.tree_view import FOLDER, picture, tree_view
from app.tree_view.saplings import forest
from josh_engine.config import Run
from josh_engine.values import Json, Rollout

GRID_HEIGHT, TREE_HEIGHT, TICKER_HEIGHT = 236, 392, 186
LAST_EVENTS = 12
OVER = "Over the scenarios that finished. In brackets the least it can be: with every other one asked for as 0."


@st.cache_resource(show_spinner=False)
def remembered_forest(path: str) -> Forest:
    """One per store and server."""
    return Forest(services.open_store(Path(path)))


def forest_view(drawn: Mapping[str, Json], *, key: str, choose: Callable[[str], None] | None = None) -> None:
    """Draws what `saplings` gave. `choose` is called with the id of the rollout whose cell was clicked."""

    def report() -> None:
        chosen = st.session_state[key].get("chosen")
        if choose is not None and chosen is not None:
            choose(chosen["id"])

    shell.component(FOLDER, "forest")(key=key, data=dict(drawn), on_chosen_change=report)


def draw_follow_button() -> None:
    following = "scenario" not in st.query_params
    label, icon = ("Following newest", "my_location") if following else ("Follow newest", "location_searching")
    kind: Literal["primary", "secondary"] = "primary" if following else "secondary"
    stay = st.session_state.get("followed") if following else None
    st.button(label, icon=f":material/{icon}:", shortcut="F", key="follow", type=kind, on_click=_follow, args=(stay,))


def draw_figures(result: RunResult, rollouts: Sequence[Rollout]) -> None:
    """How the run does, and how fast it goes."""
    reward, success, calls, pace, left, elapsed = st.columns([3, 3, 2, 2, 2, 2])
    reward.metric(
        "Average Reward",
        listings.joined(listings.figure(result.average_reward), listings.least(result.reward)),
        delta=listings.interval(result.average_reward_interval) or None,
        delta_color="off",
        delta_arrow="off",
        help=OVER,
    )
    success.metric(
        "100 % success",
        listings.joined(listings.percent(result.success_rate), listings.least(result.success, of="percent")),
        delta=listings.interval(result.success_rate_interval, of="percent") or None,
        delta_color="off",
        delta_arrow="off",
        help=OVER,
    )
    calls.metric("Model outputs", f"{result.calls:,}")
    pace.metric("Turns per second", listings.pace(rollouts, result.seconds))
    left.metric("Time left, about", listings.time_left(result))
    elapsed.metric("Elapsed", listings.duration(result.seconds))


def draw_sign(run: Run, result: RunResult) -> None:
    """What a person should know of the run's state, in words."""
    text, tone = listings.sign_of_life(run, result)
    shell.faint(text, key=f"sign-{tone}")


def draw_fault(result: RunResult, *, imported: bool) -> None:
    if result.error:
        again = "What failed counts in no figure." if imported else "Resume plays again what failed."
        remedy = f"The other scenarios are not touched. {again}"
        shell.complaint(result.error, remedy, key="run")


def draw_notices(run: Run) -> None:
    """What the models did without a word; servers' words among them, so plain text."""
    if run.notices:
        with st.container(key="notice-of-models"):
            for notice in run.notices:
                st.text(str(notice))


def draw_trees(store: services.Store, run: Run, rollouts: Sequence[Rollout]) -> None:
    """The grid of small trees, the events of the one that is followed, and that one large."""
    asked, trial = st.query_params.get("scenario"), st.query_params.get("trial", "0")
    named = listings.find_rollout(rollouts, asked, trial) if asked else None
    shown = named or listings.followed(rollouts, before=st.session_state.get("followed"))
    st.session_state["followed"] = shown.id if shown else None
    grid, large = st.columns([38, 62], gap="small")
    with grid:
        outlines = remembered_forest(str(store.path)).saplings(run.id, rollouts)
        drawn = forest(rollouts, outlines, chosen=shown.id if shown else None, height=GRID_HEIGHT)
        forest_view(drawn, key="forest", choose=_follow)
        if asked and named is None:
            shell.complaint(f"Scenario `{asked}` is not in this run.", "Choose one of those above.", key="scenario")
        if shown:
            told = captions(services.run_events(store, shown.id), last=LAST_EVENTS)
            shell.listing(listings.events_listed(shown, told), key="ticker", height=TICKER_HEIGHT)
    with large:
        if shown:
            if named or shown.state == "done":  # who is led from one growing tree to the next looks at none
                looks.shown(store, seeing.at_tree(shown.id, "run"))
            _large(store, shown)


def _large(store: services.Store, shown: Rollout) -> None:
    opened = services.open_rollout(store, shown.id)
    where = listings.tree_address(shown)
    with st.container(key="followed", horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        shell.faint(f"{shown.scenario_id}: {listings.search_in_words(opened)}", key="followed")
        st.page_link(shell.PAGES["tree"], label="Open", icon=":material/account_tree:", query_params=where)
    drawn = picture(
        opened.tree,
        opened.labels,
        seq=opened.last_seq,
        verdicts=opened.verdicts,
        height=TREE_HEIGHT,
        leads=listings.address("tree", **where),
    )
    tree_view(drawn, key=f"followed-{shown.id}", moved=lambda: _stay(shown.id))


def _stay(rollout_id: str) -> None:
    """Whoever moves the drawing looks at it: the newest is followed no longer."""
    if "scenario" not in st.query_params:
        _follow(rollout_id)


def _follow(rollout_id: str | None) -> None:
    """Stays with this scenario; None: goes with the newest."""
    for name in ("scenario", "trial"):
        st.query_params.pop(name, None)
    if rollout_id:
        run_id = st.query_params["run"]
        found = next((each for each in services.list_rollouts(shell.store(), run_id) if each.id == rollout_id), None)
        st.query_params.update(listings.tree_address(found) if found else {})
