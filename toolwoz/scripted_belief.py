"""What the scripted agent believes after a conversation so far: a fold over the path, and nothing else.

Slots come from what the guest said; a call the agent made then replaces them by what it asked for. So a slot that it
dropped or misheard stays dropped until the guest says it again, as with a real agent. Records and references come
from the results of its own calls. Nothing here knows a scenario, a goal or a database.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from josh_engine.values import Json, ToolCall, Turn
from toolwoz.schema import BOOK_SLOTS, SEARCH_SLOTS, TOOL_DOMAINS, UNIQUE
from toolwoz.scripted_reading import NOTHING, Heard, read
from toolwoz.vocabulary import Vocabulary


@dataclass(slots=True)
class Topic:
    """One domain of the conversation. `search` and `book`: the slots understood; `searched`: the arguments of the
    last search that was answered, None before any; `record`: what it found; `tried`: the arguments of the last
    booking refused; `booked`: those of the last that succeeded; `claimed`: a booking was only said to be made."""

    search: dict[str, str] = field(default_factory=dict)
    book: dict[str, str] = field(default_factory=dict)
    searched: dict[str, str] | None = None
    record: Mapping[str, str] | None = None
    tried: dict[str, str] | None = None
    booked: dict[str, str] | None = None
    reference: str | None = None
    claimed: bool = False
    wants_booking: bool = False
    indifferent: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Belief:
    """All topics, the current one, the last reading, and the slots it told (`fresh`) in the current topic."""

    topics: dict[str, Topic] = field(default_factory=dict)
    current: str | None = None
    heard: Heard = NOTHING
    fresh: set[str] = field(default_factory=set)
    calls: int = 0
    just_asked: tuple[str, ...] = ()

    @property
    def topic(self) -> Topic:
        """The current topic; there must be one."""
        return self.topics[self.current or ""]


def believe(path: Sequence[Turn], words: Vocabulary) -> Belief:
    """The belief after the path, which ends in a user's turn."""
    belief = Belief()
    for turn in path:
        if turn.speaker == "user":
            _listen(belief, read(turn.reply or "", words))
        else:
            _remember(belief, turn)
    return belief


def _listen(belief: Belief, heard: Heard) -> None:
    belief.heard, belief.fresh = heard, set()
    if heard.topic and heard.topic != belief.current and _opens(belief, heard):
        belief.current = heard.topic
    if belief.current is None:
        return
    domain = belief.current
    topic = belief.topics.setdefault(domain, Topic())
    told = dict(heard.slots)
    if domain in heard.kinds:
        told["type"] = heard.kinds[domain]
    for slot, where in heard.same.items():
        if value := _same(belief, slot, where):
            told[slot] = value
    _store(belief, topic, told, domain=domain)
    for slot in heard.dropped:
        for each in [slot] if slot else list(belief.just_asked):
            topic.indifferent.add(each)
            topic.search.pop(each, None)
    topic.wants_booking |= heard.books and domain in BOOK_SLOTS


def _opens(belief: Belief, heard: Heard) -> bool:
    """Whether a domain's word changes the topic: not while booking ("a room", "the train") in a known topic."""
    known = belief.topics.get(heard.topic or "")
    return known is None or bool(heard.slots or heard.kinds)


def _store(belief: Belief, topic: Topic, told: Mapping[str, str], *, domain: str) -> None:
    for slot, value in told.items():
        place = slot
        if slot == "time" and domain == "train":
            place = "arriveBy" if "arriveBy" in belief.just_asked else "leaveAt"
        if slot in ("leaveAt", "arriveBy") and domain == "restaurant":
            place = "time"
        if place in SEARCH_SLOTS[domain]:
            if topic.search.get(place) != value and place == "name":
                topic.search.clear()  # a name says it all; earlier wishes were for another place
            topic.search[place] = value
            topic.indifferent.discard(place)
        elif place in BOOK_SLOTS.get(domain, ()):
            topic.book[place] = value
        else:
            continue
        belief.fresh.add(place)


def _same(belief: Belief, slot: str, where: str) -> str | None:
    """The value of the slot in the topic named, else in the latest other topic that has it."""
    places = [where] if where else [domain for domain in reversed(belief.topics) if domain != belief.current]
    for domain in places:
        topic = belief.topics.get(domain)
        if topic is not None and (value := topic.book.get(slot) or topic.search.get(slot)):
            return value
    return None


def _remember(belief: Belief, turn: Turn) -> None:
    belief.calls += len(turn.calls)
    for call in turn.calls:
        if call.error is None and call.name in TOOL_DOMAINS:
            recall(belief, call)
    asked = turn.notes.get("asked", ())
    belief.just_asked = tuple(asked)
    if belief.current is not None:
        belief.topic.asked.update(asked)
        belief.topic.claimed |= bool(turn.notes.get("claimed"))


def recall(belief: Belief, call: ToolCall) -> None:
    kind, domain = TOOL_DOMAINS[call.name]
    topic = belief.topics.setdefault(domain, Topic())
    arguments = {slot: str(value) for slot, value in call.arguments.items()}
    if kind == "search":
        topic.search, topic.searched = dict(arguments), arguments
        topic.record = found(call.result)
    else:
        topic.book = {slot: value for slot, value in arguments.items() if slot != UNIQUE[domain]}
        answer = booking(call.result)
        if answer is None:
            topic.tried = arguments
        else:
            topic.booked, topic.tried, topic.reference = arguments, None, answer


@lru_cache(maxsize=5_000)
def found(result: str | None) -> Mapping[str, str] | None:
    """The record a search gave, if it gave one; shared between readers, so never changed."""
    rows = _parsed(result or "[]")
    if not (isinstance(rows, list) and rows and isinstance(rows[0], dict)):
        return None
    return {str(field): str(value) for field, value in rows[0].items()}


@lru_cache(maxsize=5_000)
def booking(result: str | None) -> str | None:
    """The reference a booking gave; None: it was refused."""
    answer = _parsed(result or "{}")
    if not isinstance(answer, dict) or not answer.get("success"):
        return None
    receipt = answer.get("return")
    return str(receipt.get("reference", "")) if isinstance(receipt, dict) else ""


def _parsed(text: str) -> Json:
    """A result as JSON; text that is none is an empty answer."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None
