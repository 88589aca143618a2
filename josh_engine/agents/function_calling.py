"""The function-calling agent: tools in the API field, calls as `tool_calls`, answers as messages of role `tool`.

Source: arXiv 2409.04617, section 3.2 (FC). Every call the model made is made, in order. Ours: ids are canonical
(`call_<n>` along the path) in place of the endpoint's own, so that equal turns are equal; unreadable arguments are
quoted in the tool's answer, since the request that follows cannot hold them (`josh_engine.messages`); words beside
calls are kept in the conversation, but the reply is what is said without a call, and without the thoughts that a
reasoning model may write in front. Answers without words and calls never come here (`models/finishes.py`).
"""

from __future__ import annotations

from dataclasses import replace

from josh_engine.agents.generations import Heard
from josh_engine.agents.prompted import PromptedAgent
from josh_engine.messages import parse_arguments, without_thoughts
from josh_engine.ports import Environment
from josh_engine.prompting import filled
from josh_engine.values import Completion, Message, Preamble, ToolCall

NO_JSON = "The arguments are not a JSON object. Nothing was done. They were: "


class FunctionCallingAgent(PromptedAgent):
    prompt = "function_calling"

    def preamble(self, environment: Environment) -> Preamble:
        system = filled(self.text, {"policy": environment.policy})
        return Preamble((Message("system", system),), environment.tools)

    def hear(self, completion: Completion, number: int) -> Heard:
        return hear(completion, number)

    def tell(self, call: ToolCall) -> Message:
        return tell(call)


def hear(completion: Completion, number: int) -> Heard:
    asked = tuple(replace(call, id=f"call_{number + index}") for index, call in enumerate(completion.tool_calls))
    message = Message("assistant", completion.content, asked, sampled=True)
    if asked:
        return Heard(message, tuple(map(_read, asked)))
    return Heard(message, reply=without_thoughts(completion.content))


def tell(call: ToolCall) -> Message:
    """The call's answer as the model reads it."""
    return Message("tool", call.answer, tool_call_id=call.id)


def _read(call: ToolCall) -> ToolCall:
    """The call with its arguments, or with what is wrong with them."""
    if not call.raw:
        return call
    arguments = parse_arguments(call.raw)
    if arguments is None:
        return replace(call, arguments={}, error=NO_JSON + call.raw, fault="format")
    return replace(call, arguments=arguments)
