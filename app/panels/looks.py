"""Which labels this session's person is shown: kept in the store under the name they gave. Looks without a name wait in
the session, and count for whatever name is given in it."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from app import seeing
from app.services import Store
from josh_engine.audit import AuditPair
from storage.seen import Look, keep_looks

NAMELESS, KEPT = "_nameless_looks", "_kept_looks"


def shown(store: Store, *looks: Look) -> None:
    """To be called before the labels are drawn. In a demonstration nobody judges, and nothing is kept."""
    if store.read_only:
        return
    if name := st.session_state.get("auditor", ""):
        _keep(store, name, looks)
        return
    waiting = st.session_state.setdefault(NAMELESS, {})
    for look in looks:
        waiting.setdefault((look.rollout, look.node, look.place), look)


def named(store: Store, name: str) -> None:
    """Who looked without a name has one now."""
    if name:
        _keep(store, name, st.session_state.get(NAMELESS, {}).values())


def place_seen(store: Store, pair: AuditPair) -> str | None:
    """Where the label of the pair was shown to whoever looks now; None: nowhere."""
    if name := st.session_state.get("auditor", ""):
        return seeing.place_seen(store, name, pair)
    return seeing.place_among(st.session_state.get(NAMELESS, {}).values(), pair)


def _keep(store: Store, name: str, looks: Iterable[Look]) -> None:
    """Each once in a session: a page is drawn anew every second."""
    kept = st.session_state.setdefault(KEPT, set())
    fresh = {(name, look.rollout, look.node, look.place): look for look in looks}
    fresh = {key: look for key, look in fresh.items() if key not in kept}
    if fresh:
        keep_looks(store, name, fresh.values())
        kept.update(fresh)
