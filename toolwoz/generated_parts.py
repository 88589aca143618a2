"""What an invented guest wants: one or two parts, each with a search and perhaps a booking.

Structure and shares follow ToolWOZ's 1,598 validation and test scenarios, counted: which domains go together, how
many wishes a search holds, how often it is by name, how often something is booked, asked or wished first in vain.
Each part starts from a record and takes its wishes from it, so every goal call is credited by construction. Ours:
a first wish always finds nothing (two thirds of MultiWOZ's do not), and "no parking" is never a wish, since people
who say it mean "any". Pure.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from josh_engine.values import Goal
from toolwoz.database import Database, Row
from toolwoz.generated_names import AREAS, FOODS, PRICES, SIGHTS, Namer
from toolwoz.generated_town import STARS, Town, clock
from toolwoz.schema import BOOKABLE, DAYS, SEARCH_SLOTS, UNIQUE

Part = dict[str, Any]

DOMAIN_SHARES: Mapping[tuple[str, ...], int] = {
    ("restaurant", "train"): 312,
    ("train", "attraction"): 311,
    ("hotel", "train"): 293,
    ("restaurant", "attraction"): 148,
    ("hotel",): 123,
    ("restaurant",): 112,
    ("restaurant", "hotel"): 108,
    ("hotel", "attraction"): 105,
    ("train",): 63,
    ("attraction",): 23,
}
BY_NAME = {"restaurant": 0.22, "hotel": 0.28, "attraction": 0.23}
WISHES = {"restaurant": ((2, 3), (6, 5)), "hotel": ((3, 4), (1, 1)), "attraction": ((1, 2), (1, 1))}
WISHED = {
    "restaurant": ("food", "pricerange", "area"),
    "hotel": ("area", "pricerange", "stars", "type", "internet", "parking"),
    "attraction": ("type", "area"),
}
BOOKED = {"restaurant": 0.61, "hotel": 0.6, "train": 0.53}
FAILS_FIRST = {"restaurant": 0.34, "hotel": 0.28, "attraction": 0.37}
BOOKING_FAILS_FIRST = {"restaurant": 0.2, "hotel": 0.15}
ASKED = {
    "restaurant": ("phone", "address", "postcode", "food", "area", "pricerange"),
    "hotel": ("phone", "address", "postcode", "parking", "internet", "stars", "type", "area", "pricerange"),
    "attraction": ("phone", "address", "postcode", "entrance", "openhours", "area", "type"),
    "train": ("duration", "price", "leaveAt", "arriveBy", "trainID"),
}
SHARED = ("area", "pricerange")  # "in the same area as the hotel"
SAME_PEOPLE, SAME_DAY, SAME_PLACE = 0.6, 0.4, 0.3
QUARTER = 15  # minutes; people name round times
LAST_QUARTER = 24 * 60 - QUARTER  # no invented train arrives later


def make_parts(town: Town, dice: random.Random) -> list[Part]:
    """The parts of one scenario, in the order the guest brings them up."""
    domains = list(dice.choices(list(DOMAIN_SHARES), list(DOMAIN_SHARES.values()))[0])
    dice.shuffle(domains)
    namer = Namer(town.split, dice)
    parts: list[Part] = []
    for domain in domains:
        parts.append(_part(town.database, domain, earlier=parts[-1] if parts else None, namer=namer))
    return parts


def goals_of(parts: Sequence[Part]) -> tuple[Goal, ...]:
    return tuple(goal for part in parts for goal in _goals(part))


def _goals(part: Part) -> Iterator[Goal]:
    domain, record = part["domain"], part["record"]
    yield Goal(f"{domain}.search", f"search_{domain}", dict(part["info"]), record)
    if part["book"]:
        yield Goal(f"{domain}.book", f"book_{domain}", {**part["book"], UNIQUE[domain]: record}, record)


def _part(database: Database, domain: str, *, earlier: Part | None, namer: Namer) -> Part:
    dice = namer.dice
    shared = _shared(domain, earlier, dice)
    row = dice.choice(database.search(domain, shared) or database.tables[domain].rows)
    info = _train_wishes(row, dice) if domain == "train" else _wishes(domain, row, shared=shared, dice=dice)
    booked = domain in BOOKABLE and dice.random() < BOOKED[domain]
    book = _booking(domain, earlier, row=row, dice=dice) if booked else {}
    part: Part = {
        "domain": domain,
        "info": info,
        "fail_info": _first_wish(database, domain, info=info, namer=namer),
        "book": book,
        "fail_book": _first_booking(domain, book, dice) if book else {},
        "requests": [] if book else _requests(domain, info, dice),
        "record": row[UNIQUE[domain]] if book else None,
        "reference": namer.reference() if book else None,
    }
    return part


def _shared(domain: str, earlier: Part | None, dice: random.Random) -> dict[str, str]:
    """What this search takes over from the part before; empty where nothing fits."""
    if earlier is None or domain == "train" or dice.random() > SAME_PLACE:
        return {}
    slots = [slot for slot in SHARED if slot in earlier["info"] and slot in SEARCH_SLOTS[domain]]
    return {slot: earlier["info"][slot] for slot in slots[:1]}


def _wishes(domain: str, row: Row, *, shared: Mapping[str, str], dice: random.Random) -> dict[str, str]:
    if not shared and dice.random() < BY_NAME[domain]:
        return {"name": row["name"]}
    counts, weights = WISHES[domain]
    count = dice.choices(counts, weights)[0]
    possible = [slot for slot in WISHED[domain] if row[slot] != "no" and slot not in shared]
    chosen = {*shared, *dice.sample(possible, min(count - len(shared), len(possible)))}
    return {slot: row[slot] for slot in WISHED[domain] if slot in chosen}


def _train_wishes(row: Row, dice: random.Random) -> dict[str, str]:
    """Route, day and one bound that the train keeps: a round time up to an hour before or after its own."""
    wishes = {slot: row[slot] for slot in ("departure", "destination", "day")}
    slack = QUARTER * dice.randint(0, 4)
    if dice.random() < 0.6:
        bound = -(-_minutes(row["arriveBy"]) // QUARTER) * QUARTER + slack
        return {**wishes, "arriveBy": clock(min(bound, LAST_QUARTER))}
    return {**wishes, "leaveAt": clock(max(0, _minutes(row["leaveAt"]) // QUARTER * QUARTER - slack))}


def _minutes(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])


def _first_wish(database: Database, domain: str, *, info: Mapping[str, str], namer: Namer) -> dict[str, str]:
    """A wish that differs in one place and finds nothing; empty where the guest has none, or none can be had."""
    dice = namer.dice
    if domain == "train" or dice.random() > FAILS_FIRST[domain]:
        return {}
    for slot in dice.sample(list(info), len(info)):
        for value in dice.sample(_others(domain, slot, namer), 3 if slot == "name" else 4):
            wish = {**info, slot: value}
            if value != info[slot] and not database.search(domain, wish):
                return wish
    return {}


def _others(domain: str, slot: str, namer: Namer) -> list[str]:
    """At least four values of a slot that a guest may think of first."""
    if slot == "name":
        return [f"{namer.word()} {noun}" for noun in ("house", "place", "rooms", "hall")]
    kinds = list(SIGHTS) if domain == "attraction" else ["hotel", "guesthouse"] * 2
    return {
        "food": list(FOODS),
        "type": kinds,
        "area": list(AREAS),
        "pricerange": [*PRICES, *PRICES],
        "stars": list(STARS),
        "internet": ["yes"] * 4,
        "parking": ["yes"] * 4,
    }[slot]


def _booking(domain: str, earlier: Part | None, *, row: Row, dice: random.Random) -> dict[str, str]:
    known = {} if earlier is None else {**earlier["info"], **earlier["book"]}
    people = known["people"] if "people" in known and dice.random() < SAME_PEOPLE else str(dice.randint(1, 8))
    if domain == "train":
        return {"people": people}
    day = known["day"] if "day" in known and dice.random() < SAME_DAY else dice.choice(DAYS)
    if domain == "hotel":
        return {"stay": str(dice.randint(1, 5)), "day": day, "people": people}
    return {"time": clock(QUARTER * dice.randint(44, 84)), "day": day, "people": people}


def _first_booking(domain: str, book: Mapping[str, str], dice: random.Random) -> dict[str, str]:
    """The booking slot that the guest tries with another value first."""
    if dice.random() > BOOKING_FAILS_FIRST.get(domain, 0.0):
        return {}
    slot = dice.choice([slot for slot in book if slot != "people"])
    values = {
        "time": [clock(_minutes(book["time"]) - 60), clock(_minutes(book["time"]) + 60)] if "time" in book else [],
        "day": [day for day in DAYS if day != book.get("day")],
        "stay": [str(nights) for nights in range(1, 7) if str(nights) != book.get("stay")],
    }
    return {slot: dice.choice(values[slot])}


def _requests(domain: str, info: Mapping[str, str], dice: random.Random) -> list[str]:
    """One to three attributes that the guest does not know yet."""
    open_fields = [field for field in ASKED[domain] if field not in info]
    chosen = set(dice.sample(open_fields, dice.randint(1, min(3, len(open_fields)))))
    return [field for field in open_fields if field in chosen]
