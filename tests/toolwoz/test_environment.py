from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from josh_engine.values import Goal, ToolCall
from tests.toolwoz.small_town import call, environment, goals, small_town
from toolwoz.environment import TownEnvironment
from toolwoz.schema import TOOL_NAMES, slots_of

ELM = goals(
    "hotel",
    {"area": "east", "stars": "4", "internet": "yes"},
    {"day": "monday", "people": "2", "stay": "3", "name": "elm guest house"},
)
THAI = goals("restaurant", {"food": "thai", "area": "north"})
MONDAY = goals("train", {"day": "monday", "leaveAt": "08:00"}, {"people": "2", "trainID": "TR3"})
BOOK_ELM = {"day": "monday", "people": "2", "stay": "3", "name": "elm guest house"}


def served(world: TownEnvironment, name: str, /, **arguments: Any) -> str | None:
    """The name or id of what a search serves; None: nothing."""
    rows = json.loads(world.call(call(name, **arguments)).result or "")
    assert len(rows) <= 1
    return next((row.get("name") or row["trainID"] for row in rows), None)


def test_algorithm_2_the_right_query_is_steered_to_the_booked_record() -> None:
    world = environment(*MONDAY)
    assert served(world, "search_train", day="monday", leaveAt="08:00") == "TR3"  # and not TR2, the first that fits


def test_algorithm_2_a_query_with_more_than_the_goal_still_finds_the_booked_record() -> None:
    world = environment(*MONDAY)
    assert served(world, "search_train", day="Monday", leaveAt="8:00", departure="aldery") == "TR3"


def test_algorithm_2_a_query_that_excludes_the_booked_record_finds_nothing() -> None:
    assert served(environment(*MONDAY), "search_train", day="monday", leaveAt="08:00", arriveBy="10:00") is None


def test_algorithm_2_an_under_specified_query_is_served_a_record_that_violates_the_goal() -> None:
    assert served(environment(*ELM), "search_hotel", area="east") == "pine lodge"  # the last wrong one
    assert served(environment(*MONDAY), "search_train", day="monday") == "TR1"  # too early, so wrong


def test_algorithm_2_an_under_specified_query_without_wrong_records_finds_the_booked_one() -> None:
    late = goals("train", {"day": "monday", "leaveAt": "06:00"}, {"people": "1", "trainID": "TR3"})
    assert served(environment(*late), "search_train", day="monday") == "TR3"


def test_algorithm_2_without_a_booking_the_first_record_is_served() -> None:
    assert served(environment(*THAI), "search_restaurant", food="thai", area="north") == "the red lantern"


def test_algorithm_2_a_query_beside_the_goal_is_served_the_first_record() -> None:
    assert served(environment(*ELM), "search_hotel", area="east", stars="3") == "oak lodge"
    assert served(environment(*THAI), "search_restaurant", food="italian") == "basil corner"


def test_a_domain_outside_the_goal_is_served_its_first_record() -> None:
    assert served(environment(*ELM), "search_attraction", area="west") == "mill pool"


def test_a_query_without_a_match_finds_nothing() -> None:
    assert served(environment(*THAI), "search_restaurant", food="jamaican") is None


def test_algorithm_3_a_booking_needs_all_of_the_goals_arguments() -> None:
    world = environment(*ELM)
    for wrong in ({**BOOK_ELM, "day": "friday"}, {**BOOK_ELM, "name": "oak lodge"}, {"name": "elm guest house"}):
        assert json.loads(world.call(call("book_hotel", **wrong)).answer) == {"success": False, "return": None}
    spelt = {**BOOK_ELM, "name": "Elm Guesthouse", "people": 2, "stay": "three nights"}
    assert json.loads(world.call(call("book_hotel", **spelt)).answer) == {
        "success": True,
        "return": {"name": "elm guest house", "reference": "REF00002"},
    }


def test_algorithm_3_a_booking_that_no_goal_wants_is_refused_without_being_an_error() -> None:
    answered = environment(*THAI).call(call("book_restaurant", name="the red lantern", people="2"))
    assert answered.error is None
    assert json.loads(answered.answer)["success"] is False


def test_a_train_is_booked_by_its_id() -> None:
    answer = environment(*MONDAY).call(call("book_train", trainID="tr3", people="two")).answer
    assert json.loads(answer)["return"] == {"trainID": "TR3", "reference": "REF00003"}


@pytest.mark.parametrize(
    ("made", "fault", "says"),
    [
        (call("book_taxi", time="09:00"), "unknown_tool", "no tool named 'book_taxi'"),
        (call("search_train", starts="ely"), "bad_argument", "no argument 'starts'; it takes leaveAt, destination"),
        (call("search_hotel", area=["east"]), "bad_argument", "'area' must be a string"),
        (call("search_hotel", area={"is": "east"}), "bad_argument", "'area' must be a string"),
    ],
)
def test_a_models_mistake_is_answered_with_a_typed_error(made: ToolCall, fault: str, says: str) -> None:
    world = environment(*ELM)
    before = world.fingerprint()
    answered = world.call(made)
    assert (answered.fault, answered.result) == (fault, None)
    assert says in (answered.error or "")
    assert world.fingerprint() == before


def test_a_call_that_could_not_be_parsed_comes_back_as_it_was() -> None:
    broken = ToolCall("call_1", "search_hotel", raw="{", error="not JSON", fault="format")
    assert environment(*ELM).call(broken) is broken


def test_numbers_and_booleans_are_taken_as_the_text_they_stand_for() -> None:
    world = environment(*ELM)
    assert served(world, "search_hotel", stars=4, internet=True, area="east", name=None) == "elm guest house"
    assert served(world, "search_hotel", stars=4.0, internet=False) == "pine lodge"


def test_the_policy_names_neither_goals_nor_records() -> None:
    world = environment(*ELM)
    assert "elm" not in world.policy and len(world.policy) > 200


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 30), st.floats(allow_nan=True), st.text(max_size=8),
    st.sampled_from(["east", "monday", "elm guest house", "TR3", "2", "3", "thai", "08:00", *BOOK_ELM.values()]),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=1),
)  # fmt: skip
SLOTS = sorted({slot for name in TOOL_NAMES for slot in slots_of(name)} | {"colour"})
CALLS = st.builds(
    lambda name, arguments: ToolCall("call_1", name, arguments),
    st.sampled_from([*TOOL_NAMES, "book_taxi"]),
    st.dictionaries(st.sampled_from(SLOTS), VALUES, max_size=4),
) | st.sampled_from([call("book_hotel", **BOOK_ELM), call("book_train", trainID="TR3", people="2")])


@given(calls=st.lists(CALLS, max_size=6), fork_at=st.integers(0, 6))
def test_every_call_is_answered_forks_are_independent_and_the_fingerprint_is_the_state(
    calls: list[ToolCall], fork_at: int
) -> None:
    world = environment(*ELM, *MONDAY)
    kept, kept_print = world.fork(), world.fingerprint()
    for number, made in enumerate(calls):
        if number == fork_at:
            kept, kept_print = world.fork(), world.fingerprint()
        before, booked = world.fingerprint(), world.bookings
        answered = world.call(made)
        assert (answered.result is None) != (answered.error is None)
        assert (answered.fault is None) == (answered.error is None)
        json.loads(answered.result or "null")
        assert (world.fingerprint() == before) == (world.bookings == booked)
    assert kept.fingerprint() == kept_print


def test_the_fingerprint_tells_states_and_scenarios_apart_and_ignores_the_order_of_bookings() -> None:
    hotel, ride = call("book_hotel", **BOOK_ELM), call("book_train", trainID="TR3", people="2")
    one, other = environment(*ELM, *MONDAY), environment(*ELM, *MONDAY)
    assert one.fingerprint() == other.fingerprint() != environment(*ELM).fingerprint()
    one.call(hotel), one.call(ride)
    other.call(ride), other.call(hotel), other.call(hotel)
    assert one.fingerprint() == other.fingerprint() != environment(*ELM, *MONDAY).fingerprint()


def test_a_fork_answers_as_its_origin_would_and_leaves_it_untouched() -> None:
    world = environment(*ELM)
    twin = world.fork()
    assert twin.call(call("book_hotel", **BOOK_ELM)) == environment(*ELM).call(call("book_hotel", **BOOK_ELM))
    assert not world.bookings and twin.bookings == {"hotel"}
    assert twin.database is world.database


def test_a_booking_goal_alone_is_enough() -> None:
    only = Goal("hotel.book", "book_hotel", BOOK_ELM, "elm guest house")
    world = TownEnvironment(small_town(), [only], {"hotel": "R"})
    assert json.loads(world.call(call("book_hotel", **BOOK_ELM)).answer)["success"] is True
