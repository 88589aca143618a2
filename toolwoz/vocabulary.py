"""What the seven tools tell of the town's words: which arguments there are, which values, and how people say them.

Both offline players read it, and neither reads the other's phrases: the agenda user to notice a wrong offer, the
scripted agent to understand. Values come from the tools' enums alone, so an invented town needs nothing here.
Decided here (toolwoz.md part C6): the spellings people use for the database's odd values, and clock times to HH:MM.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from josh_engine.values import Tool

UNSEARCHED = ("parking", "internet", "stars", "name")  # said as "free parking", "4-star", "called X"
NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBERS = {word: str(number) for number, word in enumerate(NUMBER_WORDS)}
NUMBER = r"(\d{1,2}|" + "|".join(NUMBER_WORDS) + r")"
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "swimmingpool": ("swimming pool",),
    "concerthall": ("concert hall",),
    "nightclub": ("night club",),
    "guesthouse": ("guest house",),
    "mutliple sports": ("multiple sports",),
    "multiple sports": ("mutliple sports",),
    "theatre": ("theater",),
    "centre": ("center",),
    "architecture": ("architectural",),
    "moderate": ("moderately priced", "mid-range", "mid range", "medium priced"),
    "cheap": ("inexpensive", "budget", "affordable", "low-cost"),
    "expensive": ("upscale", "pricey", "high-end", "fancy"),
}
COMPOUNDS = {"swimmingpool": "swimming pool", "concerthall": "concert hall", "mutliple sports": "multiple sports"}
NATIONAL = ("an", "ish", "ese", "thai", "french", "greek", "swiss", "welsh")  # endings that make an adjective a name
PLAIN = frozenset({"vegetarian", "vegan"})
CLOCK = re.compile(
    r"\b(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?\s*(?P<half>a\.?m\b\.?|p\.?m\b\.?)|\b(?P<hours>\d{1,2}):(?P<minutes>\d{2})\b",
)


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """One town's words. `values`: the enum of (domain, slot), absent where the schema has none; `patterns`: one
    expression per (domain, slot) for every way to say any of its values; `canonical`: such a way to its value."""

    values: Mapping[tuple[str, str], tuple[str, ...]]
    patterns: Mapping[tuple[str, str], re.Pattern[str]]
    canonical: Mapping[str, str]

    def mentioned(self, domain: str, slot: str, text: str) -> list[tuple[int, str]]:
        """(position, value) for every value of the slot that the lower-case text names, in order."""
        pattern = self.patterns.get((domain, slot))
        if pattern is None:
            return []
        return [(match.start(), self.canonical[match.group()]) for match in pattern.finditer(text)]


_KNOWN: dict[int, tuple[Sequence[Tool], Vocabulary]] = {}  # a pure memo; it holds the tools, so an id stays theirs
_KNOWN_LIMIT = 64


def vocabulary(tools: Sequence[Tool]) -> Vocabulary:
    """The words of these tools; worked out once for each tuple of tools."""
    found = _KNOWN.get(id(tools))
    if found is not None and found[0] is tools:
        return found[1]
    if len(_KNOWN) >= _KNOWN_LIMIT:
        _KNOWN.clear()
    words = _vocabulary(tools)
    _KNOWN[id(tools)] = (tools, words)
    return words


def _vocabulary(tools: Sequence[Tool]) -> Vocabulary:
    values: dict[tuple[str, str], tuple[str, ...]] = {}
    for tool in tools:
        properties = tool.parameters.get("properties", {})
        kind, _, domain = tool.name.partition("_")
        for slot, schema in properties.items():
            if kind == "search" and schema.get("enum"):
                values[domain, slot] = tuple(str(value) for value in schema["enum"])
    canonical: dict[str, str] = {}
    patterns = {}
    for place, allowed in values.items():
        if place[1] in UNSEARCHED:
            continue
        forms = {form: value for value in allowed if value[:1].isalnum() for form in said(value)}
        canonical.update(forms)
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        patterns[place] = re.compile(r"\b(?:" + "|".join(map(re.escape, longest_first)) + r")\b")
    return Vocabulary(values, patterns, canonical)


def said(value: str) -> tuple[str, ...]:
    """The value as people may write it, the value itself first."""
    return (value, *SPELLINGS.get(value, ()))


def digits(word: str) -> str:
    return NUMBERS.get(word, word)


def clock(match: re.Match[str]) -> str:
    """HH:MM for a match of CLOCK: "5:45 pm" is 17:45, "9:15" is 09:15."""
    hour = int(match["hour"] or match["hours"])
    minute = match["minute"] or match["minutes"] or "00"
    half = (match["half"] or "")[:1]
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return f"{hour:02d}:{minute}"


def written(value: str) -> str:
    """A database value as one writes it: "swimmingpool" is "swimming pool"."""
    return COMPOUNDS.get(value, value)


@cache
def cuisine(food: str) -> str:
    """A kind of food as one writes it: "modern european" is "modern European", "seafood" stays."""
    return " ".join(
        word.capitalize() if word.endswith(NATIONAL) and word not in PLAIN else word for word in food.split()
    )


def dishes(food: str) -> str:
    """What a place serves: "Thai food", but "seafood"."""
    return cuisine(food) if food.endswith("food") else f"{cuisine(food)} food"


@cache
def title(name: str) -> str:
    """A lower-case name as one writes it: "pizza hut city centre" is "Pizza Hut City Centre"."""
    small = {"and", "of", "the", "at", "in", "on", "a"}
    words = name.split()
    return " ".join(
        word if word in small and place else word[:1].upper() + word[1:] for place, word in enumerate(words)
    )
