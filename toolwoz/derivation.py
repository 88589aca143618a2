"""One MultiWOZ 2.1 dialogue -> one ToolWOZ scenario.

Source: arXiv 2409.04617, appendix A (which dialogues, which calls) and MultiWOZ 2.1's own format. Decided here:

- Kept are dialogues whose goal lies in the four domains with a database and in no other (this gives the paper's 793
  and 805). Calls come from the *goal*, the wizard's final bookings give the record: belief states are far noisier.
- `book` without its flags is the goal; `fail_book` and `fail_info` are what the user tries first, never goals.
- The record of a booking is the last entry booked in the dialogue that fits the goal; else the only row that fits;
  else the first row that fits, and the scenario is listed as repaired: a record that violates its own goal could
  never be found by a right search. The entry's reference is kept.

Pure. What does not have MultiWOZ's shape is a DatasetError naming dialogue and field; what has it but can't be played
is `Unplayable`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from josh_engine.errors import DatasetError
from josh_engine.values import Goal, Scenario
from toolwoz.database import Database, Row
from toolwoz.normalisation import comparable, normalise
from toolwoz.schema import BOOK_SLOTS, BOOKABLE, DOMAINS, SEARCH_SLOTS, UNIQUE, row_satisfies

WORLD = "toolwoz"
OTHER_DOMAINS = ("taxi", "police", "hospital", "bus")
MENTIONS: Mapping[str, str] = {
    "restaurant": r"restaurant|place to dine",
    "hotel": r"hotel|place to stay",
    "train": r"train",
    "attraction": r"attraction|places? to go",
}
FIELDS = {"entrance fee": "entrance"}  # requested attributes, as results name them

_SPAN = re.compile(r"<span[^>]*>(.*?)</span>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_TASK = re.compile(r"^\s*Task \d+:\s*")
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+")
_BEFORE_MARK = re.compile(r" +(?=[.,?!;)](?:\s|$|[.,?!;)]))")
_SHORT_FORM = re.compile(r" (?=(?:n't|'s|'d|'ll|'re|'ve|'m)\b)", re.IGNORECASE)


class Unplayable(Exception):
    """A well-formed dialogue that makes no scenario; the message says why."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A booking whose record is not the one booked in the dialogue. `booked`: what the dialogue booked, or ""."""

    scenario: str
    domain: str
    booked: str
    chosen: str
    why: str


@dataclass(frozen=True, slots=True)
class Derived:
    scenario: Scenario
    repairs: tuple[Repair, ...]


@dataclass(frozen=True, slots=True)
class _Booked:
    identity: str
    reference: str


def is_kept(goal: Mapping[str, Any]) -> bool:
    """The eligibility rule: something in the four domains and nothing in the others."""
    return any(goal.get(domain) for domain in DOMAINS) and not any(goal.get(domain) for domain in OTHER_DOMAINS)


def goal_of(identity: str, dialogue: object) -> dict[str, Any]:
    return _object(_object(dialogue, identity).get("goal"), f"{identity}, field goal")


def derive(identity: str, dialogue: Mapping[str, Any], *, split: str, database: Database) -> Derived:
    """The scenario of a kept dialogue. Raises DatasetError or Unplayable."""
    goal, log = goal_of(identity, dialogue), _log(identity, dialogue)
    message = goal.get("message")
    brief = _brief(identity, message)
    parts: list[dict[str, Any]] = []
    goals: list[Goal] = []
    repairs: list[Repair] = []
    for domain in _in_order_of_mention(goal, message):
        part, repair = _part(identity, domain, goal=goal, log=log, database=database)
        parts.append(part)
        goals.extend(_goals(part))
        repairs.extend(repair)
    guide = tuple(detokenised(turn["text"]) for turn in log)
    scenario = Scenario(identity, WORLD, split, brief, tuple(goals), guide=guide, setup={"parts": parts})
    return Derived(scenario, tuple(repairs))


def detokenised(text: str) -> str:
    """A tokenised utterance as a person writes it: "i do n't know ." -> "i don't know."."""
    text = _SHORT_FORM.sub("", " ".join(text.split()))
    return _BEFORE_MARK.sub("", text).replace("( ", "(").strip()


def _part(
    identity: str, domain: str, *, goal: Mapping[str, Any], log: Sequence[Mapping[str, Any]], database: Database
) -> tuple[dict[str, Any], tuple[Repair, ...]]:
    where = f"{identity}, field goal.{domain}"
    given = _object(goal[domain], where)
    info = _values(given, "info", slots=SEARCH_SLOTS[domain], where=where)
    if not info:
        raise Unplayable(f"the {domain} part asks for nothing")
    info = _existing(info, domain, database)
    book = _values(given, "book", slots=BOOK_SLOTS.get(domain, ()), where=where) if domain in BOOKABLE else {}
    requests = given.get("reqt") or []
    if not isinstance(requests, list):
        raise DatasetError(f"{where}.reqt: expected a list.")
    part: dict[str, Any] = {
        "domain": domain,
        "info": info,
        "fail_info": _values(given, "fail_info", slots=SEARCH_SLOTS[domain], where=where),
        "book": book,
        "fail_book": _values(given, "fail_book", slots=BOOK_SLOTS.get(domain, ()), where=where) if book else {},
        "requests": [FIELDS.get(str(name), str(name)) for name in requests],
        "record": None,
        "reference": None,
    }
    if not book:
        return part, ()
    row, booked, why = _record(domain, info, database=database, booked=list(_booked(identity, domain, log)))
    chosen = normalise(UNIQUE[domain], row[UNIQUE[domain]]) or ""
    part |= {"record": chosen, "reference": booked.reference or _made_up_reference(identity, domain)}
    return part, (Repair(identity, domain, booked.identity, chosen, why),) if why else ()


def _goals(part: Mapping[str, Any]) -> Iterator[Goal]:
    domain, record = part["domain"], part["record"]
    yield Goal(f"{domain}.search", f"search_{domain}", dict(part["info"]), record)
    if part["book"]:
        yield Goal(f"{domain}.book", f"book_{domain}", {**part["book"], UNIQUE[domain]: record}, record)


def _record(
    domain: str, info: Mapping[str, str], *, database: Database, booked: Sequence[_Booked]
) -> tuple[Row, _Booked, str]:
    """The booking's row, the entry whose reference it takes, and why it had to be repaired ("" if it had not)."""
    fitting = database.search(domain, info)
    if not fitting:
        raise Unplayable(f"no {domain} in the database fits {dict(info)}")
    last = booked[-1] if booked else _Booked("", "")
    for entry in reversed(booked):
        for row in database.find(domain, entry.identity):
            if row_satisfies(row, info):
                return row, entry, ""
    if len(fitting) == 1:
        return fitting[0], last, ""
    why = "what the dialogue booked does not fit the goal" if last.identity else "the dialogue names no booking"
    return fitting[0], last, why


def _booked(identity: str, domain: str, log: Sequence[Mapping[str, Any]]) -> Iterator[_Booked]:
    """What the wizard booked, over the whole dialogue, in order; the same entry again and again while it stands."""
    for number, turn in enumerate(log):
        where = f"{identity}, field log[{number}].metadata"
        state = _object(_object(turn.get("metadata") or {}, where).get(domain) or {}, f"{where}.{domain}")
        book = _object(state.get("book") or {}, f"{where}.{domain}.book")
        booked = book.get("booked") or []
        if not isinstance(booked, list):
            raise DatasetError(f"{where}.{domain}.book.booked: expected a list.")
        for entry in booked:
            given = _object(entry, f"{where}.{domain}.book.booked")
            yield _Booked(str(given.get(UNIQUE[domain]) or ""), str(given.get("reference") or ""))


def _in_order_of_mention(goal: Mapping[str, Any], message: object) -> list[str]:
    """The goal's domains as the message first emphasises them; those it does not emphasise come last."""
    spans = _SPAN.findall(" ".join(message) if isinstance(message, list) else "")

    def place(domain: str) -> int:
        mention = re.compile(rf"(?:particular )?(?:{MENTIONS[domain]})\b")
        return next((at for at, span in enumerate(spans) if mention.match(span)), len(spans))

    return sorted((domain for domain in DOMAINS if goal.get(domain)), key=place)


def _brief(identity: str, message: object) -> tuple[str, ...]:
    if isinstance(message, str):
        sentences = _SENTENCE_END.split(_TASK.sub("", message))
    elif isinstance(message, list) and all(isinstance(sentence, str) for sentence in message):
        sentences = message
    else:
        raise DatasetError(f"{identity}, field goal.message: expected sentences.")
    plain = (" ".join(_TAG.sub("", sentence).split()) for sentence in sentences)
    return tuple(sentence for sentence in plain if sentence)


def _log(identity: str, dialogue: Mapping[str, Any]) -> list[dict[str, Any]]:
    log = dialogue.get("log")
    if not isinstance(log, list) or not log:
        raise DatasetError(f"{identity}, field log: expected a list of turns.")
    for number, turn in enumerate(log):
        if not isinstance(_object(turn, f"{identity}, field log[{number}]").get("text"), str):
            raise DatasetError(f"{identity}, field log[{number}].text: expected a text.")
    return log


def _values(given: Mapping[str, Any], field: str, *, slots: Sequence[str], where: str) -> dict[str, str]:
    """A goal field's values, normalised, restricted to a tool's arguments (which drops the flags of `book`)."""
    values: dict[str, str] = {}
    for slot, value in _object(given.get(field) or {}, f"{where}.{field}").items():
        if slot not in slots:
            continue
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise DatasetError(f"{where}.{field}.{slot}: expected a text, found {value!r}.")
        if (text := normalise(slot, str(value).rpartition(">")[2])) is not None:
            values[slot] = text
    return values


def _existing(info: Mapping[str, str], domain: str, database: Database) -> dict[str, str]:
    """Alternatives ("hotel|guesthouse", MultiWOZ 2.4) settled for the first that the database has."""
    settled = {}
    for slot, text in info.items():
        choices = text.split("|")
        held = {comparable(slot, value) for value in database.values(domain, slot)} if len(choices) > 1 else set()
        settled[slot] = next((choice for choice in choices if comparable(slot, choice) in held), choices[0])
    return settled


def _made_up_reference(identity: str, domain: str) -> str:
    """For a booking that the dialogue does not show: eight characters that never change."""
    return hashlib.sha256(f"{identity} {domain}".encode()).hexdigest()[:8].upper()


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DatasetError(f"{where}: expected an object, found {type(value).__name__}.")
    return value
