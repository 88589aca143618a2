"""A time, a count or a day in words is read as meant or stays as it stands; it is never taken for another value."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from josh_engine.values import Goal, Turn
from tests.toolwoz.small_town import call, environment, goals
from toolwoz.counting import NUMBERS
from toolwoz.goals import GoalReward
from toolwoz.normalisation import comparable, is_time

TIMES = {
    "half past 14": "14:30", "half past seven pm": "19:30", "quarter to 14": "13:45", "a quarter to nine": "08:45",
    "quarter after 6": "06:15", "ten to eight": "07:50", "twenty-five past six": "06:25", "10 minutes to 8": "07:50",
    "twenty past 20": "20:20", "quarter to midnight": "23:45", "half past noon": "12:30", "noon": "12:00",
    "12 noon": "12:00", "twelve midnight": "00:00", "14h30": "14:30", "9h05": "09:05", "17h": "17:00",
    "7.30pm": "19:30",
    "7:30 P.M.": "19:30", "5:45 p. m.": "17:45", "12:30 am": "00:30", "12 pm": "12:00", "17:00 pm": "17:00",
    "0945 hrs": "09:45", "1800 hours": "18:00", "17:30:00": "17:30", "7 30": "07:30", "7 o'clock": "07:00",
    "Eight o’clock in the evening": "20:00", "5 in the afternoon": "17:00", "9 at night": "21:00",
    "12 at night": "00:00", "ten to 12 at night": "23:50", "quarter to 1 pm": "12:45", "seven": "07:00",
    "seven thirty": "07:30", "seven oh five": "07:05", "twenty-one fifteen": "21:15", "eighteen hundred hours": "18:00",
    "at 5pm": "17:00",
}  # fmt: skip
NO_TIMES = [
    "around 14:00", "17:00 or 18:00", "17:00-18:00", "17:30|16:30", "between 5 and 6", "after 17:00", "5 to 6",
    "10 to 8pm", "nine to five", "half 7", "half to seven", "quarter to 12 pm", "12 in the morning", "6 at night",
    "17:00 am", "14:00 in the morning", "0 pm", "noon am", "2 hours", "5h", "-5:00", "minus five", "5.5", "4.0",
    "17:30:15", "25:00", "9:75", "24:60", "tomorrow at 5", "not 5pm", "5pm on friday", "7 days", "one hundred", "00012",
    "٧:٣٠", "1e1", "x" * 5_000, "half past " * 500 + "7",
]  # fmt: skip
COUNTS = {
    ("people", "one hundred"): "100", ("people", "a hundred and five"): "105", ("people", "Twenty-One guests"): "21",
    ("people", "for 12"): "12", ("people", "a party of six"): "6", ("people", "table for two"): "2",
    ("people", "4.0"): "4", ("people", "03"): "3", ("people", "0"): "0", ("stay", "thirteen nights"): "13",
    ("stay", "1 night"): "1", ("stars", "four-star"): "4", ("stars", "4 stars"): "4",
}  # fmt: skip
NO_COUNTS = [
    ("people", "-3"), ("people", "-three"), ("people", "2 adults and 3 kids"), ("people", "2 or 3"), ("people", "2-3"),
    ("people", "at least 3"), ("people", "3.5"), ("people", "1,000"), ("people", "3 and a half"),
    ("people", "4 nights"),
    ("people", "five thousand"), ("people", "one two"), ("people", "3rd"), ("people", "½"), ("people", "1e1"),
    ("people", "9" * 5_000), ("stay", "3 days"), ("stay", "2 nights and 3 days"), ("stay", "a week"), ("stars", "4+"),
    ("stars", "3 to 5 stars"), ("stars", "not 4"),
]  # fmt: skip
DAYS = {"Mon": "monday", "tues.": "tuesday", "Weds": "wednesday", "thurs": "thursday", "on Sunday": "sunday"}
NO_DAYS = ["next friday", "the day after tomorrow", "today", "friday or saturday", "not monday", "fridays", "monda"]


@pytest.mark.parametrize(("written", "meant"), TIMES.items())
def test_a_time_is_read_as_meant(written: str, meant: str) -> None:
    assert comparable("time", written) == meant


@pytest.mark.parametrize("written", NO_TIMES)
def test_what_is_no_single_time_stays_as_it_stands(written: str) -> None:
    assert comparable("time", written) == written.strip() and not is_time(written)


@pytest.mark.parametrize(
    ("slot", "written", "meant"),
    [
        ("leaveAt", "after 15:45", "15:45"), ("leaveAt", "17:00 or later", "17:00"),
        ("leaveAt", "no earlier than half past 5", "05:30"), ("leaveAt", "before 9:00", "before 9:00"),
        ("arriveBy", "before 9:00", "09:00"), ("arriveBy", "by noon", "12:00"),
        ("arriveBy", "after 9:00", "after 9:00"),
    ],
)  # fmt: skip
def test_a_bound_is_read_where_the_slot_means_it(slot: str, written: str, meant: str) -> None:
    assert comparable(slot, written) == meant


@pytest.mark.parametrize(("given", "meant"), COUNTS.items())
def test_a_count_is_read_as_meant(given: tuple[str, str], meant: str) -> None:
    assert comparable(*given) == meant


@pytest.mark.parametrize(("slot", "written"), NO_COUNTS)
def test_what_is_no_single_count_stays_as_it_stands(slot: str, written: str) -> None:
    assert comparable(slot, written) == written


@pytest.mark.parametrize(("written", "meant"), DAYS.items())
def test_a_day_is_read_in_its_short_forms(written: str, meant: str) -> None:
    assert comparable("day", written) == meant


@pytest.mark.parametrize("written", NO_DAYS)
def test_what_is_no_weekday_stays_as_it_stands(written: str) -> None:
    assert comparable("day", written) == written


HOUR, MINUTE = st.integers(0, 23), st.integers(0, 59)


@settings(deadline=None)
@given(
    hour=HOUR, minute=MINUTE, form=st.sampled_from(["{:02d}:{:02d}", "{}h{:02d}", "{}.{:02d}", "{:02d}{:02d} hours"])
)
def test_whatever_its_form_a_time_is_that_time(hour: int, minute: int, form: str) -> None:
    assert comparable("time", form.format(hour, minute)) == f"{hour:02d}:{minute:02d}"


@settings(deadline=None)
@given(number=st.integers(0, 999))
def test_every_number_up_to_999_is_read_from_its_words(number: int) -> None:
    words = next(words for words, value in NUMBERS.items() if value == number)
    assert comparable("people", words) == comparable("people", f"{words} people") == str(number)


@settings(deadline=None)
@given(
    more=st.text(alphabet="abcdefgiklnoqruvwxyz ", min_size=3).filter(str.strip),
    slot=st.sampled_from(["time", "people"]),
)
def test_a_number_inside_other_words_is_not_the_value(more: str, slot: str) -> None:
    known = {"people", "guests", "seats"}
    written = f"{more} 5 {more}"
    assert set(more.split()) & known or comparable(slot, written) not in ("05:00", "17:00", "5")


TABLE = goals(
    "restaurant",
    {"food": "thai", "area": "north"},
    {"day": "friday", "time": "14:00", "people": "2", "name": "the red lantern"},
)


def paid(goal: Goal, **other: object) -> set[str]:
    world = environment(*TABLE)
    made = world.call(call("book_restaurant", **{**goal.arguments, **other}))
    return set(GoalReward().reached([goal], Turn("agent", (), (made,)), world))


def test_another_time_or_number_than_the_goal_s_is_not_paid() -> None:
    goal = TABLE[1]
    for right in ({"time": "2 in the afternoon"}, {"time": "1400 hours", "people": 2.0}, {"day": "Fri."}):
        assert paid(goal, **right) == {"restaurant.book"}, right
    for wrong in ({"time": "half past 14"}, {"time": "14h30"}, {"time": "quarter to 14"}, {"time": "around 14:00"},
                  {"people": "2 adults and 3 kids"}, {"people": -2}, {"day": "next friday"}):  # fmt: skip
        assert paid(goal, **wrong) == set(), wrong


def test_a_bound_that_is_no_time_lets_no_train_through() -> None:
    for written in ("99:99", "around 12:00", "after lunch"):
        assert environment().call(call("search_train", day="monday", arriveBy=written)).result == "[]"
