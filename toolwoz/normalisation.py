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

NO_PREFERENCE = frozenset(
    {"", "?", "any", "dontcare", "dont care", "don't care", "do n't care", "do not care", "not mentioned", "none"}
)
TIMES = frozenset({"time", "leaveAt", "arriveBy"})
COUNTS = frozenset({"people", "stay", "stars"})
SWITCHES = {"free": "yes", "true": "yes", "false": "no"}
SPELLINGS = {
    "area": {"center": "centre"},
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
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
NUMBERS = {word: str(number) for number, word in enumerate(WORDS)}
NAMED_TIMES = {"noon": "12:00", "midday": "12:00", "midnight": "00:00"}

_SPACES = re.compile(r"\s+")
_CLOCK = re.compile(r"(?<!\d)(?:(\d{1,2})[:.]?(\d{2})|(\d{1,2}))(?!\d)\s*(?:([ap])\.?m\b)?")
_COUNT = re.compile(r"\d+|\b(?:" + "|".join(WORDS) + r")\b")


@lru_cache(maxsize=50_000)
def normalise(slot: str, value: str) -> str | None:
    """The readable spelling of a slot's value; None where it expresses no preference."""
    text = _SPACES.sub(" ", value.strip()).lower().replace("’", "'")
    if text in NO_PREFERENCE:
        return None
    if slot in TIMES:
        return _clock(text)
    if slot in COUNTS:
        return _count(text)
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
    """Whether a normalised time is one; "in the evening" is not, and no train fits it."""
    return len(text) == 5 and text[2] == ":" and text[:2].isdecimal() and text[3:].isdecimal()


def _clock(text: str) -> str:
    """HH:MM of "9:15", "after 17:00", "5:45pm", "8pm", "1715" or "10"; anything else stays as it is.

    Hours past midnight ("24:55") are kept: the train table counts on, and string order stays right.
    """
    if text in NAMED_TIMES:
        return NAMED_TIMES[text]
    found = _CLOCK.search(text)
    if found is None:
        return text
    hour, minute = int(found[1] or found[3]), int(found[2] or 0)
    if found[4] == "p" and hour < 12:
        hour += 12
    if found[4] == "a" and hour == 12:
        hour = 0
    return f"{hour:02d}:{minute:02d}" if hour <= 24 and minute < 60 else text


def _count(text: str) -> str:
    """The digits of "3", "3 people", "four nights" or "4.0"; anything else stays as it is."""
    found = _COUNT.search(text)
    if found is None:
        return text
    return NUMBERS.get(found[0], found[0].lstrip("0") or "0")
