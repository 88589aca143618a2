"""Data & settings: what there is to play with, who judges, what is stored where. The address says the tab and what is
chosen on it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from app import (
    browse_address,
    browsing,
    choosing,
    foreign,
    models_listed,
    own_parts_listed,
    records_listed,
    services,
    shell,
)
from app.browse_address import TABS, Place
from josh_engine.values import Scenario

shell.enter(__file__)

HEIGHT = 560
IMPORT_REMEDY = "Give the zip as it is published, or a path below the folder shown."
NO_OWN = "Nothing of your own yet: a file josh.toml gives your worlds, agents, users and models their names."
DOWNLOAD_HELP = "The server fetches it from its public repository."
TEST_HELP = "Asks it a dozen short questions, which may cost a little."
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
        on_change=lambda: _go(replace(place, tab=st.session_state["tab"])),
    )
    shown = {
        "scenarios": _scenarios,
        "models": _models,
        "parts": _parts,
        "people": _people,
        "storage": _storage,
        "display": _display,
    }
    shown[place.tab](place)


def _go(place: Place) -> None:
    st.query_params.from_dict(browse_address.write_place(place))


# Scenarios


@shell.guarded
def _scenarios(place: Place) -> None:
    data = services.data_path(shell.store().path)
    left, right = st.columns([38, 62], gap="large")
    with left:
        _world(place)
        if place.world in services.IMPORTED:
            _imports(place.world)
    splits = services.world_splits(place.world, data)
    place = replace(place, split=place.split if place.split in splits else services.first_split(place.world, data))
    with left:
        _choose(place, splits)
    with right:
        if place.scenario:
            _scenario(place, *services.open_scenario(place.world, place.split, place.scenario, data))
        else:
            shell.faint("Choose a scenario, and what its user wants is told here.", key="no-scenario")


def _world(place: Place) -> None:
    st.session_state["world"] = place.world
    st.selectbox(
        "World",
        services.list_worlds(),
        key="world",
        on_change=lambda: _go(Place("scenarios", st.session_state["world"])),
    )


def _imports(world: str) -> None:
    """What is there of a world whose data a person brings, and the ways to bring it."""
    data, name = services.data_path(shell.store().path), services.IMPORTED[world]
    state, there = services.import_state(world, data), services.imported(world, data)
    if there:
        shell.faint("✓ " + browse_address.import_in_words(there.report, there.source), key="imported")
        for file in there.changed:
            shell.complaint(f"{file} was changed after the import.", f"Import {name} again.", key=f"changed-{file}")
    if state.state == "failed":
        shell.complaint(state.error, state.remedy, key="import")
    if state.state == "running":
        st.fragment(_importing, run_every="1s")(world)
        return
    with st.expander(f"Import {name}", icon=":material/upload_file:", expanded=there is None):
        _import_form(world)
    if there and there.report.get("repaired"):
        with st.expander("Repaired records", icon=":material/build:"):
            shell.listing(browse_address.repairs_shown(there.report), key="repaired", height=260)


def _importing(world: str) -> None:
    if services.import_state(world, services.data_path(shell.store().path)).state != "running":
        st.rerun()
    st.progress(1.0, text="Importing: every goal call is made once and checked. This page may be left.")


def _import_form(world: str) -> None:
    folder = services.imports_path(services.data_path(shell.store().path))
    upload = st.file_uploader("Its zip", type=["zip"], key=f"zip-{world}")
    typed = st.text_input("Or a folder or zip on the server", key=f"path-{world}", placeholder=f"below {folder}")
    with st.container(horizontal=True):
        if st.button("Import", type="primary", icon=":material/upload_file:", key="import"):
            _import(world, upload, typed)
        if st.button("Download", icon=":material/cloud_download:", key="download", help=DOWNLOAD_HELP):
            _import(world, None, None)


@shell.guarded
def _import(world: str, upload: object, typed: str | None) -> None:
    """`typed` None, and nothing uploaded: fetched from where it is published."""
    data = services.data_path(shell.store().path)
    source = None
    if upload is not None:
        source = services.keep_upload(world, upload, data)
    elif typed is not None:
        source = services.below(services.imports_path(data), typed, remedy=IMPORT_REMEDY)
    services.start_import(world, source, data)
    st.rerun()


@st.cache_data(max_entries=6, show_spinner="Listing scenarios …")
def _lines(world: str, split: str, data: str, stamp: str) -> tuple[choosing.ScenarioLine, ...]:
    """`stamp` changes with the data set, so that an import is seen."""
    return services.scenario_lines(world, split, services.data_path(shell.store().path))


def _choose(place: Place, splits: tuple[str, ...]) -> None:
    data = services.data_path(shell.store().path)
    st.session_state.update({"split": place.split, "q": place.text})
    narrow, wide = st.columns([2, 3])
    narrow.selectbox(
        "Split",
        splits,
        key="split",
        on_change=lambda: _go(replace(place, split=st.session_state["split"], scenario="")),
    )
    wide.text_input(
        "Find",
        key="q",
        placeholder="id or words of the brief",
        on_change=lambda: _go(replace(place, text=st.session_state["q"])),
    )
    lines = _lines(place.world, place.split, str(data), services.data_stamp(place.world, data))
    found = choosing.filtered(lines, choosing.ScenarioFilter(text=place.text))
    shell.faint(f"{len(found):,} of {len(lines):,} scenarios", key="counted")
    if note := services.split_note(place.world, place.split, data):
        shell.faint(note, key="split-note")
    shell.listing(browse_address.scenarios_shown(found, place), key="scenarios", height=HEIGHT - 150)


def _scenario(place: Place, scenario: Scenario, tables: browsing.Tables) -> None:
    st.subheader("What the user wants", anchor=False)
    shell.faint(f"{place.world} ▸ {place.split} ▸ {scenario.id}", key="scenario-id")
    st.text("\n".join(f"{number}. {line}" for number, line in enumerate(scenario.brief, start=1)))
    st.subheader("Goals", anchor=False)
    shell.listing(browse_address.goals_shown(scenario.goals), key="goals")
    if scenario.guide:
        with st.expander("The human conversation", icon=":material/forum:"):
            speakers = ("User", "Agent")
            st.text("\n".join(f"{speakers[turn % 2]}: {said}" for turn, said in enumerate(scenario.guide)))
    with st.expander("What the world is told (setup)", icon=":material/data_object:"):
        st.code(json.dumps(dict(scenario.setup), ensure_ascii=False, indent=2), language="json", wrap_lines=True)
    if tables:
        _tables(tables)


def _tables(tables: browsing.Tables) -> None:
    st.subheader("What its tools answer from", anchor=False)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    names = list(tables)
    with left:
        name = st.segmented_control("Table", names, default=names[0], required=True, key="table")
    words = right.text_input("Rows with", key="table-words", placeholder="words in any column")
    rows = browsing.matching(tables[name], words)
    shell.faint(f"{len(rows):,} of {len(tables[name]):,} rows", key="table-rows")
    st.dataframe(rows, hide_index=True, height=300, key="table-shown")


# Models


@shell.guarded
def _models(place: Place) -> None:
    store, lines = shell.store(), services.list_endpoints()
    tested = services.tested_endpoints(store)
    left, right = st.columns([62, 38], gap="large")
    with left:
        st.subheader("Endpoints", anchor=False)
        for line in lines:
            _endpoint(line, tested.get(services.endpoint_address(line.name)))
        if not lines:
            with st.container(key="notice-no-endpoints"):
                st.text("None yet. A file josh.toml gives an endpoint its name; the Run page then offers it.")
                st.code(models_listed.EXAMPLE, language=None)
                shell.copy_button("Copy the example", key="copy-endpoint", text=models_listed.EXAMPLE)
    with right:
        _try_one(tested)
        _local_models()


def _endpoint(line: services.EndpointLine, tested: models_listed.Tested | None) -> None:
    with st.container(border=True, key=f"endpoint-{line.name}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.text(f"{line.name}   {models_listed.verdict_in_words(tested)}")
            _test_button(line.name, key=f"test-{line.name}")
        shell.faint(f"{line.model} at {line.url}", key=f"where-{line.name}")
        shell.faint(models_listed.settings_in_words(line), key=f"settings-{line.name}")
        _found(tested, line.name)


def _test_button(name: str, *, key: str) -> None:
    if st.button("Test", icon=":material/network_check:", key=key, help=TEST_HELP):
        with st.spinner("Asking …"):
            services.test_endpoint(shell.store(), name)
        st.rerun()


def _found(tested: models_listed.Tested | None, key: str) -> None:
    if tested is None:
        return
    st.text(tested.probe.error or models_listed.abilities_in_words(tested.probe))
    shell.faint(f"Tested {tested.when[:16].replace('T', ' ')} UTC", key=f"when-{key}")


@shell.guarded
def _try_one(tested: Mapping[str, models_listed.Tested]) -> None:
    st.subheader("Any other", anchor=False)
    typed = st.text_input("Model and address", key="typed-endpoint", placeholder="my-model@http://127.0.0.1:8000/v1")
    if not typed:
        shell.faint("As --model takes it on the command line; only what josh.toml names is offered here.", key="typed")
        return
    address = services.endpoint_address(typed)
    known = tested.get(address)
    st.text(models_listed.verdict_in_words(known))
    _found(known, "typed")
    _test_button(typed, key="test-typed")


def _local_models() -> None:
    st.subheader("Models in folders", anchor=False)
    shell.faint("On the command line a folder with a Hugging Face model is a name too: --model FOLDER.", key="folders")


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
def _add(store: services.Store, upload: object) -> None:
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
