from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.toolwoz.small_town import small_town
from toolwoz.normalisation import comparable, normalise
from toolwoz.schema import BOOK_SLOTS, DAYS, SEARCH_SLOTS, TOOL_NAMES, build_tools, contains, row_satisfies

PAPER_TOOLS = {
    "search_restaurant", "book_restaurant", "search_hotel", "book_hotel", "search_attraction", "search_train",
    "book_train",
}  # fmt: skip
TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=30)
SLOTS = st.sampled_from(sorted({slot for slots in (*SEARCH_SLOTS.values(), *BOOK_SLOTS.values()) for slot in slots}))


def test_appendix_a_there_are_seven_tools_and_none_requires_an_argument() -> None:
    tools = small_town().tools
    assert {tool.name for tool in tools} == PAPER_TOOLS == set(TOOL_NAMES)
    assert all(tool.parameters["required"] == [] for tool in tools)


def test_appendix_e_the_tools_take_the_papers_arguments() -> None:
    taken = {tool.name: set(tool.parameters["properties"]) for tool in small_town().tools}
    assert taken["search_hotel"] == {"name", "area", "parking", "pricerange", "stars", "internet", "type"}
    assert taken["search_train"] == {"leaveAt", "destination", "day", "arriveBy", "departure"}
    assert taken["book_restaurant"] == {"time", "day", "people", "name"}
    assert taken["book_hotel"] == {"stay", "day", "people", "name"}
    assert taken["book_train"] == {"people", "trainID"}


def test_enums_are_what_the_database_holds() -> None:
    tools = {tool.name: tool.parameters["properties"] for tool in build_tools(small_town().values)}
    assert tools["search_restaurant"]["food"]["enum"] == ["italian", "thai"]
    assert tools["search_train"]["departure"]["enum"] == ["aldery"]
    assert tools["search_train"]["day"]["enum"] == list(DAYS)
    assert "enum" not in tools["search_hotel"]["name"]


@pytest.mark.parametrize(
    ("slot", "written", "meant"),
    [
        ("area", " Center ", "centre"),
        ("type", "Guest  House", "guesthouse"),
        ("type", "swimming pool", "swimmingpool"),
        ("type", "mutliple sports", "multiple sports"),
        ("food", "Portugese", "portuguese"),
        ("internet", "free", "yes"),
        ("time", "9:15", "09:15"),
        ("leaveAt", "after 17:00", "17:00"),
        ("leaveAt", "5:45pm", "17:45"),
        ("leaveAt", "8 p.m.", "20:00"),
        ("arriveBy", "1715", "17:15"),
        ("arriveBy", "915", "09:15"),
        ("arriveBy", "10", "10:00"),
        ("arriveBy", "24:55", "24:55"),
        ("arriveBy", "12 am", "00:00"),
        ("time", "in the evening", "in the evening"),
        ("people", "three", "3"),
        ("people", "3 people", "3"),
        ("stay", "four nights", "4"),
        ("stars", "4.0", "4"),
        ("trainID", "tr 7075", "TR7075"),
        ("name", "Ask", "ask restaurant"),
    ],
)
def test_values_are_normalised(slot: str, written: str, meant: str) -> None:
    assert normalise(slot, written) == meant


@pytest.mark.parametrize("written", ["", " any", "dontcare", "do n't care", "don’t care", "not mentioned", "None"])
def test_a_value_without_a_preference_asks_for_nothing(written: str) -> None:
    assert normalise("area", written) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Red Lantern", "red lantern"),
        ("king's college", "Kings College"),
        ("elm guest house", "elm guesthouse"),
        ("pizza express Fen Ditton", "pizza express fen ditton"),
    ],
)
def test_names_compare_without_apostrophes_and_the_article(one: str, other: str) -> None:
    assert comparable("name", one) == comparable("name", other)


@given(slot=SLOTS, text=TEXT)
def test_normalising_twice_is_normalising_once(slot: str, text: str) -> None:
    once = normalise(slot, text)
    assert once is None or normalise(slot, once) == once


def test_a_subset_compares_values_and_never_times_as_bounds() -> None:
    assert contains({"area": "west", "type": "museum"}, {"area": "west"})
    assert not contains({"leaveAt": "10:00"}, {"leaveAt": "09:00"})


def test_a_train_fits_when_it_leaves_no_earlier_and_arrives_no_later() -> None:
    row = {"leaveAt": "09:00", "arriveBy": "09:40", "day": "monday"}
    assert row_satisfies(row, {"leaveAt": "9:00", "day": "Monday"})
    assert row_satisfies(row, {"leaveAt": "08:15", "arriveBy": "09:40"})
    assert not row_satisfies(row, {"leaveAt": "09:01"})
    assert not row_satisfies(row, {"arriveBy": "09:39"})
    assert not row_satisfies(row, {"arriveBy": "in the evening"})


def test_an_absent_field_fits_only_a_wish_for_anything() -> None:
    assert row_satisfies({"name": "mill pool"}, {"area": "any"})
    assert not row_satisfies({"name": "mill pool"}, {"area": "west"})
