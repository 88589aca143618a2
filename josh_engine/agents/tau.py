"""τ-bench's agents. ReACT and ACT write JSON: what follows the last `Action:` is one object, a tool or `respond`. The
tool-calling one makes the first call of an output; further ones are dropped, and not kept in the conversation.

Source: τ-bench's agents, https://github.com/sierra-research/tau-bench at 59a200c. As there, text that is not JSON is a
reply as it stands; JSON without name and arguments, which ends an episode there with an error, is here a malformed
output that the agent is told of. Results are read in the user's role, after "API output: ".
"""

from __future__ import annotations

import json
from dataclasses import replace

from josh_engine.agents.function_calling import FunctionCallingAgent
from josh_engine.agents.function_calling import hear as hear_calls
from josh_engine.agents.generations import Heard
from josh_engine.agents.prompted import PromptedAgent
from josh_engine.messages import read_json, wire_tools, without_thoughts
from josh_engine.ports import Environment
from josh_engine.prompting import filled
from josh_engine.values import Completion, Message, Preamble, ToolCall

ACTION, RESPOND, TOLD = "Action:", "respond", "API output: "
NO_ACTION = 'Write {"name": ..., "arguments": {...}} after Action:. Nothing was done.'


class TauReactAgent(PromptedAgent):
    prompt = "tau_react"

    def preamble(self, environment: Environment) -> Preamble:
        tools = json.dumps(wire_tools(environment.tools))
        system = filled(self.text, {"policy": environment.policy, "tools": tools})
        return Preamble((Message("system", system),), ())

    def hear(self, completion: Completion, number: int) -> Heard:
        return hear(completion, number)

    def tell(self, call: ToolCall) -> Message:
        return Message("user", f"{TOLD}{call.answer}")


class TauActAgent(TauReactAgent):
    prompt = "tau_act"


class TauFunctionCallingAgent(FunctionCallingAgent):
    prompt = "tau_function_calling"

    def hear(self, completion: Completion, number: int) -> Heard:
        return hear_calls(replace(completion, tool_calls=completion.tool_calls[:1]), number)


def hear(completion: Completion, number: int) -> Heard:
    message = Message("assistant", completion.content, sampled=True)
    written = without_thoughts(completion.content).rpartition(ACTION)[2].strip()
    try:
        action = read_json(_unfenced(written))
    except ValueError:
        if written:
            return Heard(message, reply=written)
        action = None
    name, arguments = (action.get(part) if isinstance(action, dict) else None for part in ("name", "arguments"))
    if not isinstance(name, str) or not isinstance(arguments, dict):
        named = name if isinstance(name, str) else ""
        return Heard(message, (ToolCall(f"call_{number}", named, raw=written, error=NO_ACTION, fault="format"),))
    if name == RESPOND and isinstance(words := arguments.get("content"), str) and words.strip():
        return Heard(message, reply=words)
    return Heard(message, (ToolCall(f"call_{number}", name, arguments, json.dumps(arguments)),))


def _unfenced(text: str) -> str:
    """Without the code fence that a model may put around its JSON."""
    if not text.startswith("```"):
        return text
    return text.removeprefix("```").removeprefix("json").rpartition("```")[0].strip()
