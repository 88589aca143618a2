from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from josh_engine.errors import ConfigError, SimulationError
from josh_engine.values import Goal, Scenario, ToolCall, Turn
from tests.toolwoz.small_town import call, environment, goals, small_town
from toolwoz.environment import TownEnvironment
from toolwoz.goals import GoalReward, GoalRule, parse_rule, uncredited

PINE_BOOK = {"day": "monday", "people": "2", "stay": "3", "name": "pine lodge"}
PINE = goals("hotel", {"area": "east", "stars": "4", "internet": "no"}, PINE_BOOK)
MONDAY = goals("train", {"day": "monday", "leaveAt": "08:00"}, {"people": "2", "trainID": "TR2"})
ITALIAN = goals("restaurant", {"food": "italian", "pricerange": "cheap"})
WEST = goals("attraction", {"area": "west"})


def reached(
    *calls: ToolCall,
    wanted: tuple[Goal, ...],
    rule: GoalRule = "paper",
    still_open: tuple[Goal, ...] | None = None,
) -> set[str]:
    """The goals that a turn with these calls reaches in a fresh world."""
    world = environment(*wanted)
    turn = Turn("agent", (), tuple(world.call(made) for made in calls))
    return set(GoalReward(rule).reached(wanted if still_open is None else still_open, turn, world))


def search(tool: str, **arguments: Any) -> ToolCall:
    return call(f"search_{tool}", **arguments)


def test_appendix_a_a_search_with_all_goal_arguments_and_more_is_done() -> None:
    assert reached(search("restaurant", food="Italian", pricerange="cheap", area="south"), wanted=ITALIAN) == {
        "restaurant.search"
    }


def test_appendix_a_two_searches_with_the_same_single_result_are_the_same() -> None:
    assert reached(search("restaurant", name="Basil Corner"), wanted=ITALIAN) == {"restaurant.search"}


def test_the_authors_rule_has_no_such_equivalence() -> None:
    assert reached(search("restaurant", name="Basil Corner"), wanted=ITALIAN, rule="authors") == set()


def test_a_single_result_that_the_goal_would_not_have_alone_is_not_the_same() -> None:
    assert reached(search("attraction", name="mill pool"), wanted=WEST) == set()


def test_a_search_that_finds_nothing_reaches_nothing() -> None:
    assert reached(search("restaurant", food="italian", pricerange="cheap", area="north"), wanted=ITALIAN) == set()


def test_where_a_booking_is_wanted_the_record_served_must_be_the_bookings() -> None:
    elm = goals("hotel", {"area": "east"}, {**PINE_BOOK, "name": "elm guest house"})
    assert reached(search("hotel", area="east"), wanted=elm) == {"hotel.search"}
    assert reached(search("hotel", area="east", stars="3"), wanted=elm) == set()  # excludes it: nothing is served


def test_an_under_specified_search_is_done_only_when_it_serves_the_bookings_record() -> None:
    assert reached(search("hotel", internet="no"), wanted=PINE) == {"hotel.search"}  # pine lodge is all there is
    assert reached(search("hotel", area="east"), wanted=PINE) == set()  # a wrong one is served


def test_an_under_specified_search_without_a_booking_is_done_by_the_authors_rule_only() -> None:
    thai = goals("restaurant", {"food": "thai", "area": "north"})  # every thai restaurant lies in the north
    assert reached(search("restaurant", food="thai"), wanted=thai, rule="authors") == {"restaurant.search"}
    assert reached(search("restaurant", food="thai"), wanted=thai) == set()  # two results, so not "only one"


def test_a_train_time_in_the_goal_must_be_asked_for_and_not_merely_satisfied() -> None:
    assert reached(search("train", day="monday", leaveAt="8:00"), wanted=MONDAY) == {"train.search"}
    assert reached(search("train", day="monday", leaveAt="09:00"), wanted=MONDAY) == set()


@pytest.mark.parametrize("rule", ["paper", "authors"])
def test_a_booking_needs_all_of_the_goals_arguments(rule: GoalRule) -> None:
    booked = call("book_hotel", **{**PINE_BOOK, "people": 2})
    assert reached(booked, wanted=PINE, rule=rule) == {"hotel.book"}
    assert reached(call("book_hotel", **{**PINE_BOOK, "day": "friday"}), wanted=PINE, rule=rule) == set()
    assert reached(call("book_hotel", name="pine lodge"), wanted=PINE, rule=rule) == set()


def test_a_booking_that_was_refused_counts_for_the_authors_rule_only() -> None:
    refused = ToolCall("call_1", "book_hotel", PINE_BOOK, result='{"success": false, "return": null}')
    turn, world = Turn("agent", (), (refused,)), environment(*PINE)
    assert GoalReward("authors").reached(PINE, turn, world) == {"hotel.book"}
    assert GoalReward("paper").reached(PINE, turn, world) == frozenset()


@pytest.mark.parametrize("rule", ["paper", "authors"])
def test_a_call_that_was_answered_with_an_error_reaches_nothing(rule: GoalRule) -> None:
    wrong = call("book_hotel", **PINE_BOOK, colour="blue")
    assert reached(wrong, call("book_taxi"), wanted=PINE, rule=rule) == set()


def test_one_call_pays_one_goal_and_equal_goals_need_as_many_calls() -> None:
    twice = (ITALIAN[0], Goal("restaurant.search.2", "search_restaurant", ITALIAN[0].arguments))
    found = search("restaurant", food="italian", pricerange="cheap")
    assert reached(found, wanted=twice) == {"restaurant.search"}
    assert reached(found, found, wanted=twice) == {"restaurant.search", "restaurant.search.2"}


def test_one_turn_may_reach_several_goals() -> None:
    made = (search("hotel", area="east", stars=4, internet="no"), call("book_hotel", **PINE_BOOK))
    assert reached(*made, wanted=PINE) == {"hotel.search", "hotel.book"}


MADE = (
    search("hotel", area="east", stars="4", internet="no"), search("hotel", internet="no"), search("hotel"),
    search("hotel", name="pine lodge"), call("book_hotel", **PINE_BOOK), search("train", day="monday"),
    search("train", day="monday", leaveAt="08:00"), call("book_train", trainID="TR2", people="2"),
)  # fmt: skip


@given(calls=st.lists(st.sampled_from(MADE), max_size=5), shut=st.sets(st.integers(0, 3)))
def test_credit_does_not_depend_on_which_goals_are_still_open(calls: list[ToolCall], shut: set[int]) -> None:
    wanted = (*PINE, *MONDAY)
    still_open = tuple(goal for place, goal in enumerate(wanted) if place not in shut)
    everything = reached(*calls, wanted=wanted)
    assert reached(*calls, wanted=wanted, still_open=still_open) == everything & {goal.id for goal in still_open}


def test_the_goals_are_all_there_is() -> None:
    scenario = Scenario("s", "toolwoz", "val", (), PINE)
    assert GoalReward().graded(scenario, (), environment(*PINE)) is None


def test_an_unknown_rule_is_an_error_that_names_the_rules() -> None:
    assert parse_rule("authors") == "authors"
    with pytest.raises(ConfigError, match="paper, authors"):
        parse_rule("strict")


def test_the_oracle_check_names_the_goals_that_nobody_could_win() -> None:
    parts = ({"domain": "hotel", "reference": "REF00002"},)
    assert uncredited(Scenario("s", "toolwoz", "val", (), PINE, setup={"parts": parts}), small_town()) == ()
    astray = goals("hotel", {"area": "east", "stars": "3"}, PINE_BOOK)  # pine lodge has four stars
    scenario = Scenario("s", "toolwoz", "val", (), astray)
    assert [goal.id for goal in uncredited(scenario, small_town())] == ["hotel.search"]


def test_another_worlds_environment_is_refused() -> None:
    class Elsewhere:
        tools = ()
        policy = ""

        def call(self, call: ToolCall) -> ToolCall:
            return call

        def fork(self) -> Elsewhere:
            return self

        def fingerprint(self) -> str:
            return ""

    with pytest.raises(SimulationError, match="ToolWOZ environment"):
        GoalReward().reached(PINE, Turn("agent", ()), Elsewhere())
    assert isinstance(environment(*PINE), TownEnvironment)
