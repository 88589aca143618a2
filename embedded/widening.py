"""Facts in a tool's answer that nobody asked for: real tables hold more than the invented ones.

In part of the conversations every record gains the same few fields, somewhere after its name. Their values are drawn
once for each record, so that a record that is found twice says the same twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from random import Random

from embedded.words import PLAIN

WIDENED = 0.5  # share of conversations; ours
MARK = "APIRETURN ["


def _words(random: Random, most: int) -> str:
    return " ".join(random.choice(PLAIN) for _ in range(random.randint(1, most)))


FIELDS: Mapping[str, Callable[[Random], object]] = {
    "takesbookings": lambda random: random.choice(("yes", "no")),
    "single": lambda random: str(random.randint(25, 120)),
    "double": lambda random: str(random.randint(40, 180)),
    "family": lambda random: str(random.randint(60, 240)),
    "postcode": lambda random: f"{random.choice('abcdlmnpw')}{random.choice('abgnrtw')}{random.randint(10, 999)}",
    "signature": lambda random: _words(random, 9),
    "introduction": lambda random: _words(random, 16),
    "openhours": lambda random: f"from {random.randint(7, 11):02}:00 to {random.randint(16, 23)}:30",
    "entrance fee": lambda random: random.choice(("free", f"{random.randint(1, 12)} pounds", "?")),
    "location": lambda random: [round(random.uniform(50, 54), 6), round(random.uniform(-1, 1), 6)],
    "address": lambda random: f"{random.randint(1, 200)} {_words(random, 4).title()}",
    "id": lambda random: str(random.randint(1, 30_000)),
}


def widened(texts: Sequence[str], random: Random) -> list[str]:
    """The texts, in part of the calls with more facts in every record."""
    if random.random() >= WIDENED:
        return list(texts)
    names, salt = random.sample(sorted(FIELDS), random.randint(1, 6)), random.random()
    return [_with(text, names, salt) if text.startswith(MARK) else text for text in texts]


def _with(text: str, names: Sequence[str], salt: float) -> str:
    head = len(MARK) - 1
    records = [_more(record, names, salt) for record in json.loads(text[head:])]
    return text[:head] + json.dumps(records, ensure_ascii=False)


def _more(record: dict[str, object], names: Sequence[str], salt: float) -> dict[str, object]:
    """What the record has already stays as it is; trains, which have no name, gain nothing."""
    if "name" not in record:
        return record
    random = Random(f"{salt} {json.dumps(record, sort_keys=True)}")
    facts = list(record.items())
    for name in names:
        if name not in record:
            facts.insert(random.randint(1, len(facts)), (name, FIELDS[name](random)))
    return dict(facts)
