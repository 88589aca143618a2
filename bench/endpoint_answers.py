"""What the endpoint of the measurements answers: the tests' rule-based ReACT agent and customer, over the wire."""

from __future__ import annotations

from typing import Any

from josh_engine.values import Message
from tests import react_rules
from tests.fake_openai.chats import said

Json = Any
ANSWER = "PLAN I have what I need. <COMMAND_END>\nSPEAK " + "There are several that fit what you told me. " * 5


def play(body: Json) -> Json:
    """Agent and customer, by content and seed."""
    messages = [Message(each["role"], each["content"]) for each in body["messages"]]
    model = USER if messages[0].role == "user" else AGENT
    return said(model.answer(messages, body.get("seed") or 0).content)


def speak(body: Json) -> Json:
    """Always the same, about as long as a real generation."""
    return said(ANSWER)


AGENT, USER = react_rules.agent_model(), react_rules.user_model()
