"""How the agenda user understands an agent's reply: keywords and questions, sentence by sentence.

It must follow the scripted agent as well as a language model, so it reads for what any agent has to say: which slot
is asked for, whether something is offered, nothing was found, a booking was made or refused, and which values the
reply names (to notice a wrong offer). It reads the reply alone, never a call. Pure; equal replies are read once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from toolwoz.schema import DAYS
from toolwoz.vocabulary import CLOCK, NUMBER, Vocabulary, clock, digits

SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
ASKING = re.compile(
    r"\?|\b(?:please (?:tell|give|let|provide)|let me know|could i (?:have|get)|may i (?:have|ask)|i need to know)\b"
)
CONFIRMING = re.compile(
    r"\b(?:shall i|should i|(?:like|want) me to|can i (?:book|help|look)|go ahead and|is that (?:right|correct|ok))\b"
)
AGAIN = re.compile(
    r"\b(?:repeat|rephrase|once more|(?:say|tell me) (?:that|it|this) again|did(?:n't| not) (?:catch|understand))\b"
)
OPEN_QUESTION = re.compile(r"\b(?:what|which|how (?:many|long)|when)\b")
CLOSING = re.compile(r"\banything else|something else i can|further assist|anything more\b")
QUESTIONS: Mapping[str, re.Pattern[str]] = {
    slot: re.compile(rf"\b(?:{words})")
    for slot, words in {
        "area": r"area|part of (?:the )?town|side of town|location|whereabouts|where in",
        "pricerange": r"price|budget|how expensive|spend|cheap, moderate",
        "food": r"food|cuisine|cooking",
        "type": r"types?\b|kinds? of (?:place|attraction|sight|accommodation)|sort of|hotel or (?:a )?guest",
        "stars": r"stars?\b|rating",
        "parking": r"parking",
        "internet": r"internet|wi-?fi",
        "name": r"(?:the|a) name|particular (?:restaurant|hotel|place|attraction) in mind|specific (?:place|hotel)",
        "departure": (
            r"from where|where .*(?:from|leav|depart)|departure (?:station|point|city)|"
            r"(?:departing|leaving|travell?ing) from"
        ),
        "destination": r"to where|where .*(?:\bto\b|going|head|travell?ing|arriv)|destination",
        "day": r"days?\b|dates?\b|when\b|checking in|check-in|arrival date",
        "leaveAt": r"what time|times?\b|leave|depart(?:ure)? time|when\b",
        "arriveBy": r"what time|times?\b|arriv\w+ (?:by|time)|when\b",
        "time": r"times?\b|when\b",
        "people": (
            r"how many(?! nights| days| stars)|number of (?:people|guests|persons|tickets)|party|people|guests|"
            r"how big|tickets will"
        ),
        "stay": r"nights?\b|how long|length of (?:the |your )?stay|number of days|how many days",
    }.items()
}  # fmt: skip
NEGATIVE = re.compile(
    r"\b(?:no(?! problem| worries)|not(?! only)|none|nothing|never|cannot|unable|unfortunately|fail\w*|"
    r"unsuccessful|unavailable|fully)\b|n't\b"
)
FINDING = re.compile(
    r"\b(?:match\w*|find|found|results?|available|availability|any|such|fits?|have|nothing|"
    r"trains?|restaurants?|hotels?|guesthouses?|attractions?|places?|options?)\b"
)
OFFERING = re.compile(
    r"\b(?:found|recommend|how about|suggest|there(?:'s| is| are)|(?:i|we)(?: do)? have (?!noted)|i've got|"
    r"options?|would suit|matches|located|"
    r"leaves|departs|is an?|serves|fits|offers|choice|try|tr\d{3,})\b"
)
BOOKING = re.compile(r"\b(?:book\w*|reserv\w*|confirm\w*|tickets?|table|rooms?|reference)\b")
MADE = re.compile(
    r"\b(?:booked|reserved|confirmed|reference|all set|successful\w*|"
    r"booking (?:is|was|has been|went)|reservation (?:is|was|has been))\b"
)
LEAVES = re.compile(r"\b(?:leav\w*|depart\w*)\b[^.,;]*?\b(\d{1,2}:\d{2})")
ARRIVES = re.compile(r"\b(?:arriv\w*|gets? (?:in|there))\b[^.,;]*?\b(\d{1,2}:\d{2})")
PEOPLE = re.compile(NUMBER + r" (?:people|persons?|guests?|adults|tickets?|seats?)\b")
NIGHTS = re.compile(NUMBER + r" nights?\b")
PLAIN_WORDS = frozenset({"the", "and", "of", "restaurant", "hotel", "house", "guest"})
STARS = re.compile(NUMBER + r"[- ]stars?\b")
ANSWERS: Mapping[str, re.Pattern[str]] = {
    "phone": re.compile(r"\d{5,}|\d{3,}[ -]\d{3,}|phone"),
    "postcode": re.compile(r"postcode|postal|\b[a-z]{1,2}\d{1,2}[a-z]? ?\d[a-z]{2}\b"),
    "address": re.compile(r"address|street|road|lane|avenue|located at|\bat \d"),
    "entrance": re.compile(r"entrance|entry|fee|free|pounds|admission"),
    "parking": re.compile(r"parking"), "internet": re.compile(r"internet|wi-?fi"), "stars": re.compile(r"\bstars?\b"),
    "duration": re.compile(r"minutes|hours?|takes|duration|travel time"),
    "price": re.compile(r"pounds?|£|price|costs?|\d\.\d\d"),
    "trainID": re.compile(r"\btr\d+|train id"), "leaveAt": LEAVES, "arriveBy": ARRIVES,
    "pricerange": re.compile(r"price|cheap|moderate|expensive"),
    "area": re.compile(r"area|centre|center|north|south|east|west"),
    "food": re.compile(r"food|serv|cuisine"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reply:
    """What an agent's reply says. `asks`: slots it wants to know; `confirms`: it only asks for a go-ahead; `again`:
    it did not
    get what was said, or it failed, and asks to hear it once more; `named`:
    the values it names, by slot; times by leaving and arriving. `text` is the reply in lower case."""

    text: str = ""
    asks: frozenset[str] = frozenset()
    confirms: bool = False
    again: bool = False
    offers: bool = False
    nothing: bool = False
    booked: bool = False
    refused: bool = False
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def answers(self, request: str) -> bool:
        """Whether the reply tells of a requested attribute, in whatever words."""
        pattern = ANSWERS.get(request.split()[0])
        return bool(pattern.search(self.text)) if pattern else True


@lru_cache(maxsize=20_000)
def read_reply(reply: str, domain: str, words: Vocabulary) -> Reply:
    text = reply.lower().replace("’", "'")
    asks: set[str] = set()
    again = confirms = offers = nothing = booked = refused = False
    for sentence in SENTENCE.split(text):
        negative = bool(NEGATIVE.search(sentence))
        if CLOSING.search(sentence):
            continue
        if AGAIN.search(sentence):
            again = True
        elif CONFIRMING.search(sentence) and not OPEN_QUESTION.search(sentence):
            confirms = True
        elif ASKING.search(sentence):
            asks |= {slot for slot, pattern in QUESTIONS.items() if pattern.search(sentence)}
            offers |= "how about" in sentence
            continue
        if sentence.endswith("?"):
            continue
        if negative and BOOKING.search(sentence):
            refused = True
        elif negative and FINDING.search(sentence):
            nothing = True
        elif MADE.search(sentence):
            booked = True
        elif "sorry" in sentence:
            refused |= bool(BOOKING.search(sentence))
        elif OFFERING.search(sentence):
            offers = True
    return Reply(
        text,
        frozenset(asks),
        confirms=confirms,
        again=again,
        offers=offers,
        nothing=nothing and not offers and not again,
        booked=booked and not refused,
        refused=refused and not again,
        named=_named(text, domain, words),
    )


def _named(text: str, domain: str, words: Vocabulary) -> dict[str, tuple[str, ...]]:
    found = {
        slot: tuple(value for _, value in words.mentioned(domain, slot, text))
        for place, slot in words.patterns
        if place == domain and slot not in ("departure", "destination")
    }
    found["day"] = tuple(day for day in DAYS if day in text)
    found["people"] = tuple(digits(match[1]) for match in PEOPLE.finditer(text))
    found["stay"] = tuple(digits(match[1]) for match in NIGHTS.finditer(text))
    found["stars"] = tuple(digits(match[1]) for match in STARS.finditer(text))
    found["time"] = tuple(clock(match) for match in CLOCK.finditer(text))
    found["leaveAt"] = tuple(LEAVES.findall(text))
    found["arriveBy"] = tuple(ARRIVES.findall(text))
    for slot in ("departure", "destination"):
        cue = r"(?:from|leav\w+|depart\w+) " if slot == "departure" else r"(?:to|in|at|for) "
        found[slot] = tuple(
            value for place, value in words.mentioned(domain, slot, text) if re.search(cue + "$", text[:place][-12:])
        )
    return {slot: values for slot, values in found.items() if values}


def misses(reply: Reply, slot: str, wanted: str) -> bool:
    """Whether the reply names values for the slot, and none of them is the one wanted."""
    if slot == "name":
        return reply.offers and not _calls_it(reply.text, wanted)
    named = reply.named.get(slot, ())
    if not named:
        return False
    if slot == "leaveAt":
        return all(time.zfill(5) < wanted for time in named)
    if slot == "arriveBy":
        return all(time.zfill(5) > wanted for time in named)
    return wanted not in named


def _calls_it(text: str, name: str) -> bool:
    """Whether at least half of a name's telling words stand in the text; agents shorten and respell names."""
    telling = [word for word in name.lower().replace("'", "").split() if word not in PLAIN_WORDS]
    plain = text.replace("'", "")
    return 2 * sum(word in plain for word in telling) >= len(telling)
