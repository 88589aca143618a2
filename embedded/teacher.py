"""The corpus' teacher: the rules of ToolWOZ's scripted agent, spoken as a ReACT model would, with the errors of
`embedded.mistakes`. Every generation is read back by the ReACT agent's own reader, so the corpus holds exactly what
that agent will hear. Determined by (temper, path, seed); it sees no scenario, goal or database.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random

from embedded.mistakes import TeacherSlips, Temper
from embedded.thoughts import before_a_call, before_words
from josh_engine.agents.react import ReactAgent, hear, tell
from josh_engine.ports import ChatModel, Environment
from josh_engine.values import Completion, Message, Preamble, ToolCall, Turn
from toolwoz.scripted_belief import believe
from toolwoz.scripted_play import Play, Said, Wanted
from toolwoz.vocabulary import vocabulary

CALL = "PLAN {plan}<COMMAND_END>APICALL {call}<COMMAND_END>"
SPEAK = "PLAN {plan}<COMMAND_END>SPEAK {words}<COMMAND_END>"


class Teacher:
    """One conversation's teacher."""

    def __init__(self, its: Temper, max_generations: int = 10) -> None:
        self.temper, self.max_generations = its, max_generations

    def preamble(self, environment: Environment) -> Preamble:
        return ReactAgent().preamble(environment)

    async def turn(self, path: Sequence[Turn], environment: Environment, model: ChatModel, seed: int) -> Turn:
        return self.play(path, environment, seed)

    def play(self, path: Sequence[Turn], environment: Environment, seed: int) -> Turn:
        words = vocabulary(environment.tools)
        belief, random = believe(path, words), Random(seed)
        script = Play(belief, words, TeacherSlips(random, self.temper), random).script()
        messages: list[Message] = []
        calls: list[ToolCall] = []
        for _ in range(self.max_generations):
            last = calls[-1] if calls else None
            try:
                wanted = script.send(last) if last else next(script)
            except StopIteration as finished:
                return _spoken(finished.value, messages, calls=calls, random=random)
            failed = last is not None and last.error is not None
            content = CALL.format(plan=before_a_call(wanted, failed, random), call=_written(wanted))
            heard = hear(Completion(content), belief.calls + len(calls) + 1, planned=True)
            call = heard.calls[0] if heard.calls[0].fault else environment.call(heard.calls[0])
            calls.append(call)
            messages += [heard.message, tell(call)]
        return Turn("agent", tuple(messages), tuple(calls), stop="failed")


def _spoken(said: Said, messages: list[Message], *, calls: list[ToolCall], random: Random) -> Turn:
    plan = before_words(said, calls[-1] if calls else None, random)
    content = SPEAK.format(plan=plan, words=said.text)
    heard = hear(Completion(content), 0, planned=True)
    notes = {name: value for name, value in (("asked", list(said.asked)), ("claimed", said.claimed)) if value}
    return Turn("agent", (*messages, heard.message), tuple(calls), heard.reply, notes=notes)


def _written(wanted: Wanted) -> str:
    """The call as the model writes it; a broken one is no JSON."""
    call = json.dumps({"name": wanted.name, "parameters": dict(wanted.arguments)}, ensure_ascii=False)
    return call.replace(json.dumps(dict(wanted.arguments), ensure_ascii=False), wanted.raw) if wanted.broken else call
