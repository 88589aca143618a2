"""Relabelling on the page: the bar under the panes and the promotion panel. What the buttons do is `judgements`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from app import listings, shell
from app.relabelling import (
    LONGEST_REASON,
    TurnJudgement,
    ago,
    standing_on,
    undoable,
)
from app.results import OpenedRollout
from app.services import Store
from app.tree_view.judgements import (
    Told,
    cancel,
    consider,
    dismiss,
    give,
    own_words,
    promote,
    reason_given,
    remember,
    say,
    undo,
)
from app.tree_view.overlay import marks
from app.words import LABEL_WORDS, turn_name
from josh_engine.tree import ideal_path
from josh_engine.verdicts import turn_subject

FOLDER = Path(__file__).parent
REASONS = (
    "wrong API",
    "wrong parameter",
    "missing parameter",
    "bad wording",
    "hallucinated",
    "tool or system fault",
    "user's fault",
)
BUTTONS: Mapping[TurnJudgement, tuple[str, str | None, str]] = {
    "good": ("Good", "G", "Trained towards: its rows go up."),
    "bad": ("Bad", "X", "Trained away from: its rows go down."),
    "partial": ("Partial", None, "Right in part: neither up nor down."),
    "exclude": ("Exclude", "E", "Left out of the rows."),
}
NOBODY = "To label turns, say who you are in the field at the left: your name stands on what you say."


def relabel_bar(store: Store, opened: OpenedRollout, node_id: str) -> None:
    """Under the panes, for an agent turn: what stands on it, what can be said of it, and taking that back."""
    rollout = opened.rollout.id
    remember(opened)
    node = opened.tree.nodes.get(node_id)
    st.html(FOLDER / "relabel.css")
    with st.container(key="relabel"):
        _told(store, rollout)
        if node is None or node.turn.speaker != "agent":
            st.text("Choose an agent turn to label it.")
            return
        st.text(_status(opened, node_id))
        if not shell.auditor():
            st.text(NOBODY)
            return
        _buttons(store, opened, node_id)


def confirm_promotion(store: Store, opened: OpenedRollout, node_id: str, *, earns_less: bool) -> None:
    """Under the preview: the reason, and the two ways out."""
    rollout = opened.rollout.id
    remember(opened)
    with st.container(key="promotion"):
        _told(store, rollout)
        st.text_area(
            "Why is this branch better, though it earns less?" if earns_less else "Reason (optional)",
            key="promotion-reason",
            height=68,
            max_chars=LONGEST_REASON,
        )
        with st.container(horizontal=True, key="relabel-buttons-promotion"):
            st.button("Promote this branch", type="primary", on_click=promote, args=(store, rollout, node_id))
            st.button("Cancel", on_click=cancel)


def _status(opened: OpenedRollout, node_id: str) -> str:
    label = opened.labels.get(node_id)
    mark = marks(opened.tree, opened.labels, opened.verdicts).get(node_id)
    parts = [
        turn_name(opened.tree.nodes[node_id]),
        LABEL_WORDS[label] if label else "",
        f"✎ {mark.text}" if mark else "",
    ]
    word = standing_on(opened.verdicts, turn_subject(node_id))
    if word is not None:
        parts.append(ago(listings.age_seconds(word.created)))
        parts.append(f"“{word.reason}”" if word.reason else "")
    return " · ".join(filter(None, parts))


def _buttons(store: Store, opened: OpenedRollout, node_id: str) -> None:
    rollout = opened.rollout.id
    standing = standing_on(opened.verdicts, turn_subject(node_id))
    last = undoable(opened.verdicts, shell.auditor())
    with st.container(horizontal=True, key="relabel-buttons"):
        for judgement, (word, shortcut, means) in BUTTONS.items():
            st.button(
                word,
                type="primary" if standing is not None and standing.verdict == judgement else "secondary",
                help=means,
                shortcut=shortcut,
                key=f"label-{judgement}",
                on_click=give,
                args=(store, rollout, node_id, judgement),
            )
        _reason_popover()
        if node_id != _path_end(opened):
            st.button(
                "Promote",
                shortcut="P",
                key="label-promote",
                help="Make the branch down to this turn the ideal path. First shows what would change.",
                on_click=consider,
                args=(store, rollout, node_id),
            )
    if last is not None:
        with st.container(horizontal=True, vertical_alignment="center", key="relabel-buttons-undo"):
            st.button("Undo", shortcut="Z", key="label-undo", on_click=undo, args=(store, rollout))
            st.text(f"takes back: {own_words(last)}.")


def _path_end(opened: OpenedRollout) -> str | None:
    path = ideal_path(opened.tree, opened.verdicts)
    return path[-1] if path else None


def _reason_popover() -> None:
    given = bool(reason_given())
    with st.popover("Reason ✓" if given else "Reason", help="Goes with the next label you give."):
        st.pills("What is it about?", REASONS, selection_mode="multi", key="reason-chips")
        st.text_area("In your words", key="reason-words", height=80, max_chars=LONGEST_REASON // 2)


def _told(store: Store, rollout_id: str) -> None:
    told = st.session_state.get("_told")
    if not isinstance(told, Told) or told.rollout != rollout_id:
        return
    with st.container(key="relabel-conflict" if told.again else "relabel-told"):
        st.text(told.text)
        if told.remedy:
            st.text(told.remedy)
        if told.again:
            node, judgement, reason, word = told.again
            with st.container(horizontal=True, key="relabel-buttons-conflict"):
                st.button("Keep theirs", on_click=dismiss)
                st.button(
                    "Promote anyway" if judgement == "promote" else f"Label {judgement} anyway",
                    on_click=say,
                    args=(store, rollout_id, node, judgement),
                    kwargs={"reason": reason, "seen": word},
                )
