"""What the agenda user says: several phrasings for every intent, drawn by a seeded generator.

Ours throughout (the paper's users are language models). A phrase states each value once and in words that MultiWOZ's
own users would use: a guest without a wish for the type asks for "a place to stay", never for "a hotel", because an
agent would take that for a wish. The scripted agent does not import this file; it must understand English.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from toolwoz.vocabulary import NUMBER_WORDS, said, title

Slots = Mapping[str, str]

OPENERS = (
    "I'm looking for {thing}.", "Could you help me find {thing}?", "I need {thing}.", "Hi, I'd like to find {thing}.",
    "Hello, can you find me {thing}?", "I'm trying to find {thing}.", "Hi there! I am looking for {thing}.",
    "Can you help me? I'm after {thing}.", "I would like {thing}, please.", "Do you know of {thing}?",
)  # fmt: skip
NEXT_OPENERS = (
    "I also need {thing}.", "I'm also looking for {thing}.", "Next, I'd like {thing}.", "Can you also find me {thing}?",
    "Now I need {thing}.", "I would also like to find {thing}.", "Could you help me with {thing} as well?",
    "One more thing: I need {thing}.",
)  # fmt: skip
THANKS = (
    "Great, thank you.", "Thanks a lot!", "Perfect, thanks.", "Wonderful, thank you.", "Thank you, that's helpful.",
    "That's great.", "Lovely, thanks.", "Excellent.",
)  # fmt: skip
WISHES = (
    "I'd like {thing}.", "I'd prefer {thing}.", "Ideally {thing}.", "It should be {thing}.", "{thing}, please.",
    "I was hoping for {thing}.", "I want {thing}, please.", "Please make it {thing}.",
)  # fmt: skip
CHANGES_AFTER_NOTHING = (
    "That's a pity. How about {thing}?", "Oh, okay. In that case, is there {thing}?", "Then let's try {thing}.",
    "Hmm, what about {thing}?", "No problem. Could you look for {thing} instead?", "All right, then {thing} instead.",
    "Too bad. Would you have {thing}?",
)  # fmt: skip
CHANGES_OF_MIND = (
    "Actually, I changed my mind. I'd like {thing} instead.", "On second thoughts, could you find {thing} instead?",
    "Hmm, actually, make that {thing}.", "Thanks, but that isn't quite it after all. Let's go for {thing}.",
    "Sorry, I've thought again: I'd rather have {thing}.", "Actually, could you look for {thing} instead?",
)  # fmt: skip
CORRECTIONS = (
    "No, I asked for {thing}.", "That's not what I asked for. I want {thing}.", "Sorry, but I need {thing}.",
    "That doesn't fit. I said {thing}.", "Not quite: I'm looking for {thing}.", "Hmm, no. It has to be {thing}.",
    "I'm afraid that's wrong. I'd like {thing}.",
)  # fmt: skip
RESTATEMENTS = (
    "Could you check again? I'm looking for {thing}.", "Are you sure? I'd like {thing}.",
    "Please try once more. I need {thing}.", "That's odd. Can you search again for {thing}?",
    "Hm, I think there should be one. I want {thing}.", "Would you look again? It's {thing} I'm after.",
)  # fmt: skip
NUDGES = (
    "Yes, please go ahead.", "Yes, please see what you can find.", "Sure, what do you have?", "Yes, please do.",
    "Please just look it up for me.", "Yes. What can you recommend?", "That's all I can tell you. What is there?",
)  # fmt: skip
NO_PREFERENCES = (
    "I don't mind about {wish}.", "I have no preference on {wish}.", "No preference for {wish}.",
    "Any will do as far as {wish} goes.", "It doesn't matter, {wish} is up to you.", "I don't care about {wish}.",
)  # fmt: skip
REQUESTS = (
    "Could you give me {wish}?", "What about {wish}?", "Can I get {wish}, please?", "Could you tell me {wish}?",
    "I'd like to know {wish}.", "Please tell me {wish}.", "May I have {wish}?", "Can you let me know {wish}?",
)  # fmt: skip
BOOKINGS = {
    "restaurant": (
        "Please book a table {thing}.", "Could you reserve a table {thing}?", "I'd like to book a table {thing}.",
        "That sounds good. Can you make a reservation {thing}?", "Great, please reserve it {thing}.",
        "Yes, book me a table {thing}, please.",
    ),
    "hotel": (
        "Please book it {thing}.", "Could you book me a room {thing}?", "I'd like to make a booking {thing}.",
        "That sounds good. Can you reserve it {thing}?", "Great, I'd like to book it {thing}.",
        "Yes, please make a reservation {thing}.",
    ),
    "train": (
        "Please book it {thing}.", "Could you get me tickets {thing}?", "I'd like to book tickets {thing}.",
        "That one works. Can you book it {thing}?", "Yes, please make a booking {thing}.",
        "Great, reserve seats {thing}, please.",
    ),
}  # fmt: skip
BOOKING_DETAILS = (
    "It's {thing}.", "That would be {thing}.", "{thing}, please.", "Make it {thing}.", "The booking is {thing}.",
    "We need it {thing}.",
)  # fmt: skip
BOOKING_CHANGES_REFUSED = (
    "Oh dear. Could you try {thing} instead?", "How about {thing}?", "Then please book it {thing}.",
    "That's a shame. What about {thing}?", "Okay, would it work {thing}?", "Hmm, can you see if it works {thing}?",
)  # fmt: skip
BOOKING_CHANGES_OF_MIND = (
    "Actually, sorry, could you change the booking? It should be {thing}.", "Oh, I made a mistake: please book it {thing}.",
    "Sorry, can you book it {thing} instead?", "One correction: the booking should be {thing}.",
)  # fmt: skip
BOOKING_CORRECTIONS = (
    "That's not right. The booking should be {thing}.", "No, please book it {thing}.",
    "Sorry, I asked you to book it {thing}.", "There's a mistake: I need the booking {thing}.",
)  # fmt: skip
BOOKING_NUDGES = (
    "Yes, please book it.", "Yes, go ahead and book it.", "Please make the booking and give me the reference number.",
    "Has it been booked? I need the reference number.", "Yes, please book that for me.",
    "Could you book it now and tell me the reference number?",
)  # fmt: skip
BYES = (
    "No, that's all. Thank you and goodbye!", "That's everything I need. Thanks for your help!",
    "Thank you, that will be all. Bye!", "Great, that's all for today. Thanks!", "Perfect, I'm all set. Goodbye!",
    "Thanks so much, you've been very helpful. Bye.", "Wonderful, nothing else. Have a nice day!",
    "That's it, thanks. Goodbye.",
)  # fmt: skip
LEAVINGS = (
    "Never mind, I'll sort that out myself.", "Let's leave it at that, I'll look for it later.",
    "It's fine, I'll take care of that some other way.", "Okay, let's move on then.",
)  # fmt: skip
GIVING_UP = (
    "I don't think we are getting anywhere. Thanks anyway, goodbye.", "Never mind, I'll try somewhere else. Goodbye.",
    "It's all right, I'll ask someone else. Thank you, bye.", "Let's leave it there. Thanks for trying, bye.",
)  # fmt: skip

NOUNS = {
    "restaurant": ("restaurant", "place to eat", "restaurant", "place to dine"),
    "hotel": ("place to stay", "place to spend the night", "place to stay"),
    "attraction": ("attraction", "place to visit", "tourist attraction", "sight to see"),
    "train": ("train",),
}
ATTRACTIONS = {
    "architecture": "place with interesting architecture", "boat": "boat attraction", "park": "park to visit",
    "entertainment": "place for entertainment", "mutliple sports": "multiple sports venue",
    "multiple sports": "multiple sports venue", "college": "college to visit",
}  # fmt: skip
PRICES = {
    "moderate": ("moderately priced", "mid-range"),
    "cheap": ("cheap", "inexpensive"),
    "expensive": ("expensive", "upscale"),
}
SLOT_NAMES = {
    "area": "the area", "pricerange": "the price range", "food": "the kind of food", "type": "the type",
    "stars": "the star rating", "parking": "the parking", "internet": "the internet", "name": "the name",
    "departure": "where it leaves from", "destination": "where it goes to", "leaveAt": "the departure time",
    "arriveBy": "the arrival time", "day": "the day", "time": "the time", "people": "the number of people",
    "stay": "the length of the stay",
}  # fmt: skip
REQUEST_NAMES = {
    "phone": ("the phone number", "their phone number", "the telephone number"), "postcode": ("the postcode", "their postcode"),
    "address": ("the address", "their address"), "entrance fee": ("the entrance fee",), "entrance": ("the entrance fee",),
    "area": ("the area it is in", "which area it is in"), "type": ("what type of place it is", "the type of place"),
    "food": ("what kind of food they serve", "the food type"), "pricerange": ("the price range", "its price range"),
    "parking": ("whether it has free parking", "if they have free parking"),
    "internet": ("whether it has free wifi", "if it has internet"), "stars": ("the star rating", "how many stars it has"),
    "duration": ("the travel time", "how long the journey takes"), "price": ("the price of a ticket", "the ticket price"),
    "trainID": ("the train ID", "the ID of the train"), "leaveAt": ("the departure time", "when it leaves"),
    "arriveBy": ("the arrival time", "when it arrives"), "openhours": ("the opening hours",), "id": ("the ID",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Act:
    """One thing the user does in a turn. `kind` names a phrase group, `slots` the values said, `words` the names of
    attributes or slots it is about, `same` the domain that a slot's value is said to be the same as."""

    kind: str
    slots: Slots = field(default_factory=dict)
    words: Sequence[str] = ()
    same: Mapping[str, str] = field(default_factory=dict)


def speak(acts: Sequence[Act], domain: str, foods: frozenset[str], random: Random) -> str:
    """One utterance for all the acts. `foods`: those that a listener knows, fit to be put before a noun."""
    said_parts = [_sentence(act, domain, foods=foods, random=random) for act in acts]
    return " ".join(part for part in said_parts if part)


def _sentence(act: Act, domain: str, *, foods: frozenset[str], random: Random) -> str:
    if act.kind in SEARCH_PHRASES:
        thing = _thing(act.slots, domain, foods=foods, opening="open" in act.kind, same=act.same, random=random)
        return _capital(random.choice(SEARCH_PHRASES[act.kind]).format(thing=thing))
    if act.kind in BOOKING_PHRASES or act.kind == "book":
        phrases = BOOKINGS[domain] if act.kind == "book" else BOOKING_PHRASES[act.kind]
        phrase = random.choice(phrases).format(thing=_details(act.slots, act.same, random))
        return _capital(phrase.replace(" .", ".").replace(" ?", "?").replace(" ,", ",").replace("  ", " "))
    if act.kind in PLAIN_PHRASES:
        return random.choice(PLAIN_PHRASES[act.kind])
    names = [SLOT_NAMES.get(word, f"the {word}") for word in act.words]
    if act.kind == "request":
        names = [random.choice(REQUEST_NAMES.get(word, (f"the {word}",))) for word in act.words]
    phrases = REQUESTS if act.kind == "request" else NO_PREFERENCES
    return random.choice(phrases).format(wish=_listed(names))


SEARCH_PHRASES = {
    "open": OPENERS, "open_next": NEXT_OPENERS, "inform": WISHES, "change_after_nothing": CHANGES_AFTER_NOTHING,
    "change_of_mind": CHANGES_OF_MIND, "correct": CORRECTIONS, "restate": RESTATEMENTS,
}  # fmt: skip
BOOKING_PHRASES = {
    "book_details": BOOKING_DETAILS, "book_change_refused": BOOKING_CHANGES_REFUSED,
    "book_change_of_mind": BOOKING_CHANGES_OF_MIND, "book_correct": BOOKING_CORRECTIONS,
}  # fmt: skip
PLAIN_PHRASES = {
    "thank": THANKS, "nudge": NUDGES, "nudge_booking": BOOKING_NUDGES, "bye": BYES, "leave": LEAVINGS, "give_up": GIVING_UP,
}  # fmt: skip


def _thing(
    slots: Slots, domain: str, *, foods: frozenset[str], opening: bool, same: Mapping[str, str], random: Random
) -> str:
    """A noun phrase: "a cheap italian restaurant in the centre"; after the opening "a cheap one in the centre"."""
    before: list[str] = []
    noun = random.choice(NOUNS[domain]) if opening or domain == "train" or random.random() < 0.3 else "one"
    after: list[str] = []
    if "pricerange" in slots:
        before.append(random.choice(PRICES.get(slots["pricerange"], (slots["pricerange"],))))
    if "stars" in slots:
        before.append(f"{_number(slots['stars'], random)}{random.choice(('-star', ' star'))}")
    if "type" in slots:
        noun = _type_noun(slots["type"], domain)
    if "food" in slots:
        if slots["food"] in foods and noun != "one" and random.random() < 0.6:
            before.append(title(slots["food"]))
        else:
            after.append(
                random.choice(("that serves {} food", "serving {} food", "with {} food")).format(slots["food"])
            )
    if domain == "train":
        after.extend(_journey(slots, same, random))
    after.extend(_features(slots, random))
    phrase = " ".join([*before, noun, *after])
    if phrase.startswith("one"):
        return phrase
    vowel = phrase[0].lower() in "aeiou" and not phrase.lower().startswith("europ")
    return f"{'an' if vowel else 'a'} {phrase}"


def _type_noun(kind: str, domain: str) -> str:
    if domain == "attraction":
        return ATTRACTIONS.get(kind, said(kind)[-1])
    return kind


def _features(slots: Slots, random: Random) -> list[str]:
    found = []
    if "name" in slots:
        name = title(slots["name"])
        found.append(f"{random.choice(('called', 'named'))} " + (f'"{name}"' if set(name) & set(",.!?;") else name))
        if len(slots) > 1:
            found[-1] += ","
    if "area" in slots:
        found.append(_area(slots["area"], random))
    if "parking" in slots:
        found.append("with free parking" if slots["parking"] == "yes" else "without parking")
    if "internet" in slots:
        joined = "and" if "parking" in slots else ""
        internet = random.choice(("free wifi", "free internet"))
        found.append(
            f"{joined} with {internet}".strip() if slots["internet"] == "yes" else f"{joined} without internet".strip()
        )
    return found


def _area(area: str, random: Random) -> str:
    if area == "centre":
        return random.choice(("in the centre", "in the city centre", "in the centre of town"))
    return random.choice((f"in the {area}", f"in the {area} of town", f"on the {area} side"))


def _journey(slots: Slots, same: Mapping[str, str], random: Random) -> list[str]:
    found = []
    if "departure" in slots:
        found.append(f"{random.choice(('from', 'departing from', 'leaving from'))} {title(slots['departure'])}")
    if "destination" in slots:
        found.append(f"{random.choice(('to', 'going to', 'to'))} {title(slots['destination'])}")
    if "day" in slots:
        day = f"on the same day as the {same['day']}" if "day" in same else f"on {slots['day'].title()}"
        found.append(day)
    if "leaveAt" in slots:
        cue = random.choice(("leaving after", "that leaves at or after", "leaving no earlier than", "departing after"))
        found.append(f"{cue} {_time(slots['leaveAt'], random)}")
    if "arriveBy" in slots:
        cue = random.choice(("arriving by", "that gets there by", "that arrives by", "arriving no later than"))
        found.append(f"{cue} {_time(slots['arriveBy'], random)}")
    return found


def _details(slots: Slots, same: Mapping[str, str], random: Random) -> str:
    """Booking slots in a shuffled order: "for 4 people at 7:30 pm on Friday"; empty where there are none."""
    found = []
    if "people" in slots:
        found.append("for the same group of people" if "people" in same else _party(slots["people"], random))
    if "stay" in slots:
        found.append(f"for {_number(slots['stay'], random)} night{'' if slots['stay'] == '1' else 's'}")
    if "day" in slots:
        start = "starting " if "stay" in slots else ""
        found.append(f"on the same day as the {same['day']}" if "day" in same else f"{start}on {slots['day'].title()}")
    if "time" in slots:
        found.append(f"at {_time(slots['time'], random)}")
    random.shuffle(found)
    return " ".join(found)


def _party(people: str, random: Random) -> str:
    if people == "1":
        return random.choice(("for 1 person", "for just one person", "for just me"))
    return random.choice((f"for {people} people", f"for {_number(people, random)} people", f"for a party of {people}"))


def _number(value: str, random: Random) -> str:
    if value.isdigit() and int(value) < len(NUMBER_WORDS) and random.random() < 0.3:
        return NUMBER_WORDS[int(value)]
    return value


def _time(value: str, random: Random) -> str:
    """HH:MM in one of the ways people write it; hours past midnight stay as they are."""
    hour, _, minute = value.partition(":")
    if random.random() < 0.6 or not (hour.isdigit() and 1 <= int(hour) <= 23):
        return value
    half = "am" if int(hour) < 12 else "pm"
    twelve = (int(hour) - 1) % 12 + 1
    exact = f"{twelve} {half}" if minute == "00" else f"{twelve}:{minute} {half}"
    return exact if random.random() < 0.5 else exact.replace(" ", "")


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
