"""What stands beside the drawing: Path, Pair, Why, Data and Raw of the chosen turn, and under them what a person can
say of it. Which pane is open, and beside which alternative a turn is put, is in the address (`pane`, `rival`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from app import listings, services
from app.results import OpenedRollout
from app.services import Store
from app.shell import component
from app.tree_view import Choose, conversation_view
from app.tree_view.judgements import asked, promoting
from app.tree_view.relabel import confirm_promotion, relabel_bar
from app.tree_view.row_sheets import data_sheet, promotion_sheet
from app.tree_view.sheets import Block, head, sheet, text
from app.tree_view.transcript import transcript
from app.tree_view.turn_sheets import pair_sheet, raw_sheet
from app.tree_view.why_sheet import why_sheet
from app.world_changes import changes_of, grade_of

FOLDER = Path(__file__).parent
HEIGHT = 480
PANES = ("Path", "Pair", "Why", "Data", "Raw")
EMPTY = "The first turn is on its way."


def draw_panes(store: Store, opened: OpenedRollout, *, selected: str | None, choose: Choose) -> None:
    """Draws the panes for `selected`, a turn of the opened tree; None: the tree's last turn."""
    node = selected or listings.last_turn(opened.tree)
    if node is not None and promoting(opened, node):
        _promotion(store, opened, node, choose)
        return
    st.session_state["panes"] = _open_pane()  # the address decides, also after Back
    for name, tab in zip(PANES, st.tabs(PANES, key="panes", on_change=_turn_to), strict=True):
        if tab.open:
            with tab:
                _pane(store, opened, node, name, choose)
    if node is not None:
        relabel_bar(store, opened, node)


def answer_key(store: Store, opened: OpenedRollout, wish: str) -> None:
    """What a key in the drawing asked to do with the chosen turn: good, bad, exclude, promote or undo."""
    chosen = st.query_params.get("node") or listings.last_turn(opened.tree)
    asked(store, opened.rollout.id, chosen if chosen in opened.tree.nodes else None, wish)


def _pane(store: Store, opened: OpenedRollout, node: str | None, name: str, choose: Choose) -> None:
    if name == "Path":
        told = transcript(opened.tree, opened.labels, node, height=HEIGHT, verdicts=opened.verdicts)
        conversation_view(told, key="conversation", choose=choose)
        return
    blocks = _blocks(store, opened, node, name) if node is not None else [text(EMPTY)]
    _sheet(blocks, name=name, choose=choose)


def _blocks(store: Store, opened: OpenedRollout, node: str, name: str) -> Sequence[Block]:
    tree = opened.tree
    if name == "Pair":
        return pair_sheet(tree, opened.labels, node, st.query_params.get("rival"))
    if name == "Why":
        strategy, world = opened.run.config.strategy, _world_blocks(store, opened, node)
        return why_sheet(tree, opened.labels, node, strategy=strategy, verdicts=opened.verdicts, world=world)
    if name == "Data":
        return data_sheet(services.node_rows(store, opened.rollout.id, node), node)
    return raw_sheet(tree.nodes[node], opened.events, opened.verdicts)


def _world_blocks(store: Store, opened: OpenedRollout, node: str) -> list[Block]:
    """What the turn changed in the world's records, and the world's grade; nothing where the world tells neither."""
    data, told = services.data_path(store.path), list[Block]()
    changed, graded = changes_of(opened, node, data), grade_of(opened, data)
    if changed is not None:
        told += [head("What it changed in the records"), *[text(each) for each in changed or ("Nothing.",)]]
    if graded is not None:
        told += [head("The world's grade"), text(graded.words, link=graded.node if graded.node != node else None)]
    return told


def _promotion(store: Store, opened: OpenedRollout, node: str, choose: Choose) -> None:
    told = services.preview_promotion(store, opened.rollout.id, node)
    unfiltered = services.preview_promotion(store, opened.rollout.id, node, filtered=False)
    names = {each.id: listings.scenario_name(each) for each in services.list_rollouts(store, opened.run.id)}
    _sheet(promotion_sheet(told, unfiltered, names), name="Promotion", choose=choose, height=HEIGHT - 110)
    confirm_promotion(store, opened, node, earns_less=told.earns_less)


def _sheet(blocks: Sequence[Block], *, name: str, choose: Choose, height: int = HEIGHT) -> None:
    key = f"sheet-{name}"

    def chosen() -> None:
        told = st.session_state[key].get("chosen")
        if told is not None:
            choose(told["node"])

    def rival() -> None:
        told = st.session_state[key].get("rival")
        if told is not None:
            st.query_params["rival"] = told["node"]

    view = component(FOLDER, "sheet", "aligned")
    view(key=key, data=sheet(blocks, name=name, height=height), on_chosen_change=chosen, on_rival_change=rival)


def _open_pane() -> str:
    asked_for = st.query_params.get("pane", "").capitalize()
    return asked_for if asked_for in PANES else PANES[0]


def _turn_to() -> None:
    name = str(st.session_state["panes"]).lower()
    if name == PANES[0].lower():
        st.query_params.pop("pane", None)
    else:
        st.query_params["pane"] = name
