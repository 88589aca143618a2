"""An invented town: its venues and trains in the shape of ToolWOZ's tables, from nothing but a split and a number.

About 100 restaurants, 40 hotels, 80 attractions and 504 trains. A town leaves out some kinds of food and of sights,
so its tools' enums are its own. Unlike MultiWOZ's, its train ids are unique and no train runs past midnight. Pure.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from josh_engine.errors import DatasetError
from toolwoz.database import Database, build_database
from toolwoz.generated_names import AREAS, FOODS, PRICES, SIGHTS, SPLIT_LANES, Namer
from toolwoz.schema import DAYS

RESTAURANTS, HOTELS, ATTRACTIONS = 100, 40, 80
OTHER_STATIONS, TRAINS_A_DAY = 6, 6  # both ways, seven days: 504 trains
FOODS_HERE, SIGHTS_HERE = 22, 12
AREA_WEIGHTS = (4, 2, 2, 2, 2)  # the centre is the busiest, as everywhere
PRICE_WEIGHTS = (3, 3, 2)
STARS, STAR_WEIGHTS = ("0", "1", "2", "3", "4", "5"), (2, 1, 3, 5, 6, 2)
ROOM_PRICES = {"cheap": 35, "moderate": 60, "expensive": 110}

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Town:
    """`id` is `<split>-<number>` and builds the same town anywhere; `name` is also its station's."""

    id: str
    split: str
    name: str
    database: Database


@lru_cache(maxsize=64)
def build_town(split: str, number: int) -> Town:
    """The town with this number in the split. The same arguments give the same town, on every machine."""
    dice = random.Random(f"town {split} {number}")
    namer = Namer(split, dice)
    name = namer.word()
    district = name[:2]
    records = {
        "restaurant": _restaurants(namer, district),
        "hotel": _hotels(namer, district),
        "attraction": _attractions(namer, district),
        "train": _trains(namer, name),
    }
    identity = f"{split}-{number}"
    return Town(identity, split, name, build_database(records, source=f"town {identity}"))


def town_by_id(identity: str) -> Town:
    """Raises DatasetError for what is no town's id."""
    split, _, number = identity.rpartition("-")
    if split not in SPLIT_LANES or not number.isdecimal():
        raise DatasetError(f"{identity!r} is no invented town.", remedy="Choose a scenario of toolwoz-generated.")
    return build_town(split, int(number))


def _restaurants(namer: Namer, district: str) -> list[Record]:
    foods = namer.dice.sample(FOODS, FOODS_HERE)

    def restaurant() -> Record:
        food = namer.dice.choice(foods)
        return {"name": namer.restaurant(), **_place(namer, district), "food": food, "type": "restaurant"}

    return _many(RESTAURANTS, restaurant)


def _hotels(namer: Namer, district: str) -> list[Record]:
    dice = namer.dice

    def hotel() -> Record:
        kind = dice.choices(("guesthouse", "hotel"), (3, 2))[0]
        place = _place(namer, district)
        single = ROOM_PRICES[place["pricerange"]] + 5 * dice.randint(-2, 4)
        return {
            "name": namer.hotel(kind),
            **place,
            "type": kind,
            "stars": dice.choices(STARS, STAR_WEIGHTS)[0],
            "internet": dice.choices(("yes", "no"), (5, 1))[0],
            "parking": dice.choices(("yes", "no"), (4, 1))[0],
            "takesbookings": "yes",
            "single": str(single),
            "double": str(single + 5 * dice.randint(3, 6)),
        }

    return _many(HOTELS, hotel)


def _attractions(namer: Namer, district: str) -> list[Record]:
    dice = namer.dice
    kinds = dice.sample(list(SIGHTS), SIGHTS_HERE)

    def attraction() -> Record:
        kind = dice.choice(kinds)
        pounds = dice.choice((0, 0, 0, 2, 3, 4, 5, 8, 12))
        price = "free" if pounds == 0 else PRICES[(pounds > 3) + (pounds > 6)]
        fee = "?" if dice.random() < 0.1 else "free" if pounds == 0 else f"{pounds} pounds"
        hours = f"open from {dice.randint(8, 11):02d}:00 to {dice.randint(16, 22)}:00"
        place = {**_place(namer, district), "pricerange": price}
        return {"name": namer.attraction(kind), **place, "type": kind, "entrance": fee, "openhours": hours}

    return _many(ATTRACTIONS, attraction)


def _trains(namer: Namer, hub: str) -> list[Record]:
    trains: list[Record] = []
    for _ in range(OTHER_STATIONS):
        other, minutes = namer.station(), namer.dice.randint(18, 110)
        for departure, destination in ((hub, other), (other, hub)):
            trains += _line(namer, departure, destination=destination, minutes=minutes)
    namer.dice.shuffle(trains)
    return trains


def _line(namer: Namer, departure: str, *, destination: str, minutes: int) -> list[Record]:
    """A week of trains on one route: about every three hours from early morning on."""
    first, every = namer.dice.randint(5 * 60, 6 * 60 + 50), namer.dice.randint(150, 180)
    pence = minutes * 22 // 10 * 10
    return [
        {
            "trainID": namer.train_id(),
            "departure": departure,
            "destination": destination,
            "day": day,
            "leaveAt": clock(first + number * every),
            "arriveBy": clock(first + number * every + minutes),
            "duration": f"{minutes} minutes",
            "price": f"{pence / 100:.2f} pounds",
        }
        for day in DAYS
        for number in range(TRAINS_A_DAY)
    ]


def clock(minutes: int) -> str:
    """Minutes after midnight as HH:MM."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _place(namer: Namer, district: str) -> Record:
    return {
        "area": _weighted(namer.dice, AREAS, AREA_WEIGHTS),
        "pricerange": _weighted(namer.dice, PRICES, PRICE_WEIGHTS),
        "address": namer.address(),
        "phone": namer.phone(),
        "postcode": namer.postcode(district),
    }


def _weighted(dice: random.Random, values: Sequence[str], weights: Sequence[int]) -> str:
    return dice.choices(values, weights)[0]


def _many(count: int, make: Callable[[], Record]) -> list[Record]:
    return [make() for _ in range(count)]
