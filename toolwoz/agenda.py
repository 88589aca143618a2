"""The offline user: a customer with an agenda, played by rules. No model, no network, well under a millisecond.

Ours (the paper's users are language models, Tables 11 and 12); the idea of an agenda is the classic one. The parts of
`scenario.setup` are played in order. In each, the user makes its first wish (`fail_info`), moves on to the real one
whatever came back, tells a few slots at a time, answers what it is asked, corrects a wrong offer, asks for what it
wants to know, and books: the wrong wish first where there is one (`fail_book`), then always the right values.

Decided here: the user compares an offer with its wishes by the values that the reply names, never with the record
that the scenario wants. It gives up a part after a few unproductive turns. It hangs up only in answer to a reply
that came after everything was said, so the agent always had a turn to act. "The same day" and "the same group" are
said only where the value was said in an earlier part.

Determined by (scenario, path, seed). Its own notes on the path say how far it is; without them it starts again.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from josh_engine.ports import ChatModel, Environment
from josh_engine.values import Message, Scenario, Stop, Turn
from toolwoz.agenda_progress import Progress, kept, parts_of, recall
from toolwoz.agenda_reading import Reply, read_reply
from toolwoz.agenda_speech import Act, speak
from toolwoz.agenda_stages import Agenda
from toolwoz.vocabulary import vocabulary

NOTHING_TO_ASK = "Never mind, I have all I need. Goodbye."  # a scenario without parts


class AgendaUser:
    """The rule-based user simulator; needs no model."""

    async def turn(
        self, scenario: Scenario, path: Sequence[Turn], environment: Environment, model: ChatModel, seed: int
    ) -> Turn:
        parts = parts_of(scenario)
        words = vocabulary(environment.tools)
        random = Random(seed)
        progress = recall(path)
        if not parts:
            return _spoken(NOTHING_TO_ASK, Progress(stage="over"), acts=())
        domain = parts[min(progress.part, len(parts) - 1)].domain
        reply = read_reply(path[-1].reply or "", domain, words) if path else Reply()
        agenda = Agenda(parts, progress, reply=reply, random=random)
        acts = agenda.next_acts()
        foods = frozenset(words.values.get(("restaurant", "food"), ()))
        return _spoken(speak(acts, agenda.speaking_of, foods, random), agenda.progress, acts=acts)


def _spoken(text: str, progress: Progress, *, acts: Sequence[Act]) -> Turn:
    notes = {**kept(progress), "acts": [act.kind for act in acts]}
    stop: Stop = "ended" if progress.stage == "over" else "spoke"
    return Turn("user", (Message("user", text),), reply=text, stop=stop, notes=notes)
