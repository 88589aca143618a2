"""The ReACT agent: PLAN, then APICALL or SPEAK, as text (arXiv 2409.04617, section 3.2 and tables 8-10).

Its tools stand in the system prompt, so the model is called without a `tools` argument. An answer comes back as a user
message `APIRETURN <json>`. A generation that cannot be read (`josh_engine.agents.commands`) or a call that the
environment refuses is answered with status FAILURE and why, and the model may try again.

Ours: a refusal is JSON too, so that every APIRETURN is; and an answer that is not JSON becomes a JSON string.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from josh_engine.agents.commands import Malformed, Speak, parse
from josh_engine.agents.generations import Heard
from josh_engine.agents.prompted import PromptedAgent
from josh_engine.messages import read_json
from josh_engine.ports import Environment
from josh_engine.prompting import filled
from josh_engine.values import Completion, Message, Preamble, Tool, ToolCall

NOTHING_DONE = "Nothing was done."


class ReactAgent(PromptedAgent):
    prompt = "react"
    planned = True

    def preamble(self, environment: Environment) -> Preamble:
        system = filled(self.text, {"policy": environment.policy, "tools": listed(environment.tools)})
        return Preamble((Message("system", system),))

    def hear(self, completion: Completion, number: int) -> Heard:
        return hear(completion, number, planned=self.planned)

    def tell(self, call: ToolCall) -> Message:
        return tell(call)


def hear(completion: Completion, number: int, *, planned: bool) -> Heard:
    message = Message("assistant", completion.content, sampled=True)
    command = parse(completion.content, planned=planned)
    if isinstance(command, Speak):
        return Heard(message, reply=command.text)
    if isinstance(command, Malformed):
        error = f"{command.reason} {NOTHING_DONE}"
        call = ToolCall(f"call_{number}", command.name, raw=command.raw, error=error, fault="format")
    else:
        call = ToolCall(f"call_{number}", command.name, command.parameters, command.raw)
    return Heard(message, (call,))


def tell(call: ToolCall) -> Message:
    """The call's answer as the model reads it."""
    if call.error is not None:
        said = json.dumps({"status": "FAILURE", "reason": call.error}, ensure_ascii=False)
    else:
        said = _as_json(call.answer)
    return Message("user", f"APIRETURN {said}")


def listed(tools: Sequence[Tool]) -> str:
    """The tools for a prompt: one JSON object a line, as the API field would have them."""
    lines = [{"name": each.name, "description": each.description, "parameters": each.parameters} for each in tools]
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)


def _as_json(answer: str) -> str:
    try:
        read_json(answer)
    except ValueError:
        return json.dumps(answer, ensure_ascii=False)
    return answer
