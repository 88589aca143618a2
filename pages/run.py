"""Run: choose what is searched and how, see what that will cost, start it, and watch it grow; stop it, cancel it, go
on with it, play again what failed; name, tag, clone and delete it.

The address says which run is watched and which of its scenarios is followed; without a scenario it is the newest.
"""

from collections.abc import Callable

import streamlit as st

from app import listings, services, shell
from app.panels.run_form import draw_form, draw_preview, fill_from
from app.results import RunResult
from app.tree_view import live
from josh_engine.config import Run
from josh_engine.encoding import to_json
from josh_engine.values import Rollout

shell.enter(__file__)

GOING = ("queued", "running")
WAITING_SECONDS = 10  # queued for longer: nobody took the run up
ENDED_EARLY = ("paused", "failed", "cancelled", "interrupted")


@shell.guarded
def page() -> None:
    shell.store()  # without it there is nothing to show
    run_id = st.query_params.get("run")
    if not run_id:
        _planning()
        return
    run = shell.find_run(run_id, title="Run")
    if run is not None:
        _watching(run)


# A new run


def _planning() -> None:
    shell.heading("Run", "Search scenarios for conversations that reach every goal.")
    fill_from(st.query_params.get("clone"))
    left, right = st.columns([45, 55], gap="large")
    with left:
        draw_form()
    with right:
        draw_preview()
        _runs_so_far()


def _runs_so_far() -> None:
    lines = services.list_runs(shell.store())
    if lines:
        st.subheader("Runs so far", anchor=False)
        shell.listing(listings.runs_listed(lines), key="runs", height=430)
        return
    with st.container(key="notice-none"):
        st.text("No runs yet. The form holds safe defaults: press Start, or S, and watch the search here.")


# A run on its way, or over


def _watching(run: Run) -> None:
    switched, tags = listings.switched(run.config.options), (f"#{tag}" for tag in run.tags)
    shell.heading("Run", f"Run {run.id}", run.name, *switched, *tags, beside=lambda: _curate(run))
    going = services.shown_state(shell.store(), run) in GOING
    st.fragment(_watch, run_every="1s" if going else None)(run.id, going)


@shell.guarded
def _watch(run_id: str, going: bool) -> None:
    store = shell.store()
    run, result = services.load_run(store, run_id), services.run_result(store, run_id)
    if going is not (result.state in GOING):
        st.rerun()  # with another clock, or without one
    rollouts = services.list_rollouts(store, run_id)
    _controls(run, result)
    over = result.finished + result.failed
    st.progress(over / max(1, result.rollouts), text=listings.stage(result))
    live.draw_figures(result, rollouts)
    live.draw_trees(store, run, rollouts)
    _lists(store, run, result, rollouts)


def _controls(run: Run, result: RunResult) -> None:
    """Asked of the process that plays the run; beside it the way to the newest scenario."""
    store, state = shell.store(), result.state
    launch = services.launch_run
    left_waiting = state == "queued" and listings.age_seconds(run.heartbeat or run.created) > WAITING_SECONDS
    with st.container(horizontal=True, vertical_alignment="center", key="controls"):
        if state in GOING:
            _act("Stop", "pause", lambda: services.stop_run(store, run.id), "After the turns in flight; resumable.")
            _act("Cancel", "close", lambda: services.cancel_run(store, run.id), "Ends, and leaves the rest unplayed.")
        own = not services.is_imported(run)
        if own and (state in ENDED_EARLY or left_waiting):
            _act("Resume", "play_arrow", lambda: launch(store, run.id), "Plays what is left, and what failed.")
        if own and state not in GOING and result.failed:
            again = "Plays again what failed, and nothing else."
            _act("Retry only the failed", "replay", lambda: launch(store, run.id, failed_only=True), again)
        if state in GOING:
            live.draw_follow_button()
        live.draw_sign(run, result)
    shell.refused(key="control")
    live.draw_fault(result, imported=services.is_imported(run))
    live.draw_notices(run)


def _act(label: str, icon: str, act: Callable[[], object], meaning: str) -> None:
    key = label.split()[0].lower()
    st.button(label, icon=f":material/{icon}:", key=key, help=meaning, on_click=shell.tried, args=(act,))


def _lists(store: services.Store, run: Run, result: RunResult, rollouts: tuple[Rollout, ...]) -> None:
    scenarios, failures, usage, settings = st.tabs(["Scenarios", "Failures", "Usage", "Settings"])
    with scenarios:
        shell.listing(listings.scenarios_listed(rollouts), key="scenarios", height=420)
    with failures:
        shell.listing(listings.failures_listed(rollouts), key="failures", height=420)
    with usage:
        shell.listing(listings.usage_listed(result), key="usage")
    with settings:
        if told := listings.expectation(services.kept_estimate(store, run), result):
            shell.faint(told, key="expected")
        if run.note:
            st.text(run.note)
        st.json(to_json(run.config), expanded=1)


# What a person adds to a run


def _curate(run: Run) -> None:
    if shell.dialog_button("Name, tags, note", f"describe {run.id}", icon=":material/edit:", key="describe"):
        _describe(run)
    if not services.is_imported(run) and st.button(
        "Clone settings", icon=":material/content_copy:", key="clone", help="Into the form of a new run."
    ):
        st.session_state.pop("cloned", None)
        shell.go("run", {"clone": run.id})
    if shell.dialog_button("Delete", f"delete {run.id}", icon=":material/delete:", key="delete"):
        _delete(run)
    if st.button("New run", icon=":material/add:", key="new"):
        shell.go("run", {})


@st.dialog("Name, tags, note", on_dismiss=shell.dialog_done)
def _describe(run: Run) -> None:
    name = st.text_input("Name", run.name, max_chars=120, key="describe-name")
    tags = st.text_input("Tags", ", ".join(run.tags), help="Apart by commas.", key="describe-tags")
    note = st.text_area("Note", run.note, key="describe-note")
    if st.button("Save", type="primary", key="save"):
        shell.attempted(
            lambda: services.describe_run(shell.store(), run.id, name=name, tags=services.typed_tags(tags), note=note),
            key="describe",
        )


@st.dialog("Delete this run?", on_dismiss=shell.dialog_done)
def _delete(run: Run) -> None:
    st.text(f"{run.id}  {run.name}")
    st.text("Its trees, its journal of paid answers and its verdicts go with it. This cannot be undone.")
    if st.button("Delete for good", type="primary", key="really-delete"):
        auditor = shell.auditor()
        shell.attempted(
            lambda: services.delete_run(shell.store(), run.id, auditor=auditor), key="delete", then=("run", {})
        )


page()
