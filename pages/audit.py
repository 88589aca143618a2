"""Audit: which of two turns serves this user better? Pairs judged one after another, blind unless one wishes otherwise.

The address says which runs' pairs, how, and which pair; without one, the first that you have not judged.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import streamlit as st

from app import audit_words, auditing, seeing, services, shell
from app.auditing import Audit, Judged, StalePair
from app.panels import looks
from app.results import OpenedRollout, RunLine
from app.tree_view.judging_sheet import judging
from josh_engine.audit import AuditPair, PairJudgement, in_order, onwards, sides
from josh_engine.errors import JoshError

shell.enter(__file__)

FOLDER = Path(__file__).parents[1] / "app" / "tree_view"
MODES = ("blind", "open", "conflicts", "surprises")
MODE_MEANINGS = """\
- **blind**: nothing tells the turns apart but what they did; left and right are drawn by lot
- **open**: the search's own choice is shown, and the verdict says so
- **conflicts**: pairs that people see differently; your word settles them
- **surprises**: pairs that people see otherwise than the search, most of all first
"""
SAMPLE = 120  # pairs; a share found among so many is known to ±9 %
VERDICTS: tuple[tuple[PairJudgement, str, str], ...] = (
    ("left", "Left", "1"), ("right", "Right", "2"), ("both_fine", "Both fine", "3"), ("both_bad", "Both bad", "4"),
    ("cannot_tell", "Can't tell", "5"), ("users_fault", "User's fault", "U"),
)  # fmt: skip
NOTHING = "There is no pair to judge yet: a finished search makes some."
NO_CONFLICT = "No two people see a pair differently, or all such pairs are settled."
NO_SURPRISE = "Nobody sees a pair otherwise than the search did."
NOT_BLIND = "your verdict will not count as blind"


@shell.guarded
def page() -> None:
    store = shell.store()
    shell.heading("Audit", "Which turn serves this user better? Your verdicts decide which rows are trained on.")
    searches = {line.run: line for line in services.list_runs(store) if line.strategy == "josh" and line.finished}
    if not searches:
        if shell.nothing_yet(NOTHING, "Start a search", key="no-pairs", icon=":material/play_arrow:"):
            shell.go("run", {})
        return
    chosen, mode = _choose(searches)
    if not chosen:
        shell.faint("Choose a run.", key="choose")
        return
    audit = _audit(store, chosen)
    sample = onwards(in_order(audit.pairs)[: st.session_state["sample"]])
    mine = {
        each.pair: each
        for each in audit.judged
        if each.verdict.auditor == shell.auditor() and not each.stale and not each.verdict.adjudicates
    }
    shell.faint(audit_words.progress(audit, sample, mine), key="audit-progress")
    queue = _queue(audit, sample, mode)
    pair = _current(queue, mine, mode)
    if pair is None:
        st.text({"conflicts": NO_CONFLICT, "surprises": NO_SURPRISE}.get(mode, NOTHING))
        return
    left, right = st.columns([74, 26], gap="medium")
    with left:
        _judge(store, audit, pair, mode, queue)
    with right:
        _beside(audit, chosen, mode)


def _choose(searches: dict[str, RunLine]) -> tuple[tuple[str, ...], str]:
    """The address decides; a change writes it anew."""
    asked = [each for each in str(st.query_params.get("runs", "")).split(",") if each in searches]
    asked = asked or [each for each in [st.query_params.get("run")] if each in searches] or list(searches)[:1]
    mode = st.query_params.get("mode", "")
    st.session_state.update({"audited": asked, "mode": mode if mode in MODES else MODES[0]})
    shell.keep("sample", SAMPLE)
    left, middle, right = st.columns([50, 38, 12], vertical_alignment="bottom")
    words = {run: f"{run} · {line.name}" for run, line in searches.items()}
    left.multiselect("Searches", list(searches), format_func=words.__getitem__, key="audited", on_change=_changed)
    middle.segmented_control("How", MODES, key="mode", on_change=_changed, required=True, help=MODE_MEANINGS)
    right.number_input("Pairs", 1, key="sample", help="A stratified sample: tools and reasons in proportion.")
    return tuple(st.session_state["audited"]), st.session_state["mode"]


def _changed() -> None:
    state = st.session_state
    st.query_params.from_dict({"runs": ",".join(state["audited"]), "mode": state["mode"]})


def _audit(store: services.Store, chosen: tuple[str, ...]) -> Audit:
    """Read again only where something was added since by somebody else."""
    key = (str(store.path), chosen)
    known = st.session_state.get("audit")
    stamp = auditing.audit_stamp(store, chosen)
    if known is None or known[0] != key or known[1].stamp != stamp:
        with st.spinner("Reading the pairs …"):
            known = (key, auditing.audit_of(store, chosen))
        st.session_state["audit"] = known
    audit: Audit = known[1]
    return audit


def _queue(audit: Audit, sample: Sequence[AuditPair], mode: str) -> tuple[AuditPair, ...]:
    if mode == "conflicts":
        return audit.conflicts()
    return tuple(pair for pair, _ in audit.surprises()) if mode == "surprises" else tuple(sample)


def _current(queue: Sequence[AuditPair], mine: dict[str, Judged], mode: str) -> AuditPair | None:
    """The one in the address; else the first that is not judged; at the end, the last."""
    asked = st.query_params.get("pair")
    if asked is not None:
        found = next((each for each in queue if each.id == asked), None)
        if found is not None:
            return found
    return next((each for each in queue if each.id not in mine), queue[-1] if queue else None)


def _judge(store: services.Store, audit: Audit, pair: AuditPair, mode: str, queue: Sequence[AuditPair]) -> None:
    left, right = sides(pair, shell.auditor())
    opened = auditing.open_pair(store, pair)
    place = [each.id for each in queue].index(pair.id)
    with st.container(horizontal=True, vertical_alignment="center", key="pair-place"):
        st.button(
            "Before", icon=":material/arrow_back:", shortcut="Left", key="before", on_click=_go, args=(queue, place - 1)
        )
        with st.container(key="pair-told", gap=None):
            shell.faint(f"Pair {place + 1} of {len(queue)}", key="pair-number")
            promised = _told_whether_blind(store, opened, pair, mode)
        st.button(
            "After",
            icon=":material/arrow_forward:",
            shortcut="Right",
            key="after",
            on_click=_go,
            args=(queue, place + 1),
        )
    if mode == "open":
        shell.faint(
            f"The search preferred: {'left' if left == pair.good else 'right'}. {pair.api}, {pair.reason}.", key="open"
        )
    if mode in ("conflicts", "surprises"):
        for number, each in enumerate(auditing.reasons_on(audit, pair), start=1):
            shell.faint(f"Person {number}: {audit_words.seen_from(each.verdict, left)}", key=f"said-{number}")
    shell.component(FOLDER, "judging", "aligned")(
        key="judging", data=judging(opened.tree, left, right, gold=mode != "blind")
    )
    here = (pair, left, mode, promised)
    with st.container(horizontal=True, key="verdicts"):
        for judgement, label, key in VERDICTS:
            st.button(
                label,
                shortcut=key,
                key=f"verdict-{judgement}",
                on_click=shell.tried,
                args=(partial(_say, *here, judgement),),
            )
        st.button("Undo", icon=":material/undo:", shortcut="Z", key="undo", on_click=shell.tried, args=(_undo,))
    shell.refused(key="audit")
    st.pills("Reasons", auditing.CHIPS, selection_mode="multi", key="chips")
    st.text_input("Note", key="note", max_chars=auditing.LONGEST_NOTE - 200, placeholder="Goes with the next verdict")


def _told_whether_blind(store: services.Store, opened: OpenedRollout, pair: AuditPair, mode: str) -> bool:
    """Says before the verdict where it will not count as blind, and keeps what this page is about to show. Whether a
    blind verdict is still to be had."""
    before = looks.place_seen(store, pair) if mode == "blind" else mode
    if before is not None:
        shell.faint(f"{seeing.in_words(before)}; {NOT_BLIND}.", key="sign-late-seen")
    looks.shown(store, *seeing.at_beginning(opened.tree, pair))
    if mode != "blind":
        looks.shown(store, *seeing.at_pair(pair, mode))
    return before is None


def _go(queue: Sequence[AuditPair], place: int) -> None:
    st.query_params["pair"] = queue[max(0, min(place, len(queue) - 1))].id


def _say(pair: AuditPair, left: str, mode: str, promised: bool, judgement: PairJudgement) -> None:
    """Keeps the verdict and moves on to the next pair. A pair that has changed, or was seen elsewhere since the page
    `promised` that a verdict would be blind, is shown as it is now instead."""
    store, state = shell.store(), st.session_state
    if promised and (place := looks.place_seen(store, pair)):
        raise JoshError(f"{seeing.in_words(place)} meanwhile; nothing was saved.", remedy=f"Judge again: {NOT_BLIND}.")
    reason = "; ".join(
        [*(state.get("chips") or ()), *([state["note"].strip()] if state.get("note", "").strip() else [])]
    )
    try:
        auditing.judge_pair(
            store, pair, judgement, left=left, auditor=shell.auditor(), blind=mode == "blind", reason=reason,
            adjudicates=mode == "conflicts",
        )  # fmt: skip
    except StalePair:
        state.pop("audit", None)
        raise
    _seen(pair.rollout)
    state.update({"chips": [], "note": ""})
    st.query_params.pop("pair", None)
    if state.get("learn") and mode == "blind":
        looks.shown(store, *seeing.at_pair(pair, "learn"))
        st.toast(f"The search preferred {'left' if left == pair.good else 'right'}.")


def _undo() -> None:
    """Takes my last decision in these runs back, and shows its pair."""
    audit: Audit = st.session_state["audit"][1]
    own = [each for each in audit.judged if each.verdict.auditor == shell.auditor()]
    if not own:
        raise JoshError("You have decided nothing here yet.")
    auditing.undo_pair(shell.store(), own[-1].verdict)
    _seen(own[-1].verdict.rollout)
    st.query_params["pair"] = own[-1].pair


def _seen(rollout_id: str) -> None:
    """What the session knows of the audit, with this rollout's verdicts read anew."""
    store = shell.store()
    (path, chosen), audit = st.session_state["audit"]
    before = auditing.audit_stamp(store, chosen)
    st.session_state["audit"] = ((path, chosen), auditing.after(audit, store, rollout_id, stamp=before))


def _beside(audit: Audit, chosen: tuple[str, ...], mode: str) -> None:
    here = {"runs": ",".join(chosen), "mode": mode}
    shell.listing(audit_words.last_listed(audit, shell.auditor(), here), key="last", height=420)
    with st.expander("Agreement"):
        shell.listing(audit_words.kappas_listed(audit), key="kappas")
    st.toggle("Learn mode", key="learn", help="After a blind verdict, the search's own choice is told for a moment.")


page()
