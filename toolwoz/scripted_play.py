"""How the scripted agent plays a turn: ask what is missing, search, offer, book, answer, with the turn's mistakes.

A play is a generator: it yields the calls it wants made, gets each back answered, and ends with what to say. So it
reads as a script, and the agent around it counts generations. Pure but for the generators of chance it is handed.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from josh_engine.values import ToolCall
from toolwoz import scripted_phrases as phrases
from toolwoz.schema import BOOK_SLOTS, SEARCH_SLOTS, UNIQUE
from toolwoz.scripted_belief import Belief, Topic, recall
from toolwoz.scripted_slips import Slips
from toolwoz.vocabulary import Vocabulary

JOURNEY = ("departure", "destination", "day")  # a train search without one of these is asked for
REPEATING = 0.65  # how often an offer repeats what was asked for
VOLUNTEERING = 0.4  # how often it tells what was not asked for
CHATTY = 0.15  # how often a call comes with a few words


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call to make. `raw` as the agent writes it; `broken`: it is no JSON and cannot be made."""

    name: str
    arguments: Mapping[str, str]
    raw: str
    broken: bool = False
    words: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """The reply; `asked`: slots it asks for; `claimed`: it says that something is booked which is not."""

    text: str
    asked: tuple[str, ...] = ()
    claimed: bool = False
    ends: bool = False


Script = Generator[Wanted, ToolCall, Said]
Calling = Generator[Wanted, ToolCall, ToolCall | None]


class Play:
    """One turn. `belief` is the turn's own and changes as calls are answered."""

    def __init__(self, belief: Belief, words: Vocabulary, slips: Slips, random: Random) -> None:
        self.belief, self.words, self.slips, self.random = belief, words, slips, random

    def script(self) -> Script:
        belief = self.belief
        if belief.current is None:
            return Said(self._one(phrases.FAREWELLS if belief.heard.leaves else phrases.GREETINGS))
        topic, domain = belief.topic, belief.current
        offered = ""
        if self._should_search(topic, domain):
            if question := self._question_before_search(topic, domain):
                return question
            if topic.record and self.slips.happens("ignored_change"):
                offered = self._offer(topic, domain)
            elif self.slips.happens("late_search"):
                return Said(self._one(phrases.LATE))
            else:
                call = yield from self._make(f"search_{domain}", topic.search)
                if call is None:
                    return Said(self._one(phrases.TROUBLE))
                if topic.record is None:
                    return self._nothing_found(topic, domain)
                offered = self._offer(topic, domain)
        if topic.record and self._should_book(topic, domain):
            return (yield from self._booking(topic, domain, offered=offered))
        return self._reply(topic, domain, offered=offered)

    # Searching

    def _should_search(self, topic: Topic, domain: str) -> bool:
        """Something is known, and new: told in this turn, never searched for, or the guest says to go ahead."""
        if not topic.search or topic.search == topic.searched:
            return False
        heard = self.belief.heard
        told = bool(self.belief.fresh & set(SEARCH_SLOTS[domain]))
        answered = bool(self.belief.just_asked) or (heard.agrees and not heard.books)
        return told or answered or topic.searched is None or topic.record is None

    def _question_before_search(self, topic: Topic, domain: str) -> Said | None:
        known = topic.search.keys() | topic.indifferent
        if domain == "train":
            missing = [slot for slot in JOURNEY if slot not in known]
            if not {"leaveAt", "arriveBy"} & known:
                missing.append("leaveAt")
            missing = [slot for slot in missing if slot not in topic.asked]
            if missing and not topic.searched:
                return self._ask(missing[:2])
        elif len(known) == 1 and "name" not in known and not topic.asked and self.random.random() < 0.5:
            common = [slot for slot in ("area", "pricerange", "food", "type") if slot in SEARCH_SLOTS[domain]]
            return self._ask([self.random.choice([slot for slot in common if slot not in known])])
        if self.slips.happens("needless_question"):
            return self._ask([self.slips.needless(domain, list(topic.search), avoid=topic.indifferent)])
        return None

    def _ask(self, slots: Sequence[str]) -> Said:
        text = phrases.question(slots, self.random)
        asked = (*slots, "arriveBy") if "leaveAt" in slots else tuple(slots)
        return Said(text, asked=asked)

    def _nothing_found(self, topic: Topic, domain: str) -> Said:
        wish = phrases.wish(domain, topic.search)
        return Said(self._one(phrases.NOTHING_FOUND).format(wish=wish))

    def _offer(self, topic: Topic, domain: str) -> str:
        named = {slot for slot in topic.search if slot != "name" and self.random.random() < REPEATING}
        others = {
            slot for slot in SEARCH_SLOTS[domain] if slot not in topic.search and self.random.random() < VOLUNTEERING
        }
        shown = named | others or {self.random.choice([slot for slot in SEARCH_SLOTS[domain] if slot != "name"])}
        return phrases.offer(domain, topic.record or {}, frozenset(shown), self.random)

    # Booking

    def _should_book(self, topic: Topic, domain: str) -> bool:
        if domain not in BOOK_SLOTS or not topic.wants_booking:
            return False
        if topic.booked is None:
            return not topic.claimed or self.belief.heard.checks or bool(self._news(topic, domain))
        return any(topic.booked.get(slot) != topic.book.get(slot) for slot in self._news(topic, domain))

    def _news(self, topic: Topic, domain: str) -> set[str]:
        return self.belief.fresh & (set(BOOK_SLOTS[domain]) - {UNIQUE[domain]})

    def _booking(self, topic: Topic, domain: str, *, offered: str) -> Script:
        unique = UNIQUE[domain]
        record = topic.record or {}
        missing = [slot for slot in BOOK_SLOTS[domain] if slot != unique and slot not in topic.book]
        if missing and not (len(missing) < len(BOOK_SLOTS[domain]) - 1 and self.slips.happens("premature_booking")):
            asking = self._ask(missing)
            return Said(f"{offered} {asking.text}".strip(), asked=asking.asked)
        name = phrases.named(domain, record)
        if not missing and self.slips.happens("claimed_booking"):
            text = self._one(phrases.CLAIMED).format(name=name, reference=self.slips.reference())
            return Said(self._with_closing(text), claimed=True)
        if self.slips.happens("forgotten_booking"):
            return Said(self._with_closing(self._one(phrases.FORGOT).format(name=name)))
        call = yield from self._make(f"book_{domain}", {**topic.book, unique: record.get(unique, "")})
        if call is None:
            return Said(self._one(phrases.BOOKING_TROUBLE))
        book = phrases.details({slot: str(value) for slot, value in call.arguments.items() if slot != unique})
        if topic.booked is None or topic.tried is not None:
            remedy = self._one(phrases.REMEDIES[domain])
            refused = phrases.TRAIN_REFUSED if domain == "train" else phrases.REFUSED
            return Said(self._one(refused).format(name=name, details=book, remedy=remedy))
        said = phrases.TRAIN_BOOKED if domain == "train" else phrases.BOOKED
        text = self._one(said).format(name=name, details=book, reference=topic.reference)
        return Said(self._with_closing(text))

    # Answering

    def _reply(self, topic: Topic, domain: str, *, offered: str) -> Said:
        heard, record = self.belief.heard, topic.record
        if record is None:
            return Said(self._one(phrases.FAREWELLS)) if heard.leaves else self._ask_for_wishes(topic, domain)
        name = phrases.named(domain, record)
        if topic.booked is not None and (heard.checks or heard.books):
            return Said(self._with_closing(self._one(phrases.REMINDERS).format(name=name, reference=topic.reference)))
        requests = sorted(heard.requests - {"reference"})
        if requests:
            return Said(self._with_closing(f"{offered} {phrases.answer(record, requests)}".strip()))
        if heard.leaves and not offered:
            return Said(self._one(phrases.FAREWELLS))
        follow_ups = phrases.FOLLOW_UPS if domain in BOOK_SLOTS else phrases.SIGHT_FOLLOW_UPS
        return Said(f"{offered or self._offer(topic, domain)} {self._one(follow_ups)}")

    def _ask_for_wishes(self, topic: Topic, domain: str) -> Said:
        if topic.searched is not None and topic.search:
            return self._nothing_found(topic, domain)
        slots = (
            JOURNEY
            if domain == "train"
            else [slot for slot in ("area", "pricerange", "type") if slot in SEARCH_SLOTS[domain]]
        )
        return self._ask(slots[:2])

    # Calls and words

    def _make(self, tool: str, wanted: Mapping[str, str]) -> Calling:
        """Has the call made, after perhaps a faulty one; None: the agent gave up on it for this turn."""
        arguments = self.slips.arguments(tool, wanted, belief=self.belief, words=self.words)
        if self.slips.happens("malformed_call"):
            broken = Wanted(tool, {}, self.slips.broken(arguments), broken=True)
            stuck = self.slips.happens("stuck_call")
            yield broken
            while stuck:
                yield broken
            if self.slips.happens("gave_up_call"):
                return None
        elif self.slips.happens("unknown_call"):
            name, misnamed = self.slips.misnamed(tool, arguments)
            yield Wanted(name, misnamed, json.dumps(misnamed))
            if self.slips.happens("gave_up_call"):
                return None
        words = ""
        if self.random.random() < CHATTY:
            words = self._one(phrases.LOOKING if tool.startswith("search") else phrases.RESERVING)
        call = yield Wanted(tool, arguments, json.dumps(arguments), words=words)
        if call.error is not None:
            return None
        recall(self.belief, call)
        return call

    def _with_closing(self, text: str) -> str:
        return f"{text} {self._one(phrases.ANYTHING_ELSE)}".strip()

    def _one(self, wordings: Sequence[str]) -> str:
        return self.random.choice(wordings)
