"""What the agenda user says: several phrasings for every intent, drawn by a seeded generator.

Ours throughout (the paper's users are language models). A phrase states each value once and in words that MultiWOZ's
own users would use: a guest without a wish for the type asks for "a place to stay", never for "a hotel", because an
agent would take that for a wish. The scripted agent does not import this file; it must understand English.
"""

from __future__ import annotations

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
DOUBTS = (
    "Hmm, are you sure that is the right one? I'm looking for {thing}.", "Maybe it's the wrong one. I wanted {thing}.",
    "Strange. Could you check that you have the right one? I asked for {thing}.",
    "Perhaps we should start over: I'm looking for {thing}.",
)  # fmt: skip
REPEATS = (
    "Of course. I'm looking for {thing}.", "Sure, I need {thing}.", "No problem, I would like {thing}.",
    "As I said, I'm looking for {thing}.", "Yes: {thing}, please.",
)  # fmt: skip
NUDGES = (
    "Yes, please go ahead.", "Yes, please see what you can find.", "Sure, what do you have?", "Yes, please do.",
    "Please just look it up for me.", "Yes. What can you recommend?", "That's all I can tell you. What is there?",
)  # fmt: skip
NO_PREFERENCES = (
    "I don't mind about {wish}.", "I have no preference on {wish}.", "No preference for {wish}.",
    "Any will do as far as {wish} goes.", "It doesn't matter, {wish} is up to you.", "I don't care about {wish}.",
)  # fmt: skip
TELLINGS = (
    "Could you tell me {wish}?", "I'd like to know {wish}.", "Please tell me {wish}.", "Can you let me know {wish}?",
    "I would also like to know {wish}.", "Do you know {wish}?",
)  # fmt: skip
REQUESTS = (
    *TELLINGS, "Could you give me {wish}?", "What is {wish}?", "Can I get {wish}, please?", "May I have {wish}?",
    "Please give me {wish}.",
)  # fmt: skip
REQUESTS_FOR_MANY = tuple(phrase for phrase in REQUESTS if not phrase.startswith("What is"))
CLAUSES = ("which", "what", "whether", "if", "how", "when")  # openings that only fit after "tell me"
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
)  # fmt: skip
BOOKING_CHANGES_REFUSED = (
    "Oh dear. Could you try {thing} instead?", "How about {thing}?", "Then please book it {thing}.",
    "That's a shame. What about {thing}?", "Okay, would it work {thing}?", "Hmm, can you see if it works {thing}?",
)  # fmt: skip
BOOKING_CHANGES_OF_MIND = (
    "Actually, sorry, could you change the booking? It should be {thing}.",
    "Oh, I made a mistake: please book it {thing}.",
    "Sorry, can you book it {thing} instead?", "One correction: the booking should be {thing}.",
)  # fmt: skip
BOOKING_CORRECTIONS = (
    "That's not right. The booking should be {thing}.", "No, please book it {thing}.",
    "Sorry, I asked you to book it {thing}.", "There's a mistake: I need the booking {thing}.",
)  # fmt: skip
BOOKING_REPEATS = (
    "Of course. Please book it {thing}.", "Sure, the booking is {thing}.", "No problem: please book it {thing}.",
    "I'd like to book it {thing}.",
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
    "phone": ("the phone number", "their phone number", "the telephone number"),
    "postcode": ("the postcode", "their postcode"),
    "address": ("the address", "their address"), "entrance fee": ("the entrance fee",),
    "entrance": ("the entrance fee",),
    "area": ("the area it is in", "which area it is in"), "type": ("what type of place it is", "the type of place"),
    "food": ("what kind of food they serve", "the food type"), "pricerange": ("the price range", "its price range"),
    "parking": ("whether it has free parking", "if they have free parking"),
    "internet": ("whether it has free wifi", "if it has internet"),
    "stars": ("the star rating", "how many stars it has"),
    "duration": ("the travel time", "how long the journey takes"),
    "price": ("the price of a ticket", "the ticket price"),
    "trainID": ("the train ID", "the ID of the train"), "leaveAt": ("the departure time", "when it leaves"),
    "arriveBy": ("the arrival time", "when it arrives"), "openhours": ("the opening hours",), "id": ("the ID",),
}  # fmt: skip
SEARCH_PHRASES = {
    "open": OPENERS, "open_next": NEXT_OPENERS, "inform": WISHES, "change_after_nothing": CHANGES_AFTER_NOTHING,
    "change_of_mind": CHANGES_OF_MIND, "correct": CORRECTIONS, "restate": RESTATEMENTS, "repeat": REPEATS,
    "doubt": DOUBTS,
}  # fmt: skip
BOOKING_PHRASES = {
    "book_repeat": BOOKING_REPEATS,
    "book_details": BOOKING_DETAILS, "book_change_refused": BOOKING_CHANGES_REFUSED,
    "book_change_of_mind": BOOKING_CHANGES_OF_MIND, "book_correct": BOOKING_CORRECTIONS,
}  # fmt: skip
PLAIN_PHRASES = {
    "thank": THANKS, "nudge": NUDGES, "nudge_booking": BOOKING_NUDGES, "bye": BYES, "leave": LEAVINGS,
    "give_up": GIVING_UP,
}  # fmt: skip
