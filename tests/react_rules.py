"""A rule-based model that writes ReACT for ToolWOZ: it reads the tools from the system prompt, the wishes from the
user's lines, and what came back from the APIRETURN. By seed it forgets an argument, names a tool wrongly or writes
something malformed, so that branches differ. Named in runs as "react_rules:agent_model"."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from josh_engine.models.scripted import ScriptedModel, say
from josh_engine.values import Completion, Message

DOMAINS = {
    "restaurant": r"restaurant|food|eat\b|cuisine|cooking|table",
    "hotel": r"hotel|guesthouse|place to (?:stay|spend)|lodg|room|nights?\b",
    "train": r"train|ticket|travel",
    "attraction": r"attraction|museum|swimming|park\b|theatre|college|sight|visit",
}
BOOKING = re.compile(r"\b(?:book|reserve|reservation|tickets? for|seats?)\b")
SAME = {"swimmingpool": "swimming pool", "centre": "center"}
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")


def agent_model() -> ScriptedModel:
    return ScriptedModel(write)


def write(messages: Sequence[Message], seed: int) -> Completion:
    chance, last = random.Random(seed), messages[-1].content
    if last.startswith("APIRETURN "):
        return say(_speak(json.loads(last.removeprefix("APIRETURN ")), chance))
    lines = [each.content.lower() for each in messages if each.role == "user" and "APIRETURN" not in each.content]
    tools = _tools(messages[0].content)
    domain = next((name for line in reversed(lines) for name, words in DOMAINS.items() if re.search(words, line)), None)
    if domain is None:
        return say("PLAN I do not know yet. <COMMAND_END> SPEAK What can I do for you? <COMMAND_END>")
    name = f"book_{domain}" if BOOKING.search(lines[-1]) and f"book_{domain}" in tools else f"search_{domain}"
    parameters = _parameters(tools[name], lines[-6:]) | _offered(messages, tools[name])
    if parameters and chance.random() < 0.2:
        parameters.pop(chance.choice(sorted(parameters)))
    return say(_called(name, parameters, chance))


def _called(name: str, parameters: Mapping[str, str], chance: random.Random) -> str:
    slip = chance.random()
    body = json.dumps({"name": f"{name}s" if slip < 0.05 else name, "parameters": parameters})
    if 0.05 < slip < 0.1:
        body = body.replace(": ", " ")
    closing = "" if 0.1 < slip < 0.15 else "<COMMAND_END>"
    return f"PLAN I use {name}. <COMMAND_END>\nAPICALL {body} {closing}"


def _speak(returned: Any, chance: random.Random) -> str:
    words = "Sorry, something went wrong. Could you say that again?"
    if isinstance(returned, list):
        words = chance.choice(("Sorry, I found nothing like that.", "There are no results, I'm afraid."))
    if isinstance(returned, list) and returned:
        details = ", ".join(f"{slot} {value}" for slot, value in returned[0].items() if slot not in ("id", "name"))
        words = f"I found {returned[0].get('name', returned[0].get('trainID'))}: {details}. Is that all right?"
    if isinstance(returned, dict) and returned.get("success"):
        words = f"Your booking is confirmed. The reference is {returned['return']['reference']}."
    elif isinstance(returned, dict) and "success" in returned:
        words = "Sorry, that could not be booked."
    return f"PLAN I tell them. <COMMAND_END>\nSPEAK {words}\n<COMMAND_END>"


def _tools(system: str) -> dict[str, Any]:
    lines = [json.loads(line) for line in system.splitlines() if line.startswith('{"name"')]
    return {line["name"]: line["parameters"]["properties"] for line in lines}


def _parameters(properties: Mapping[str, Any], lines: Sequence[str]) -> dict[str, str]:
    """What the lines say of each parameter; the last mention counts."""
    found: dict[str, str] = {}
    for line in lines:
        for slot, described in properties.items():
            for value in described.get("enum", ()):
                if re.search(rf"\b{re.escape(SAME.get(value, value))}\b", line) and slot not in ("stars", "departure"):
                    found[slot] = value
            if spoken := _number(slot, line):
                found[slot] = spoken
        if "departure" in properties and (route := re.search(r"from ([\w' -]+?) to ([\w' -]+?)(?: on |[.,?]|$)", line)):
            found |= {"departure": route[1], "destination": route[2]}
        if times := re.findall(r"\d\d:\d\d", line):
            wanted = (
                "time" if "time" in properties else "arriveBy" if re.search("arriv|gets? there|by", line) else "leaveAt"
            )
            found |= {wanted: times[-1]} if wanted in properties else {}
        for slot, words in (("internet", "internet|wifi"), ("parking", "parking")):
            if slot in properties and re.search(words, line):
                found[slot] = "no" if re.search(f"(?:no|without)[a-z ]*(?:{words})", line) else "yes"
    return found


def _number(slot: str, line: str) -> str:
    words = {"stars": r"[- ]stars?", "people": r" (?:people|persons?|guests?|tickets?|of us)", "stay": r" nights?"}
    match = re.search(rf"\b(\d|{'|'.join(NUMBERS)}){words[slot]}\b", line) if slot in words else None
    if match is None:
        return ""
    return match[1] if match[1].isdigit() else str(NUMBERS.index(match[1]))


def _offered(messages: Sequence[Message], properties: Mapping[str, Any]) -> dict[str, str]:
    """The name or train that the last search of this kind found, for a booking."""
    if not {"people"} & properties.keys():
        return {}
    unique = "trainID" if "trainID" in properties else "name"
    for message in reversed(messages):
        if message.content.startswith("APIRETURN [{"):
            (record, *_) = json.loads(message.content.removeprefix("APIRETURN "))
            return {unique: record[unique]} if unique in record else {}
    return {}


def user_model() -> ScriptedModel:
    """Plays the customer of the goal user: says the brief's sentences in order, then thanks and hangs up."""
    return ScriptedModel(_customer)


def _customer(messages: Sequence[Message], seed: int) -> Completion:
    (asked,) = messages
    wishes = re.findall(r"^\d+\. (.+)$", asked.content, re.M)
    said = len(re.findall(r"^CUSTOMER: ", asked.content, re.M))
    if said < len(wishes):
        return say(f"CUSTOMER: {wishes[said]}")
    return say("Thanks, that is all. Goodbye! END_CONVERSATION")


def coach_model() -> ScriptedModel:
    """Plays the coach of the guide user: quotes the recording's next line of the customer."""
    return ScriptedModel(_coach)


def _coach(messages: Sequence[Message], seed: int) -> Completion:
    (asked,) = messages
    _, _, rest = asked.content.partition("The recorded conversation:\n")
    recorded, _, current = rest.partition("\n\nThe conversation as it is now:\n")
    lines = re.findall(r"^CUSTOMER: (.+)$", recorded, re.M)
    said = len(re.findall(r"^CUSTOMER: ", current, re.M))
    if said < len(lines):
        return say(f'Advice:\nYou should go on as recorded.\nSuggested quote:\n"{lines[said]}"')
    return say('Advice:\nEnd it.\nSuggested quote:\n"Goodbye, and thanks." END_CONVERSATION')
