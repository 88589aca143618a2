"""Argument values in one spelling, so that what means the same compares the same.

Source: MultiWOZ's own spellings and their traps, and what agents write in their place ("centre" and "center",
"8pm" and "20:00", "guest house" and "guesthouse"). The paper lower-cases and drops apostrophes only; the rest is
ours, so that an agent is judged by what it asks for and not by how it spells it.

Two steps. `normalise` gives the readable spelling that goals, rows and people see; `comparable` goes on to the form
that is compared (no apostrophes, names without a leading "the"). Both give None where the value asks for nothing.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from toolwoz.clock import clock
from toolwoz.counting import count

NO_PREFERENCE = frozenset(
    {"", "?", "any", "dontcare", "dont care", "don't care", "do n't care", "do not care", "not mentioned", "none"}
)
TIMES = frozenset({"time", "leaveAt", "arriveBy"})
COUNTS = frozenset({"people", "stay", "stars"})
SHORT_DAYS = {
    "monday": ("mon",), "tuesday": ("tue", "tues"), "wednesday": ("wed", "weds"), "thursday": ("thu", "thur", "thurs"),
    "friday": ("fri",), "saturday": ("sat",), "sunday": ("sun",),
}  # fmt: skip
SWITCHES = {"free": "yes", "true": "yes", "false": "no"}
SPELLINGS = {
    "area": {"center": "centre"},
    # "next friday" and "the day after tomorrow" are no weekday that a tool could know: they stay as they are.
    "day": {
        f"{on}{short}{dot}": day
        for day, shorts in SHORT_DAYS.items()
        for short in (day, *shorts)
        for on in ("", "on ")
        for dot in ("", ".")
    },
    "food": {"portugese": "portuguese"},
    "internet": SWITCHES,
    "parking": SWITCHES,
    "type": {
        "guest house": "guesthouse",
        "guest houses": "guesthouse",
        "guesthouses": "guesthouse",
        "swimming pool": "swimmingpool",
        "pool": "swimmingpool",
        "night club": "nightclub",
        "concert hall": "concerthall",
        "mutliple sports": "multiple sports",  # the database's own slip; both spellings are met in goals
    },
    # MultiWOZ's only two restaurant names that are not in its database.
    "name": {"ask": "ask restaurant", "meze bar restaurant": "meze bar"},
}
_SPACES = re.compile(r"\s+")
_HOURS = re.compile(r"(?:[01][0-9]|2[0-4]):[0-5][0-9]")


@lru_cache(maxsize=50_000)
def normalise(slot: str, value: str) -> str | None:
    """The readable spelling of a slot's value; None where it expresses no preference."""
    text = _SPACES.sub(" ", value.strip()).lower().replace("’", "'")
    if text in NO_PREFERENCE:
        return None
    if slot in TIMES:
        return clock(slot, text)
    if slot in COUNTS:
        return count(slot, text)
    if slot == "trainID":
        return text.replace(" ", "").upper()
    return SPELLINGS.get(slot, {}).get(text, text)


@lru_cache(maxsize=50_000)
def comparable(slot: str, value: str) -> str | None:
    """The form in which values of this slot are compared; None where there is no preference."""
    text = normalise(slot, value)
    if text is None:
        return None
    text = text.replace("'", "")
    if slot == "name":
        text = text.replace("guest house", "guesthouse").replace("center", "centre").removeprefix("the ")
    return text


def normalised(arguments: Mapping[str, str]) -> dict[str, str]:
    """The arguments that ask for something, in readable spelling and in their own order."""
    return {slot: text for slot, value in arguments.items() if (text := normalise(slot, value)) is not None}


def comparables(arguments: Mapping[str, str]) -> dict[str, str]:
    """The arguments that ask for something, in the form that is compared."""
    return {slot: text for slot, value in arguments.items() if (text := comparable(slot, value)) is not None}


def is_time(text: str) -> bool:
    """Whether a normalised time is one; "in the evening" and "99:99" are none, and no train fits them."""
    return _HOURS.fullmatch(text) is not None
