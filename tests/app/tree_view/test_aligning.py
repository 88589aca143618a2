"""Two turns side by side: nothing is left out, most alike stand together, and what differs is marked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.tree_view.aligning import MOST_WORDS, Step, align, arguments_apart, steps, words_apart
from josh_engine.values import Message, ToolCall, Turn
from tests.app.sample_search import HOSTILE, agent, booked, sample_tree

TREE = sample_tree()
calls = st.builds(
    lambda name, value, number: ToolCall(f"call_{number}", name, {"area": value}, result="[]"),
    st.sampled_from(("find", "book")),
    st.sampled_from(("north", "south")),
    st.integers(1, 3),
)
turns = st.builds(
    lambda text, made: agent(text, *made), st.sampled_from(("Yes.", "No.", "")), st.lists(calls, max_size=4)
)


@given(turns, turns)
def test_every_step_of_both_stands_there_once_and_in_order(left: Turn, right: Turn) -> None:
    pairs = align(left, right)
    assert [pair.left for pair in pairs if pair.left is not None] == steps(left)
    assert [pair.right for pair in pairs if pair.right is not None] == steps(right)
    assert all(pair.left.kind == pair.right.kind for pair in pairs if pair.left and pair.right)


@given(turns)
def test_a_turn_beside_itself_is_all_the_same(turn: Turn) -> None:
    assert {pair.mark for pair in align(turn, turn)} <= {"same"}


def test_calls_meet_the_call_of_the_same_name_with_the_most_in_common() -> None:
    search = ToolCall("call_1", "find", {"area": "north"}, result="[]")
    book = booked("book_hotel", 2, people="2")
    pairs = align(agent("Done.", search, book), agent("Done.", booked("book_hotel", 1, people="3")))
    named = [(pair.mark, pair.left and pair.left.name, pair.right and pair.right.name) for pair in pairs]
    assert ("left", "find", None) in named
    assert ("changed", "book_hotel", "book_hotel") in named
    assert named[-1] == ("same", "", "")


def test_an_answer_that_is_an_error_is_known_as_one() -> None:
    assert [step.wrong for step in steps(TREE.nodes["0.0"].turn)] == [True, True, False]


def test_calls_written_into_the_text_are_steps_too() -> None:
    made = ToolCall("call_1", "find", {"area": "north"}, result="[]")
    turn = Turn("agent", (Message("assistant", "PLAN APICALL", sampled=True),), (made,), "Done.")
    assert steps(turn) == [
        Step("says", text="PLAN APICALL"),
        Step("calls", "find", arguments={"area": "north"}),
        Step("reads", "find", "[]"),
    ]


words = st.lists(st.sampled_from(("a", "hotel", " ", "\n", "é", ".", HOSTILE[0])), max_size=30).map("".join)


@given(words, words)
def test_pieces_put_together_are_the_texts_and_the_common_ones_are_equal(left: str, right: str) -> None:
    ours, theirs = words_apart(left, right)
    assert ("".join(piece for piece, _ in ours), "".join(piece for piece, _ in theirs)) == (left, right)
    common = ["".join(piece for piece, only in side if not only) for side in (ours, theirs)]
    assert common[0] == common[1]
    if left == right:
        assert not any(only for _, only in ours)


def test_texts_differ_by_word_and_unlike_or_endless_ones_as_a_whole() -> None:
    ours, theirs = words_apart("Book it for 2 people, please.", "Book it for 4 people, please.")
    assert [piece for piece, only in ours if only] == ["2"]
    assert [piece for piece, only in theirs if only] == ["4"]
    assert words_apart("Where to?", "It is booked, dear.")[0] == [("Where to?", True)]
    endless = "a " * MOST_WORDS
    assert words_apart(endless, endless + "b") == ([(endless, True)], [(endless + "b", True)])


def test_arguments_are_compared_one_by_one() -> None:
    rows = arguments_apart({"area": "north", "stars": 4, "x": None}, {"area": "north", "stars": "4", "day": ["mon"]})
    assert [(row.name, row.mark, row.left, row.right) for row in rows] == [
        ("area", "same", "north", "north"),
        ("stars", "changed", "4", "4"),
        ("x", "left", "null", None),
        ("day", "right", None, '["mon"]'),
    ]
