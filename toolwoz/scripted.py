"""The offline agent: plays ToolWOZ by rules, well enough to learn from and badly enough to need it. No model.

It stands where a language model would (section 3 of the paper: an agent with tool calls in OpenAI's form) and sees
what one would see: the conversation, the policy, the tools, and the results of its own calls. It never sees a
scenario, a goal or a database. All it knows is derived from the path; its mistakes and wording are drawn from the
turn's seed alone, so siblings differ and a rerun does not. One assistant message is one generation.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from josh_engine.ports import ChatModel, Environment
from josh_engine.values import Json, Message, Preamble, ToolCall, Turn, Usage
from toolwoz.scripted_belief import believe
from toolwoz.scripted_play import Play, Said, Script, Wanted
from toolwoz.scripted_slips import Slips
from toolwoz.vocabulary import vocabulary

INSTRUCTIONS = """\
Answer the guest in one or two friendly sentences. Call a tool as soon as you know enough to, one call at a time, \
with exactly what the guest told you. When a call comes back with an error, correct it and call again."""
UNREADABLE = "Error: the arguments are not valid JSON."


class ScriptedAgent:
    """A rule-based agent that makes seeded mistakes; needs no model. A turn with more than `max_generations`
    generations has failed."""

    def __init__(self, max_generations: int = 10) -> None:
        self.max_generations = max_generations

    def preamble(self, environment: Environment) -> Preamble:
        return Preamble((Message("system", f"{environment.policy}\n\n{INSTRUCTIONS}"),), environment.tools)

    async def turn(self, path: Sequence[Turn], environment: Environment, model: ChatModel, seed: int) -> Turn:
        words = vocabulary(environment.tools)
        belief = believe(path, words)
        random = Random(seed)
        slips = Slips(random)
        script = Play(belief, words, slips, random).script()
        return self._perform(script, environment, earlier=belief.calls, slips=slips)

    def _perform(self, script: Script, environment: Environment, *, earlier: int, slips: Slips) -> Turn:
        """Plays the script out against the environment, generation by generation."""
        messages: list[Message] = []
        calls: list[ToolCall] = []
        answered: ToolCall | None = None
        for generation in range(1, self.max_generations + 1):
            try:
                wanted = next(script) if answered is None else script.send(answered)
            except StopIteration as finished:
                said: Said = finished.value
                messages.append(Message("assistant", said.text, sampled=True))
                notes = _notes(slips, asked=said.asked, claimed=said.claimed)
                return Turn(
                    "agent", tuple(messages), tuple(calls), said.text, usage=Usage(calls=generation), notes=notes
                )
            answered = _answered(wanted, environment, number=earlier + len(calls) + 1)
            asked = ToolCall(answered.id, answered.name, answered.arguments, answered.raw)
            messages.append(Message("assistant", wanted.words, tool_calls=(asked,), sampled=True))
            messages.append(Message("tool", answered.answer, tool_call_id=answered.id))
            calls.append(answered)
        usage, notes = Usage(calls=self.max_generations), _notes(slips)
        return Turn("agent", tuple(messages), tuple(calls), stop="failed", usage=usage, notes=notes)


def _answered(wanted: Wanted, environment: Environment, *, number: int) -> ToolCall:
    """The call made; one that cannot be read is answered here and never reaches the environment."""
    if wanted.broken:
        return ToolCall(f"call_{number}", wanted.name, raw=wanted.raw, error=UNREADABLE, fault="format")
    return environment.call(ToolCall(f"call_{number}", wanted.name, wanted.arguments, raw=wanted.raw))


def _notes(slips: Slips, *, asked: tuple[str, ...] = (), claimed: bool = False) -> dict[str, Json]:
    """What the agent's later turns need of this one, and which mistakes it made."""
    kept = {"slips": list(slips.made), "asked": list(asked), "claimed": claimed}
    return {name: value for name, value in kept.items() if value}
