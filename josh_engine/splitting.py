"""Rows for training and rows for validation, split by scenario: a scenario's rows are never in both. Pure.

Ours (the paper trains on all its rows): turns of one scenario share their context, so a split by row would validate on
what was trained. Which scenarios are held out depends on their ids and the seed alone, so all formats, and a rerun of
the same scenarios, hold out the same ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from josh_engine.errors import ConfigError
from josh_engine.extract import Extraction, Source

WHOLE, TRAIN, VALIDATION = "", "train", "validation"


@dataclass(frozen=True, slots=True)
class Split:
    """`share` of the scenarios, from 0 (no split) to below 1, is held out; `seed` makes another choice of them."""

    share: float = 0.0
    seed: int = 0

    def checked(self) -> Split:
        if not 0 <= self.share < 1:
            raise ConfigError(
                f"The share held out for validation is {self.share}, but must be at least 0 and below 1.",
                remedy="A tenth is usual: 0.1; 0 holds nothing out.",
            )
        return self


def held_out(scenarios: Iterable[str], split: Split) -> frozenset[str]:
    """The scenarios for validation: the share rounded, but some of them and not all where there are two or more."""
    known = sorted(set(scenarios), key=lambda scenario: _draw(scenario, split.seed))
    if split.share == 0 or len(known) < 2:
        return frozenset()
    return frozenset(known[: min(max(1, round(split.share * len(known))), len(known) - 1)])


def split_by_scenario(extraction: Extraction, split: Split) -> Mapping[str, Extraction]:
    """`train` and `validation`; the whole under "" where nothing is to be held out. The funnel stays the whole's."""
    if split.checked().share == 0:
        return {WHOLE: extraction}
    apart = held_out((scenario_of(source) for source in extraction.sources), split)
    return {name: _part(extraction, apart, inside=name == VALIDATION) for name in (TRAIN, VALIDATION)}


def scenario_of(source: Source) -> str:
    return source.rollout.scenario_id


def _part(extraction: Extraction, apart: frozenset[str], *, inside: bool) -> Extraction:
    def belongs(source: Source) -> bool:
        return (scenario_of(source) in apart) is inside

    return replace(
        extraction,
        sources=tuple(each for each in extraction.sources if belongs(each)),
        positive=tuple(each for each in extraction.positive if belongs(each.source)),
        negative=tuple(each for each in extraction.negative if belongs(each.source)),
        pairs=tuple(each for each in extraction.pairs if belongs(each.chosen.source)),
    )


def _draw(scenario: str, seed: int) -> str:
    return hashlib.sha256(f"{seed} {scenario}".encode()).hexdigest()
