"""The one tree renderer: the drawing and, beside it, the conversation it stands for. Both are Streamlit components
(version 2) of our own, without dependencies and without requests to anywhere.

The address of the page is the truth about which turn is chosen: both components are told it in their data and only
report what a person clicked. So Back, Forward and a link from elsewhere need no second way in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from app.shell import component
from app.tree_view.picture import picture
from app.tree_view.transcript import transcript
from josh_engine.values import Json

__all__ = ["compare_view", "conversation_view", "held", "picture", "transcript", "tree_view"]

FOLDER = Path(__file__).parent
PARTS = ("shapes", "layout", "camera", "explore", "replay", "keys")
Choose = Callable[[str], None]
Note = Callable[[Mapping[str, str]], None]
Ask = Callable[[str], None]


def tree_view(
    drawn: Mapping[str, Json],
    *,
    key: str,
    choose: Choose | None = None,
    note: Note | None = None,
    ask: Ask | None = None,
    moved: Callable[[], None] | None = None,
) -> None:
    """Draws what `picture` gave. `choose` is called with the clicked turn's id, "" when the choice was cleared. The
    explorer calls `note` instead, with all that the address should say (node, lens, hoist, t, q, filter; "" for
    nothing); `ask` is called with what a key asked to do with the chosen turn: good, bad, exclude, promote, undo;
    `moved` when a person first moves a drawing that leads elsewhere."""
    heard: dict[str, Callable[[Any], None] | None] = {"place": note, "ask": ask}
    if moved is not None:
        heard["moved"] = lambda told: moved()
    if choose is not None:
        heard["chosen"] = lambda told: choose(told["node"])
    _mount(component(FOLDER, "tree", *PARTS), drawn, key=key, heard=heard)


def told_by(key: str) -> tuple[str, int]:
    """What the drawing with this key has said: the version of its tree that it has, empty: none; and the number of its
    last message about the address, which is carried out by now, 0: none."""
    told = (st.session_state.get(key) or {}).get("place") or {}
    return str(told.get("version", "")), int(told.get("n", 0))


def compare_view(compared: Mapping[str, Json], *, key: str) -> None:
    """Shows what `comparison` gave. Every turn and every run leads to its own tree's page."""
    _mount(component(FOLDER, "compare", "shapes", "layout"), compared, key=key, heard={})


def conversation_view(told: Mapping[str, Json], *, key: str, choose: Choose) -> None:
    """Shows what `transcript` gave. `choose` is called with the id of the turn that a chip or a link stands for."""
    _mount(component(FOLDER, "conversation"), told, key=key, heard={"chosen": lambda told: choose(told["node"])})


def _mount(
    view: Any, shown: Mapping[str, Json], *, key: str, heard: Mapping[str, Callable[[Any], None] | None]
) -> None:
    """`heard`: what to do with each thing the component tells; one it tells to nobody is let go."""

    def hear(name: str, act: Callable[[Any], None] | None) -> Callable[[], None]:
        def report() -> None:
            told = st.session_state[key].get(name)
            if act is not None and told is not None:
                act(told)

        return report

    view(key=key, data=dict(shown), **{f"on_{name}_change": hear(name, act) for name, act in heard.items()})
