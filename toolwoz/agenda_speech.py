"""How the agenda user puts its acts into words: one utterance from phrases, values and a seeded generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from toolwoz import agenda_phrases as phrases
from toolwoz.vocabulary import NUMBER_WORDS, cuisine, dishes, said, title

Slots = Mapping[str, str]


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
    if act.kind in phrases.SEARCH_PHRASES:
        thing = _thing(act.slots, domain, foods=foods, opening="open" in act.kind, same=act.same, random=random)
        return _capital(random.choice(phrases.SEARCH_PHRASES[act.kind]).format(thing=thing))
    if act.kind in phrases.BOOKING_PHRASES or act.kind == "book":
        wordings = phrases.BOOKINGS[domain] if act.kind == "book" else phrases.BOOKING_PHRASES[act.kind]
        phrase = random.choice(wordings).format(thing=_details(act.slots, act.same, random))
        return _capital(phrase.replace(" .", ".").replace(" ?", "?").replace(" ,", ",").replace("  ", " "))
    if act.kind in phrases.PLAIN_PHRASES:
        return random.choice(phrases.PLAIN_PHRASES[act.kind])
    names = [phrases.SLOT_NAMES.get(word, f"the {word}") for word in act.words]
    if act.kind == "request":
        names = [random.choice(phrases.REQUEST_NAMES.get(word, (f"the {word}",))) for word in act.words]
    wordings = phrases.NO_PREFERENCES
    if act.kind == "request":
        clauses = any(name.split()[0] in phrases.CLAUSES for name in names)
        wordings = phrases.TELLINGS if clauses else phrases.REQUESTS if len(names) == 1 else phrases.REQUESTS_FOR_MANY
    return random.choice(wordings).format(wish=_listed(names))


def _thing(
    slots: Slots, domain: str, *, foods: frozenset[str], opening: bool, same: Mapping[str, str], random: Random
) -> str:
    """A noun phrase: "a cheap italian restaurant in the centre"; after the opening "a cheap one in the centre"."""
    before: list[str] = []
    noun = random.choice(phrases.NOUNS[domain]) if opening or domain == "train" or random.random() < 0.3 else "one"
    after: list[str] = []
    if "pricerange" in slots:
        before.append(random.choice(phrases.PRICES.get(slots["pricerange"], (slots["pricerange"],))))
    if "stars" in slots:
        before.append(f"{_number(slots['stars'], random)}{random.choice(('-star', ' star'))}")
    if "type" in slots:
        noun = _type_noun(slots["type"], domain)
    if "food" in slots:
        if slots["food"] in foods and noun != "one" and random.random() < 0.6:
            before.append(cuisine(slots["food"]))
        else:
            after.append(random.choice(("that serves {}", "serving {}", "with {}")).format(dishes(slots["food"])))
    if domain == "train":
        after.extend(_journey(slots, same, random))
    after.extend(_features(slots, random))
    phrase = " ".join([*before, noun, *after])
    if noun == "one" and not before:
        return phrase
    vowel = phrase[0].lower() in "aeiou" and not phrase.lower().startswith("europ")
    return f"{'an' if vowel else 'a'} {phrase}"


def _type_noun(kind: str, domain: str) -> str:
    if domain == "attraction":
        return phrases.ATTRACTIONS.get(kind, said(kind)[-1])
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
        joined = "and" if "parking" in slots and slots["parking"] == slots["internet"] == "yes" else "with"
        internet = random.choice(("free wifi", "free internet"))
        found.append(f"{joined} {internet}" if slots["internet"] == "yes" else "without internet")
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
