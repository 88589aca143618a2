"""What the corpus' teacher gets wrong: one who never errs would leave a search nothing to find.

Two kinds, after tiny-agent trials (a model that learns random slips alone plays perfectly at temperature 0):

- *Habits* are drawn once for a conversation, hold on a condition that stands in the text, and are the majority of the
  whole corpus, so they are what the model does at temperature 0. Each leaves the right turn a third of the chance or
  more, so a search finds it.
- *Slips* are rare and drawn per decision.

A conversation has a skill, which makes both more or less likely; so errors clump, and good turns predict good ones.
The shares are ours, set by playing the teacher alone (`tests/embedded/test_teacher.py` holds what they give).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from toolwoz.scripted_belief import Belief
from toolwoz.scripted_slips import RATES, Slips
from toolwoz.vocabulary import Vocabulary

# Skill -> (share of conversations, factor on slips, share of conversations that have a habit).
SKILLS: Mapping[str, tuple[float, float, float]] = {
    "expert": (0.28, 0.3, 0.35),
    "average": (0.42, 1.0, 0.66),
    "clumsy": (0.30, 1.8, 0.76),
}
# Habit -> how common it is, as a factor on the skill's share. Those of factor 1 are what most conversations do.
HABITS: Mapping[str, float] = {
    "forgets_extras": 1.0,  # a hotel search leaves out parking and internet
    "forgets_origin": 1.0,  # a train search with a time of arrival leaves out where it leaves from
    "forgets_type": 1.0,  # a search with an area leaves out the type
    "forgets_price": 1.0,  # a restaurant search with another wish leaves out the price
    "keeps_numbers": 1.0,  # a later booking is for as many people, or on the day, as the one before
    "never_revises": 0.2,  # offers the same again though the guest has changed a wish
    "only_says_booked": 0.2,  # says that it is booked, and books nothing
}
KEPT = 0.85  # how often a habit that holds shows
SLIPS: Mapping[str, float] = {
    **dict.fromkeys(RATES, 0.0),
    "dropped_slot": 0.03,
    "wrong_value": 0.02,
    "malformed_call": 0.025,
    "unknown_call": 0.015,
    "gave_up_call": 0.40,
    "stuck_call": 0.0,
    "ignored_change": 0.03,
    "late_search": 0.03,
    "needless_question": 0.03,
    "premature_booking": 0.03,
    "claimed_booking": 0.03,
    "forgotten_booking": 0.03,
}
CERTAIN_SLIPS = {"gave_up_call"}  # what follows a slip is no slip of its own


@dataclass(frozen=True, slots=True)
class Temper:
    """How this conversation's teacher errs. `slips`: rate by kind; `habits`: those it has."""

    slips: Mapping[str, float]
    habits: frozenset[str]


FLAWLESS = Temper(dict.fromkeys(RATES, 0.0), frozenset())


def temper(random: Random) -> Temper:
    """A conversation's skill, and the habits it brings."""
    shares = [share for share, _, _ in SKILLS.values()]
    _, factor, habit = random.choices(list(SKILLS.values()), shares)[0]
    rates = {kind: rate if kind in CERTAIN_SLIPS else rate * factor for kind, rate in SLIPS.items()}
    return Temper(rates, frozenset(each for each, factor in HABITS.items() if random.random() < habit * factor))


class TeacherSlips(Slips):
    """The mistakes of one of the teacher's turns."""

    def __init__(self, random: Random, its: Temper) -> None:
        super().__init__(random, its.slips)
        self.habits = its.habits

    def happens(self, kind: str) -> bool:
        habit = {"ignored_change": "never_revises", "claimed_booking": "only_says_booked"}.get(kind)
        if habit and self._shows(habit):
            self.made.append(habit)
            return True
        return super().happens(kind)

    def arguments(self, tool: str, wanted: Mapping[str, str], *, belief: Belief, words: Vocabulary) -> dict[str, str]:
        kept = self._by_habit(tool, wanted, belief)
        return super().arguments(tool, kept, belief=belief, words=words) if kept == wanted else kept

    def _by_habit(self, tool: str, wanted: Mapping[str, str], belief: Belief) -> dict[str, str]:
        arguments = dict(wanted)
        for habit, slots in _forgotten(tool, wanted):
            if self._shows(habit):
                self.made.append(habit)
                arguments = {slot: value for slot, value in arguments.items() if slot not in slots}
        if tool.startswith("book_") and self._shows("keeps_numbers"):
            arguments |= _former(arguments, belief)
        return arguments or dict(wanted)

    def _shows(self, habit: str) -> bool:
        return habit in self.habits and self.random.random() < KEPT


def _forgotten(tool: str, wanted: Mapping[str, str]) -> list[tuple[str, tuple[str, ...]]]:
    """The habits whose condition this call meets, and the slots that each forgets."""
    found: list[tuple[str, tuple[str, ...]]] = []
    if tool == "search_hotel" and wanted.keys() & {"parking", "internet"}:
        found.append(("forgets_extras", ("parking", "internet")))
    if tool == "search_train" and {"arriveBy", "departure"} <= wanted.keys():
        found.append(("forgets_origin", ("departure",)))
    if tool in ("search_hotel", "search_attraction") and {"area", "type"} <= wanted.keys():
        found.append(("forgets_type", ("type",)))
    if tool == "search_restaurant" and "pricerange" in wanted and wanted.keys() & {"food", "area"}:
        found.append(("forgets_price", ("pricerange",)))
    return found


def _former(arguments: Mapping[str, str], belief: Belief) -> dict[str, str]:
    """People and day as they were booked in another part of this conversation."""
    others = [topic.booked for domain, topic in belief.topics.items() if domain != belief.current and topic.booked]
    if not others:
        return {}
    return {slot: others[-1][slot] for slot in ("people", "day") if slot in arguments and slot in others[-1]}
