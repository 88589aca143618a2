"""The guide user simulator: a coach keeps the conversation near a human one (arXiv 2409.04617, table 12).

The coach sees the brief, the scenario's human transcript and the conversation so far; it gives advice and a suggested
quote. The quote is spoken; the advice goes into the turn's notes, so no row and no agent ever sees it.

Decided here: an answer without the words "Suggested quote" is used if it is one quotation or shows no trace of the
form; advice is never spoken for a quote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from josh_engine.errors import ConfigError
from josh_engine.messages import without_thoughts
from josh_engine.ports import ChatModel, Environment
from josh_engine.prompting import filled, prompt_text
from josh_engine.users.asking import ask
from josh_engine.users.speech import HANG_UP, Speech, heard, numbered, spoken, transcript, written_down
from josh_engine.values import Message, Scenario, Turn

FORM = 'Answer with the lines "Advice:" and "Suggested quote:", and put the customer\'s words in quotation marks.'
_QUOTE = re.compile(r"[*#_\s]*suggested\s+quote[*_\s]*:?[*_\s]*", re.I)
_ADVICE = re.compile(r"[*#_\s]*advice[*_\s]*:[*_\s]*", re.I)
_QUOTED = re.compile(r"[\"“](.*?)[\"”](?=\s|END|\Z)", re.S)


@dataclass(frozen=True, slots=True)
class Advice:
    """What the coach says: to the simulator, and for it."""

    advice: str
    speech: Speech


class GuideUser:
    """`prompts`: edited texts by name; without `guide` the shipped text is used."""

    needs_model = True
    needs_guide = True
    prompt = "guide"

    def __init__(self, prompts: Mapping[str, str] | None = None) -> None:
        self.text = prompt_text(self.prompt, prompts)

    async def turn(
        self, scenario: Scenario, path: Sequence[Turn], environment: Environment, model: ChatModel, seed: int
    ) -> Turn:
        if not scenario.guide:
            raise no_transcript(scenario.id)
        places = {"brief": numbered(scenario), "guide": transcript(scenario.guide), "conversation": written_down(path)}
        advice = await ask(model, [Message("user", filled(self.text, places))], read_advice, form=FORM)
        return spoken(advice.speech, path, {"advice": advice.advice})


def no_transcript(scenario_id: str) -> ConfigError:
    return ConfigError(
        f"Scenario {scenario_id!r} has no human conversation, which a guide user follows.",
        remedy="Choose the goal user (--user goal), or a world whose scenarios have one (ToolWOZ from MultiWOZ).",
    )


def read_advice(content: str) -> Advice | None:
    """The coach's answer; None where no words for the customer can be told from the advice."""
    content = without_thoughts(content)
    parts = _QUOTE.split(content, maxsplit=1)
    if len(parts) == 2:
        return _checked(_ADVICE.sub("", parts[0], count=1).strip(), parts[1])
    if _ADVICE.search(content):
        bare = HANG_UP.sub("", content).strip()
        return Advice(_ADVICE.sub("", bare, count=1).strip(), Speech("", True)) if HANG_UP.search(content) else None
    return _checked("", content)


def _checked(advice: str, quote: str) -> Advice | None:
    """The quoted words, or all words where none are quoted; END_CONVERSATION may stand inside or outside."""
    quoted, hangs_up = _QUOTED.search(quote), HANG_UP.search(quote) is not None
    speech = heard(quoted[1] if quoted else quote)
    words = speech.words if speech else ""
    return Advice(advice, Speech(words, hangs_up)) if words or hangs_up else None
