"""The teacher's PLANs: a short thought before each generation, in many wordings. Ours throughout.

A thought before a call names the slots it will use, so that which of them to use is decided in words first.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random

from josh_engine.values import ToolCall
from toolwoz.schema import TOOL_DOMAINS
from toolwoz.scripted_play import Said, Wanted

SLOTS = {
    "pricerange": "price", "leaveAt": "departure time", "arriveBy": "arrival time", "stay": "nights",
    "trainID": "train id",
}  # fmt: skip
SEARCHES = (
    "I know {slots}, so I search for a {domain}.", "Search a {domain} by {slots}.", "{Slots} given: {domain} search.",
    "I look for a {domain} with {slots}.", "The guest told {slots}. I look up a {domain}.",
)  # fmt: skip
BOOKINGS = (
    "I book the {domain} with {slots}.", "The guest wants the {domain} booked: {slots}.",
    "I have {slots}. Time to book the {domain}.", "Book the {domain} by {slots}.",
)  # fmt: skip
HASTY = ("Call the {domain} tool.", "I use the {domain} tool now.")  # before a call that is no JSON
AGAIN = ("That call failed, so I write it anew.", "The call was wrong. I try again.", "I correct the call.")
SAID = {
    "asked": ("I still need {slots}, so I ask.", "Ask for {slots}.", "I do not know {slots} yet. I ask."),
    "found": ("I found one and tell the guest.", "There is one. I offer it.", "This one came up, so I offer it."),
    "empty": ("Nothing came up. I say so.", "No match. I ask for another wish.", "There is none; I tell the guest."),
    "booked": ("It is booked. I give the reference.", "The booking worked, so I tell the reference."),
    "refused": ("The booking was refused. I say so.", "It could not be booked. I tell the guest."),
    "trouble": ("The call failed. I ask the guest.", "Something went wrong, so I ask again."),
    "claimed": ("I tell the guest it is booked.", "They want it booked. I say it is."),
    "other": ("I answer the guest.", "I can answer that.", "I reply to the guest.", "No tool is needed here."),
}  # fmt: skip


def before_a_call(wanted: Wanted, failed: bool, random: Random) -> str:
    """`failed`: the generation before was a call that was not understood."""
    if failed and random.random() < 0.7:
        return random.choice(AGAIN)
    kind, domain = TOOL_DOMAINS.get(wanted.name, (wanted.name.partition("_")[0], "place"))
    if wanted.broken:
        return random.choice(HASTY).format(domain=domain)
    told = _listed([slot for slot in wanted.arguments if kind == "search" or slot not in ("name", "trainID")])
    wordings = BOOKINGS if kind == "book" else SEARCHES
    return random.choice(wordings).format(domain=domain, slots=told, Slots=told[:1].upper() + told[1:])


def before_words(said: Said, last: ToolCall | None, random: Random) -> str:
    """`last`: the turn's last call, None where it made none."""
    return random.choice(SAID[_occasion(said, last)]).format(slots=_listed(said.asked))


def _occasion(said: Said, last: ToolCall | None) -> str:
    if said.claimed:
        return "claimed"
    if last is not None and last.error is not None:
        return "trouble"
    if said.asked:
        return "asked"
    if last is None:
        return "other"
    answer = json.loads(last.result or "null")
    if isinstance(answer, dict):
        return "booked" if answer.get("success") else "refused"
    return "found" if answer else "empty"


def _listed(slots: Sequence[str]) -> str:
    names = [SLOTS.get(slot, slot) for slot in slots] or ["nothing"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
