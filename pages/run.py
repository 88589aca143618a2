"""Run: choose what is searched and how, start it, and watch it; stop it, cancel it, go on with it.

Nothing is used that the form does not show; the paper's preset writes into its fields. What cannot be is told by the
engine's own checks, in a box under the form.
"""

import streamlit as st

from app import choices, listings, services, shell

shell.enter(__file__)

GOING = ("queued", "running")
WAITING_SECONDS = 10  # queued for longer: nobody took the run up
ENDED_EARLY = ("paused", "failed", "cancelled", "interrupted")


@shell.guarded
def page() -> None:
    shell.store()  # without it there is nothing to show
    run_id = st.query_params.get("run")
    run = shell.find_run(run_id, title="Run") if run_id else None
    if run_id and run is None:
        return
    crumbs = (f"Run {run.id}", run.name) if run else ("Search scenarios for conversations that reach every goal.",)
    shell.heading("Run", *crumbs)
    form, live = st.columns([33, 67], gap="large")
    with form:
        _form()
    with live:
        if run is None:
            _nothing_chosen()
            return
        going = services.shown_state(shell.store(), run) in GOING
        st.fragment(_watch, run_every="1s" if going else None)(run.id, going)


@shell.guarded
def _form() -> None:
    for name, value in choices.DEFAULTS.items():
        st.session_state.setdefault(_key(name), value)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader("New run", anchor=False, width="content")
        st.button(
            "Paper's preset",
            icon=":material/menu_book:",
            on_click=_apply_paper,
            key="paper",
            help=choices.PAPER_MEANINGS,
        )
    _what()
    _how()
    if st.button("Start", type="primary", icon=":material/play_arrow:", shortcut="S", key="start", width="stretch"):
        _start()


def _what() -> None:
    left, right = st.columns([3, 2])
    world = left.selectbox("World", services.list_worlds(), key=_key("world"))
    splits = services.world_splits(world, services.data_path(shell.store().path))
    right.selectbox("Split", splits, key=_key("split"))
    left, middle, right = st.columns(3)
    left.number_input("Scenarios", 0, key=_key("limit"), help="The first so many of the split, in its order.")
    middle.selectbox("Agent", services.list_agents(), key=_key("agent"))
    right.selectbox("User", services.list_users(), key=_key("user"))


def _how() -> None:
    left, right = st.columns([3, 2])
    left.selectbox("Strategy", choices.STRATEGY_NAMES, key=_key("strategy"), help=choices.STRATEGY_MEANINGS)
    right.number_input("Temperature", 0.0, step=0.1, format="%.2f", key=_key("temperature"))
    left, middle, right = st.columns(3)
    left.number_input("Beam", 0, key=_key("beam"), help="Live conversations at most.")
    middle.number_input("Branching", 0, key=_key("branching"), help="Agent turns tried after one user turn.")
    right.number_input("Depth", 0, key=_key("depth"), help="Exchanges at most.")
    left, right = st.columns(2)
    left.number_input("Seed", 0, key=_key("seed"))
    right.number_input("Concurrency", 0, key=_key("concurrency"), help="Scenarios at once.")
    with st.expander("More"):
        left, right = st.columns(2)
        left.number_input("Top-p", 0.0, 1.0, step=0.05, key=_key("top_p"), placeholder="endpoint's own")
        right.number_input("Top-k", 0, key=_key("top_k"), placeholder="endpoint's own")
        left.number_input("Generations per turn", 0, key=_key("max_generations"))
        right.number_input("Trials", 0, key=_key("trials"), help="How often each scenario is played.")
        st.number_input("Model outputs at most", 0, key=_key("budget_calls"), placeholder="no cap")


def _key(name: str) -> str:
    return f"form-{name}"


def _apply_paper() -> None:
    st.session_state.update({_key(name): value for name, value in choices.PAPER.items()})


@shell.guarded
def _start() -> None:
    store = shell.store()
    data = services.data_path(store.path)
    chosen = {name: st.session_state[_key(name)] for name in choices.DEFAULTS}
    limits = choices.limits(chosen)
    run = services.create_run(store, services.build_config(choices.request(chosen), data), limits=limits)
    services.launch_run(store, run.id, data=data)
    shell.go("run", {"run": run.id})


def _nothing_chosen() -> None:
    lines = services.list_runs(shell.store())
    st.subheader("Runs so far", anchor=False)
    if lines:
        shell.listing(listings.runs_listed(lines), key="runs", height=620)
        return
    with st.container(key="notice-none"):
        st.text("No runs yet. The form holds safe defaults: press Start, or S, and watch the search here.")


@shell.guarded
def _watch(run_id: str, going: bool) -> None:
    store = shell.store()
    run, result = services.load_run(store, run_id), services.run_result(store, run_id)
    if going and result.state not in GOING:
        st.rerun()
    over = result.finished + result.failed
    st.progress(over / max(1, result.rollouts), text=f"{over} of {result.rollouts} scenarios, state: {result.state}")
    _figures(result)
    _signs(run, result)
    _controls(run, result.state)
    shell.listing(listings.scenarios_listed(services.list_rollouts(store, run_id)), key="scenarios", height=520)


def _figures(result: services.RunResult) -> None:
    reward, success, calls, elapsed = st.columns([3, 3, 2, 2])
    reward.metric(
        "Average Reward",
        listings.figure(result.average_reward),
        delta=listings.interval(result.average_reward_interval) or None,
        delta_color="off",
        delta_arrow="off",
    )
    success.metric(
        "100 % success",
        listings.percent(result.success_rate),
        delta=listings.interval(result.success_rate_interval, of="percent") or None,
        delta_color="off",
        delta_arrow="off",
    )
    calls.metric("Model outputs", f"{result.calls:,}")
    elapsed.metric("Elapsed", listings.duration(result.seconds))


def _signs(run: services.Run, result: services.RunResult) -> None:
    """What a person should know of the run's state, in words."""
    text, tone = listings.sign_of_life(run, result)
    shell.faint(text, key=f"sign-{tone}")
    if result.error:
        with st.container(key="problem-run"):
            st.text(f"⚠ {result.error}")
            st.text("The other scenarios are not touched. Resume plays again what failed.")


def _controls(run: services.Run, state: str) -> None:
    store = shell.store()
    with st.container(horizontal=True, key="controls"):
        if state in GOING:
            if st.button("Stop", icon=":material/pause:", key="stop", help="After the turns in flight; resumable."):
                services.stop_run(store, run.id)
                st.rerun()
            if st.button("Cancel", icon=":material/close:", key="cancel", help="Ends, and leaves the rest unplayed."):
                services.cancel_run(store, run.id)
                st.rerun()
        left_waiting = state == "queued" and listings.age_seconds(run.created) > WAITING_SECONDS
        resumable = state in ENDED_EARLY or left_waiting
        if resumable and st.button("Resume", icon=":material/play_arrow:", key="resume"):
            services.launch_run(store, run.id)
            st.rerun()


page()
