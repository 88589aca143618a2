"""A domain-free fake user: says its lines in order and hangs up with the last one."""

from __future__ import annotations

from collections.abc import Sequence

from josh_engine.ports import ChatModel, Environment
from josh_engine.values import Message, Scenario, Turn


class ScriptedUser:
    """`lines` None: the scenario's brief. Never hangs up when `patient`: the last line is said again."""

    def __init__(self, lines: Sequence[str] | None = None, *, patient: bool = False) -> None:
        self.lines = lines
        self.patient = patient

    async def turn(
        self, scenario: Scenario, path: Sequence[Turn], environment: Environment, model: ChatModel, seed: int
    ) -> Turn:
        lines = list(self.lines if self.lines is not None else scenario.brief) or ["Hello."]
        said = sum(turn.speaker == "user" for turn in path)
        hangs_up = said >= len(lines) and not self.patient
        text = "Goodbye." if hangs_up else lines[min(said, len(lines) - 1)]
        return Turn("user", (Message("user", text),), reply=text, stop="ended" if hangs_up else "spoke")


class ModelledUser:
    """Says what its model says, and hangs up when that holds END_CONVERSATION (the words before it are kept).

    It sends the brief and both sides' replies, so equal conversations ask equal questions.
    """

    async def turn(
        self, scenario: Scenario, path: Sequence[Turn], environment: Environment, model: ChatModel, seed: int
    ) -> Turn:
        asked = [Message("system", "\n".join(scenario.brief))]
        for turn in path:  # the simulator's own lines are the assistant's side of its chat
            asked.append(Message("user" if turn.speaker == "agent" else "assistant", turn.reply or ""))
        completion = await model.complete(asked)
        text, _, ending = completion.content.partition("END_CONVERSATION")
        ended = ending != "" or completion.content.endswith("END_CONVERSATION")
        text = text.strip()
        return Turn("user", (Message("user", text),), reply=text, stop="ended" if ended else "spoke")
