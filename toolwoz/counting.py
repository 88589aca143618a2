"""Numbers as people write them, in digits or in words: a table that must match the whole text.

A number that merely stands somewhere in a text is not its value: "2 adults and 3 kids" are not two people, "-3" is not
three, "one hundred" is not one. Public source of the kind: https://github.com/budzianowski/multiwoz/issues/62. What is
not in the tables is left to be refused. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
# What may stand before and after a count of this slot without changing it. "3 days" are not three nights.
BEFORE: Mapping[str, str] = {
    "people": r"for|(?:a )?(?:party|group) of|(?:a )?table for",
    "stay": "for",
    "stars": "with",
}
AFTER: Mapping[str, str] = {
    "people": r"people|persons?|guests?|adults?|passengers?|travell?ers?|seats?|tickets?",
    "stay": "nights?",
    "stars": "stars?",
}

LONGEST = 64  # characters of a text that is looked at; no number or time takes more

_DIGITS = re.compile(r"[0-9]{1,9}")
_WHOLE = re.compile(r"([0-9]{1,9})\.0+")
_HYPHEN = re.compile(r"(?<=[a-z])-(?=[a-z])")
_COUNTS = {
    slot: re.compile(rf"(?:(?:{before}) )?(?P<count>.+?)(?:[ -](?:{AFTER[slot]}))?") for slot, before in BEFORE.items()
}


def _spelled(number: int) -> str:
    if number < len(UNITS):
        return UNITS[number]
    if number < 100:
        return f"{TENS[number // 10 - 2]} {UNITS[number % 10]}" if number % 10 else TENS[number // 10 - 2]
    rest = f" {_spelled(number % 100)}" if number % 100 else ""
    return f"{UNITS[number // 100]} hundred{rest}"


NUMBERS: Mapping[str, int] = {_spelled(number): number for number in range(1000)}


def unhyphenated(text: str) -> str:
    """ "twenty-one" as "twenty one"; the sign of "-3" and of "-three" stays."""
    return _HYPHEN.sub(" ", text)


def number(text: str) -> int | None:
    """The number that a lower-case text is, as a whole: "12", "twenty-one", "a hundred and five"; else None."""
    if _DIGITS.fullmatch(text):
        return int(text)
    words = unhyphenated(text).replace("hundred and ", "hundred ")
    return NUMBERS.get(f"one{words[1:]}" if words.startswith("a hundred") else words)


def count(slot: str, text: str) -> str:
    """The digits of "3", "3 people", "four nights" or "4.0"; anything else stays as it is."""
    found = _COUNTS[slot].fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        return text
    digits = _WHOLE.fullmatch(found["count"])
    value = number(digits[1] if digits else found["count"])
    return text if value is None else str(value)
