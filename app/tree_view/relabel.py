"""Relabelling on the page: the bar under the panes, the promotion panel, and what the keys G X E P Z ask for.

The session keeps what its person last saw and was told, under the rollout it is about; the words themselves are in
the store. Buttons act in callbacks, so what is drawn afterwards is what stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app import listings, services, shell
from app.relabelling import (
    LONGEST_REASON,
    Conflict,
    TurnJudgement,
    about,
    ago,
    in_words,
    seen_words,
    standing_on,
    undoable,
)
from app.results import OpenedRollout
from app.services import Store
from app.tree_view.overlay import marks
from app.tree_view.row_sheets import changes_in_words
from app.words import LABEL_WORDS, turn_name
from josh_engine.errors import JoshError
from josh_engine.tree import ideal_path
from josh_engine.values import Verdict
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


@dataclass(frozen=True, slots=True)
class Told:
    """What the last act came to. `again`: what was refused because somebody spoke meanwhile."""

    rollout: str
    text: str
    remedy: str = ""
    again: tuple[str, TurnJudgement, str, str | None] | None = None  # node, judgement, reason, last word now


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


def remember(opened: OpenedRollout) -> None:
    """What the person who looks now has seen: a word on anything must answer it."""
    st.session_state["_seen"] = (opened.rollout.id, seen_words(opened.tree, opened.verdicts))


def promoting(opened: OpenedRollout, node_id: str) -> bool:
    """Whether the promotion of this turn is being considered."""
    return bool(st.session_state.get("_promoting") == (opened.rollout.id, node_id))


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
            st.button("Promote this branch", type="primary", on_click=_promote, args=(store, rollout, node_id))
            st.button("Cancel", on_click=_cancel)


def asked(store: Store, rollout_id: str, node_id: str | None, wish: str) -> None:
    """What a key in the drawing asked for; in a callback."""
    if not shell.auditor():
        return  # the bar asks who is there
    if wish == "undo":
        _undo(store, rollout_id)
    elif node_id is None:
        _tell(Told(rollout_id, "Choose an agent turn to label it."))
    elif wish == "promote":
        _consider(store, rollout_id, node_id)
    else:
        _give(store, rollout_id, node_id, wish)  # type: ignore[arg-type]


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
                on_click=_give,
                args=(store, rollout, node_id, judgement),
            )
        _reason_popover()
        if node_id != _path_end(opened):
            st.button(
                "Promote",
                shortcut="P",
                key="label-promote",
                help="Make the branch down to this turn the ideal path. First shows what would change.",
                on_click=_consider,
                args=(store, rollout, node_id),
            )
    if last is not None:
        with st.container(horizontal=True, vertical_alignment="center", key="relabel-buttons-undo"):
            st.button("Undo", shortcut="Z", key="label-undo", on_click=_undo, args=(store, rollout))
            st.text(f"takes back: {_own(last)}.")


def _path_end(opened: OpenedRollout) -> str | None:
    path = ideal_path(opened.tree, opened.verdicts)
    return path[-1] if path else None


def _reason_popover() -> None:
    given = bool(_reason())
    with st.popover("Reason ✓" if given else "Reason", help="Goes with the next label you give."):
        st.pills("What is it about?", REASONS, selection_mode="multi", key="reason-chips")
        st.text_area("In your words", key="reason-words", height=80, max_chars=LONGEST_REASON // 2)


def _reason() -> str:
    chips = st.session_state.get("reason-chips") or ()
    words = str(st.session_state.get("reason-words") or "").strip()
    return "; ".join(filter(None, (*chips, words)))


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
                st.button("Keep theirs", on_click=_dismiss)
                st.button(
                    "Promote anyway" if judgement == "promote" else f"Label {judgement} anyway",
                    on_click=_say,
                    args=(store, rollout_id, node, judgement),
                    kwargs={"reason": reason, "seen": word},
                )


# What the buttons and keys do; all in callbacks


def _give(store: Store, rollout_id: str, node_id: str, judgement: TurnJudgement) -> None:
    _say(store, rollout_id, node_id, judgement, reason=_reason(), seen=_seen(rollout_id, judgement, node_id))


def _promote(store: Store, rollout_id: str, node_id: str) -> None:
    reason = str(st.session_state.get("promotion-reason") or "")
    _say(store, rollout_id, node_id, "promote", reason=reason, seen=_seen(rollout_id, "promote", node_id))


def _say(
    store: Store, rollout_id: str, node_id: str, judgement: TurnJudgement, *, reason: str, seen: str | None
) -> None:
    try:
        told = services.preview_verdict(store, rollout_id, node_id, judgement)
        given = services.give_verdict(
            store, rollout_id, node_id, judgement, auditor=shell.auditor(), seen=seen, reason=reason
        )
    except Conflict as conflict:
        _tell(_conflict(rollout_id, conflict, node_id, judgement, reason))
        return
    except JoshError as error:
        _tell(Told(rollout_id, f"⚠ {error.message}", error.remedy))
        return
    _clear()
    _tell(Told(rollout_id, f"✎ {in_words(given)}. {changes_in_words(told)}."))


def _conflict(rollout_id: str, conflict: Conflict, node_id: str, judgement: TurnJudgement, reason: str) -> Told:
    word = conflict.word
    if word is None:
        return Told(rollout_id, conflict.message, conflict.remedy)
    said = in_words(word, seconds=listings.age_seconds(word.created))
    why = f" Their reason: {word.reason}" if word.reason else ""
    return Told(
        rollout_id,
        f"⚠ {said}, after you had looked.{why}",
        "What they said is shown now; yours is not kept unless you say it again.",
        (node_id, judgement, reason, word.id),
    )


def _consider(store: Store, rollout_id: str, node_id: str) -> None:
    """Opens the promotion panel, where the branch is not the ideal path already."""
    try:
        told = services.preview_promotion(store, rollout_id, node_id)
    except JoshError as error:
        _tell(Told(rollout_id, f"⚠ {error.message}", error.remedy))
        return
    if told.path_before == told.path_after:
        _tell(Told(rollout_id, f"Turn {node_id} is the end of the ideal path already."))
        return
    _clear()
    _dismiss()
    st.session_state["_promoting"] = (rollout_id, node_id)


def _undo(store: Store, rollout_id: str) -> None:
    last = undoable(services.open_rollout(store, rollout_id).verdicts, shell.auditor())
    if last is None:
        _tell(Told(rollout_id, "There is nothing of yours to take back in this tree."))
        return
    try:
        services.undo_verdict(store, rollout_id, last.id, auditor=shell.auditor())
    except JoshError as error:
        _tell(Told(rollout_id, f"⚠ {error.message}", error.remedy))
        return
    _tell(Told(rollout_id, f"Taken back: {_own(last)}. Labels and rows are as they were."))


def _own(verdict: Verdict) -> str:
    return in_words(verdict, seconds=listings.age_seconds(verdict.created))


def _cancel() -> None:
    st.session_state.pop("_promoting", None)
    _dismiss()


def _clear() -> None:
    st.session_state["reason-chips"] = []
    st.session_state["reason-words"] = ""
    st.session_state["promotion-reason"] = ""
    st.session_state.pop("_promoting", None)


def _dismiss() -> None:
    st.session_state.pop("_told", None)


def _tell(told: Told) -> None:
    st.session_state["_told"] = told


def _seen(rollout_id: str, judgement: str, node_id: str) -> str | None:
    seen = st.session_state.get("_seen")
    if seen is None or seen[0] != rollout_id:
        return None
    found: str | None = seen[1].get(about(judgement, node_id))
    return found
