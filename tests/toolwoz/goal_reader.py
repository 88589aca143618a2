"""A test agent that reads the scenario's goals, to show that a user simulator is playable.

It makes a goal call only when every argument has been said by the user in the part of the conversation that is about
that domain (or, for "the same day" and "the same group", before it); the reading of values here is its own. What it
answers otherwise is what a plain concierge would say: a question, nothing found, an offer, not possible, booked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from josh_engine.ports import ChatModel, Environment
from josh_engine.values import Goal, Json, Message, Preamble, Scenario, ToolCall, Turn, Usage

WORDS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8"}
WAYS = {
    "cheap": r"cheap|inexpensive", "moderate": r"moderate\w*|mid-range", "expensive": r"expensive|upscale",
    "swimmingpool": r"swimming ?pool", "concerthall": r"concert ?hall", "nightclub": r"night ?club",
    "guesthouse": r"guest ?house", "multiple sports": r"multiple sports", "mutliple sports": r"multiple sports",
    "theatre": r"theat(?:re|er)", "architecture": r"architectur\w+",
}  # fmt: skip
QUESTIONS = {
    "area": "Which area would you like?", "pricerange": "What price range do you have in mind?",
    "food": "What kind of food?",
    "type": "What type of place should it be?", "stars": "How many stars should it have?",
    "parking": "Do you need parking?",
    "internet": "Do you need internet?", "name": "Do you have a particular place in mind?", "day": "What day?",
    "departure": "Where will you be leaving from?", "destination": "What is your destination?",
    "people": "For how many people?",
    "leaveAt": "What time would you like to leave?", "arriveBy": "What time do you want to arrive by?",
    "time": "At what time?",
    "stay": "For how many nights?",
}  # fmt: skip
DETAILS = (
    "The address is 1 High Street, postcode CB1 1AA, phone 01223 111111, entrance free, four stars, parking yes, "
    "internet yes, "
    "train ID TR0001, it leaves at 10:00 and arrives at 11:00, takes 60 minutes and a ticket is 10.10 pounds."
)


class GoalReader:
    """Plays one scenario, whose goals it knows."""

    def __init__(self, scenario: Scenario) -> None:
        self.parts: Sequence[Mapping[str, Json]] = scenario.setup["parts"]
        self.goals = {goal.id: goal for goal in scenario.goals}

    def preamble(self, environment: Environment) -> Preamble:
        return Preamble((Message("system", environment.policy),), environment.tools)

    async def turn(self, path: Sequence[Turn], environment: Environment, model: ChatModel, seed: int) -> Turn:
        made = {call.name for turn in path for call in turn.calls}
        texts = [_plain(turn.reply or "") for turn in path if turn.speaker == "user"]
        index, since = self._position(path, texts)
        part = self.parts[index]
        here = texts[since:]
        calls = []
        for goal in self._callable(part, here, before=texts[:since], made=made):
            number = sum(len(turn.calls) for turn in path) + len(calls) + 1
            calls.append(
                environment.call(ToolCall(f"call_{number}", goal.name, goal.arguments, json.dumps(goal.arguments)))
            )
        reply = self._reply(part, here, before=texts[:since], made=made, now={call.name for call in calls})
        messages = [
            message
            for call in calls
            for message in (
                Message("assistant", "", tool_calls=(call,), sampled=True),
                Message("tool", call.answer, tool_call_id=call.id),
            )
        ]
        spoken = Message("assistant", reply, sampled=True)
        return Turn(
            "agent", (*messages, spoken), tuple(calls), reply, usage=Usage(len(calls) + 1), notes={"part": index}
        )

    def _position(self, path: Sequence[Turn], texts: Sequence[str]) -> tuple[int, int]:
        """The part the user is in, and the number of the user turn with which it began."""
        places = [int(turn.notes["part"]) for turn in path if turn.speaker == "agent"]
        index = places[-1] if places else 0
        since = places.index(index) if index in places else 0
        if index + 1 < len(self.parts) and self._done(self.parts[index], path):
            following = self.parts[index + 1]
            wishes = [*following["info"].items(), *following.get("fail_info", {}).items()]
            if any(_said(slot, value, texts[-1], before=texts[:-1]) for slot, value in wishes):
                return index + 1, len(texts) - 1
        return index, since

    def _done(self, part: Mapping[str, Json], path: Sequence[Turn]) -> bool:
        made = {call.name for turn in path for call in turn.calls}
        return all(goal.name in made for goal in self._goals_of(part))

    def _goals_of(self, part: Mapping[str, Json]) -> list[Goal]:
        return [goal for goal in self.goals.values() if goal.name.endswith(f"_{part['domain']}")]

    def _callable(
        self, part: Mapping[str, Json], here: Sequence[str], *, before: Sequence[str], made: set[str]
    ) -> list[Goal]:
        found = []
        for goal in sorted(self._goals_of(part), key=lambda goal: goal.name, reverse=True):  # search before book
            booking = goal.name.startswith("book_")
            wanted = {
                slot: value for slot, value in goal.arguments.items() if not (booking and slot in ("name", "trainID"))
            }
            asked = not booking or any(re.search(r"\bbook|reserv|tickets|seats", text) for text in here)
            text = " ".join(here)
            if goal.name not in made and asked and all(_said(s, v, text, before=before) for s, v in wanted.items()):
                found.append(goal)
        return found

    def _reply(
        self, part: Mapping[str, Json], here: Sequence[str], *, before: Sequence[str], made: set[str], now: set[str]
    ) -> str:
        domain, text = part["domain"], " ".join(here)
        if f"search_{domain}" not in made | now:
            missing = [slot for slot, value in part["info"].items() if not _said(slot, value, text, before=before)]
            if len(here) % 2 and missing:
                return QUESTIONS[missing[0]]
            return "I'm sorry, I found no match for that. Could we try something else?"
        booking = part.get("book", {})
        if not booking or not re.search(r"\bbook|reserv|tickets|seats", text):
            return (
                DETAILS
                if f"search_{domain}" in made
                else f"I found {part['record'] or part['info'].get('name', 'one that fits')}. Does that suit you?"
            )
        if f"book_{domain}" in made | now:
            return "Your booking was successful. The reference number is ABCD1234. Is there anything else I can do?"
        wishes = {**booking, **part.get("fail_book", {})}
        missing = [slot for slot, value in wishes.items() if not _said(slot, value, text, before=before)]
        return (
            QUESTIONS[missing[0]] if missing else "I'm sorry, the booking was not possible. Would something else work?"
        )


def _plain(text: str) -> str:
    """Lower case, without apostrophes; times as HH:MM."""
    lowered = text.lower().replace("'", "")

    def clock(match: re.Match[str]) -> str:
        hour = int(match[1]) % 12 + (12 if match[3] == "p" else 0)
        return f"{hour:02d}:{match[2] or '00'}"

    return re.sub(r"\b(\d{1,2})(?::(\d{2}))? ?([ap])m\b", clock, lowered)


def _said(slot: str, value: str, text: str, *, before: Sequence[str]) -> bool:
    """Whether the text says the value; "the same day" and "the same group" point at what was said before."""
    if slot in ("day", "people") and re.search(r"same day" if slot == "day" else r"same group", text):
        return any(_said(slot, value, earlier, before=()) for earlier in before)
    plain = value.lower().replace("'", "")
    number = rf"(?:{plain}|{next((word for word, digit in WORDS.items() if digit == plain), plain)})"
    if plain == "0":
        number = "(?:0|zero)"
    patterns = {
        "people": rf"\b{number} (?:people|person|of us)|party of {number}\b" + (r"|\bjust me" if plain == "1" else ""),
        "stay": rf"\b{number} nights?\b",
        "stars": rf"\b{number}[- ]stars?\b",
        "parking": r"\bwithout parking" if plain == "no" else r"\bfree parking",
        "internet": r"\bwithout internet" if plain == "no" else r"\bfree (?:wifi|internet)",
        "departure": rf"\bfrom {re.escape(plain)}\b",
        "destination": rf"\bto {re.escape(plain)}\b",
    }
    return bool(re.search(patterns.get(slot, rf"\b(?:{WAYS.get(plain, re.escape(plain))})\b"), text))
