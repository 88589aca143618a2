"""Evaluate: whether the new model is better, how sure that is, and where it still fails.

The address says which runs are judged, which is the baseline and what is looked at; every row leads to turns or trees.
"""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from app import (
    charts,
    evaluating,
    figures_csv,
    leaderboard,
    listings,
    over_trials,
    reference_rows,
    services,
    shell,
    trainings,
)
from app.charts import Drawn
from app.leaderboard import Standing
from app.results import Evaluation
from josh_engine.config import Run
from josh_engine.metrics import Spread, Wrong

shell.enter(__file__)

NOTHING = (
    "No model is judged yet. A baseline is plain play: strategy greedy on the test split, here 100 scenarios at T 1."
)
BASELINE_SCENARIOS = 100
JUDGED = 300
GOING = ("queued", "running")
LOOKED_AT = ("api", "table", "parameter", "kind")  # of the address: which wrong calls are shown
FLIPS = ("Both", "Fixed", "Broken")
ORDERS = (
    "The order decides which scenarios are played: sorted by id, MultiWOZ's 450 test scenarios hold none of a single"
    " domain; in the official list's order they hold 86."
)


@shell.guarded
def page() -> None:
    store = shell.store()
    every = services.list_runs(store)
    lines = {line.run: line for line in leaderboard.comparable(every)}
    shell.heading("Evaluate", "Whether one model is better than another, on scenarios neither was trained on.")
    played = {line.run: line.strategy for line in every}
    for run in (run for run in _asked("runs") if played.get(run) != "greedy"):
        what = "is a search, and only plain play is compared" if run in played else "is not in this store"
        shell.complaint(f"Run `{run}` {what}.", "Choose one of those listed.", key=f"run-{run}")
    waiting = tuple(run for run in _asked("runs") if played.get(run) == "greedy" and run not in lines)
    if not lines and not waiting:
        if shell.nothing_yet(NOTHING, "Evaluate the embedded model", key="baseline", icon=":material/leaderboard:"):
            shell.go("evaluate", {"runs": _play_baseline()})
        return
    shown = (*lines, *waiting)
    chosen, base = _choose({each.run: f"{each.run} · {each.name}" for each in every if each.run in shown}, tuple(lines))
    _judge_a_model()
    going = bool(waiting) or any(lines[run].state in GOING for run in chosen)
    st.fragment(_judge, run_every="3s" if going else None)(chosen, base, waiting)


def _asked(name: str) -> list[str]:
    return [each for each in str(st.query_params.get(name, "")).split(",") if each]


def _play_baseline() -> str:
    base, _ = evaluating.launch_evaluation(
        shell.store(), services.EMBEDDED_MODEL, None, name="", limit=BASELINE_SCENARIOS
    )
    return base


def _choose(words: Mapping[str, str], begun: tuple[str, ...]) -> tuple[tuple[str, ...], str | None]:
    """The address decides what stands in the fields, also after Back; a change writes it anew. A run of which nothing
    is finished stands there too, so that the field does not change by itself, which would read as a person's change."""
    named = [run for run in _asked("runs") if run in words]
    if "runs" not in st.query_params:
        named = list(begun[:4])
    asked = [run for run in named if run in begun]
    base = st.query_params.get("base")
    if base not in asked:
        base = asked[-1] if asked else None
    st.session_state.update({"judged": named, "base": base})
    left, right = st.columns([70, 30])
    left.multiselect("Runs", list(words), format_func=words.__getitem__, key="judged", on_change=_changed)
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
        run = services.load_run(store, run_id)
        shell.faint(f"{run.name}: {services.shown_state(store, run)}, nothing finished yet.", key=f"wait-{run_id}")
    if waiting and any(line.run in waiting for line in leaderboard.comparable(services.list_runs(store))):
        st.rerun()
    if base is None:
        shell.faint("Choose one run or more above; the first listed ones are the newest.", key="choose")
        return
    standings = {run_id: _standing(store, run_id, base) for run_id in chosen}
    _verdicts(standings, base)
    official = any(each.run.config.world == "toolwoz" for each in standings.values())
    shell.listing(leaderboard.board_listed(list(standings.values()), base, official=official), key="board")
    if official:
        shell.faint(ORDERS, key="orders")
    if any(map(over_trials.is_retail_test, standings.values())):
        shell.faint(reference_rows.RETAIL_NOTE, key="retail")
    st.download_button(
        "Download as CSV", figures_csv.as_csv(list(standings.values())), "leaderboard.csv", "text/csv",
        icon=":material/download:", on_click="ignore", key="csv",
    )  # fmt: skip
    closer = [run_id for run_id in chosen if run_id != base] or [base]
    if over_trials.several(list(standings.values())):
        _over_trials(standings, base, closer[0])
    _closer(standings, base, closer)
    st.subheader("How sure a figure is, and what the search's beam does", anchor=False)
    left, right = st.columns(2, gap="large")
    with left:
        told = {f"{leaderboard.model_name(each.run)} · {each.run.id}": each for each in standings.values()}
        _chart("spreads", charts.spreads_drawn({name: _spreads(str(store.path), each) for name, each in told.items()}))
    world = standings[base].run.config.world
    with right:
        shell.listing(leaderboard.beams_listed(evaluating.beam_lines(store, world), standings.values()), key="beams")
    st.subheader("What a conversation takes", anchor=False)
    shell.listing(over_trials.costs_listed(list(standings.values())), key="costs")


def _over_trials(standings: Mapping[str, Standing], base: str, first: str) -> None:
    """Of runs that played every scenario several times."""
    of = standings.get(st.query_params.get("of", first), standings[first])
    st.subheader("Over several trials", anchor=False)
    shell.listing(over_trials.pass_listed(list(standings.values())), key="pass", height=300)
    left, right = st.columns(2, gap="large")
    with left:
        _chart("pass-k", charts.pass_drawn(list(standings.values())))
    with right:
        which = st.segmented_control(
            "Succeeded", over_trials.WHICH, default=over_trials.WHICH[0], key="outcomes-shown",
            help="In which share of its trials a scenario succeeded. Open: too few of them finished to tell.",
        )  # fmt: skip
        listed = over_trials.outcomes_listed(of, standings[base], which or over_trials.WHICH[0])
        shell.listing(listed, key="outcomes", height=250)
        shell.faint(f"{leaderboard.model_name(of.run)} · {of.run.id}. {over_trials.in_words(of)}", key="outcomes")


def _chart(key: str, drawn: Drawn) -> None:
    """With its figures as CSV and itself as PNG. A chosen bar leads to its turns."""
    with st.container(key=f"chart-{key}"):
        if drawn.selects:
            st.altair_chart(
                drawn.chart, alt=drawn.alt, key=f"drawn-{key}", on_select=partial(_bar_chosen, key), width="stretch"
            )
        else:
            st.altair_chart(drawn.chart, alt=drawn.alt, key=f"drawn-{key}", width="stretch")
    with st.container(horizontal=True, vertical_alignment="center", key=f"saving-{key}"):
        st.download_button(
            "CSV", figures_csv.frame_as_csv(drawn.frame), f"{key}.csv", "text/csv", on_click="ignore", key=f"csv-{key}",
            help="The chart's figures.",
        )  # fmt: skip
        shell.component(shell.HERE, "chart", "button")(
            key=f"png-{key}", data={"chart": f"chart-{key}", "file": f"{key}.png"}, width="content"
        )


def _bar_chosen(key: str) -> None:
    """The address says which bar's turns are looked at."""
    bars = st.session_state[f"drawn-{key}"]["selection"].get(charts.BAR) or [{}]
    for name in LOOKED_AT:
        st.query_params.pop(name, None)
    st.query_params.update(charts.meant(bars[0]))


@st.cache_data(show_spinner=False, max_entries=64, hash_funcs={Standing: lambda each: _stamp(each.run)})
def _spreads(path: str, standing: Standing) -> tuple[Spread, ...]:
    return evaluating.run_spreads(shell.store(), standing.run.id)


def _stamp(run: Run) -> str:
    return f"{run.id} {run.state} {run.rollouts_done} {run.finished}"


def _standing(store: services.Store, run_id: str, base: str) -> Standing:
    run = services.load_run(store, run_id)
    judged = _evaluation(str(store.path), run_id, _stamp(run))
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
    here = {"runs": ",".join(standings), "base": base, "of": of}
    wanted = {name: value for name in LOOKED_AT if (value := st.query_params.get(name))}
    if wanted:
        _turns(of, Wrong(**wanted), here)
    flips, errors = st.columns(2, gap="large")
    with flips:
        st.subheader("Fixed and broken", anchor=False)
        which = st.segmented_control("Show", FLIPS, default=FLIPS[0], key="flips-shown", label_visibility="collapsed")
        shell.listing(leaderboard.flips_listed(standing, which or FLIPS[0]), key="flips", height=420)
    with errors:
        st.subheader("Conversations with wrong calls", anchor=False)
        shell.listing(leaderboard.kinds_listed(standing, baseline, here), key="kinds")
        _chart("standings", charts.standings_drawn(list(standings.values())))
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Failed calls by tool", anchor=False)
        _chart("failed-calls", charts.failed_calls_drawn(standing, baseline))
        shell.listing(leaderboard.calls_listed(standing, baseline, here), key="calls", height=200)
    with right:
        st.subheader("Wrong parameters", anchor=False)
        _chart("parameters", charts.parameters_drawn(standing))
        shell.listing(leaderboard.parameters_listed(standing, here), key="parameters", height=200)


def _look_at() -> None:
    st.query_params["of"] = st.session_state["of"]


def _turns(run_id: str, wanted: Wrong, here: Mapping[str, str]) -> None:
    st.subheader("Turns in which such a call went wrong", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", key="looked-at"):
        shell.faint(f"{leaderboard.in_words(wanted)}, in {run_id}", key="which-turns")
        if st.button("Close", icon=":material/close:", key="close-turns"):
            st.query_params.from_dict(dict(here))
            st.rerun()
    shell.listing(leaderboard.turns_listed(run_id, _failed(run_id, wanted)), key="turns", height=300)


@st.cache_data(show_spinner=False, max_entries=16, ttl=60, hash_funcs={Wrong: repr})
def _failed(run_id: str, wanted: Wrong) -> tuple[leaderboard.FailedCall, ...]:
    return evaluating.failed_calls(shell.store(), run_id, wanted, most=listings.MOST_ROWS)


# A model judged by plain play


@shell.guarded
def _judge_a_model() -> None:
    """Any model, adapter, user simulator (section 5.4) and split, played plainly as a run in the background."""
    with st.expander("Judge a model", icon=":material/add:"):
        store = shell.store()
        adapters = {job.adapter: f"{job.name} · {job.id}" for job in trainings.list_trainings(store) if job.adapter}
        others = (None, *(name for name in services.list_models() if name != services.EMBEDDED_MODEL))
        columns = st.columns([3, 2, 3, 3, 3])
        world = columns[0].selectbox("World", services.list_worlds(), key="judge-world", on_change=_suit_the_world)
        splits = services.world_splits(world, services.data_path(store.path))
        held_out = splits.index("test") if "test" in splits else len(splits) - 1
        columns[1].selectbox("Split", splits, index=held_out, key="judge-split")
        columns[2].selectbox("Agent", services.list_agents(), key="judge-agent")
        columns[3].selectbox("User", services.list_users(), key="judge-user", help="Another one is another test.")
        columns[4].selectbox(
            "User's model", others, key="judge-user-model", format_func=lambda each: each or "none given"
        )
        columns = st.columns([3, 3, 2, 2, 2, 2, 2], vertical_alignment="bottom")
        columns[0].selectbox("Model", services.list_models(), key="judge-model")
        columns[1].selectbox(
            "Adapter", (None, *adapters), key="judge-adapter", format_func=lambda each: adapters.get(each, "none")
        )
        columns[2].number_input("Scenarios", 1, value=JUDGED, key="judge-limit")
        columns[3].number_input("Trials", 1, key="judge-trials", help="How often each is played; for Pass^k.")
        columns[4].number_input("Temperature", 0.0, value=1.0, step=0.1, key="judge-temperature")
        columns[5].number_input("Seed", 0, key="judge-seed")
        columns[6].button("Judge", key="judge", width="stretch", on_click=shell.tried, args=(_start_judging,))
        shell.refused(key="judge")


def _suit_the_world() -> None:
    """Another world's usual players and trials."""
    suited = services.suited(st.session_state["judge-world"])
    st.session_state.update({"judge-agent": suited.agent, "judge-user": suited.user, "judge-trials": suited.trials})


def _start_judging() -> None:
    fields = ("model", "adapter", "agent", "user", "world", "split")
    chosen = {name: st.session_state[f"judge-{name}"] for name in fields}
    request = services.RunRequest(
        **chosen, user_model=st.session_state["judge-user-model"], limit=int(st.session_state["judge-limit"]),
        temperature=float(st.session_state["judge-temperature"]), seed=int(st.session_state["judge-seed"]),
        trials=int(st.session_state["judge-trials"]),
    )  # fmt: skip
    made = evaluating.launch_plain_play(shell.store(), request, name=f"Judged: {chosen['model']}")
    known = [run for run in _asked("runs") or st.session_state.get("judged", ()) if run != made]
    st.query_params["runs"] = ",".join([*known, made])


page()
