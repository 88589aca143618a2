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

__all__ = ["conversation_view", "picture", "transcript", "tree_view"]

FOLDER = Path(__file__).parent
Choose = Callable[[str], None]


def tree_view(drawn: Mapping[str, Json], *, key: str, choose: Choose | None = None) -> None:
    """Draws what `picture` gave. `choose` is called with the clicked turn's id, "" when the choice was cleared."""
    _mount(component(FOLDER, "tree", "shapes", "layout"), drawn, key=key, choose=choose)


def conversation_view(told: Mapping[str, Json], *, key: str, choose: Choose) -> None:
    """Shows what `transcript` gave. `choose` is called with the id of the turn that a chip or a link stands for."""
    _mount(component(FOLDER, "conversation"), told, key=key, choose=choose)


def _mount(view: Any, shown: Mapping[str, Json], *, key: str, choose: Choose | None) -> None:
    def report() -> None:
        chosen = st.session_state[key].get("chosen")
        if choose is not None and chosen is not None:
            choose(chosen["node"])

    view(key=key, data=dict(shown), on_chosen_change=report)
