"""What persons changed in a tree, as marks of the drawing: verdicts are an overlay, the tree itself never changes.

`override` is the standing judgement on the turn, or `demoted_by_person` where a promotion took the turn off the ideal
path. The label the search gave stays visible: `was`. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.words import LABEL_WORDS
from josh_engine.tree import Tree, ideal_path, label_turns
from josh_engine.values import Label, Verdict
from josh_engine.verdicts import standing

WORDS = {
    "good": "called good",
    "bad": "called bad",
    "partial": "called partial credit",
    "exclude": "excluded",
    "promote": "promoted to the ideal path",
}
DEMOTED = "demoted_by_person"


@dataclass(frozen=True, slots=True)
class Mark:
    """`override` empty: nobody judged the turn. `was`: the label it had before, None where that is the same."""

    override: str = ""
    was: Label | None = None
    text: str = ""


def marks(tree: Tree, labels: Mapping[str, Label], verdicts: Sequence[Verdict]) -> dict[str, Mark]:
    """The marked turns' marks. `labels` heed the verdicts already."""
    if not verdicts:
        return {}
    derived = label_turns(tree)
    off_path = set(ideal_path(tree)) - set(ideal_path(tree, verdicts))
    judged = {each.node: each for each in standing(verdicts) if each.rival is None and each.verdict in WORDS}
    found = {}
    for node, before in derived.items():
        was = before if labels.get(node) != before else None
        verdict = judged.get(node)
        if verdict is not None:
            found[node] = _mark(verdict.verdict, f"{WORDS[verdict.verdict]} by {verdict.auditor}", was)
        elif node in off_path:
            found[node] = _mark(DEMOTED, "taken off the ideal path by a person", was)
    return found


def _mark(override: str, text: str, was: Label | None) -> Mark:
    return Mark(override, was, f"{text}, was {LABEL_WORDS[was]}" if was else text)
