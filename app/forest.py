"""Many trees small: what the grid on the Run page and the figures on the Overview need of each; remembered.

Reading a tree means reading all its events (about a millisecond), so a `Forest` keeps what it made of each rollout
for as long as nothing was added to it. Colours are those of the large drawing: the same labels, the same verdicts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app import gaps
from josh_engine.pair_verdicts import vouches
from josh_engine.tree import EMPTY, Tree, fold, ideal_path, label_turns, tree_order
from josh_engine.values import Label, Rollout, Verdict
from josh_engine.verdicts import standing
from storage import runs
from storage.database import Store
from storage.verdicts import list_run_verdicts

MARKS: Mapping[Label | None, str] = {
    "ideal": "i",
    "negative": "n",
    "partial": "p",
    "off_path": "-",
    "open": "o",
    None: "u",
}
MOST_KEPT = 20_000  # about a kilobyte each
PATIENCE_SECONDS = 0.6  # how long one look may take; the rest comes with the next


@dataclass(frozen=True, slots=True)
class Sapling:
    """A tree as its outline. `parents`: for each node, in tree order, the place of its parent (-1: none); `marks`: a
    letter each, MARKS of its label, of the next agent turn on the ideal path for a user's; `stars`: places that won.
    `pairs`: of an ideal and a negative turn, where every goal was won; `audited`: how many a person has judged."""

    parents: tuple[int, ...]
    marks: str
    stars: tuple[int, ...]
    pairs: int
    audited: int


@dataclass(frozen=True, slots=True)
class PairCount:
    """Pairs of all finished trees with full reward. `looked_at` of `trees` so far: the rest comes with the next
    look."""

    pairs: int = 0
    audited: int = 0
    looked_at: int = 0
    trees: int = 0

    @property
    def share(self) -> float | None:
        return self.audited / self.pairs if self.pairs else None


Stamp = tuple[int, str, int]  # events, state, verdicts


@dataclass(frozen=True, slots=True)
class _Kept:
    stamp: Stamp
    sapling: Sapling
    tree: Tree | None  # only while it grows: to fold what comes onto


class Forest:
    """For one store. May be shared between threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[str, _Kept] = {}
        self._counted: dict[str, tuple[Stamp, int, int]] = {}  # pairs and audited ones: of all trees, however many
        self._lock = threading.Lock()

    def saplings(self, run_id: str, rollouts: Iterable[Rollout]) -> dict[str, Sapling]:
        """By rollout id. Those not begun are left out, and those there was no time for yet."""
        verdicts = list_run_verdicts(self._store, [run_id])
        deadline, found = time.monotonic() + PATIENCE_SECONDS, {}
        with self._lock:
            for rollout in rollouts:
                given = verdicts.get(rollout.id, ())
                sapling = self._sapling(rollout, given, late=time.monotonic() > deadline)
                if sapling is not None:
                    found[rollout.id] = sapling
        return found

    def count_pairs(self, run_ids: Sequence[str]) -> PairCount:
        pairs, audited, looked_at, trees = 0, 0, 0, 0
        deadline = time.monotonic() + PATIENCE_SECONDS
        verdicts = list_run_verdicts(self._store, run_ids)
        with self._lock:
            for rollout in (each for run_id in run_ids for each in runs.list_rollouts(self._store, run_id)):
                if rollout.state != "done" or not rollout.success:
                    continue
                trees += 1
                counted = self._count(rollout, verdicts.get(rollout.id, ()), late=time.monotonic() > deadline)
                if counted is not None:
                    pairs, audited, looked_at = pairs + counted[0], audited + counted[1], looked_at + 1
        return PairCount(pairs, audited, looked_at, trees)

    def _count(self, rollout: Rollout, verdicts: Sequence[Verdict], *, late: bool) -> tuple[int, int] | None:
        """(pairs, audited) of a tree; None: there was no time for it yet."""
        known, stamp = self._counted.get(rollout.id), (rollout.events, rollout.state, len(verdicts))
        if known is None or (known[0] != stamp and not late):
            sapling = self._sapling(rollout, verdicts, late=late)
            if sapling is None:
                return None
            known = self._counted[rollout.id] = (stamp, sapling.pairs, sapling.audited)
        return known[1:]

    def _sapling(self, rollout: Rollout, verdicts: Sequence[Verdict], *, late: bool) -> Sapling | None:
        kept, stamp = self._kept.get(rollout.id), (rollout.events, rollout.state, len(verdicts))
        if kept is not None and (kept.stamp == stamp or late):
            return kept.sapling
        if late or not rollout.events:
            return None
        known, grown = (kept.stamp[0], kept.tree) if kept and kept.tree else (0, EMPTY)
        stored = runs.events_after(self._store, rollout.id, known - 1)
        tree = fold((event for _, event in (stored if known else gaps.known(stored))), onto=grown)
        sapling = outline(tree, verdicts, success=rollout.state == "done" and rollout.success)
        grows = rollout.state in ("queued", "running")
        self._kept.pop(rollout.id, None)
        self._kept[rollout.id] = _Kept((known + len(stored), *stamp[1:]), sapling, tree if grows else None)
        if len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return sapling


def outline(tree: Tree, verdicts: Sequence[Verdict] = (), *, success: bool = False) -> Sapling:
    labels, path = label_turns(tree, verdicts), set(ideal_path(tree, verdicts))
    nodes = sorted(tree.nodes.values(), key=lambda node: tree_order(node.id))
    places = {node.id: place for place, node in enumerate(nodes)}
    pairs = _pairs(tree, labels, path) if success else {}
    counted = filter(vouches, standing(verdicts))
    judged = {each for verdict in counted for each in (verdict.node, verdict.rival)}
    return Sapling(
        parents=tuple(places.get(node.parent or "", -1) for node in nodes),
        marks="".join("i" if node.id in path else MARKS[labels.get(node.id)] for node in nodes),
        stars=tuple(places[node] for node in dict.fromkeys(tree.won.values())),
        pairs=len(pairs),
        audited=sum(bool(judged & {negative, ideal}) for negative, ideal in pairs.items()),
    )


def _pairs(tree: Tree, labels: Mapping[str, Label], path: set[str]) -> dict[str, str]:
    """Each negative turn with the ideal one at the same user turn (section 2.2)."""
    ideal = {tree.nodes[each].parent: each for each in path if each in labels}
    negative = (each for each, label in labels.items() if label == "negative")
    return {each: ideal[tree.nodes[each].parent] for each in negative if tree.nodes[each].parent in ideal}
