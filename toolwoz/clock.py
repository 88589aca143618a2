"""Times of day as people write them: a small grammar that must match the whole text.

A number that merely stands somewhere in a text is not its time: "half past 14" is not 14:00, "quarter to 9" is not
9:00, and "17:00 or 18:00" is none at all. Public source of the kind: https://github.com/budzianowski/multiwoz/issues/62.
What can be meant in two ways ("5 to 6", "half 7", "around 14:00", "12 in the morning") is left to be refused. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from toolwoz.counting import LONGEST, number, unhyphenated

NAMED: Mapping[str, int] = {"noon": 12, "midday": 12, "midnight": 0}
# What may stand around a time of this slot without changing it: `leaveAt` is "no earlier", `arriveBy` "no later than".
BEFORE: Mapping[str, str] = {
    "time": "at",
    "leaveAt": "at|(?:any ?time )?after|no earlier than|not before",
    "arriveBy": "at|by|before|until|no later than|not after",
}
AFTER: Mapping[str, str] = {
    "time": "sharp",
    "leaveAt": "or (?:later|after)|onwards",
    "arriveBy": "or (?:earlier|before)|at the latest",
}
# Part of the day -> the hour as it is said -> the hour of the day. An hour that is not listed contradicts it.
MORNING = {hour: hour for hour in range(12)}
PARTS: Mapping[str, Mapping[int, int]] = {
    "am": {**MORNING, 12: 0},
    "pm": {**{hour: hour + 12 for hour in range(1, 12)}, **{hour: hour for hour in range(12, 24)}},
    "in the morning": MORNING,
    "in the afternoon": {12: 12, **{hour: hour + 12 for hour in range(1, 7)}, **{hour: hour for hour in range(13, 19)}},
    "in the evening": {**{hour: hour + 12 for hour in range(4, 12)}, **{hour: hour for hour in range(16, 24)}},
    "at night": {**{hour: hour for hour in (0, 1, 2, 3, *range(18, 25))}, **{h: h + 12 for h in range(7, 12)}, 12: 0},
}
LATEST_HOUR = 24  # "24:55" is kept: the train table counts on past midnight, and string order stays right

_AROUND = {slot: re.compile(rf"(?:(?:{before}) )?(.+?)(?: (?:{AFTER[slot]}))?") for slot, before in BEFORE.items()}
_PART = re.compile(r"(?P<rest>.*?[^ ]) ?(?P<part>(?<=[0-9 ])[ap]\.? ?m\.?|(?<= )(?:in the [a-z]+|at night))")
_OCLOCK = re.compile(r" ?o'? ?clock")
_WRITTEN = re.compile(  # 7:30, 7.30, 7 30, 17:30:00 | 730, 0730, 1800 hours | 17h30, 17h
    r"([0-9]{1,2})[:. ]([0-9]{2})(?::00)?(?: ?(?:h|hrs|hours))?"
    r"|([0-9]{1,2})([0-9]{2})(?: ?(?:h|hrs|hours))?"
    r"|([0-9]{1,2}) ?h ?([0-9]{2})|([0-9]{2}) ?h"
)
_PAST = re.compile(r"(?P<by>.+?)(?P<unit> minutes?)? (?P<way>past|after|to|till) (?P<hour>.+)")
_SHARES = {"half": 30, "quarter": 15, "a quarter": 15}
_Said = tuple[int, int, bool]  # the hour as it is said, minutes, whether they are before it


def clock(slot: str, text: str) -> str:
    """HH:MM of a lower-case text that is a time of this slot, as a whole; anything else stays as it is."""
    if len(text) > LONGEST:
        return text
    around = _AROUND[slot].fullmatch(text)
    said, part = _apart(around[1] if around else text)
    read = _read(said, named=part is None)
    placed = None if read is None else _placed(read, part)
    if placed is None:
        return text
    hour, minute = placed
    return f"{hour:02d}:{minute:02d}" if hour <= LATEST_HOUR and minute < 60 else text


def _apart(text: str) -> tuple[str, str | None]:
    """The time, and the part of the day that is named beside it."""
    found = _PART.fullmatch(text)
    if found is None:
        return text, None
    short = found["part"].replace(".", "").replace(" ", "")
    return found["rest"], short if short in ("am", "pm") else found["part"]


def _read(text: str, *, named: bool) -> _Said | None:
    """`named`: whether an hour may be named, as noon is; it may not beside a part of the day."""
    noon = _named(text) if named else None
    plain = _OCLOCK.sub("", text)
    return noon or _past(text, named=named) or _written(plain) or _spoken(plain)


def _placed(read: _Said, part: str | None) -> tuple[int, int] | None:
    """Hour and minute of the day."""
    hour, minute, before = read
    if part is not None:
        if before and hour == 12 and part in ("am", "pm"):  # "quarter to 12 pm": before noon, or before midnight
            return None
        if hour not in PARTS.get(part, {}):
            return None
        hour = PARTS[part][hour]
    return ((hour - 1) % 24, 60 - minute) if before else (hour, minute)


def _named(text: str) -> _Said | None:
    """ "noon", and "12 midnight", which is no other hour."""
    hour = NAMED.get(text.removeprefix("12 ").removeprefix("twelve ").removeprefix("12:00 "))
    return None if hour is None else (hour, 0, False)


def _past(text: str, *, named: bool) -> _Said | None:
    """ "half past 7", "twenty-five to nine". "5 to 6" may well be from five to six, and "nine to five" surely is."""
    found = _PAST.fullmatch(text)
    if found is None:
        return None
    before = found["way"] in ("to", "till")
    minutes = _SHARES.get(found["by"]) or number(found["by"])
    hour = NAMED.get(found["hour"]) if named else None
    hour = number(_OCLOCK.sub("", found["hour"])) if hour is None else hour
    if minutes is None or hour is None or not 0 < minutes < 60 or hour > LATEST_HOUR:
        return None
    unclear = found["by"] == "half" or (not found["unit"] and (found["by"].isdecimal() or minutes % 5))
    return None if before and unclear else (hour, minutes, before)


def _written(text: str) -> _Said | None:
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    hour, *minutes = (each for each in found.groups() if each is not None)
    return int(hour), int(minutes[0]) if minutes else 0, False


def _spoken(text: str) -> _Said | None:
    """ "7", "seven", "seven thirty", "seven oh five", "eighteen hundred hours": one way to read it, or none."""
    words = unhyphenated(text).replace("hundred hours", "hundred").split(" ")
    said = []
    for cut in range(1, len(words) + 1):
        hour, minutes = _hour(words[:cut]), _minutes(words[cut:])
        if hour is not None and minutes is not None and (words[cut:] != ["hundred"] or hour >= 10):
            said.append((hour, minutes, False))
    return said[0] if len(said) == 1 else None


def _hour(words: list[str]) -> int | None:
    """At most two digits: 730 was read before as 7:30, and 00012 is nobody's noon."""
    said = None if words[0].isdecimal() and len(words[0]) > 2 else number(" ".join(words))
    return said if said is not None and said <= LATEST_HOUR else None


def _minutes(words: list[str]) -> int | None:
    """Of minutes in words; those in digits stand in `_WRITTEN`."""
    if words in ([], ["hundred"]):
        return 0
    said = number(" ".join(words[1:] if words[0] == "oh" else words))
    if said is None or words[-1].isdecimal():
        return None
    return said if (0 < said < 10) == (words[0] == "oh") and said < 60 else None
