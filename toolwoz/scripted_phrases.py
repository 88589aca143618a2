"""What the scripted agent says: several wordings for everything, drawn by a seeded generator. Ours throughout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from toolwoz.schema import UNIQUE
from toolwoz.vocabulary import dishes, title, written

GREETINGS = (
    "Hello! How can I help you today?", "Good day. What are you looking for?",
    "Welcome. Are you looking for a restaurant, a place to stay, a sight or a train?", "Hi, what can I do for you?",
)  # fmt: skip
FAREWELLS = (
    "You're welcome. Goodbye!",
    "My pleasure. Have a good day!",
    "Thank you for calling. Bye!",
    "Enjoy your trip!",
)
LOOKING = ("Let me look that up.", "One moment, please.", "I'll check that for you.", "Let me see what there is.")
RESERVING = ("I'll book that now.", "One moment while I make the booking.", "Let me arrange that for you.")
OFFERS = (
    "I found {name}, {description}.", "How about {name}? It is {description}.",
    "I can recommend {name}, {description}.",
    "There is {name}, {description}.", "{name} is {description}.", "One option is {name}, {description}.",
)  # fmt: skip
TRAIN_OFFERS = (
    "Train {id} leaves {departure} at {leave} on {day} and arrives in {destination} at {arrive}.",
    "There is {id} on {day}: it leaves {departure} at {leave} and arrives in {destination} at {arrive}.",
    "I found {id}, which leaves {departure} on {day} at {leave} and arrives in {destination} at {arrive}.",
)  # fmt: skip
FOLLOW_UPS = (
    "Would you like to know more?", "Is that all right?", "Can I help with anything else?", "Shall I book it for you?",
    "Does that suit you?", "Would you like me to book it?",
)  # fmt: skip
SIGHT_FOLLOW_UPS = (
    "Would you like to know more?",
    "Does that suit you?",
    "Can I help with anything else?",
    "Is that all right?",
)
ANYTHING_ELSE = (
    "Is there anything else I can do for you?", "Can I help you with anything else?", "Anything else?",
    "Is there anything else you need?", "",
)  # fmt: skip
NOTHING_FOUND = (
    "I'm sorry, I found no match for {wish}. Would you like to try something else?",
    "Unfortunately I could not find {wish}. Can we change something?", "There are no results for {wish}, I'm afraid.",
    "I'm sorry, there is nothing like that: I looked for {wish}. What else could I look for?",
)  # fmt: skip
LATE = (
    "Would you like me to look for that?", "All right. Shall I search for that now?",
    "I have noted that. Should I see what there is?",
)  # fmt: skip
TROUBLE = (
    "I'm having some trouble with the system. Could you say that again?",
    "Sorry, my search didn't go through. Would you tell me once more what you need?",
    "I'm sorry, something went wrong here. Could you repeat that?",
)  # fmt: skip
BOOKING_TROUBLE = (
    "I'm having some trouble with the system. Could you say that again?",
    "Sorry, the booking didn't go through on my side. Would you tell me the details once more?",
    "I'm sorry, something went wrong here. Could you repeat that?",
)  # fmt: skip
BOOKED = (
    "Done! {name} is booked {details}. The reference number is {reference}.",
    "Your booking at {name} {details} was successful. Your reference is {reference}.",
    "I have booked {name} {details}. Reference number: {reference}.",
    "{name} is reserved {details}. The reference is {reference}.",
)  # fmt: skip
TRAIN_BOOKED = (
    "Done! Your tickets for {name} {details} are booked. The reference number is {reference}.",
    "I have booked {name} {details}. Your reference is {reference}.",
    "Your seats on {name} are reserved {details}. Reference number: {reference}.",
)  # fmt: skip
CLAIMED = (
    "All right, {name} is booked for you. Your reference number is {reference}.",
    "I have booked that for you, reference {reference}.", "That's booked. The reference number is {reference}.",
)  # fmt: skip
REFUSED = (
    "I'm sorry, {name} could not be booked {details}. {remedy}",
    "Unfortunately the booking at {name} {details} was not successful. {remedy}",
    "I was unable to book {name} {details}. {remedy}",
)  # fmt: skip
TRAIN_REFUSED = (
    "I'm sorry, the tickets for {name} {details} could not be booked. {remedy}",
    "Unfortunately booking {name} {details} did not work. {remedy}", "I was unable to book {name} {details}. {remedy}",
)  # fmt: skip
REMEDIES = {
    "restaurant": ("Would another time work?", "Would you like a different time or day?"),
    "hotel": ("Would a shorter stay or another day work?", "Would you like to try a different day?"),
    "train": ("Would you like me to try again?", "Is there anything I should change?"),
}
REMINDERS = (
    "{name} is booked. The reference number is {reference}.",
    "Yes, it is booked; your reference is {reference}.",
)
FORGOT = (
    "{name} is a good choice.", "{name} should be just right for you.", "I'm glad that {name} suits you.",
)  # fmt: skip
QUESTIONS = {
    "area": ("Which area would you like?", "Is there a part of town you prefer?", "What area should it be in?"),
    "pricerange": ("What price range do you have in mind?", "Do you have a price range in mind?"),
    "food": ("What kind of food would you like?", "Do you have a cuisine in mind?"),
    "type": ("What type of place would you like?", "Do you have a type of place in mind?"),
    "stars": ("How many stars should it have?", "Do you prefer a certain star rating?"),
    "parking": ("Do you need parking?",), "internet": ("Do you need internet?",),
    "departure": ("Where will you be leaving from?", "Which is your departure station?"),
    "destination": ("Where would you like to go to?", "What is your destination?"),
    "day": ("What day would that be?", "Which day would you like?"),
    "leaveAt": ("What time would you like to leave or arrive?", "Do you have a time in mind for leaving or arriving?"),
    "time": ("What time would you like?", "At what time should I book it?"),
    "people": ("How many people will there be?", "For how many people?"),
    "stay": ("How many nights will you stay?", "For how many nights?"),
    "name": ("Do you have a particular place in mind?",),
}  # fmt: skip
SHORT_QUESTIONS = {
    "time": "at what time", "people": "for how many people", "stay": "for how many nights", "day": "on which day",
    "departure": "where do you leave from", "destination": "where do you want to go to",
    "leaveAt": "what time do you want to leave or arrive",
}  # fmt: skip
ANSWERS = {
    "phone": "the phone number is {}", "postcode": "the postcode is {}", "address": "the address is {}",
    "entrance fee": "the entrance fee is {}", "entrance": "the entrance fee is {}", "duration": "the travel time is {}",
    "price": "the price of a ticket is {}", "trainID": "the train ID is {}", "leaveAt": "the departure time is {}",
    "arriveBy": "the arrival time is {}", "area": "it is in the {}", "type": "the type is {}",
    "food": "they serve {}",
    "pricerange": "the price range is {}", "stars": "it has a star rating of {}",
    "openhours": "the opening hours are {}",
}  # fmt: skip
PRICES = {"moderate": "moderately priced"}
SWITCHES = {"parking": "free parking", "internet": "free internet"}
NO_NOUNS = frozenset({"architecture", "boat", "entertainment", "mutliple sports", "multiple sports"})
KINDS = {"restaurant": "restaurant", "hotel": "place to stay", "attraction": "attraction", "train": "train"}


def offer(domain: str, record: Mapping[str, str], shown: frozenset[str], random: Random) -> str:
    """The record, with the attributes in `shown` that it has."""
    if domain == "train":
        return random.choice(TRAIN_OFFERS).format(
            id=record.get("trainID", ""), departure=title(record.get("departure", "")), leave=record.get("leaveAt", ""),
            destination=title(record.get("destination", "")), arrive=record.get("arriveBy", ""),
            day=record.get("day", "").title(),
        )  # fmt: skip
    told = {slot: value for slot, value in record.items() if slot in shown and value}
    return random.choice(OFFERS).format(name=title(record.get("name", "it")), description=describe(domain, told))


def describe(domain: str, told: Mapping[str, str]) -> str:
    """A noun phrase for these attributes: "a cheap restaurant in the north that serves thai food"."""
    before = [PRICES.get(told["pricerange"], told["pricerange"])] if told.get("pricerange", "?") != "?" else []
    if "stars" in told:
        before.append(f"{told['stars']}-star")
    noun = KINDS[domain] if domain == "restaurant" or "type" not in told else _kind(told["type"])
    after = [f"in the {told['area']}"] if "area" in told else []
    if "food" in told:
        after.append(f"that serves {dishes(told['food'])}")
    has = [name for slot, name in SWITCHES.items() if told.get(slot) == "yes"]
    lacks = [name for slot, name in SWITCHES.items() if told.get(slot) == "no"]
    after += [f"with {' and '.join(has)}"] if has else []
    after += [f"{'but ' if has else ''}without {' and '.join(lacks)}"] if lacks else []
    phrase = " ".join([*before, noun, *after])
    return f"{'an' if phrase[:1] in 'aeiou' and not phrase.startswith('euro') else 'a'} {phrase}"


def _kind(value: str) -> str:
    return f"{written(value)} attraction" if value in NO_NOUNS else written(value)


def wish(domain: str, search: Mapping[str, str]) -> str:
    """What was searched for, in words."""
    if domain == "train":
        start, end = (title(search.get(slot, "anywhere")) for slot in ("departure", "destination"))
        return f"a train from {start} to {end}" + (f" on {search['day'].title()}" if "day" in search else "")
    named = f" called {title(search['name'])}" if "name" in search else ""
    return describe(domain, search) + named


def details(book: Mapping[str, str]) -> str:
    """Booking slots in words: "for 4 people on Friday at 18:30"."""
    found = []
    if "people" in book:
        found.append(f"for {book['people']} {'person' if book['people'] == '1' else 'people'}")
    if "stay" in book:
        found.append(f"for {book['stay']} {'night' if book['stay'] == '1' else 'nights'}")
    if "day" in book:
        found.append(f"{'from' if 'stay' in book else 'on'} {book['day'].title()}")
    if "time" in book:
        found.append(f"at {book['time']}")
    return " ".join(found)


def question(slots: Sequence[str], random: Random) -> str:
    """One question for one slot or several."""
    if len(slots) == 1 or any(slot not in SHORT_QUESTIONS for slot in slots):
        return " ".join(random.choice(QUESTIONS.get(slot, (f"What about the {slot}?",))) for slot in slots[:2])
    asked = [SHORT_QUESTIONS[slot] for slot in slots]
    text = f"{', '.join(asked[:-1])} and {asked[-1]}?"
    return text[:1].upper() + text[1:]


def answer(record: Mapping[str, str], requests: Sequence[str]) -> str:
    """What the record says of the attributes asked for, in one or more sentences."""
    told = []
    for request in requests:
        key = next((key for key in record if key == request or key.split()[0] == request), "")
        value = record.get(key, "")
        if request in SWITCHES and value:
            told.append(f"it has {'' if value == 'yes' else 'no '}{SWITCHES[request]}")
        elif request == "openhours" and value.startswith(("open ", "it ")):
            told.append(value if value.startswith("it ") else f"it is {value}")
        elif value and value != "?":
            told.append(ANSWERS.get(request, f"the {request} is {{}}").format(_written(request, value)))
        else:
            told.append(f"the {'entrance fee' if request == 'entrance' else request} is not listed")
    text = f"{', '.join(told[:-1])} and {told[-1]}." if len(told) > 1 else f"{told[0]}."
    return text[:1].upper() + text[1:]


def named(domain: str, record: Mapping[str, str]) -> str:
    return title(record.get(UNIQUE[domain], "")) or "it"


def _written(request: str, value: str) -> str:
    if request == "postcode":
        return value.upper()
    if request == "address":
        return title(value)
    return dishes(value) if request == "food" else written(value)
