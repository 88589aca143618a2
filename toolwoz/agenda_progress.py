"""What the agenda user wants and how far it is: the scenario's parts, and its progress as its notes keep it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from josh_engine.values import Json, Scenario, Turn


@dataclass(frozen=True, slots=True)
class Part:
    """One domain of the scenario, as the user wants it. `wish` and `wish_book` are empty where the first attempt is
    the real one; `wish_book` is complete: the booking with the failing values in it."""

    domain: str
    info: Mapping[str, str]
    wish: Mapping[str, str]
    book: Mapping[str, str]
    wish_book: Mapping[str, str]
    requests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the user is. `stage`: wish, find, ask, wish_book, book or over; `told`: slots told in the current
    stage's values; `asked`: attributes asked for; `stuck`: unproductive turns and `corrected`: slots
    corrected, both in this part; `known`: shared slots
    told in earlier parts, as slot -> (value, domain)."""

    part: int = 0
    stage: str = "start"
    told: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    stuck: int = 0
    corrected: tuple[str, ...] = ()
    known: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def parts_of(scenario: Scenario) -> tuple[Part, ...]:
    return tuple(_part(raw) for raw in scenario.setup.get("parts", ()))


def _part(raw: Mapping[str, Json]) -> Part:
    info, book = dict(raw.get("info") or {}), dict(raw.get("book") or {})
    wish = dict(raw.get("fail_info") or {})
    changed = {slot: value for slot, value in (raw.get("fail_book") or {}).items() if book.get(slot, value) != value}
    wish_book = {**book, **changed} if changed else {}
    requests = tuple(raw.get("requests") or ())
    return Part(raw["domain"], info, wish if wish != info else {}, book, wish_book, requests)


def recall(path: Sequence[Turn]) -> Progress:
    """The user's progress after its last turn on the path."""
    notes = next((turn.notes for turn in reversed(path) if turn.speaker == "user"), {})
    if "stage" not in notes:
        return Progress()
    known = {slot: (value, domain) for slot, (value, domain) in notes["known"].items()}
    return Progress(
        part=notes["part"],
        stage=notes["stage"],
        told=tuple(notes["told"]),
        asked=tuple(notes["asked"]),
        stuck=notes["stuck"],
        corrected=tuple(notes["corrected"]),
        known=known,
    )


def kept(progress: Progress) -> dict[str, Json]:
    """The progress as notes; `recall` reads it back."""
    return {
        "part": progress.part,
        "stage": progress.stage,
        "told": list(progress.told),
        "asked": list(progress.asked),
        "stuck": progress.stuck,
        "corrected": list(progress.corrected),
        "known": {slot: list(value) for slot, value in progress.known.items()},
    }
