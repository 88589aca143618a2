"""Data & settings: what there is to play with, who judges, what is stored where. The address says the tab and what is
chosen on it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from app import (
    browse_address,
    foreign,
    own_parts_listed,
    records_listed,
    services,
    shell,
)
from app.browse_address import TABS, Place
from app.panels.endpoints import draw_models
from app.panels.scenarios import browse, draw_scenarios

shell.enter(__file__)

HEIGHT = 560
NO_OWN = "Nothing of your own yet: a file josh.toml gives your worlds, agents, users and models their names."
CHECK_HELP = "Runs each part's code in a process of its own, for half a minute at most."
RESULTS_HELP = "Messages, calls and rewards as they stand in it; a τ-bench v1 result is also graded again."
BUNDLE_HELP = "Configuration, trees, verdicts and answers in one zip, with the sha256 of each member."


@shell.guarded
def page() -> None:
    place = browse_address.read_place(st.query_params.to_dict(), services.list_worlds())
    shell.heading("Data & settings", "Scenarios, models, your own parts, people, and what is stored where.")
    st.session_state["tab"] = place.tab  # the address decides, also after Back
    st.segmented_control(
        "Section",
        list(TABS),
        format_func=TABS.__getitem__,
        required=True,
        label_visibility="collapsed",
        key="tab",
        on_change=lambda: browse(replace(place, tab=st.session_state["tab"])),
    )
    shown = {
        "scenarios": draw_scenarios,
        "models": draw_models,
        "parts": _parts,
        "people": _people,
        "storage": _storage,
        "display": _display,
    }
    shown[place.tab](place)


# Parts


@shell.guarded
def _parts(place: Place) -> None:
    own = services.own_parts()
    with st.container(horizontal=True, vertical_alignment="center", key="own"):
        if st.button("Check all", icon=":material/fact_check:", key="check-all", help=CHECK_HELP):
            _check_all()
        if own.file:
            shell.faint(f"Yours are declared in {own.file}.", key="own-file")
        else:
            shell.copy_button("Copy an example", key="copy-example", text=own_parts_listed.EXAMPLE)
            shell.faint(NO_OWN, key="own-none")
    checks: own_parts_listed.Checks = st.session_state.get("checks", {})
    shell.listing(own_parts_listed.parts_listed(own, checks), key="parts", height=HEIGHT)


@shell.guarded
def _check_all() -> None:
    """Each in a process of its own, with a time limit; the list grows as they answer."""
    data = services.data_path(shell.store().path)
    listed = list(own_parts_listed.every_part(services.own_parts()))
    checks, bar = {}, st.progress(0.0)
    for number, (kind, name, _) in enumerate(listed):
        bar.progress(number / len(listed), text=f"Checking {kind} {name}")
        checks[kind, name] = services.check_part(kind, name, data)
    st.session_state["checks"] = checks
    st.rerun()


# People, storage, display


@shell.guarded
def _people(place: Place) -> None:
    shell.faint("A name is all that is known of a person; it stands on the verdicts they give.", key="people")
    shell.listing(records_listed.people_listed(services.list_people(shell.store())), key="people-list", height=HEIGHT)


@shell.guarded
def _storage(place: Place) -> None:
    store = shell.store()
    size = services.store_size(store)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("The store", anchor=False)
        shell.faint(f"{size.path}, {records_listed.size_word(size.size)}", key="store-path")
        shell.listing(records_listed.tables_listed(size), key="tables")
    with right:
        _bundles(store)
        _results_of_others(store)
        _copies(store, size)


def _copies(store: services.Store, size: services.StoreSize) -> None:
    st.subheader("Copies beside it", anchor=False)
    if st.button("Make a copy now", icon=":material/content_copy:", key="back-up"):
        shell.attempted(lambda: services.make_backup(store), key="back-up-failed")
    shell.listing(records_listed.backups_listed(size.backups), key="backups", height=220)


def _bundles(store: services.Store) -> None:
    st.subheader("Runs as files", anchor=False)
    runs = {line.run: f"{line.run} · {line.name}" for line in services.list_runs(store)}
    if runs:
        row = st.columns([3, 1], vertical_alignment="bottom")
        run = row[0].selectbox("Run", list(runs), format_func=runs.__getitem__, key="bundle-run", help=BUNDLE_HELP)
        playing = {each.id for each in services.active_runs(store)}
        row[1].download_button(
            "Download",
            lambda: services.pack_run(store, run)[1],
            f"{run}.run.zip",
            "application/zip",
            disabled=run in playing,
            help="Stop it first: a file is of one moment." if run in playing else None,
            on_click="ignore",
            icon=":material/download:",
            width="stretch",
            key="bundle",
        )
    upload = st.file_uploader("A run from elsewhere", type=["zip"], key="run-zip")
    if st.button("Add it to this store", icon=":material/add:", disabled=upload is None, key="unbundle"):
        _add(store, upload)
    if added := st.session_state.get("added"):
        st.page_link(shell.PAGES["run"], label=f"Open run {added}", query_params={"run": added})


def _results_of_others(store: services.Store) -> None:
    st.subheader("Results of τ-bench and τ²-bench", anchor=False)
    upload = st.file_uploader("A results file", type=["json"], key="results-json", help=RESULTS_HELP)
    if st.button("Add them as a run", icon=":material/add:", disabled=upload is None, key="add-results"):
        _add_results(store, upload)
    if (made := st.session_state.get("added-results")) is not None:
        st.text(foreign.in_words(made))
        st.page_link(shell.PAGES["run"], label=f"Open run {made.run}", query_params={"run": made.run})


@shell.guarded
def _add_results(store: services.Store, upload: Any) -> None:
    data = services.data_path(store.path)
    st.session_state["added-results"] = foreign.import_uploaded(store, upload.getvalue(), upload.name, data)
    st.rerun()


@shell.guarded
def _add(store: services.Store, upload: Any) -> None:
    st.session_state["added"] = services.unbundle_run(store, upload).run
    st.rerun()


@shell.guarded
def _display(place: Place) -> None:
    kept: Mapping[str, str] = services.kept_where(shell.store())
    st.subheader("Theme", anchor=False)
    st.text("Light or dark as your system or browser says. Colours always come with a shape and a word.")
    st.subheader("What is kept, and where", anchor=False)
    for what, where in kept.items():
        st.text(f"{what}: {where}")
    st.text("Nothing is sent to any other machine by these pages; no usage statistics are gathered.")


page()
