"""Tree: one scenario's search, where its rewards came, what was cut and why, and the conversation beside it.

The address says everything: run, scenario, trial, the chosen turn, and how it is looked at (PLACE). While the search
runs, the drawing grows in place; it is mounted once.
"""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from app import listings, seeing, services, shares, shell
from app.archive import archive
from app.panels import looks
from app.records_listed import hits_in_words, hits_listed
from app.sharing import KINDS, TYPES
from app.tree_view import compare_view, told_by, tree_view
from app.tree_view.comparison import MOST, comparison
from app.tree_view.opening import explored, opened, rivals
from app.tree_view.panes import answer_key, draw_panes
from josh_engine.values import Rollout

shell.enter(__file__)

HEIGHT = 640
PLACE = ("lens", "hoist", "t", "q", "filter")
SHARED = {
    "html": "Web page: click and replay", "pyvis": "pyvis network", "graphml": "GraphML", "json": "JSON (networkx)",
}  # fmt: skip
FORMATS = {"sft": "SFT", "kto": "KTO", "dpo": "DPO"}
CHOOSE_RUNS = "Choose among those under Compare."
GOING = ("queued", "running")
ROWS = "Training rows of this run (finished trees with full reward):"
NO_ROWS = "No training rows yet: no tree of this run is finished with full reward."


@shell.guarded
def page() -> None:
    store = shell.store()
    run_id, scenario = st.query_params.get("run"), st.query_params.get("scenario")
    if run_id is None:
        _choose_run(store)
        return
    if shell.find_run(run_id, title="Tree") is None:
        return
    rollouts = services.list_rollouts(store, run_id)
    if scenario is None:
        _choose_scenario(run_id, rollouts)
        return
    trial = st.query_params.get("trial", "0")
    chosen = listings.find_rollout(rollouts, scenario, trial)
    if chosen is None:
        _unknown_scenario(run_id, scenario, rollouts)
        return
    _explore(store, chosen, rollouts)


def _choose_run(store: services.Store) -> None:
    shell.heading("Tree", "Choose a run to look into.")
    lines = services.list_runs(store)
    if lines:
        shell.listing(listings.runs_listed(lines, page="tree"), key="runs", height=HEIGHT)
        return
    with st.container(key="notice-none"):
        st.text("No runs yet, so there is no tree to look at.")
        if st.button("Start a run", type="primary", icon=":material/play_arrow:"):
            shell.go("run", {})


def _choose_scenario(run_id: str, rollouts: tuple[Rollout, ...]) -> None:
    shell.heading("Tree", "Choose a scenario: those with a part of their reward come first.", run_id=run_id)
    words = st.text_input("Search conversations", placeholder="words that were said, called or answered", key="words")
    if words.strip():
        found = services.search_messages(shell.store(), words, run_id=run_id)
        shell.faint(hits_in_words(found, words), key="hits-counted")
        if found.hits:
            shell.listing(hits_listed(found), key="hits", height=HEIGHT - 80)
        return
    shell.listing(listings.scenarios_listed(rollouts, by_interest=True), key="scenarios", height=HEIGHT - 40)


def _unknown_scenario(run_id: str, scenario: str, rollouts: tuple[Rollout, ...]) -> None:
    shell.heading("Tree", run_id=run_id)
    with st.container(key="problem-scenario"):
        st.text(f"⚠ Scenario `{scenario}` is not in this run.")
        st.text("Choose one of those below.")
    shell.listing(listings.scenarios_listed(rollouts), key="scenarios", height=HEIGHT - 60)


def _explore(store: services.Store, chosen: Rollout, rollouts: tuple[Rollout, ...]) -> None:
    top, picker = st.columns([58, 42], vertical_alignment="bottom")
    with top:
        shell.heading("Tree")
    with picker:
        _picker(store, chosen, rollouts)
    if "compare" in st.query_params:
        _compare(store, chosen)
        return
    going = services.shown_state(store, services.load_run(store, chosen.run_id)) in GOING and chosen.state in GOING
    st.fragment(_panes, run_every="1s" if going else None)(store, chosen.id, going)
    _downloads(store, chosen.run_id, chosen.id, ready=listings.trainable(rollouts))


def _picker(store: services.Store, chosen: Rollout, rollouts: tuple[Rollout, ...]) -> None:
    names = {rollout.id: listings.scenario_name(rollout) for rollout in rollouts}
    addresses = {rollout.id: listings.tree_address(rollout) for rollout in rollouts}
    ids = list(names)
    here, last = ids.index(chosen.id), len(ids) - 1
    st.session_state["scenario"] = chosen.id  # the address decides, also after Back

    def move(rollout_id: str | None = None) -> None:
        st.query_params.from_dict(addresses[rollout_id or st.session_state["scenario"]])

    before, middle, after, beside = st.columns([2, 5, 1.6, 2.4], vertical_alignment="bottom", gap="small")
    middle.selectbox(
        "Scenario", ids, format_func=names.__getitem__, key="scenario", on_change=move, filter_mode="contains"
    )
    for column, word, to in ((before, "Previous", max(0, here - 1)), (after, "Next", min(last, here + 1))):
        column.button(word, on_click=move, args=(ids[to],), disabled=to == here, width="stretch", key=f"go-{word}")
    with beside.popover("Compare", width="stretch", help="The same scenario in other runs, on one axis."):
        _rivals(store, chosen)


def _rivals(store: services.Store, chosen: Rollout) -> None:
    """The other runs that hold the scenario; those chosen are in the address."""
    names = {run.id: f"{run.id} · {run.name}" for run in services.runs_with_scenario(store, chosen)}
    if not names:
        st.text("No other run holds this scenario.")
        if st.button("Start another run", key="rival-run", icon=":material/play_arrow:"):
            shell.go("run", {"clone": chosen.run_id})
        return
    named = st.query_params.get("compare", "").split(",")
    st.session_state["compare"] = [run for run in names if run in named]

    def compare() -> None:
        if picked := st.session_state["compare"]:
            st.query_params["compare"] = ",".join(picked)
        else:
            st.query_params.pop("compare", None)

    st.multiselect(
        "Compare with",
        list(names),
        format_func=names.__getitem__,
        key="compare",
        on_change=compare,
        max_selections=MOST - 1,
        placeholder="One or two runs",
    )


@shell.guarded
def _compare(store: services.Store, chosen: Rollout) -> None:
    shell.crumbs_line(chosen.scenario_id, "compared", run_id=chosen.run_id)
    trees, unknown = rivals(store, chosen, st.query_params["compare"].split(","))
    for run in unknown:
        shell.complaint(f"Run `{run}` does not hold this scenario, or is not in this store.", CHOOSE_RUNS, key=run)
    if st.button("Back to this tree", icon=":material/arrow_back:", key="back-to-tree"):
        del st.query_params["compare"]
        st.rerun()
    if len(trees) > 1:
        looks.shown(store, *(seeing.at_tree(each.rollout.id, "compare") for each in trees))
        compare_view(comparison(trees, height=HEIGHT), key="compared")


@shell.guarded
def _panes(store: services.Store, rollout_id: str, going: bool) -> None:
    looks.shown(store, seeing.at_tree(rollout_id, "tree"))
    tree = opened(store, rollout_id)
    if going and tree.rollout.state not in GOING:
        st.rerun()
    asked = st.query_params.get("node")
    selected = asked if asked in tree.tree.nodes else None
    turn = [f"turn {selected}"] if selected else []
    shell.crumbs_line(tree.rollout.scenario_id, *turn, run_id=tree.rollout.run_id)
    shell.faint(listings.search_in_words(tree, unknown_node=asked if asked != selected else None), key="search")
    if tree.missing:
        shell.faint(tree.missing, key="missing")
    if tree.run.notices:
        shell.faint(listings.notices_in_words(tree.run), key="notices")
    left, right = st.columns([58, 42], gap="small")
    with left:
        place = {name: st.query_params[name] for name in PLACE if name in st.query_params}
        drawn = explored(store, rollout_id, selected=selected, height=HEIGHT, place=place, told=told_by("tree"))
        tree_view(drawn, key="tree", choose=_choose, note=_note, ask=lambda wish: answer_key(store, tree, wish))
    with right:
        draw_panes(store, tree, selected=selected, choose=_choose)


def _choose(node: str) -> None:
    _note({"node": node})


def _note(place: Mapping[str, str]) -> None:
    """What the drawing wants the address to say; empty: nothing any more."""
    for name in (name for name in (*PLACE, "node") if name in place):
        if place[name]:
            st.query_params[name] = place[name]
        elif name in st.query_params:
            del st.query_params[name]


def _downloads(store: services.Store, run_id: str, rollout_id: str, *, ready: bool) -> None:
    """Made when they are asked for: of this run's finished trees with full reward, as the paper filters."""

    def files(*formats: str) -> dict[str, bytes]:
        return services.export_files(store, [run_id], formats=formats)[1]

    def file(name: str) -> bytes:
        return files(name)[f"{name}.jsonl"]

    def shared(kind: str) -> bytes:
        return shares.shared_file(store, rollout_id, kind)[1]

    with st.container(horizontal=True, vertical_alignment="center", key="downloads"):
        told = ROWS if ready else NO_ROWS
        shell.faint(told, key="rows")
        for name, word in FORMATS.items():
            st.download_button(
                word,
                partial(file, name),
                f"{run_id}.{name}.jsonl",
                "application/jsonl",
                on_click="ignore",
                disabled=not ready,
                icon=":material/download:",
                key=f"download-{name}",
            )
        st.download_button(
            "All, with provenance",
            lambda: archive(files(*FORMATS)),
            f"{run_id}.rows.zip",
            "application/zip",
            on_click="ignore",
            disabled=not ready,
            icon=":material/folder_zip:",
            key="download-all",
        )
        with st.popover("Share", icon=":material/share:", help="This tree as one file for somebody without this app."):
            for kind, word in SHARED.items():
                st.download_button(
                    word,
                    partial(shared, kind),
                    f"{run_id}.{KINDS[kind]}",
                    TYPES[kind],
                    on_click="ignore",
                    key=f"share-{kind}",
                    width="stretch",
                )


page()
