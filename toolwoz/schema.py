"""The four domains of ToolWOZ and their seven tools.

Source: arXiv 2409.04617, section 3 and appendices A and E: search in four domains, booking in three, every argument
an optional string. The descriptions are our own. Ours too: each enum holds the values that the database at hand
has, so an invented town offers its own stations; enums advise and are never enforced (a search for a food the town
lacks finds nothing, which is an answer). Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from josh_engine.values import Tool
from toolwoz.normalisation import comparable, is_time

DOMAINS = ("restaurant", "hotel", "train", "attraction")
BOOKABLE = ("restaurant", "hotel", "train")
SEARCH_SLOTS: Mapping[str, tuple[str, ...]] = {
    "restaurant": ("food", "pricerange", "name", "area"),
    "hotel": ("name", "area", "parking", "pricerange", "stars", "internet", "type"),
    "train": ("leaveAt", "destination", "day", "arriveBy", "departure"),
    "attraction": ("type", "name", "area"),
}
BOOK_SLOTS: Mapping[str, tuple[str, ...]] = {
    "restaurant": ("time", "day", "people", "name"),
    "hotel": ("stay", "day", "people", "name"),
    "train": ("people", "trainID"),
}
# What names a record when it is booked. A trainID is not unique in the table: a train is its id and its day and route.
UNIQUE: Mapping[str, str] = {"restaurant": "name", "hotel": "name", "train": "trainID", "attraction": "name"}
EARLIEST, LATEST = "leaveAt", "arriveBy"  # "no earlier than" and "no later than"; every other slot is equality
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
OPEN_SLOTS = frozenset({"name", "leaveAt", "arriveBy", "time", "people", "stay", "trainID"})  # no enum

TOOL_DOMAINS: Mapping[str, tuple[str, str]] = {
    **{f"search_{domain}": ("search", domain) for domain in DOMAINS},
    **{f"book_{domain}": ("book", domain) for domain in BOOKABLE},
}
TOOL_NAMES = tuple(
    f"{kind}_{domain}" for domain in DOMAINS for kind in ("search", "book") if kind == "search" or domain in BOOKABLE
)

PURPOSE: Mapping[str, str] = {
    "search_restaurant": "Look for a restaurant that fits the guest's wishes. Gives at most one, or an empty list.",
    "book_restaurant": "Reserve a table at a restaurant. Gives a reference if the reservation succeeds.",
    "search_hotel": "Look for a hotel or guesthouse that fits the guest's wishes. Gives at most one, or an empty list.",
    "book_hotel": "Reserve rooms at a hotel or guesthouse. Gives a reference if the reservation succeeds.",
    "search_train": "Look for a train connection. Gives at most one, or an empty list.",
    "book_train": "Buy train tickets. Gives a reference if the purchase succeeds.",
    "search_attraction": "Look for a sight or a place to go. Gives at most one, or an empty list.",
}
MEANING: Mapping[str, str] = {
    "food": "kind of cooking",
    "pricerange": "how expensive it may be",
    "name": "the name, if it is known",
    "area": "part of town",
    "parking": "whether guests can park there free of charge",
    "stars": "number of stars",
    "internet": "whether guests can use the internet free of charge",
    "leaveAt": "leaves at this time or later, HH:MM",
    "arriveBy": "arrives at this time or earlier, HH:MM",
    "departure": "station where the journey begins",
    "destination": "station where the journey ends",
    "day": "day of the week",
    "time": "time of the reservation, HH:MM",
    "people": "for how many people, a number",
    "stay": "for how many nights, a number",
    "trainID": "the id of the train, as a search gave it",
}
KINDS = {"hotel": "hotel or guesthouse", "attraction": "kind of sight or place"}
BOOKED_NAME = "the name, as a search gave it"

Values = Callable[[str, str], tuple[str, ...]]  # (domain, slot) -> the values the database has


def build_tools(values: Values) -> tuple[Tool, ...]:
    """The seven tools, with what the database holds as enums."""
    return tuple(_tool(name, values) for name in TOOL_NAMES)


def slots_of(tool: str) -> tuple[str, ...]:
    """The argument names of a tool. Raises KeyError for a name that is none."""
    kind, domain = TOOL_DOMAINS[tool]
    return (SEARCH_SLOTS if kind == "search" else BOOK_SLOTS)[domain]


def contains(arguments: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """wanted ⊆ arguments, both comparable: every wanted argument is there with the same value."""
    return all(arguments.get(slot) == value for slot, value in wanted.items())


def row_satisfies(row: Mapping[str, str], constraints: Mapping[str, str]) -> bool:
    """Whether a database row, as it is served, fits constraints in any spelling.

    Train times are bounds (`leaveAt` no earlier, `arriveBy` no later); the authors' code compares them by equality,
    which makes nearly every train wrong.
    """
    return all(_fits(slot, row.get(slot, ""), wanted) for slot, wanted in constraints.items())


def _fits(slot: str, has: str, wanted: str) -> bool:
    value, bound = comparable(slot, has), comparable(slot, wanted)
    if bound is None:
        return True
    if value is None:
        return False
    if slot in (EARLIEST, LATEST):
        return is_time(bound) and (value >= bound if slot == EARLIEST else value <= bound)
    return value == bound


def _tool(name: str, values: Values) -> Tool:
    kind, domain = TOOL_DOMAINS[name]
    properties = {slot: _property(kind, domain, slot=slot, values=values) for slot in slots_of(name)}
    return Tool(name, PURPOSE[name], {"type": "object", "properties": properties, "required": []})


def _property(kind: str, domain: str, *, slot: str, values: Values) -> dict[str, object]:
    meaning = KINDS[domain] if slot == "type" else MEANING[slot]
    if kind == "book" and slot == "name":
        meaning = BOOKED_NAME
    described: dict[str, object] = {"type": "string", "description": meaning}
    if slot == "day":
        return {**described, "enum": list(DAYS)}
    return described if slot in OPEN_SLOTS else {**described, "enum": list(values(domain, slot))}
