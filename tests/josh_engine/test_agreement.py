"""Agreement against published values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from josh_engine.agreement import cohens_kappa, krippendorffs_alpha

# Krippendorff (2011), "Computing Krippendorff's alpha-reliability", section C: four observers, twelve units.
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3),
    (0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0),
)


def votes(told):
    return {str(unit): str(value) for unit, value in enumerate(told) if value}


def test_kappa_of_a_table_by_hand():
    """20 both yes, 5 and 10 apart, 15 both no: observed 0.70, expected 0.50."""
    one = ["yes"] * 25 + ["no"] * 25
    other = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    found = cohens_kappa(dict(enumerate_(one)), dict(enumerate_(other)))
    assert found.value == pytest.approx(0.4)
    assert found.n == 50 and found.low < 0.4 < found.high
    assert found == cohens_kappa(dict(enumerate_(one)), dict(enumerate_(other)))


def enumerate_(values):
    return [(str(place), value) for place, value in enumerate(values)]


def test_alpha_is_the_published_one():
    found = krippendorffs_alpha([votes(each) for each in OBSERVERS])
    assert found.value == pytest.approx(0.743, abs=5e-4)
    assert found.n == 11  # one unit has a single value and cannot disagree


def test_only_things_judged_by_both_count_and_none_is_no_figure():
    assert cohens_kappa({"a": "left"}, {"b": "left"}).value is None
    assert cohens_kappa({"a": "left", "b": "right"}, {"a": "left", "c": "left"}).n == 1
    assert cohens_kappa({"a": "left", "b": "left"}, {"a": "left", "b": "left"}).value is None  # chance agrees too
    assert krippendorffs_alpha([{"a": "left"}]).value is None


@given(st.lists(st.sampled_from("abc"), min_size=3, max_size=30).filter(lambda told: len(set(told)) > 1))
def test_full_agreement_is_one(told):
    mine = dict(enumerate_(told))
    assert cohens_kappa(mine, mine).value == pytest.approx(1)
    assert krippendorffs_alpha([mine, mine, mine]).value == pytest.approx(1)
