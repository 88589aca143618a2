"""Export: from trees and verdicts to the files a trainer takes, and exactly what is in them.

The address says every choice. What is shown, downloaded and written is made of one extraction.
"""

from dataclasses import replace
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import export_choices as choices
from app import records_listed, seeing, services, shell
from app.archive import archive
from app.export_choices import ExportChoices
from app.panels import looks

shell.enter(__file__)

NO_RUNS = "No runs yet, so there are no rows to export."


@shell.guarded
def page() -> None:
    lines = services.list_runs(shell.store())
    shell.heading("Export", "Trees and verdicts into the files a trainer takes.")
    if not lines:
        if shell.nothing_yet(NO_RUNS, "Start a run", key="no-runs"):
            shell.go("run", {})
        return
    asked = choices.read_address(st.query_params.to_dict(), choices.default_runs(lines))
    known = {line.run: line for line in lines}
    chosen = tuple(run for run in asked.runs if run in known)
    left, right = st.columns([30, 70], gap="large")
    with left:
        _form(asked, {run: choices.run_word(line) for run, line in known.items()}, chosen)
        files = st.container(key="files")
    with right:
        for run in asked.runs:
            if run not in known:
                shell.complaint(f"Run `{run}` is not in this store.", "Choose one of those listed.", key=f"run-{run}")
        if not chosen:
            shell.faint("Choose a run, and its rows are counted here.", key="none-chosen")
            return
        _rows(replace(asked, runs=chosen), files)


def _form(asked: ExportChoices, runs: dict[str, str], chosen: tuple[str, ...]) -> None:
    """The address decides what stands in the fields, also after Back; a change writes it anew."""
    st.session_state.update(
        {
            "runs": list(chosen), "fmt": list(asked.formats), "rows": asked.rows, "audit": asked.audit,
            "full": asked.filtered, "held": asked.held, "seed": asked.seed,
        }
    )  # fmt: skip
    st.multiselect("Runs", list(runs), format_func=runs.__getitem__, key="runs", on_change=_changed)
    st.pills(
        "Files",
        list(choices.FORMAT_WORDS),
        selection_mode="multi",
        format_func=choices.FORMAT_WORDS.__getitem__,
        help=choices.FORMAT_MEANINGS,
        key="fmt",
        on_change=_changed,
    )
    st.toggle("Only trees with full reward", help=choices.FILTER_MEANINGS, key="full", on_change=_changed)
    st.radio(
        "Down rows",
        choices.ROWS,
        format_func=choices.ROWS_WORDS.__getitem__,
        help=choices.ROWS_MEANINGS,
        horizontal=True,
        key="rows",
        on_change=_changed,
    )
    st.radio(
        "Audit",
        choices.AUDITS,
        format_func=choices.AUDIT_WORDS.__getitem__,
        help=choices.AUDIT_MEANINGS,
        horizontal=True,
        key="audit",
        on_change=_changed,
    )
    held, seed = st.columns([3, 2])
    held.number_input(
        "Held out, %", 0, choices.MOST_HELD, step=5, help=choices.HELD_MEANINGS, key="held", on_change=_changed
    )
    seed.number_input("Seed", 0, help="Another seed holds out other scenarios.", key="seed", on_change=_changed)


def _changed() -> None:
    state = st.session_state
    made = ExportChoices(
        runs=tuple(state["runs"]),
        formats=tuple(state["fmt"]) or ExportChoices().formats,
        rows=state["rows"],
        audit=state["audit"],
        filtered=state["full"],
        held=int(state["held"]),
        seed=int(state["seed"]),
    )
    st.query_params.from_dict(choices.write_address(made))


@shell.guarded
def _rows(asked: ExportChoices, files: DeltaGenerator) -> None:
    store = shell.store()
    turns = sum(rollout.nodes for run_id in asked.runs for rollout in services.list_rollouts(store, run_id))
    if turns > choices.MOST_SHOWN:
        with st.container(key="notice-large"):
            st.text(
                f"These runs hold {turns:,} turns: too many to be counted here. Write the rows to a folder instead."
            )
        with files:
            _write(store, asked, None)
        _recorded(store)
        return
    top = st.columns([6, 2, 2], vertical_alignment="center")
    place = top[0].empty()

    def report(done: int, total: int) -> None:
        place.progress(done / max(1, total), text=f"Reading trees: {done} of {total}")

    preview = services.preview_export(
        store,
        asked.runs,
        formats=asked.formats,
        policy=asked.policy,
        split=asked.split,
        report=report,
    )
    looks.shown(store, *(seeing.at_tree(each.rollout, "export") for each in preview.samples))
    with place.container(key="sentence"):
        st.text(preview.sentence)
    _at_once(store, asked, preview, top)
    checked = st.session_state.get("validated", {}).get(_fingerprint(preview), ())
    drawn = preview.drawn() | {"checks": [check.drawn() for check in checked]}
    shell.component(shell.HERE, "export")(key="export", data=drawn)
    with files:
        _one_by_one(asked, preview)
        _write(store, asked, preview)
    _recorded(store)


def _fingerprint(preview: services.ExportPreview) -> str:
    return preview.result.files["manifest.json"]


def _named(asked: ExportChoices, file: str) -> str:
    return f"{'-'.join(asked.runs[:2])}.{file}"


def _at_once(
    store: services.Store, asked: ExportChoices, preview: services.ExportPreview, top: list[DeltaGenerator]
) -> None:
    """Made when asked for: a zip of what is shown."""
    top[1].download_button(
        "Download all",
        lambda: archive(preview.files),
        _named(asked, "rows.zip"),
        "application/zip",
        type="primary",
        icon=":material/folder_zip:",
        shortcut="D",
        on_click="ignore",
        width="stretch",
        key="download-all",
    )
    if top[2].button(
        "Validate",
        icon=":material/fact_check:",
        shortcut="V",
        help="Reads the files back from their bytes: every line, hash, row and turn, and with `datasets`.",
        width="stretch",
        key="validate",
    ):
        _validate(store, preview)


def _one_by_one(asked: ExportChoices, preview: services.ExportPreview) -> None:
    with st.expander("Download one file", icon=":material/download:"):
        for file in preview.files:
            st.download_button(
                file,
                partial(preview.files.__getitem__, file),
                _named(asked, file),
                "application/json" if file.endswith(".json") else "application/jsonl",
                on_click="ignore",
                width="stretch",
                key=f"download-{file}",
            )


@shell.guarded
def _validate(store: services.Store, preview: services.ExportPreview) -> None:
    with st.spinner("Reading the files back …"):
        found = services.validate_files(store, preview.files)
    st.session_state["validated"] = {_fingerprint(preview): found}
    st.rerun()


def _write(store: services.Store, asked: ExportChoices, preview: services.ExportPreview | None) -> None:
    """`preview` None: the rows are made while they are written."""
    data = services.data_path(store.path)
    with st.expander("Write to a folder", icon=":material/folder:"):
        folder = st.text_input(f"Below {data}", choices.folder_word(asked), key=f"folder-{choices.folder_word(asked)}")
        if st.button("Write", key="write"):
            _written(store, asked, preview, folder)
        if done := st.session_state.pop("written", None):
            st.text(f"✓ {done}")


@shell.guarded
def _written(store: services.Store, asked: ExportChoices, preview: services.ExportPreview | None, folder: str) -> None:
    out = services.below(services.data_path(store.path), folder)
    if preview is None:
        with st.spinner("Writing, tree by tree …"):
            result = services.export_rows(
                store, asked.runs, formats=asked.formats, out=out, policy=asked.policy, split=asked.split
            )
    else:
        result = services.write_export(
            store, asked.runs, preview.result, preview.files, formats=asked.formats, policy=asked.policy,
            split=asked.split, out=out,
        )  # fmt: skip
    st.session_state["written"] = f"{result.rows:,} rows written to {out}, recorded as {result.id}."
    st.rerun()


def _recorded(store: services.Store) -> None:
    made = services.list_exports(store)
    if made:
        st.subheader("Written to folders so far", anchor=False)
        shell.listing(records_listed.exports_listed(made), key="exports", height=240)


page()
