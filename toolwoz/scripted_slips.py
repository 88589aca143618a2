"""The scripted agent's mistakes: what it may get wrong, how often, and how.

Each is one that language models make in ToolWOZ (section 5 and figures 4c and 5 of the paper: missing and wrong
parameters, malformed calls, nonexistent tools and arguments, bookings too early or never made). They are drawn per turn
from the turn's own seed, so siblings differ. The rates are ours, set so that one conversation succeeds
about two times in five and a search finds nearly always a way: enough of both good and bad turns to learn from.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from random import Random

from toolwoz.schema import DAYS, SEARCH_SLOTS, TOOL_DOMAINS
from toolwoz.scripted_belief import Belief
from toolwoz.vocabulary import Vocabulary

RATES: Mapping[str, float] = {
    "dropped_slot": 0.25,  # a search or booking lacks a slot the guest told
    "wrong_value": 0.16,  # a slot has a stale or neighbouring value
    "malformed_call": 0.10,  # arguments that are no JSON
    "unknown_call": 0.06,  # a tool or an argument that does not exist
    "gave_up_call": 0.50,  # after a faulty call: asks the guest to repeat instead of trying again
    "stuck_call": 0.06,  # after a malformed call: writes it again and again
    "ignored_change": 0.30,  # offers the old record though the guest told something new
    "late_search": 0.14,  # asks whether to search
    "needless_question": 0.12,  # asks for what it was told, or does not need
    "premature_booking": 0.20,  # books before it knows everything
    "claimed_booking": 0.20,  # says it is booked, with a made-up reference, and made no call
    "forgotten_booking": 0.14,  # talks of something else
}
MISNAMED_TOOLS = {"search": ("find_{}", "{}_search", "query_{}"), "book": ("reserve_{}", "{}_booking", "make_booking")}
MISNAMED_SLOTS = {
    "pricerange": "price", "area": "location", "food": "cuisine", "leaveAt": "departure_time",
    "arriveBy": "arrival_time",
    "people": "guests", "stay": "nights", "stars": "rating", "departure": "from", "destination": "to",
    "internet": "wifi",
    "trainID": "train_id", "type": "kind", "name": "title", "time": "hour", "day": "date", "parking": "has_parking",
}  # fmt: skip


class Slips:
    """The mistakes of one turn; `made` lists those that happened."""

    def __init__(self, random: Random, rates: Mapping[str, float] = RATES) -> None:
        self.random, self.rates = random, rates
        self.made: list[str] = []

    def happens(self, kind: str) -> bool:
        if self.random.random() >= self.rates[kind]:
            return False
        self.made.append(kind)
        return True

    def arguments(self, tool: str, wanted: Mapping[str, str], *, belief: Belief, words: Vocabulary) -> dict[str, str]:
        """The arguments the agent will use: perhaps without a slot, perhaps with one wrong."""
        arguments = dict(wanted)
        open_slots = [slot for slot in arguments if slot not in ("name", "trainID")]
        if not open_slots:
            return arguments
        slot = self.random.choice(open_slots)
        others = self._others(tool, slot, arguments[slot], belief=belief, words=words)
        if len(arguments) > 1 and self.happens("dropped_slot"):
            del arguments[slot]
        elif others and self.happens("wrong_value"):
            arguments[slot] = self.random.choice(others)
        return arguments

    def _others(self, tool: str, slot: str, value: str, *, belief: Belief, words: Vocabulary) -> list[str]:
        """Wrong values for the slot: those heard elsewhere in the conversation, else neighbouring ones."""
        heard = [
            other
            for topic in belief.topics.values()
            for slots in (topic.search, topic.book, topic.searched or {})
            if (other := slots.get(slot, value)) != value
        ]
        if heard:
            return heard
        if value.isdigit():
            return [str(int(value) + 1)]
        if value[-3:-2] == ":" and value[:-3].isdigit():
            return [f"{(int(value[:-3]) + 1) % 24:02d}{value[-3:]}"]
        known = DAYS if slot == "day" else words.values.get((TOOL_DOMAINS[tool][1], slot), ())
        return [each for each in known if each != value]

    def misnamed(self, tool: str, arguments: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """The call under a tool's name that does not exist, or with such an argument."""
        kind, domain = TOOL_DOMAINS[tool]
        slots = [slot for slot in arguments if slot in MISNAMED_SLOTS]
        if not slots or self.random.random() < 0.4:
            return self.random.choice(MISNAMED_TOOLS[kind]).format(domain), dict(arguments)
        wrong = self.random.choice(slots)
        return tool, {MISNAMED_SLOTS[slot] if slot == wrong else slot: value for slot, value in arguments.items()}

    def broken(self, arguments: Mapping[str, str]) -> str:
        """The arguments as text that is no JSON."""
        text = json.dumps(arguments)
        return self.random.choice(
            (text[:-1], text.replace('"', "'"), text.replace(": ", " = "), text + "}", f"({text[1:-1]})")
        )

    def reference(self) -> str:
        """A made-up booking reference."""
        return "".join(self.random.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(8))

    def needless(self, domain: str, told: Sequence[str], *, avoid: Collection[str]) -> str:
        """A slot that the agent need not ask for; `avoid`: those the guest has no wish for."""
        known = [slot for slot in told if slot not in ("name", "trainID")]
        unknown = [slot for slot in SEARCH_SLOTS[domain] if slot not in (*told, *avoid, "name", "leaveAt", "arriveBy")]
        return self.random.choice(known + unknown or [slot for slot in SEARCH_SLOTS[domain] if slot != "name"])
