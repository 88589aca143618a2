"""Other names for what a conversation speaks of, the same throughout it: learnt names would not help with new ones.

Invented words (of venues, stations, streets) become plain English words or letters in any order, in part of the
conversations; kinds of food become words that no kitchen knows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from random import Random

from josh_engine.values import Scenario
from toolwoz.generated_names import EATERIES, FOODS, LODGINGS, QUALITIES, SIGHTS, STATIONS, STREETS
from toolwoz.generated_town import town_by_id

RENAMED, FOODS_RENAMED = 0.45, 0.35  # shares of conversations; ours
_PLAIN_TEXT = """
oak bridge river king queen garden star lion castle mill bay holly rose willow stone market abbey church crown
eagle fox swan bell anchor harbour forest meadow field lake spring summer winter autumn north star rainbow sun
moon ocean pearl ruby amber ivory jade coral maple cedar birch elm ash pine bear wolf deer otter badger robin
raven falcon hawk dove finch wren thistle clover heather fern ivy moss berry cherry apple pear plum lemon
olive ginger pepper salt honey sugar bread butter cheese bean corn rice noodle curry kebab pizza burger steak
tiger panda dragon phoenix lotus bamboo palace temple pagoda city town village county station street arms head
house grove green park wood hill valley dale moor heath marsh ferry quay port dock pier cross gate corner view
end saint mary john peter george albert victoria charles henry edward alexander lucy emma anna rosa carolina
worth travel lodge express inn palm royal grand imperial regent plaza central parade union liberty peace hope
faith old new big little great upper lower east west south middle first second third number one two six twelve
forty and of the at on bed breakfast guest tandoori brasserie trattoria cantina taverna bistro deli diner
lounge bar
"""
PLAIN = tuple(_PLAIN_TEXT.split())
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
    if random.random() < RENAMED:
        plainly = random.random() < 0.5
        spoken = sorted(set(_WORD.findall(whole)) & names)
        others |= {word: random.choice(PLAIN) if plainly else _letters(random) for word in spoken}
    if random.random() < FOODS_RENAMED:
        others |= {food: _letters(random) for food in FOODS if food in whole}
    if not others:
        return list(texts)
    pattern = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in sorted(others, key=len, reverse=True)), re.I)
    return [pattern.sub(lambda found: _cased(found.group(), others[found.group().lower()]), text) for text in texts]


def _letters(random: Random) -> str:
    """Three to nine letters with vowels enough to be said."""
    return "".join(
        random.choice("aeiou" if random.random() < 0.4 else "bcdfghjklmnpqrstvwxyz")
        for _ in range(random.randint(3, 9))
    )


def _cased(found: str, other: str) -> str:
    return other.capitalize() if found[0].isupper() else other
