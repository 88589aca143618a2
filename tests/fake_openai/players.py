"""Agent and customer as the fake endpoint plays them, by the request's content and seed alone.

The agent answers in the form it is asked for: tool calls where there are `tools`, ReACT's commands where the system
prompt speaks of them. It makes mistakes too, malformed calls among them, so that searches have something to prune.
The customer (temperature 0) goes by the content alone, whatever the seed.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from typing import Any

from tests.fake_openai.chats import called, said

Json = Any
USEFUL, MALFORMED = 0.35, 0.42  # shares of an agent's answers to a customer, cumulated
_TOOL = re.compile(r'^\{"name": "(\w+)", "description"', re.MULTILINE)
GOODBYE = "Thank you, that was all. Goodbye. END_CONVERSATION"


def play(body: Json) -> Json:
    messages = body["messages"]
    if messages[0]["role"] == "user":
        return counted(customer(messages[0]["content"]), messages)
    chance = random.Random(f"{body.get('seed')}/{digest(messages)}")
    if "tools" in body:
        return counted(in_tools(messages, [tool["function"]["name"] for tool in body["tools"]], chance), messages)
    names = _TOOL.findall(messages[0]["content"])
    return counted(in_commands(messages, names, chance) if names else said(words(chance)), messages)


def customer(prompt: str) -> Json:
    said_before = prompt.count("\nCUSTOMER: ")
    wish = (re.findall(r"^\d+\. (.*)$", prompt, re.MULTILINE) or ["a hotel"])[0]
    return said(GOODBYE if said_before >= 5 else f"Please see to it, {said_before}: {wish}")


def in_tools(messages: list[Json], names: list[str], chance: random.Random) -> Json:
    drawn = chance.random()
    if messages[-1]["role"] == "user" and drawn < USEFUL:
        return called(chance.choice(names), chance.choice(('{"a": "b"}', {"a": "b"}, "")), content="One moment.")
    if drawn < MALFORMED:
        return called(chance.choice((*names, "no_such_tool")), chance.choice(('{"broken', ["b"], float("nan"))))
    return said(words(chance))


def in_commands(messages: list[Json], names: list[str], chance: random.Random) -> Json:
    drawn = chance.random()
    if not messages[-1]["content"].startswith("APIRETURN") and drawn < USEFUL:
        call = json.dumps({"name": chance.choice(names), "parameters": {"a": "b"}})
        return said(f"PLAN I look it up. <COMMAND_END>\nAPICALL {call} <COMMAND_END>")
    if drawn < MALFORMED:
        return said(chance.choice(("PLAN hm <COMMAND_END>", 'APICALL {"name": <COMMAND_END>', "SPEAK {")))
    return said(f"PLAN I ask. <COMMAND_END>\nSPEAK {words(chance)} <COMMAND_END>")


def words(chance: random.Random) -> str:
    return f"{chance.choice(('Anything else?', 'One moment.', 'I see.'))} ({chance.randrange(1000)})"


def counted(answer: Json, messages: list[Json]) -> Json:
    """With tokens as a server would count them, near enough: one for every four characters."""
    prompt = sum(len(each["content"] or "") for each in messages) // 4
    completion = len(json.dumps(answer["choices"][0]["message"])) // 4
    return answer | {"usage": {"prompt_tokens": prompt, "completion_tokens": completion}}


def digest(value: Json) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
