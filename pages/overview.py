"""Overview: what this is, what state the work is in, and what to do next."""

import streamlit as st

from app import listings, pipeline, services, shell, trainings
from app.forest import PairCount
from app.results import RunLine
from app.tree_view import live
from app.tree_view.saplings import SEED, looped

shell.enter(__file__)

INTRODUCTION = (
    "JOSH lets a tool-calling dialogue agent teach itself: it plays a conversation along many branches, keeps the "
    "path on which goals were reached, and turns it and its alternatives into training rows."
)
BESIDE_HEIGHT = 396


@shell.guarded
def page() -> None:
    shell.heading("Overview", INTRODUCTION)
    store = shell.store()
    if not services.list_runs(store):
        _first()
        return
    count = live.remembered_forest(str(store.path)).count_pairs([line.run for line in services.list_runs(store)])
    unsettled = bool(services.active_runs(store)) or count.looked_at < count.trees
    st.fragment(_state, run_every="1s" if unsettled else None)(unsettled)


def _first() -> None:
    with st.container(key="notice-first"):
        st.text("No runs yet. The sample is a small search, played here and now: no key, no GPU, no download.")
        with st.container(horizontal=True):
            if st.button("Load the sample run", type="primary", icon=":material/science:", key="sample"):
                shell.go("run", {"run": services.load_sample(shell.store()).id})
            if st.button("Start a run", icon=":material/play_arrow:", key="start-a-run"):
                shell.go("run", {})


@shell.guarded
def _state(unsettled: bool) -> None:
    store = shell.store()
    lines, active = services.list_runs(store), services.active_runs(store)
    if not lines:
        st.rerun()  # the last one was deleted meanwhile
    count = live.remembered_forest(str(store.path)).count_pairs([line.run for line in lines])
    if unsettled and not active and count.looked_at == count.trees:
        st.rerun()
    _figures(lines, count)
    jobs, exports = trainings.list_trainings(store), services.count_exports(store)
    _pipeline(pipeline.pipeline(lines, count, active=active, exports=exports, jobs=jobs))
    growing = next((run.id for run in active if run.finished or run.state == "running"), None)
    left, right = st.columns([36, 64], gap="medium")
    with left:
        st.subheader("A search, and what it found", anchor=False)
        _example(store, growing or pipeline.example_run(lines).run, growing=growing is not None)
    with right:
        st.subheader("Recent runs", anchor=False)
        shell.listing(listings.runs_listed(lines[:12]), key="recent-runs", height=BESIDE_HEIGHT)


def _figures(lines: tuple[RunLine, ...], count: PairCount) -> None:
    figures = st.columns([1, 1, 1, 1, 1.2], vertical_alignment="center")
    explored, asked = sum(line.finished for line in lines), sum(line.rollouts for line in lines)
    figures[0].metric("Scenarios explored", f"{explored:,}", help=f"{explored:,} of {asked:,} asked for are finished.")
    figures[1].metric("Trees with full reward", f"{pipeline.fully_rewarded(lines):,}")
    still = count.looked_at < count.trees
    figures[2].metric("Pairs", f"{count.pairs:,}{' …' if still else ''}", help="An ideal turn and a negative one.")
    figures[3].metric("Audited", listings.percent(count.share), help="Pairs with a turn that a person has judged.")
    with figures[4]:
        if st.button("Start a run", type="primary", icon=":material/play_arrow:", key="start-a-run", width="stretch"):
            shell.go("run", {})


def _pipeline(steps: tuple[pipeline.Step, ...]) -> None:
    """A card for each step whose page there is."""
    shown = [step for step in steps if step.page in shell.PAGES]
    for number, (step, column) in enumerate(zip(shown, st.columns(len(shown), gap="small"), strict=True), start=1):
        with column, st.container(border=True, key=f"card-{step.page}"):
            st.text(step.title)
            st.text(step.count)
            shell.faint(step.state, key=f"state-{step.page}")
            if st.button("Open", key=f"step-{step.page}", shortcut=str(number), width="stretch"):
                shell.go(step.page, step.params)


def _example(store: services.Store, run_id: str, *, growing: bool) -> None:
    """The tree that grows now; else the one that shows most, growing again and again. It leads to its page."""
    rollouts = services.list_rollouts(store, run_id)
    rollout = listings.followed(rollouts, before=None) if growing else listings.best_example(rollouts)
    if rollout is None:
        shell.faint("No goal was reached in the latest run yet.", key="no-example")
        return
    outline = live.remembered_forest(str(store.path)).saplings(run_id, [rollout]).get(rollout.id, SEED)
    live.forest_view(looped(rollout, outline, height=BESIDE_HEIGHT, moving=not growing), key="example")


page()
