"""The guest's wishes in sentences: what the goal-based user simulator is told, in order.

Like MultiWOZ's instructions they speak to the guest ("You are looking for ..."), put the first wish before the one
that holds, and refer back ("on the same day", "in the same area as the hotel"), so a brief is not a list of slots.
All sentences are ours. Pure.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Part = Mapping[str, Any]

OPENINGS = (
    "You are planning a trip to {town}.",
    "You have just arrived in {town} and call the travel desk.",
    "You will spend some time in {town} soon.",
    "You write to the travel desk of {town}.",
    "A friend told you about {town}, and now you want to go there.",
)
STARTS = ("You are looking for", "You want to find", "You would like", "You need")
NEXT_STARTS = ("You are also looking for", "Then you want to find", "Besides, you would like", "You also need")
PLACES = {
    "restaurant": ("a place to eat", "a restaurant"),
    "hotel": ("a place to stay", "somewhere to sleep"),
    "attraction": ("a place to visit", "something to see", "an attraction"),
}
WORDS = {"restaurant": "restaurant", "hotel": "hotel", "attraction": "attraction", "train": "train"}
CLAUSES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("restaurant", "food"): ("serves {} food", "offers {} cooking"),
    ("restaurant", "pricerange"): ("is {}", "is in the {} price range"),
    ("restaurant", "area"): ("is in the {}", "lies in the {} of town"),
    ("hotel", "area"): ("is in the {}", "lies in the {} of town"),
    ("hotel", "pricerange"): ("is {}", "is in the {} price range"),
    ("hotel", "stars"): ("has {} stars", "is rated {} stars"),
    ("hotel", "type"): ("is a {}", "is of the type {}"),
    ("hotel", "internet"): ("has free internet", "offers free wifi"),
    ("hotel", "parking"): ("has free parking", "offers free parking"),
    ("attraction", "type"): ("is of the type {}", "is of the kind {}"),
    ("attraction", "area"): ("is in the {}", "lies in the {} of town"),
}
IF_NOT = (
    "If there is none, look for one that {}.",
    "If nothing like that exists, you take one that {}.",
    "Should there be no such place, ask for one that {}.",
)
IF_NO_SUCH_NAME = ("If it does not exist, ask for {}.", "If nobody knows it, you are happy with {}.")
ASKS = ("Find out the {}.", "Make sure to get the {}.", "Ask for the {}.")
REFERENCE = ("Make sure to get the reference.", "Ask for the reference of the booking.", "Note down the reference.")
IF_BOOKING_FAILS = ("If that cannot be booked, take {} instead.", "If that fails, try {}.")
FIELDS = {
    "phone": "phone number", "postcode": "postcode", "entrance": "entrance fee", "openhours": "opening hours",
    "pricerange": "price range", "food": "kind of food", "stars": "number of stars", "internet": "internet access",
    "leaveAt": "departure time", "arriveBy": "arrival time", "duration": "travel time", "trainID": "train id",
}  # fmt: skip


def make_brief(town: str, parts: Sequence[Part], dice: random.Random) -> tuple[str, ...]:
    sentences = [dice.choice(OPENINGS).format(town=_title(town))]
    earlier: Part | None = None
    for part in parts:
        sentences += _search(part, earlier, dice)
        if part["book"]:
            sentences += _booking(part, earlier, dice)
        if part["requests"]:
            named = [FIELDS.get(field, field) for field in part["requests"]]
            sentences.append(dice.choice(ASKS).format(_listed(named)))
        earlier = part
    return tuple(sentences)


def _search(part: Part, earlier: Part | None, dice: random.Random) -> Iterator[str]:
    domain, info, first = part["domain"], part["info"], part["fail_info"]
    start = dice.choice(STARTS if earlier is None else NEXT_STARTS)
    if domain == "train":
        bound = f"arrives by {info['arriveBy']}" if "arriveBy" in info else f"leaves at {info['leaveAt']} or later"
        day = "the same day" if _same(part["info"], earlier, "day") else info["day"]
        route = f"from {_title(info['departure'])} to {_title(info['destination'])}"
        yield f"{start} a train {route} on {day} that {bound}."
        return
    if "name" in info:
        yield f"{start} a particular {WORDS[domain]} called {_title((first or info)['name'])}."
        if first:
            yield dice.choice(IF_NO_SUCH_NAME).format(_title(info["name"]))
        return
    clauses = {slot: _clause(domain, slot, info=first or info, earlier=earlier, dice=dice) for slot in info}
    yield f"{start} {dice.choice(PLACES[domain])} that {_listed(list(clauses.values()))}."
    if first:
        changed = [slot for slot in info if info[slot] != first[slot]]
        instead = [_clause(domain, slot, info=info, earlier=None, dice=dice) for slot in changed]
        yield dice.choice(IF_NOT).format(_listed(instead))


def _clause(domain: str, slot: str, *, info: Mapping[str, str], earlier: Part | None, dice: random.Random) -> str:
    if slot in ("area", "pricerange") and _same(info, earlier, slot) and earlier is not None:
        return f"is in the same {FIELDS.get(slot, slot)} as the {WORDS[earlier['domain']]}"
    return dice.choice(CLAUSES[domain, slot]).format(info[slot])


def _booking(part: Part, earlier: Part | None, dice: random.Random) -> Iterator[str]:
    domain, book, first = part["domain"], part["book"], part["fail_book"]
    asked = {**book, **first}
    people = _people(asked["people"])
    if _same(book, earlier, "people"):
        people = "the same people"
    if domain == "train":
        yield f"Once you have found it, buy tickets for {people}."
    else:
        day = "the same day" if _same(asked, earlier, "day") else asked["day"]
        when = f"on {day} at {asked['time']}" if domain == "restaurant" else f"for {_nights(asked['stay'])} from {day}"
        thing = "a table" if domain == "restaurant" else "it"
        yield f"Once you have found one you like, book {thing} for {people} {when}."
    for slot in first:
        value = _nights(book[slot]) if slot == "stay" else book[slot]
        yield dice.choice(IF_BOOKING_FAILS).format(value)
    yield dice.choice(REFERENCE)


def _same(given: Mapping[str, str], earlier: Part | None, slot: str) -> bool:
    """Whether the part before settles this slot with the same value, so that the brief may refer back to it."""
    if earlier is None or slot not in given:
        return False
    return bool({**earlier["info"], **earlier["book"]}.get(slot) == given[slot])


def _title(name: str) -> str:
    return " ".join(word.capitalize() for word in name.split())


def _people(count: str) -> str:
    return "one person" if count == "1" else f"{count} people"


def _nights(count: str) -> str:
    return "one night" if count == "1" else f"{count} nights"


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
