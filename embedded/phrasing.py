"""More ways for a guest to say the same: the corpus' users are the agenda user's, reworded, misspelt, chatting.

What an utterance states stays as it is; only the words around it change, so the teacher, who reads the original, still
does what the text asks for. Ours throughout.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

from toolwoz.generated_names import AREAS, PRICES
from toolwoz.schema import DAYS

REWORDED, CHATTING, LOWER, UNPUNCTUATED, MISSPELT = 0.6, 0.12, 0.25, 0.12, 0.10  # shares of utterances; ours
WORDINGS: Mapping[str, Sequence[str]] = {
    r"I'm looking for": ("I am looking for", "we're looking for", "I'm in search of", "I'm hunting for", "I'm after",
                         "I'm trying to get", "we are in need of", "I'm searching for", "I was looking for"),
    r"I am looking for": ("I'm looking for", "I'm on the lookout for", "we need", "I could use"),
    r"I'm trying to find": ("I'm trying to locate", "I'm keen to find", "I hope to find", "I'm struggling to find"),
    r"I need": ("I require", "we need", "I'm in need of", "I'll need", "what I need is", "I have to have"),
    r"I'd like to know": ("I want to know", "I'm curious about", "let me hear", "I'd love to know"),
    r"I'd like to book": ("I want to book", "let's book", "I'd love to book", "I wish to book", "we'd like to book"),
    r"I'd like to make": ("I want to make", "let's make", "I wish to make"),
    r"I'd like to find": ("I want to find", "help me find", "I hope to find", "we'd like to find"),
    r"I'd like": ("I would like", "I want", "I'd love", "we'd like", "I'd go for", "I fancy", "let me have"),
    r"I would like": ("I'd like", "I wish for", "I want", "we would like"),
    r"I'd prefer": ("I would prefer", "better would be", "I'd rather have", "I prefer"),
    r"Could you help me find": ("can you point me to", "would you help me find", "please help me find"),
    r"Could you": ("can you", "would you", "would you mind if I ask you to", "are you able to", "could you please",
                   "please could you", "can you please"),
    r"Can you": ("could you", "would you", "can you please", "will you", "are you able to"),
    r"Do you know of": ("have you got", "do you have", "is there", "are you aware of", "would you know of"),
    r"Do you know": ("can you say", "any idea about", "would you know"),
    r"Please book": ("book", "go ahead and book", "kindly book", "I want you to book", "now book"),
    r"Please tell me": ("tell me", "just tell me", "let me know"),
    r"Please": ("kindly", "if you would,", "now please"),
    r"please\b": ("thanks", "if you can", "if possible", "pls"),
    r"Thank you": ("thanks", "cheers", "many thanks", "thank you kindly", "thx"),
    r"Thanks": ("thank you", "cheers", "many thanks", "thank you very much"),
    r"Great": ("good", "perfect", "super", "brilliant", "nice", "fantastic", "awesome", "sounds great"),
    r"Perfect": ("great", "lovely", "spot on", "excellent"),
    r"Hello": ("hi", "good morning", "good afternoon", "hey", "good evening", "hiya"),
    r"Hi\b": ("hello", "hey there", "good day", "hey", "good morning"),
    r"instead": ("rather", "in its place", "for a change", "then"),
    r"Actually": ("well, actually", "hmm, actually", "oh wait", "come to think of it", "you know what"),
    r"Sorry": ("apologies", "pardon me", "excuse me", "so sorry", "I'm sorry"),
    r"What is": ("what's", "may I ask what is", "and what is", "tell me what is"),
    r"Yes": ("yeah", "yep", "sure", "yes indeed", "right", "absolutely"),
    r"That's": ("that is", "this is", "it's"),
    r"reserve": ("book", "put a hold on", "secure"),
    r"place to stay": ("place to sleep", "place for the night", "accommodation", "place where we can stay"),
    r"place to eat": ("place for dinner", "place for lunch", "place to grab a bite", "spot to eat"),
    r"place to visit": ("place to go to", "place worth seeing", "spot to visit"),
    r"I also need": ("I need as well", "besides, I need", "then I need", "I'm in need of", "on top of that I need"),
    r"leaving from": ("starting from", "out of", "that departs from"),
    r"departing from": ("that starts in", "from", "leaving"),
    r"going to": ("bound for", "heading to", "that goes to", "headed for"),
    r"arriving by": ("getting there by", "that is there by", "arriving before", "that arrives before"),
    r"leaving after": ("that departs after", "leaving later than", "that goes after", "leaving any time after"),
    r"for a party of": ("for a group of", "for a family of", "and we are", "for a total of"),
    r"with free wifi": ("that has free wifi", "offering free wifi", "that includes wifi", "with wifi"),
    r"with free parking": ("that has free parking", "where I can park", "that includes parking", "with parking"),
    r"free internet": ("free wifi", "internet included", "wifi", "internet"),
    r"that serves": ("serving", "offering", "which serves", "that does"),
    r"in the city centre": ("in the centre", "right in the centre", "near the centre"),
    r"No, that's all": ("no, nothing more", "nope, that's it", "no, we're done"),
    r"goodbye|Goodbye": ("bye", "see you", "bye now", "take care"),
    r"No problem": ("that's fine", "all right", "not a problem", "fair enough"),
    r"How about": ("what about", "and what about", "maybe", "how does it look for"),
    r"the phone number": ("the number to call", "the phone", "a phone number", "their number"),
    r"the address": ("where it is", "the street address", "their address"),
    r"the postcode": ("the post code", "the postal code"),
    r"the travel time": ("how long it takes", "the duration", "the journey time"),
}  # fmt: skip
BEFORE = (
    "So,", "Well,", "Okay,", "Right,", "Hmm,", "Oh,", "Good to hear.", "I see.", "Alright,", "Let me think.", "Ah,",
    "Understood.", "My family is very excited.", "We are visiting for the first time.", "It's my birthday soon!",
    "The weather is lovely here.", "I'm planning a trip.", "My phone is nearly dead, so quickly:", "Ok,", "Cool.",
    "My wife told me to ask.", "I'm a bit tired today.", "Sounds good.", "Nice.", "I have never been there.",
)  # fmt: skip
AFTER = (
    "Thanks.", "Thank you!", "I hope that works.", "That would be great.", "It's for a family trip.", "Cheers.",
    "We can't wait.", "I don't want to spend all day on this.", "You are very kind.", "It would make my day.", "ok?",
    "My kids will love it.", "No rush.", "I trust you.", "That's important to me.", "We like to plan ahead.",
)  # fmt: skip
KEPT_WORDS = frozenset({*DAYS, *AREAS, *PRICES, "wifi", "internet", "parking"})
_FORMS = [(re.compile(pattern), wordings) for pattern, wordings in WORDINGS.items()]
_WORD = re.compile(r"\b[a-z]{4,}\b")


def reworded(text: str, random: Random) -> str:
    """The utterance in other words, perhaps with small talk, perhaps carelessly typed."""
    if random.random() < REWORDED:
        text = _in_other_words(text, random)
    if random.random() < CHATTING:
        text = f"{random.choice(BEFORE)} {text}" if random.random() < 0.5 else f"{text} {random.choice(AFTER)}"
    if random.random() < MISSPELT:
        text = _misspelt(text, random)
    if random.random() < LOWER:
        text = text.lower()
    return text.rstrip(".!?") if random.random() < UNPUNCTUATED else text


def _in_other_words(text: str, random: Random) -> str:
    found = [(match, wordings) for form, wordings in _FORMS if (match := form.search(text))]
    for match, wordings in random.sample(found, min(len(found), random.choice((1, 1, 2, 3)))):
        if match.group() in text:
            other = random.choice(wordings)
            text = text.replace(
                match.group(), other[:1].upper() + other[1:] if match.group()[0].isupper() else other, 1
            )
    return text[:1].upper() + text[1:]


def _misspelt(text: str, random: Random) -> str:
    """One plain word with two letters swapped, one dropped or one doubled; never a value's."""
    words = [match for match in _WORD.finditer(text) if match.group() in PLAIN_WORDS]
    if not words:
        return text
    match = random.choice(words)
    word, at = match.group(), random.randrange(1, len(match.group()) - 1)
    other = random.choice((
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + word[at + 1 :],
        word[:at] + word[at : at + 1] + word[at:],
    ))  # fmt: skip
    return text[: match.start()] + other + text[match.end() :]


PLAIN_WORDS = (
    frozenset(
        word
        for wordings in (*WORDINGS.values(), BEFORE, AFTER)
        for wording in wordings
        for word in _WORD.findall(wording)
    )
    - KEPT_WORDS
)  # no value of any slot is among them
