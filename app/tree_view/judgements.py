"""What the buttons and keys of relabelling do; all in callbacks, so what is drawn afterwards is what stands.

The session keeps what its person last saw and was told, under the rollout it is about; the words themselves are in
the store. A word that meets another's is not lost: it is kept with the question whether to say it all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from app import listings, services, shell
from app.relabelling import Conflict, TurnJudgement, about, in_words, seen_words, undoable
from app.results import OpenedRollout
from app.services import Store
from app.tree_view.row_sheets import changes_in_words
from josh_engine.errors import JoshError
from josh_engine.values import Verdict


@dataclass(frozen=True, slots=True)
class Told:
    """What the last act came to. `again`: what was refused because somebody spoke meanwhile."""

    rollout: str
    text: str
    remedy: str = ""
    again: tuple[str, TurnJudgement, str, str | None] | None = None  # node, judgement, reason, last word now


def remember(opened: OpenedRollout) -> None:
    """What the person who looks now has seen: a word on anything must answer it."""
    st.session_state["_seen"] = (opened.rollout.id, seen_words(opened.tree, opened.verdicts))


def promoting(opened: OpenedRollout, node_id: str) -> bool:
    """Whether the promotion of this turn is being considered."""
    return bool(st.session_state.get("_promoting") == (opened.rollout.id, node_id))


def asked(store: Store, rollout_id: str, node_id: str | None, wish: str) -> None:
    """What a key in the drawing asked for; in a callback."""
    if not shell.auditor():
        return  # the bar asks who is there
    if wish == "undo":
        undo(store, rollout_id)
    elif node_id is None:
        _tell(Told(rollout_id, "Choose an agent turn to label it."))
    elif wish == "promote":
        consider(store, rollout_id, node_id)
    else:
        give(store, rollout_id, node_id, wish)  # type: ignore[arg-type]


def give(store: Store, rollout_id: str, node_id: str, judgement: TurnJudgement) -> None:
    say(store, rollout_id, node_id, judgement, reason=reason_given(), seen=_seen(rollout_id, judgement, node_id))


def promote(store: Store, rollout_id: str, node_id: str) -> None:
    reason = str(st.session_state.get("promotion-reason") or "")
    say(store, rollout_id, node_id, "promote", reason=reason, seen=_seen(rollout_id, "promote", node_id))


def say(
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


def consider(store: Store, rollout_id: str, node_id: str) -> None:
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
    dismiss()
    st.session_state["_promoting"] = (rollout_id, node_id)


def undo(store: Store, rollout_id: str) -> None:
    last = undoable(services.open_rollout(store, rollout_id).verdicts, shell.auditor())
    if last is None:
        _tell(Told(rollout_id, "There is nothing of yours to take back in this tree."))
        return
    try:
        services.undo_verdict(store, rollout_id, last.id, auditor=shell.auditor())
    except JoshError as error:
        _tell(Told(rollout_id, f"⚠ {error.message}", error.remedy))
        return
    _tell(Told(rollout_id, f"Taken back: {own_words(last)}. Labels and rows are as they were."))


def own_words(verdict: Verdict) -> str:
    return in_words(verdict, seconds=listings.age_seconds(verdict.created))


def cancel() -> None:
    st.session_state.pop("_promoting", None)
    dismiss()


def _clear() -> None:
    st.session_state["reason-chips"] = []
    st.session_state["reason-words"] = ""
    st.session_state["promotion-reason"] = ""
    st.session_state.pop("_promoting", None)


def dismiss() -> None:
    st.session_state.pop("_told", None)


def _tell(told: Told) -> None:
    st.session_state["_told"] = told


def _seen(rollout_id: str, judgement: str, node_id: str) -> str | None:
    seen = st.session_state.get("_seen")
    if seen is None or seen[0] != rollout_id:
        return None
    found: str | None = seen[1].get(about(judgement, node_id))
    return found


def reason_given() -> str:
    chips = st.session_state.get("reason-chips") or ()
    words = str(st.session_state.get("reason-words") or "").strip()
    return "; ".join(filter(None, (*chips, words)))
