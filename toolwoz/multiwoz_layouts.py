"""Folders and zips that people take for MultiWOZ 2.1 and that hold no goals as it has them, told by their files' names.

Sources: https://github.com/budzianowski/multiwoz (2.2; its issues 113 and 119 are such mistakes),
https://github.com/google-research-datasets/dstc8-schema-guided-dialogue, https://github.com/jasonwu0731/trade-dst
(which MultiWOZ 2.4's script follows), https://github.com/ConvLab/ConvLab-3.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from josh_engine.errors import DatasetError
from josh_engine.worlds.published import Published, Read, members

SCHEMA_GUIDED = "dialogues_001.json"
FROM_21 = (
    "ToolWOZ's calls come from the goals in MultiWOZ 2.1: give its MultiWOZ_2.1.zip, which lies in `data` of"
    " github.com/budzianowski/multiwoz, or have it fetched: python -m app data multiwoz --download."
)


@dataclass(frozen=True, slots=True)
class Layout:
    """`marks`: file names that are all there; `lacks`: why no scenario can be made of it."""

    marks: frozenset[str]
    name: str
    lacks: str


MULTIWOZ_22 = Layout(
    frozenset({SCHEMA_GUIDED}), "MultiWOZ 2.2", "has turns with their states, and no goals, records or lists"
)
SGD = Layout(
    frozenset({SCHEMA_GUIDED}), "the Schema-Guided Dialogue data set", "is another data set, without MultiWOZ's goals"
)
LAYOUTS = (
    MULTIWOZ_22,
    Layout(
        frozenset({"train_dials.json", "test_dials.json"}),
        "MultiWOZ as prepared for state tracking (TRADE's form, which 2.4's script makes too)",
        "has turns with their states, and no goals",
    ),
    Layout(
        frozenset({"dialogues.json", "ontology.json"}),
        "MultiWOZ in ConvLab-3's unified form",
        "has its goals, bookings and lists in another form",
    ),
)
_NUMBERED = re.compile(r"_[0-9]+")  # SGD's services are Hotels_1, Restaurants_2 …


def refuse_other(place: Path, kind: Published) -> None:
    """Raises DatasetError where a folder or zip is one of these, or holds one as its repository does."""
    marks = frozenset(mark for each in LAYOUTS for mark in each.marks)
    with members(place, replace(kind, wanted=marks, depth=kind.depth + 1)) as found:
        names = {PurePosixPath(each).name for each in found}
        layout = next((each for each in LAYOUTS if each.marks <= names), None)
        if layout is MULTIWOZ_22 and _of_sgd(found):
            layout = SGD
    if layout is not None:
        seen = " and ".join(sorted(layout.marks))
        raise DatasetError(f"{place.name} is {layout.name} (it has {seen}), which {layout.lacks}.", remedy=FROM_21)


def _of_sgd(found: Mapping[str, Read]) -> bool:
    """By the services that its first dialogues name; what cannot be read names none."""
    read = next(found[each] for each in found if PurePosixPath(each).name == SCHEMA_GUIDED)
    try:
        told = json.loads(read())
    except (ValueError, RecursionError):
        return False
    services = {name for each in _dialogues(told) for name in _texts(each.get("services"))}
    return any(_NUMBERED.search(name) for name in services)


def _dialogues(told: object) -> Iterable[Mapping[str, object]]:
    return (each for each in told if isinstance(each, dict)) if isinstance(told, list) else ()


def _texts(told: object) -> Iterable[str]:
    return (each for each in told if isinstance(each, str)) if isinstance(told, list) else ()
