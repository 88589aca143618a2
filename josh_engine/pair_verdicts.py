"""Verdicts on pairs: what they say, which have become stale, and which count where auditors differ. Pure.

Every auditor has a word of their own on a pair; an adjudication is one more, and settles it. All of this is ours
(josh.md section 2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from josh_engine.tree import Tree, ideal_path
from josh_engine.values import Verdict
from josh_engine.verdicts import IDEAL_PATH, replaces, standing, subject


def pair_id(rollout: str, one: str, other: str) -> str:
    """The same whichever of the two is the good one."""
    told = "\x1f".join((rollout, *sorted((one, other))))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def pair_of(verdict: Verdict) -> str:
    """The id of the pair that a verdict on one is about."""
    return pair_id(verdict.rollout, verdict.node, verdict.rival or "")


def preferred(verdict: Verdict) -> str | None:
    """The turn that the auditor found better; None where none was."""
    if verdict.verdict not in ("left", "right"):
        return None
    return verdict.node if verdict.verdict == verdict.side else verdict.rival


def vouches(verdict: Verdict) -> bool:
    """Whether it stands for a row as a person's own judgement: a word on a turn or one that settles a pair, which
    decide what is trained on, or a blind word on a pair. Who had seen the label says little by agreeing with it; such
    a word takes rows away, but speaks for none."""
    return verdict.rival is None or verdict.adjudicates or verdict.blind


def heeded(tree: Tree, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The standing verdicts that count: none that is stale, and of an adjudicated pair the adjudication alone."""
    stands = standing(verdicts)
    if not any(each.rival is not None for each in stands):
        return stands
    gone = stale(tree, verdicts)
    settled = {pair_of(each) for each in stands if each.adjudicates and each.id not in gone}
    return tuple(
        each
        for each in stands
        if each.id not in gone and (each.rival is None or each.adjudicates or pair_of(each) not in settled)
    )


def stale(tree: Tree, verdicts: Sequence[Verdict]) -> frozenset[str]:
    """Ids of standing verdicts on pairs whose turns have changed their parts since: a person promoted another path.
    Such a pair is to be judged anew."""
    judged = {each.id for each in standing(verdicts) if each.rival is not None}
    before = replaces(verdicts)
    moved = [place for place, word in enumerate(verdicts) if subject(word, before) == IDEAL_PATH]
    if not moved or not judged:
        return frozenset()
    now = frozenset(ideal_path(tree, verdicts))
    return frozenset(
        each.id
        for place, each in enumerate(verdicts)
        if each.id in judged
        and place < moved[-1]
        and _parts(each, frozenset(ideal_path(tree, verdicts[:place]))) != _parts(each, now)
    )


def _parts(verdict: Verdict, ideal: frozenset[str]) -> tuple[bool, bool]:
    return verdict.node in ideal, verdict.rival in ideal
