"""Evaluate: whether the new model is better, how sure that is, and where it still fails.

The address says which runs are judged, which is the baseline and what is looked at; every row leads to turns or trees.
"""

from collections.abc import Mapping

import streamlit as st

from app import evaluating, leaderboard, listings, services, shell
from app.leaderboard import Standing
from app.results import Evaluation, RunLine
from josh_engine.config import Run

shell.enter(__file__)

NOTHING = (
    "No model is judged yet. A baseline is plain play: strategy greedy on the test split, here 100 scenarios at T 1."
)
BASELINE_SCENARIOS = 100
GOING = ("queued", "running")


@shell.guarded
def page() -> None:
    store = shell.store()
    lines = {line.run: line for line in leaderboard.comparable(services.list_runs(store))}
    shell.heading("Evaluate", "Whether one model is better than another, on scenarios neither was trained on.")
    waiting = [run for run in _asked("runs") if run not in lines]
    if not lines and not waiting:
        if shell.nothing_yet(NOTHING, "Evaluate the embedded model", key="baseline", icon=":material/leaderboard:"):
            shell.go("evaluate", {"runs": _play_baseline()})
        return
    chosen, base = _choose(lines)
    going = bool(waiting) or any(lines[run].state in GOING for run in chosen)
    st.fragment(_judge, run_every="3s" if going else None)(chosen, base, tuple(waiting))


def _asked(name: str) -> list[str]:
    return [each for each in str(st.query_params.get(name, "")).split(",") if each]


def _play_baseline() -> str:
    base, _ = evaluating.launch_evaluation(
        shell.store(), services.EMBEDDED_MODEL, None, name="", limit=BASELINE_SCENARIOS
    )
    return base


def _choose(lines: Mapping[str, RunLine]) -> tuple[tuple[str, ...], str | None]:
    """The address decides what stands in the fields, also after Back; a change writes it anew."""
    asked = [run for run in _asked("runs") if run in lines]
    if "runs" not in st.query_params:
        asked = list(lines)[:4]
    base = st.query_params.get("base")
    if base not in asked:
        base = asked[-1] if asked else None
    st.session_state.update({"judged": asked, "base": base})
    left, right = st.columns([70, 30])
    words = {run: f"{run} · {line.name}" for run, line in lines.items()}
    left.multiselect("Runs", list(lines), format_func=words.__getitem__, key="judged", on_change=_changed)
    if asked:
        right.selectbox("Baseline", asked, format_func=words.__getitem__, key="base", on_change=_changed)
    return tuple(asked), base


def _changed() -> None:
    chosen = {"runs": ",".join(st.session_state["judged"])}
    if st.session_state.get("base") in st.session_state["judged"]:
        chosen["base"] = st.session_state["base"]
    st.query_params.from_dict(chosen)


@shell.guarded
def _judge(chosen: tuple[str, ...], base: str | None, waiting: tuple[str, ...]) -> None:
    store = shell.store()
    for run_id in waiting:
        run = shell_run(run_id)
        if run is not None:
            shell.faint(f"{run.name}: {services.shown_state(store, run)}, nothing finished yet.", key=f"wait-{run_id}")
    if waiting and any(line.run in waiting for line in leaderboard.comparable(services.list_runs(store))):
        st.rerun()
    if base is None:
        return
    standings = {run_id: _standing(store, run_id, base) for run_id in chosen}
    _verdicts(standings, base)
    official = any(each.run.config.world == "toolwoz" for each in standings.values())
    shell.listing(leaderboard.board_listed(list(standings.values()), base, official=official), key="board")
    st.download_button(
        "Download as CSV", leaderboard.as_csv(list(standings.values())), "leaderboard.csv", "text/csv",
        icon=":material/download:", on_click="ignore", key="csv",
    )  # fmt: skip
    others = [run_id for run_id in chosen if run_id != base]
    _closer(standings, base, others or [base])


def shell_run(run_id: str) -> Run | None:
    """None, and a word about it, where the address names one that is not in the store."""
    known = {line.run for line in services.list_runs(shell.store())}
    if run_id in known:
        return services.load_run(shell.store(), run_id)
    shell.complaint(f"Run `{run_id}` is not in this store.", "Choose one of those listed.", key=f"run-{run_id}")
    return None


def _standing(store: services.Store, run_id: str, base: str) -> Standing:
    run = services.load_run(store, run_id)
    stamp = f"{run.state} {run.rollouts_done} {run.finished}"
    judged = _evaluation(str(store.path), run_id, stamp)
    paired = None if run_id == base else evaluating.compared(store, run_id, base)
    return Standing(run, judged, paired)


@st.cache_data(show_spinner="Reading conversations …", max_entries=64)
def _evaluation(path: str, run_id: str, stamp: str) -> Evaluation:
    """Again when the run has gone on; `path` and `stamp` tell stores and stages apart."""
    return services.evaluate_run(shell.store(), run_id)


def _verdicts(standings: Mapping[str, Standing], base: str) -> None:
    for run_id, standing in standings.items():
        if run_id == base:
            continue
        with st.container(key=f"notice-verdict-{run_id}"):
            st.text(leaderboard.sentence(standing))
            for told in leaderboard.warnings(standing, standings[base].run):
                st.text(f"⚠ Compare with care: {told}.")


def _closer(standings: Mapping[str, Standing], base: str, offered: list[str]) -> None:
    """One run beside the baseline: what it fixed and broke, and what goes wrong in it."""
    named = st.query_params.get("of")
    of = named if named in offered else offered[0]
    if len(offered) > 1:
        names = {run_id: f"{leaderboard.model_name(standings[run_id].run)} · {run_id}" for run_id in offered}
        st.session_state["of"] = of
        st.selectbox("Look closer at", offered, format_func=names.__getitem__, key="of", on_change=_look_at)
    standing, baseline = standings[of], standings[base]
    api = st.query_params.get("api")
    if api:
        _turns(of, api)
    flips, errors = st.columns(2, gap="large")
    with flips:
        st.subheader("Fixed and broken", anchor=False)
        shell.listing(leaderboard.flips_listed(standing), key="flips", height=420)
    with errors:
        st.subheader("Failed calls by tool", anchor=False)
        here = {"runs": ",".join(standings), "base": base, "of": of}
        shell.listing(leaderboard.calls_listed(standing, baseline, here), key="calls", height=200)
        st.subheader("Wrong parameters", anchor=False)
        shell.listing(leaderboard.parameters_listed(standing), key="parameters", height=200)


def _look_at() -> None:
    st.query_params["of"] = st.session_state["of"]


def _turns(run_id: str, api: str) -> None:
    st.subheader("Turns in which such a call went wrong", anchor=False)
    shell.faint(f"{api}, in {run_id}", key="which-turns")
    shell.listing(leaderboard.turns_listed(run_id, _failed(run_id, api)), key="turns", height=300)


@st.cache_data(show_spinner=False, max_entries=16, ttl=60)
def _failed(run_id: str, api: str) -> tuple[leaderboard.FailedCall, ...]:
    return evaluating.failed_calls(shell.store(), run_id, api, most=listings.MOST_ROWS)


page()
