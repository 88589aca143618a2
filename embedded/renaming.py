"""Other names for what a conversation speaks of, the same throughout it: learnt names would not help with new ones.

In part of the conversations invented words (of venues, stations, streets) become plain English words or letters in any
order; in another part whole names become names of one to seven words of any make, as real tables have them; kinds of
food become words that no kitchen knows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from random import Random

from embedded.words import PLAIN
from josh_engine.values import Scenario
from toolwoz.generated_names import EATERIES, FOODS, LODGINGS, QUALITIES, SIGHTS, STATIONS, STREETS
from toolwoz.generated_town import town_by_id
from toolwoz.vocabulary import title

RENAMED, REMADE, FOODS_RENAMED = 0.25, 0.45, 0.35  # shares of conversations; ours
LENGTHS = (1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 5)  # words of a remade name, before what kind of place it is
KINDS = ("", "", "", "", "hotel", "guest house", "bed and breakfast", "restaurant", "bar", "city centre", "college",
         "cafe", "lodge", "museum", "kitchen and bar", "b and b", "church", "house", "inn", "theatre",
         "park")  # fmt: skip
KNOWN = frozenset(
    word
    for phrases in (EATERIES, LODGINGS, QUALITIES, STREETS, STATIONS, *SIGHTS.values())
    for phrase in phrases
    for word in phrase.split()
) | {"the", "guesthouse"}  # fmt: skip
CONSONANTS = "bcdfghjklmnpqrstvwxyz"
_WORD = re.compile(r"[a-z]+")


def names_of(scenario: Scenario) -> frozenset[str]:
    """The invented words of the scenario's town that a conversation may hold."""
    return _invented(str(scenario.setup["town"])) | {
        word
        for part in scenario.setup["parts"]
        for wishes in (part["info"], part["fail_info"])
        for word in _WORD.findall(wishes.get("name", ""))
        if word not in KNOWN and len(word) > 1
    }


@lru_cache(maxsize=64)
def _invented(town: str) -> frozenset[str]:
    told = {
        row[slot]
        for table in town_by_id(town).database.tables.values()
        for row in table.rows
        for slot in ("name", "address", "departure", "destination")
        if slot in row
    }
    return frozenset(word for text in told for word in _WORD.findall(text) if word not in KNOWN and len(word) > 1)


def renamed(texts: Sequence[str], names: frozenset[str], random: Random) -> list[str]:
    """The texts with other names and foods in part of the calls; letters' case is kept."""
    whole = " ".join(texts).lower()
    others: dict[str, str] = {}
    dice = random.random()
    if dice < REMADE:
        others |= {name: _remade(random) for name in _whole_names(whole, names)}
    elif dice < REMADE + RENAMED:
        plainly = random.random() < 0.5
        spoken = sorted(set(_WORD.findall(whole)) & names)
        others |= {word: random.choice(PLAIN) if plainly else _letters(random) for word in spoken}
    if random.random() < FOODS_RENAMED:
        others |= {food: _letters(random) for food in FOODS if food in whole}
    if not others:
        return list(texts)
    pattern = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in sorted(others, key=len, reverse=True)), re.I)
    return [pattern.sub(lambda found: _cased(found.group(), others[found.group().lower()]), text) for text in texts]


_NAMED = re.compile(r'"(?:name|departure|destination)": "([^"]+)"')


def _whole_names(text: str, names: frozenset[str]) -> list[str]:
    """What calls and records call places, where an invented word is in it."""
    return sorted({found for found in _NAMED.findall(text) if not names.isdisjoint(_WORD.findall(found))})


def _remade(random: Random) -> str:
    words = [random.choice(PLAIN) if random.random() < 0.5 else _letters(random) for _ in range(random.choice(LENGTHS))]
    if random.random() < 0.05:
        words[-1] += "'s"
    start = "the " if random.random() < 0.2 else ""
    return f"{start}{' '.join(words)} {random.choice(KINDS)}".strip()


def _letters(random: Random) -> str:
    """Three to nine letters with vowels enough to be said."""
    return "".join(
        random.choice("aeiou" if random.random() < 0.4 else "bcdfghjklmnpqrstvwxyz")
        for _ in range(random.randint(3, 9))
    )


def _cased(found: str, other: str) -> str:
    return title(other) if found[0].isupper() else other
