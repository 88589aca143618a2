"""How far auditors agree beyond chance: Cohen's kappa for two, Krippendorff's alpha for any number. Pure.

Cohen, J. (1960), "A coefficient of agreement for nominal scales"; Krippendorff, K. (2011), "Computing Krippendorff's
alpha-reliability", nominal metric. Intervals are bootstrap percentiles over the judged things; resamples are drawn by a
fixed seed, so a figure repeats.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2_000
Votes = Mapping[str, str]  # thing -> category, of one auditor


@dataclass(frozen=True, slots=True)
class Agreement:
    """`value` None: undefined, for all votes are of one category and chance alone agrees too. `low`, `high`: 95 %, None
    where it is undefined or there is one thing only. `n`: things judged by all (kappa) or by two or more (alpha)."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def cohens_kappa(one: Votes, other: Votes) -> Agreement:
    """Over the things both judged."""
    shared = sorted(one.keys() & other.keys())
    return _with_interval([(one[each], other[each]) for each in shared], _kappa)


def krippendorffs_alpha(auditors: Sequence[Votes]) -> Agreement:
    """Over the things at least two judged; who did not judge a thing is missing, not disagreeing."""
    things = sorted({thing for votes in auditors for thing in votes})
    units = [tuple(votes[thing] for votes in auditors if thing in votes) for thing in things]
    return _with_interval([unit for unit in units if len(unit) > 1], _alpha)


def _kappa(pairs: Sequence[tuple[str, ...]]) -> float | None:
    n = len(pairs)
    if not n:
        return None
    left, right = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    observed = sum(one == other for one, other in pairs) / n
    expected = sum(left[each] * right[each] for each in left) / n**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def _alpha(units: Sequence[tuple[str, ...]]) -> float | None:
    """1 - observed / expected disagreement, by the coincidence matrix."""
    totals: Counter[str] = Counter()
    disagreeing = 0.0
    for unit in units:
        held, m = Counter(unit), len(unit)
        totals.update(held)
        disagreeing += sum(count * (m - count) for count in held.values()) / (m - 1)
    n = sum(totals.values())
    expected = sum(count * (n - count) for count in totals.values())
    return 1 - (n - 1) * disagreeing / expected if expected else None


def _with_interval(
    units: Sequence[tuple[str, ...]], measure: Callable[[Sequence[tuple[str, ...]]], float | None]
) -> Agreement:
    value, n = measure(units), len(units)
    if value is None or n < 2:
        return Agreement(value, None, None, n)
    generator = np.random.default_rng(2409_04617)
    drawn = (measure([units[each] for each in generator.integers(0, n, n)]) for _ in range(RESAMPLES))
    low, high = np.percentile([each for each in drawn if each is not None], [2.5, 97.5])
    return Agreement(value, float(low), float(high), n)
