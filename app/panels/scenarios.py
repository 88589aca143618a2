"""Scenarios to browse and worlds to import: the first section of Data & settings."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import IO

import streamlit as st

from app import browse_address, browsing, choosing, services, shell
from app.browse_address import Place
from josh_engine.values import Scenario

LISTED = 410  # pixels of the list
IMPORT_REMEDY = "Give the zip as it is published, or a path below the folder shown."
DOWNLOAD_HELP = "The server fetches it from its public repository."


def browse(place: Place) -> None:
    """Writes into the address what is looked at."""
    st.query_params.from_dict(browse_address.write_place(place))


@shell.guarded
def draw_scenarios(place: Place) -> None:
    """Worlds, their data where a person brings it, and each scenario with what its tools answer from."""
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
        on_change=lambda: browse(Place("scenarios", st.session_state["world"])),
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
def _import(world: str, upload: IO[bytes] | None, typed: str | None) -> None:
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
        on_change=lambda: browse(replace(place, split=st.session_state["split"], scenario="")),
    )
    wide.text_input(
        "Find",
        key="q",
        placeholder="id or words of the brief",
        on_change=lambda: browse(replace(place, text=st.session_state["q"])),
    )
    lines = _lines(place.world, place.split, str(data), services.data_stamp(place.world, data))
    found = choosing.filtered(lines, choosing.ScenarioFilter(text=place.text))
    shell.faint(f"{len(found):,} of {len(lines):,} scenarios", key="counted")
    if note := services.split_note(place.world, place.split, data):
        shell.faint(note, key="split-note")
    shell.listing(browse_address.scenarios_shown(found, place), key="scenarios", height=LISTED)


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
