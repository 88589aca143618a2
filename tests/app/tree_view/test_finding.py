"""What the search field finds in the sample search."""

from __future__ import annotations

import pytest

from app.tree_view.finding import found, texts
from tests.app.sample_search import HOSTILE, sample_tree

TEXTS = texts(sample_tree())


@pytest.mark.parametrize(
    ("query", "turns"),
    [
        ("HOTEL", ["u", "0.0", "0.1", "1.0"]),
        ("booked ab12", ["0.1", "1.0"]),
        ('"a train"', ["0.1u"]),
        ("book_hotell", ["0.0"]),
        ("no such tool", ["0.0"]),
        ("TR1", ["0.1.0"]),
        ("people", ["0.1", "1.0"]),
        (".*", []),
        ("", []),
        ("   ", []),
    ],
)
def test_words_are_found_in_what_was_said_called_and_answered(query: str, turns: list[str]):
    assert found(TEXTS, query) == turns


def test_hostile_words_are_only_words():
    assert found(TEXTS, HOSTILE[2]) == ["1"]
    assert found(TEXTS, "') OR 1=1 --") == []
