"""The keys of each page, as its help (H) lists them. Pure.

Streamlit's own shortcuts are silent while a text field has the focus; those marked "in the drawing" work while the
drawing has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Keys = Sequence[tuple[str, str]]

EVERYWHERE: Keys = (("H", "This help"), ("Esc", "Close it"), ("Tab", "The next control"))
OVERVIEW: Keys = (
    ("1", "To the runs"),
    ("2", "To the trees"),
    ("3", "To the audit"),
    ("4", "To the export"),
    ("5", "To training"),
    ("6", "To the figures"),
)
RUN: Keys = (
    ("S", "Start the run as the form says"),
    ("F", "Follow the newest turn, or stay with this scenario"),
    ("F, + and −", "In the drawing: fit, zoom in, zoom out"),
)
TREE: Keys = (
    ("↑ ↓", "In the drawing: the turn before, the turn after"),
    ("← →", "In the drawing: the sibling, or the next turn of the row"),
    ("Enter", "In the drawing: choose the turn"),
    ("I", "In the drawing: the next ideal turn"),
    ("W", "In the drawing: the next reward"),
    ("N B", "In the drawing: the next branch point, the one before"),
    ("O", "In the drawing: only what is below this turn"),
    ("C", "In the drawing: fold or unfold what is below this turn"),
    ("/", "In the drawing: find words"),
    ("Space", "In the drawing: play the search again, or pause"),
    ("F", "In the drawing: the whole tree"),
    ("+ −", "In the drawing: zoom in, zoom out"),
    ("Esc", "In the drawing: nothing chosen; then out of the replay, then out of the subtree"),
    ("G X E", "Call the chosen turn good, bad, or exclude it"),
    ("P", "See what promoting the chosen branch would change"),
    ("Z", "Take back what you said last in this tree"),
)
EXPORT: Keys = (("D", "Download all files as a zip"), ("V", "Validate: read the files back and check them"))

AUDIT: Keys = (
    ("1 2", "The left turn is better, the right one"),
    ("3 4", "Both are fine, both are bad"),
    ("5", "Can't tell"),
    ("U", "The simulated user is at fault"),
    ("Z", "Take back what you decided last"),
    ("← →", "The pair before, the pair after"),
)
TRAIN: Keys = (("S", "Start the job as the form says"), ("L", "To the job's log, and back"))

KEYS: Mapping[str, Keys] = {
    "Overview": OVERVIEW,
    "Run": RUN,
    "Tree": TREE,
    "Audit": AUDIT,
    "Export": EXPORT,
    "Train": TRAIN,
}


def keys_of(title: str) -> Keys:
    """Those of the page with this title, then those that work everywhere."""
    return (*KEYS.get(title, ()), *EVERYWHERE)
