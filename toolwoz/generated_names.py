"""The words of the invented towns, and the lanes that keep their splits apart.

Every proper name (town, station, venue, street, train id, booking reference) holds an invented word. A word belongs to
one of eight lanes by a checksum of its letters, and a split may use words of its own lanes only. So no name of one
split can ever occur in another, whatever the seeds: by construction, not by comparing lists. The lanes of `pretrain`
are for texts a model is pretrained on. Kinds of food and of places are plain words that ToolWOZ uses too; all names
and texts are ours. Pure.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Mapping

LANES = 8
SPLIT_LANES: Mapping[str, frozenset[int]] = {
    "train": frozenset({0, 1, 2}),
    "val": frozenset({3}),
    "test": frozenset({4}),
    "pretrain": frozenset({5, 6, 7}),
}

AREAS = ("centre", "north", "east", "south", "west")
PRICES = ("cheap", "moderate", "expensive")
FOODS = (
    "african", "asian oriental", "british", "chinese", "european", "french", "gastropub", "indian", "international",
    "italian", "japanese", "korean", "lebanese", "mediterranean", "mexican", "modern european", "north american",
    "portuguese", "seafood", "spanish", "thai", "turkish", "vietnamese", "greek", "moroccan", "peruvian", "polish",
    "hungarian", "persian", "swedish", "caribbean", "ethiopian", "austrian", "vegetarian", "brazilian", "georgian",
)  # fmt: skip
# Kind of attraction -> what its name may end in.
SIGHTS: Mapping[str, tuple[str, ...]] = {
    "museum": ("museum", "museum of clocks", "museum of glass", "collection", "museum of maps", "toy museum"),
    "college": ("college", "hall college", "old college"),
    "nightclub": ("nights", "cellar", "basement", "dance club"),
    "theatre": ("theatre", "playhouse", "stage", "puppet theatre"),
    "architecture": ("tower", "abbey", "gatehouse", "guildhall", "almshouses", "bridge"),
    "park": ("park", "meadow", "common", "green", "arboretum"),
    "entertainment": ("bowling", "maze", "arcade", "fun house"),
    "swimmingpool": ("baths", "lido", "splash", "swimming baths"),
    "boat": ("boats", "river tours", "rowing", "ferry trips"),
    "cinema": ("cinema", "picture house", "film palace"),
    "concerthall": ("concert rooms", "music hall", "philharmonic"),
    "multiple sports": ("sports ground", "leisure centre", "arena"),
    "zoo": ("zoo", "aviary", "wildlife park"),
    "gallery": ("gallery", "art rooms", "print room"),
}
EATERIES = (
    "kitchen", "table", "larder", "spoon", "lantern", "courtyard", "oven", "pantry", "terrace", "cellar", "brasserie",
    "bistro", "canteen", "dining room", "eating house", "grill", "supper club", "hearth", "pepper mill", "cafe",
)  # fmt: skip
LODGINGS = ("lodge", "inn", "manor", "house", "rest", "villa", "arms", "court", "cottage", "rooms", "retreat", "mews")
QUALITIES = (
    "old", "little", "golden", "silver", "quiet", "blue", "green", "copper", "crooked", "painted", "happy", "royal",
    "stone", "sunny", "velvet", "wooden", "white", "scarlet", "hidden", "lucky",
)  # fmt: skip
STREETS = ("street", "lane", "road", "row", "walk", "hill", "square", "passage", "quay", "avenue")
STATIONS = ("", "", "", " north", " junction", " parkway", " harbour", " central")

_ONSETS = (
    "b", "br", "d", "dr", "f", "fl", "g", "gl", "gr", "h", "k", "kl", "kr", "l", "m", "n", "p", "pr", "qu", "r", "s",
    "sk", "sn", "st", "sv", "t", "tr", "v", "vl", "w", "y", "z",
)  # fmt: skip
_VOWELS = (*"aeiou", *"aeiou", "ei", "ou")  # plain ones more often
_MIDDLES = (
    "b", "dd", "ff", "g", "lb", "ld", "lk", "lm", "lv", "mb", "mm", "nd", "nk", "nn", "nv", "pp", "rb", "rd", "rg",
    "rk", "rm", "rv", "sk", "st", "th", "v", "x", "z",
)  # fmt: skip
_CODAS = ("ck", "d", "k", "l", "ld", "lm", "m", "n", "nd", "ng", "rk", "rn", "rth", "s", "sk", "th", "x", "mere", "by")
_TRAIN_LETTERS = ("ABCDEFGHJKLM", "ABCDEFGHJKLMNPQRSTUVWXYZ")  # never MultiWOZ's TR
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def lane(word: str) -> int:
    """The lane a word belongs to; the same on every machine."""
    return zlib.crc32(word.encode()) % LANES


class Namer:
    """Draws names of one split, none twice. `dice` decides; the split's lanes allow."""

    def __init__(self, split: str, dice: random.Random) -> None:
        self.dice = dice
        self._lanes = SPLIT_LANES[split]
        self._used: set[str] = set()

    def word(self) -> str:
        """An invented word: two syllables that no dictionary holds."""
        return self._fresh(lambda: "".join(map(self.dice.choice, (_ONSETS, _VOWELS, _MIDDLES, _VOWELS, _CODAS))))

    def station(self) -> str:
        return self.word() + self.dice.choice(STATIONS)

    def restaurant(self) -> str:
        return self._venue(self.dice.choice(EATERIES))

    def hotel(self, kind: str) -> str:
        noun = "guesthouse" if kind == "guesthouse" and self.dice.random() < 0.4 else self.dice.choice(LODGINGS)
        return self._venue(noun)

    def attraction(self, kind: str) -> str:
        return self._venue(self.dice.choice(SIGHTS[kind]))

    def address(self) -> str:
        return f"{self.dice.randint(1, 180)} {self.word()} {self.dice.choice(STREETS)}"

    def phone(self) -> str:
        return f"0555{self.dice.randint(0, 9_999_999):07d}"

    def postcode(self, district: str) -> str:
        tail = "".join(self.dice.choices(_LETTERS, k=2)).lower()
        return f"{district}{self.dice.randint(10, 99)}{tail}"

    def train_id(self) -> str:
        return self._fresh(lambda: "".join(map(self.dice.choice, _TRAIN_LETTERS)) + str(self.dice.randint(1000, 9999)))

    def reference(self) -> str:
        return self._fresh(lambda: "".join(self.dice.choices(_LETTERS + "23456789", k=8)))

    def _venue(self, noun: str) -> str:
        word, quality = self.word(), self.dice.choice(QUALITIES)
        named = f"{word} {noun}"
        return self.dice.choice((named, named, f"the {named}", f"{word}'s {noun}", f"{quality} {named}"))

    def _fresh(self, draw: Callable[[], str]) -> str:
        while True:
            word = draw()
            if word not in self._used and lane(word) in self._lanes:
                self._used.add(word)
                return word
