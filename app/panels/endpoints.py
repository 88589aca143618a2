"""Endpoints and local models, and what their tests found: a section of Data & settings."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app import models_listed, services, shell
from app.browse_address import Place

TEST_HELP = "Asks it a dozen short questions, which may cost a little."


@shell.guarded
def draw_models(place: Place) -> None:
    """Endpoints that josh.toml names, what their tests found, and how any other is tried."""
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
    for notice in tested.probe.notices:
        st.text(str(notice))
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
