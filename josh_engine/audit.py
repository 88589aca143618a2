"""Preference pairs as auditors judge them: which there are, which turn stands on the left, in which order they come.

A pair is an ideal turn and a negative one after the same user turn (section 2.2 of arXiv 2409.04617). The order is a
stratified one: whatever number of pairs from the start is judged, tools and reasons are among them in proportion, so
the judged ones are a fair sample. Pure.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from josh_engine.extract import Source
from josh_engine.pair_verdicts import pair_id, preferred
from josh_engine.tree import branches, ideal_path, label_turns
from josh_engine.values import Node, Verdict

PairJudgement = Literal["left", "right", "both_fine", "both_bad", "cannot_tell", "users_fault"]
PAIR_JUDGEMENTS: tuple[PairJudgement, ...] = ("left", "right", "both_fine", "both_bad", "cannot_tell", "users_fault")
NO_CALL = "no call"  # the stratum of a pair in which neither turn calls a tool


@dataclass(frozen=True, slots=True)
class AuditPair:
    """`id`: a hash of rollout and both turns. `good` and `bad` by the labels that stand; `api`: the tool that the turns
    are about; `reason`: why the search left the bad one."""

    id: str
    rollout: str
    scenario: str
    good: str
    bad: str
    api: str
    reason: str


def pairs_of(source: Source) -> tuple[AuditPair, ...]:
    """A finished rollout's pairs, in tree order; none of another."""
    if source.rollout.state != "done":
        return ()
    tree, labels = source.tree, label_turns(source.tree, source.verdicts)
    ideal = {tree.nodes[each].parent: each for each in ideal_path(tree, source.verdicts)}
    return tuple(
        _pair(source, ideal[node.parent], node)
        for node in (tree.nodes[each] for each, label in labels.items() if label == "negative")
        if node.parent in ideal and labels.get(ideal[node.parent]) == "ideal"
    )


def _pair(source: Source, good: str, bad: Node) -> AuditPair:
    tree, rollout = source.tree, source.rollout
    calls = (*tree.nodes[good].turn.calls, *bad.turn.calls)
    won = {goal.id: goal.name for goal in tree.scenario.goals} if tree.scenario else {}
    apis = [won[goal] for goal in tree.nodes[good].goals if goal in won] or [call.name for call in calls if call.name]
    pruned = tree.reasons.get(bad.id)
    return AuditPair(
        id=pair_id(rollout.id, good, bad.id), rollout=rollout.id, scenario=rollout.scenario_id, good=good, bad=bad.id,
        api=apis[0] if apis else NO_CALL, reason=pruned.reason if pruned else "none",
    )  # fmt: skip


def sides(pair: AuditPair, auditor: str) -> tuple[str, str]:
    """(left, right): a coin of its own for every pair and auditor, so neither label nor place in the tree tells."""
    one, other = sorted((pair.good, pair.bad))
    return (one, other) if int(_hash("side", pair.id, auditor)[:8], 16) % 2 else (other, one)


def in_order(pairs: Iterable[AuditPair], seed: int = 0) -> tuple[AuditPair, ...]:
    """Stratified by tool and reason: each stratum is spread evenly over the whole, in an order drawn by the seed."""
    strata: dict[tuple[str, str], list[AuditPair]] = defaultdict(list)
    for pair in sorted(pairs, key=lambda each: _hash("order", seed, each.id)):
        strata[pair.api, pair.reason].append(pair)
    placed = [
        ((place + _share("start", seed, *stratum)) / len(held), pair.id, pair)
        for stratum, held in strata.items()
        for place, pair in enumerate(held)
    ]
    return tuple(pair for _, _, pair in sorted(placed, key=lambda each: each[:2]))


def onwards(pairs: Sequence[AuditPair]) -> tuple[AuditPair, ...]:
    """The same pairs at their places, but of one conversation's the earlier turns first: what was said before a later
    pair shows which of the earlier turns the search went on from."""
    waiting: dict[str, deque[AuditPair]] = defaultdict(deque)
    for pair in sorted(pairs, key=lambda each: len(branches(each.good))):
        waiting[pair.rollout].append(pair)
    return tuple(waiting[pair.rollout].popleft() for pair in pairs)


def margin(judged: int, total: int) -> float | None:
    """Half the width of a 95 % interval of a share that so many of all pairs tell: at worst, where it is a half.
    None: nothing is judged."""
    if not judged:
        return None
    left = (total - judged) / max(1, total - 1)  # of a finite whole nothing is left to vary once all is judged
    return 1.96 * math.sqrt(0.25 / judged * left)


def opinion(verdict: Verdict, pair: AuditPair) -> str:
    """What it says whatever the side: "good" or "bad", the turn it prefers, or the judgement."""
    better = preferred(verdict)
    if better is None:
        return verdict.verdict
    return "good" if better == pair.good else "bad"


def _share(*parts: object) -> float:
    return int(_hash(*parts)[:8], 16) / 2**32


@lru_cache(maxsize=200_000)
def _hash(*parts: object) -> str:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()
