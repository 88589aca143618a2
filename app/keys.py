"""The keys of each page, as its help (H) lists them. Pure.

Streamlit's own shortcuts are silent while a text field has the focus; those marked "in the drawing" work while the
drawing has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Keys = Sequence[tuple[str, str]]

EVERYWHERE: Keys = (("H", "This help"), ("Esc", "Close it"), ("Tab", "The next control"))
OVERVIEW: Keys = (("1", "To the runs"), ("2", "To the trees"), ("3", "To the export"))
RUN: Keys = (
    ("S", "Start the run as the form says"),
    ("F", "Follow the newest turn, or stay with this scenario"),
    ("F, + and −", "In the drawing: fit, zoom in, zoom out"),
)
TREE: Keys = (
    ("↑ ↓", "In the drawing: the turn before, the turn after"),
    ("← →", "In the drawing: the sibling, or the next turn of the row"),
    ("Enter", "In the drawing: choose the turn"),
    ("N B", "The next branch point, the one before"),
    ("I", "The next ideal turn"),
    ("W", "The next reward"),
    ("O", "The subtree of the turn alone; again: all"),
    ("C", "In the drawing: fold what is below the turn; again: unfold it"),
    ("Space", "Play the search again from its start; again: stop there"),
    ("/", "In the drawing: find words; Enter and Shift+Enter walk the matches"),
    ("F", "The whole tree"),
    ("+ −", "In the drawing: zoom in, zoom out"),
    ("G X E P Z", "Call the turn good or bad, exclude it, promote it, undo"),
    ("Esc", "In the drawing: nothing chosen; then leave the replay, then the subtree"),
)
EXPORT: Keys = (("D", "Download all files as a zip"), ("V", "Validate: read the files back and check them"))

KEYS: Mapping[str, Keys] = {"Overview": OVERVIEW, "Run": RUN, "Tree": TREE, "Export": EXPORT}


def keys_of(title: str) -> Keys:
    """Those of the page with this title, then those that work everywhere."""
    return (*KEYS.get(title, ()), *EVERYWHERE)
