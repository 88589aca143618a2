"""A town small enough to see, for tests: three restaurants, three hotels, two attractions, five trains."""

from __future__ import annotations

from typing import Any

from josh_engine.values import Goal, ToolCall
from toolwoz.database import Database, build_database
from toolwoz.environment import TownEnvironment


def restaurant(name: str, area: str, *, food: str, pricerange: str) -> dict[str, Any]:
    return {
        "name": name, "area": area, "food": food, "pricerange": pricerange, "id": "7", "location": [1.0, 2.0],
        "type": "restaurant", "phone": None, "introduction": "Come in", "signature": "", "address": "1 Low Road",
    }  # fmt: skip


def hotel(name: str, area: str, *, stars: str, internet: str = "yes") -> dict[str, Any]:
    return {
        "name": name, "area": area, "stars": stars, "internet": internet, "parking": "yes", "type": "guesthouse",
        "pricerange": "cheap", "takesbookings": "yes", "id": "1", "price": {"double": "70", "single": "50"},
        "location": [1.0, 2.0],
    }  # fmt: skip


def train(identity: str, day: str, *, leave: str, arrive: str) -> dict[str, Any]:
    return {
        "trainID": identity, "day": day, "departure": "aldery", "destination": "brunmoor", "leaveAt": leave,
        "arriveBy": arrive, "duration": "40 minutes", "price": "9.00 pounds",
    }  # fmt: skip


RECORDS: dict[str, list[dict[str, Any]]] = {
    "restaurant": [
        restaurant("the red lantern", "north", food="thai", pricerange="cheap"),
        restaurant("o'dell's table", "north", food="thai", pricerange="expensive"),
        restaurant("basil corner", "south", food="italian", pricerange="cheap"),
    ],
    "hotel": [
        hotel("elm guest house", "east", stars="4"),
        hotel("oak lodge", "east", stars="3"),
        hotel("pine lodge", "east", stars="4", internet="no"),
    ],
    "attraction": [
        {"name": "mill pool", "area": "west", "type": "swimmingpool", "entrance fee": "?", "pricerange": "?"},
        {"name": "tile museum", "area": "west", "type": "museum", "entrance fee": "2 pounds", "openhours": "?"},
    ],
    "train": [
        train("TR1", "monday", leave="07:00", arrive="07:40"),
        train("TR2", "monday", leave="09:00", arrive="09:40"),
        train("TR3", "monday", leave="11:00", arrive="11:40"),
        train("TR2", "friday", leave="09:00", arrive="09:40"),  # the same id on another day
        train("TR9", "friday", leave="23:30", arrive="24:10"),
    ],
}


def small_town() -> Database:
    return build_database(RECORDS)


def call(name: str, /, **arguments: Any) -> ToolCall:
    return ToolCall(id="call_1", name=name, arguments=arguments)


def goals(domain: str, search: dict[str, str], book: dict[str, str] | None = None) -> tuple[Goal, ...]:
    record = None if book is None else book.get("name") or book["trainID"]
    found = Goal(f"{domain}.search", f"search_{domain}", search, record)
    return (found,) if book is None else (found, Goal(f"{domain}.book", f"book_{domain}", book, record))


def environment(*wanted: Goal) -> TownEnvironment:
    return TownEnvironment(small_town(), wanted, {"restaurant": "REF00001", "hotel": "REF00002", "train": "REF00003"})
