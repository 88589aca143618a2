"""How the scripted agent understands a guest: rules over English, with the values that the tools' enums offer.

Written against how people talk to a concierge desk, not against the agenda user's phrases, which it must not import.
A reading is free of context: which topic a bare "the north" belongs to is decided by `scripted_belief`. Hostile text
gives an empty reading, never an error. Pure; equal texts are read once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from toolwoz.schema import DAYS
from toolwoz.vocabulary import CLOCK, NUMBER, Vocabulary, clock, digits

LONGEST = 2_000  # characters read of one utterance; a guest who writes more is not understood beyond

TOPICS: Mapping[str, re.Pattern[str]] = {
    "restaurant": re.compile(r"\b(?:restaurants?|eat|dine|dining|food|cuisine|table|lunch|dinner)\b"),
    "hotel": re.compile(r"\b(?:hotels?|guest ?houses?|accommodation|lodging|stay|sleep|spend the night|room)\b"),
    "attraction": re.compile(r"\b(?:attractions?|visit|sights?(?:eeing)?|things to do|places? to go|entertainment)\b"),
    "train": re.compile(r"\b(?:trains?|rail)\b"),
}
SAME = re.compile(
    r"\b(?:the )?same (?P<what>day|date|group|number|people|party)(?: of (?:people|guests))?"
    r"(?: as (?:the |my )?(?P<where>restaurant|hotel|attraction|train))?"
)
QUOTED = re.compile(r'\b(?:called|named|name is|by the name of) ["“](?P<name>[^"”]{1,80})["”]')
NAMED = re.compile(
    r"\b(?:called|named|name is|by the name of) (?P<name>[^,.?!;:\"]{1,80}?)"
    r"(?= (?:instead|please|as well)\b|[,.?!;:]|$)"
)
SERVED = re.compile(
    r"\b(?:serv\w+|with|does|some|for|like|want|of|prefer|about|try|have) "
    r"(?P<food>[a-z]+(?: [a-z]+){0,2}?) (?:food|cuisine|dishes)\b"
)
NOT_A_FOOD = frozenset(
    {
        "cheap",
        "moderate",
        "expensive",
        "a",
        "an",
        "any",
        "good",
        "nice",
        "the",
        "some",
        "what",
        "of",
        "kind",
        "which",
        "that",
        "no",
    }
)
STARS = re.compile(NUMBER + r"[- ]?stars?\b")
PEOPLE = re.compile(NUMBER + r" (?:people|persons?|guests?|adults|of us|tickets?|seats?)\b")
PARTY = re.compile(r"\b(?:party|group|table|family) (?:of|for) " + NUMBER + r"\b(?! nights?| stars?|:)")
ALONE = re.compile(r"\b(?:just me|by myself|only me|on my own|just one person)\b")
NIGHTS = re.compile(NUMBER + r" nights?\b")
DAY = re.compile(r"\b(" + "|".join(DAYS) + r")\b")
WITH_PARKING = re.compile(r"\bparking\b")
WITH_INTERNET = re.compile(r"\b(?:internet|wi-?fi)\b")
REFUSING = re.compile(r"\b(?:without|no|not|don't|doesn't)\b(?:(?!\bwith\b)[^.,!?]){0,30}$")
EARLIEST = re.compile(r"\b(?:leav\w*|depart\w*|after|no earlier)\b")
LATEST = re.compile(r"\b(?:arriv\w*|by|before|gets? (?:there|in)|no later)\b")
SENTENCE = re.compile(r"(?<=[.!?;])\s+")
INDIFFERENT = re.compile(
    r"\b(?:(?:no|don't have a|without) (?:particular )?preference|don't (?:mind|care)|"
    r"doesn't matter|any(?: \w+)? will do|up to you|whichever)\b"
)
WISHES_NAMED: Mapping[str, re.Pattern[str]] = {
    "area": re.compile(r"\barea|part of town"), "pricerange": re.compile(r"\bprice"),
    "food": re.compile(r"\bfood|cuisine"),
    "type": re.compile(r"\btype|kind of place"), "stars": re.compile(r"\bstars?\b|rating"),
    "parking": re.compile(r"\bparking"),
    "internet": re.compile(r"\binternet|wi-?fi"), "name": re.compile(r"\bname"),
    "leaveAt": re.compile(r"\bdepart\w* time|leav"),
    "arriveBy": re.compile(r"\barriv"), "day": re.compile(r"\bday"),
}  # fmt: skip
REQUESTS: Mapping[str, re.Pattern[str]] = {
    "phone": re.compile(r"\b(?:tele)?phone\b"), "postcode": re.compile(r"\bpost ?code|postal code"),
    "address": re.compile(r"\baddress"), "entrance": re.compile(r"\b(?:entrance|admission|entry)\b"),
    "duration": re.compile(r"\btravel time|how long (?:does|is|will)? ?the|duration|journey takes?"),
    "price": re.compile(r"\bticket price|price of|how much|\bcost"),
    "trainID": re.compile(r"\btrain ?id\b|\bid of the train"),
    "leaveAt": re.compile(r"\bdeparture time|when (?:it|does it) leave"),
    "arriveBy": re.compile(r"\barrival time|when (?:it|does it) arrive"),
    "area": re.compile(r"\b(?:the|which|what) (?:area|part of town)"),
    "type": re.compile(r"\btypes? of (?:place|attraction|hotel)|what type"),
    "food": re.compile(r"\b(?:kind|type|sort) of food|food type"),
    "pricerange": re.compile(r"\b(?:the|its|what|which) price range"),
    "parking": re.compile(r"\b(?:whether|if|does)\b.*\bparking"),
    "internet": re.compile(r"\b(?:whether|if|does)\b.*\b(?:internet|wi-?fi)"),
    "stars": re.compile(r"\bstar rating|how many stars"), "openhours": re.compile(r"\bopening (?:hours|times)"),
    "reference": re.compile(r"\breference"),
}  # fmt: skip
ABOUT = re.compile(
    r"\b(?:could|can|may) (?:you (?:give|tell|let)|i (?:get|have))|"
    r"\bwhat about\b|\btell me\b|\bknow\b|\bwhat(?:'s| is)\b|"
    r"do you know (?:the|which|what|if|how|when|whether)|"
    r"\bgive me\b|\bneed the\b"
)
BOOK = re.compile(r"\b(?:book\w*|reserv\w+|tickets|seats)\b")
CHECKING = re.compile(r"\b(?:been booked|reference)\b")
AGREEING = re.compile(r"\b(?:yes|sure|okay|please do|go ahead|sounds good|great)\b")
LEAVING = re.compile(r"\b(?:bye|goodbye|that's all|that will be all|nothing else)\b")


@dataclass(frozen=True, slots=True)
class Heard:
    """What one utterance says. `topic`: the domain it names; `slots`: values by slot, `time` where a clock time has
    no cue to leaving or arriving; `kinds`: values of `type` by the domain they belong to; `same`: slot -> the domain
    it refers to, or "" for the last; `dropped`: slots the guest has no wish for, "" for whatever was asked."""

    topic: str | None = None
    slots: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    same: Mapping[str, str] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    requests: frozenset[str] = frozenset()
    books: bool = False
    checks: bool = False
    agrees: bool = False
    leaves: bool = False


NOTHING = Heard()


@lru_cache(maxsize=20_000)
def read(utterance: str, words: Vocabulary) -> Heard:
    """The reading of an utterance; never raises."""
    text = utterance[:LONGEST].lower().replace("’", "'")
    same = {_shared(match["what"]): match["where"] or "" for match in SAME.finditer(text)}
    rest = SAME.sub(" ", text)
    slots: dict[str, str] = {}
    if named := QUOTED.search(rest) or NAMED.search(rest):
        slots["name"] = named["name"].strip()
        rest = rest[: named.start()] + " " + rest[named.end() :]
    rest, dropped = _without_indifference(rest)
    requests = _requests(rest)
    kinds = _kinds(rest, words)
    topic = _topic(rest, kinds, same=bool(same))
    _search_slots(_food(rest, words, slots), words, slots, requests=requests)
    _numbers(rest, slots)
    _times(rest, slots)
    return Heard(
        topic, slots, kinds, same=same, dropped=dropped, requests=requests,
        books=bool(BOOK.search(rest)), checks=bool(CHECKING.search(rest)), agrees=bool(AGREEING.search(rest)),
        leaves=bool(LEAVING.search(rest)),
    )  # fmt: skip


def _shared(what: str) -> str:
    return "day" if what in ("day", "date") else "people"


def _requests(text: str) -> frozenset[str]:
    if not ABOUT.search(text):
        return frozenset()
    return frozenset(name for name, pattern in REQUESTS.items() if pattern.search(text))


def _without_indifference(text: str) -> tuple[str, frozenset[str]]:
    """The text without the sentences that state no wish, and the slots that those name ("" if none)."""
    if not INDIFFERENT.search(text):
        return text, frozenset()
    kept, dropped = [], set()
    for sentence in SENTENCE.split(text):
        if INDIFFERENT.search(sentence):
            dropped |= {slot for slot, pattern in WISHES_NAMED.items() if pattern.search(sentence)} or {""}
        else:
            kept.append(sentence)
    return " ".join(kept), frozenset(dropped)


def _kinds(text: str, words: Vocabulary) -> dict[str, str]:
    """Kinds of place wished for; "the hotel" speaks of one already known."""
    found = {}
    for domain in ("hotel", "attraction"):
        for start, value in words.mentioned(domain, "type", text):
            if not text[:start].endswith("the "):
                found[domain] = value
    return found


def _topic(text: str, kinds: Mapping[str, str], *, same: bool) -> str | None:
    """The domain named last, by a word of its own or by a kind of place."""
    ends: dict[str, int] = {}
    for domain, pattern in TOPICS.items():
        for match in pattern.finditer(text):
            ends[domain] = match.start()
    if ends:
        return max(ends, key=lambda domain: ends[domain])
    return next(iter(kinds), None)


def _food(text: str, words: Vocabulary, slots: dict[str, str]) -> str:
    """The kind of food wished for, in the town's words or not; the text without it, as "north indian" is no area."""
    if served := SERVED.search(text):
        food = [word for word in served["food"].split() if word not in NOT_A_FOOD]
        if food:
            slots["food"] = " ".join(food)
            return text[: served.start("food")] + text[served.end("food") :]
    for _, value in words.mentioned("restaurant", "food", text):
        slots["food"] = value
    return text


def _search_slots(text: str, words: Vocabulary, slots: dict[str, str], *, requests: frozenset[str]) -> None:
    """Area, price, stars, parking, internet and stations; the last value said of each counts."""
    for domain in ("restaurant", "hotel", "attraction"):
        for slot in ("area", "pricerange"):
            for _, value in words.mentioned(domain, slot, text):
                slots[slot] = value
    if stars := STARS.search(text):
        slots["stars"] = digits(stars[1])
    for slot, pattern in (("parking", WITH_PARKING), ("internet", WITH_INTERNET)):
        found = pattern.search(text)
        if found and slot not in requests:
            slots[slot] = "no" if REFUSING.search(text[: found.start()]) else "yes"
    _stations(text, words, slots)


def _stations(text: str, words: Vocabulary, slots: dict[str, str]) -> None:
    for slot, cue in (("departure", "from "), ("destination", "to ")):
        for start, value in words.mentioned("train", slot, text):
            if text[:start].endswith(cue):
                slots[slot] = value


def _numbers(text: str, slots: dict[str, str]) -> None:
    if people := PEOPLE.search(text) or PARTY.search(text):
        slots["people"] = digits(people[1])
    elif ALONE.search(text):
        slots["people"] = "1"
    if nights := NIGHTS.search(text):
        slots["stay"] = digits(nights[1])
    for day in DAY.finditer(text):
        slots["day"] = day[1]


def _times(text: str, slots: dict[str, str]) -> None:
    """Each clock time belongs to the last cue before it: leaving, arriving, or none."""
    start = 0
    for match in CLOCK.finditer(text):
        before = text[start : match.start()]
        leaving = max((cue.start() for cue in EARLIEST.finditer(before)), default=-1)
        arriving = max((cue.start() for cue in LATEST.finditer(before)), default=-1)
        slot = "time" if leaving == arriving else "leaveAt" if leaving > arriving else "arriveBy"
        slots[slot] = clock(match)
        start = match.end()
