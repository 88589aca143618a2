"""Whether a blind verdict is blind: which labels a person was shown before it, where, and how the page says so.

A turn's label tells its pairs' too. What is seen after a verdict does not change it; a later one is not blind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from josh_engine.audit import AuditPair
from josh_engine.tree import Tree, lineage
from storage import seen
from storage.database import Store
from storage.runs import now
from storage.seen import Look

PLACES: Mapping[str, str] = {
    "tree": "You saw this pair's label on the Tree page",
    "compare": "You saw this pair's label on the Tree page, beside another run",
    "run": "You saw this pair's label on the Run page",
    "export": "You saw this pair's label among the rows on the Export page",
    "open": "You saw this pair's label in open mode",
    "conflicts": "You saw what others said of this pair among the conflicts",
    "surprises": "You saw what others said of this pair among the surprises",
    "learn": "You saw this pair's label after your last verdict",
    "later": "You saw how this conversation goes on, in a later pair of it",
}


def at_tree(rollout_id: str, place: str) -> Look:
    """The labels of all its turns."""
    return Look(rollout_id, "", place, now())


def at_pair(pair: AuditPair, place: str) -> tuple[Look, ...]:
    return tuple(Look(pair.rollout, node, place, now()) for node in (pair.good, pair.bad))


def at_beginning(tree: Tree, pair: AuditPair) -> tuple[Look, ...]:
    """What was said before a pair shows which turns the search went on from, whatever the mode."""
    before = lineage(tree, tree.nodes[pair.good].parent or "")
    return tuple(Look(pair.rollout, each.id, "later", now()) for each in before if each.turn.speaker == "agent")


def place_seen(store: Store, person: str, pair: AuditPair) -> str | None:
    """Where this person was first shown which of the two the search preferred; None: nowhere."""
    return place_among(seen.list_looks(store, person, pair.rollout), pair)


def place_among(looks: Iterable[Look], pair: AuditPair) -> str | None:
    return next(
        (each.place for each in looks if each.rollout == pair.rollout and each.node in ("", pair.good, pair.bad)), None
    )


def in_words(place: str) -> str:
    """Places of a later version are none of ours."""
    return PLACES.get(place, "You saw this pair's label before")
