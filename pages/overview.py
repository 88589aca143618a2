"""Overview: what this is, what state the work is in, and what to do next."""

import streamlit as st

from app import listings, services, shell
from app.tree_view import picture, tree_view

shell.enter(__file__)

INTRODUCTION = (
    "JOSH lets a tool-calling dialogue agent teach itself: it plays a conversation along many branches, keeps the "
    "path on which goals were reached, and turns it and its alternatives into training rows."
)


@shell.guarded
def page() -> None:
    shell.heading("Overview", INTRODUCTION)
    store = shell.store()
    lines = services.list_runs(store)
    if not lines:
        with st.container(key="notice-first"):
            st.text("No runs yet. The first one needs no key, no model and no download.")
            _start_button()
        return
    _figures(lines)
    left, right = st.columns([42, 58], gap="medium")
    with left:
        st.subheader("A search, and what it found", anchor=False)
        _example(store, lines)
    with right:
        st.subheader("Recent runs", anchor=False)
        shell.listing(listings.runs_listed(lines[:12]), key="recent-runs", height=590)


def _figures(lines: tuple[services.RunLine, ...]) -> None:
    figures = st.columns([1, 1, 1.2, 3], vertical_alignment="center")
    figures[0].metric("Runs", len(lines))
    figures[1].metric("Scenarios explored", sum(line.finished for line in lines))
    figures[2].metric("Trees with full reward", listings.fully_rewarded(lines))
    with figures[3]:
        _start_button()


def _start_button() -> None:
    if st.button("Start a run", type="primary", icon=":material/play_arrow:", key="start-a-run"):
        shell.go("run", {})


def _example(store: services.Store, lines: tuple[services.RunLine, ...]) -> None:
    """The tree that shows most of what was found; a click on a turn opens it."""
    rollout = listings.best_example(services.list_rollouts(store, listings.example_run(lines).run))
    if rollout is None:
        shell.faint("No goal was reached in the latest run yet.", key="no-example")
        return
    opened = services.open_rollout(store, rollout.id)
    where = listings.tree_address(rollout)
    drawn = picture(
        opened.tree,
        opened.labels,
        seq=opened.last_seq,
        verdicts=opened.verdicts,
        height=590,
        leads=listings.address("tree", **where),
    )
    tree_view(drawn, key="example")
    st.page_link(shell.PAGES["tree"], label="Open this tree", icon=":material/account_tree:", query_params=where)


page()
