"""What stands beside the drawing: the conversation the chosen turn stands for."""

from __future__ import annotations

from app import listings
from app.results import OpenedRollout
from app.services import Store
from app.tree_view import Choose, conversation_view
from app.tree_view.transcript import transcript

HEIGHT = 640


def draw_panes(store: Store, opened: OpenedRollout, *, selected: str | None, choose: Choose) -> None:
    """Draws the panes for `selected`, a turn of the opened tree; None: the tree's last turn."""
    told = transcript(opened.tree, opened.labels, selected or listings.last_turn(opened.tree), height=HEIGHT)
    conversation_view(told, key="conversation", choose=choose)
