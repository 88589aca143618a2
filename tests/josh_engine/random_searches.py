"""Random searches: scripted agents that hit, miss, fail and hand over, under all strategies and shapes."""

from __future__ import annotations

import random

from hypothesis import strategies as st
from small import FIND_HOTEL, FIND_TRAIN, HAND_OVER, HOTEL, MALFORMED, TRAIN, Searched, search, strategy

from josh_engine.models.scripted import say

REPERTOIRE = (
    [say("May I help?")],
    [say("One moment.")],
    [FIND_HOTEL, say("A hotel.")],
    [FIND_TRAIN, say("A train.")],
    [FIND_HOTEL, FIND_TRAIN, say("Both.")],
    [MALFORMED, FIND_HOTEL, say("A hotel at last.")],
    [MALFORMED, MALFORMED, MALFORMED],
    [FIND_HOTEL, FIND_HOTEL, FIND_HOTEL],
    [HAND_OVER],
    [FIND_TRAIN, HAND_OVER],
)


@st.composite
def searches(draw: st.DrawFn) -> Searched:
    beam, branching, depth = draw(st.integers(1, 9)), draw(st.integers(1, 3)), draw(st.integers(1, 5))
    name = draw(st.sampled_from(("josh", "josh", "josh", "greedy")))
    goals = draw(st.sampled_from(((HOTEL,), (HOTEL, TRAIN), (TRAIN, HOTEL))))
    weights = draw(st.lists(st.integers(0, 6), min_size=len(REPERTOIRE), max_size=len(REPERTOIRE)))
    weights[0] += 1
    chooser = random.Random(draw(st.integers(0, 2**32)))
    script = {node: chooser.choices(REPERTOIRE, weights)[0] for node in _addresses(depth, branching)}
    config = strategy(name, beam=beam, branching=branching, depth=depth)
    return search(script, goals, config, lines=draw(st.integers(1, 6)), max_generations=3)


def _addresses(depth: int, branching: int) -> list[str]:
    level, found = [""], list[str]()
    for _ in range(depth):
        level = [f"{above}.{branch}".lstrip(".") for above in level for branch in range(branching)]
        found += level
    return found
