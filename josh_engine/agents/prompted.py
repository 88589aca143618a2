"""What the agents of this package share: one prompt text, and turns in the loop of `josh_engine.agents.generations`. A
form of speech is a subclass with `preamble`, `hear` and `tell`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from josh_engine.agents.generations import Heard, play_turn
from josh_engine.ports import ChatModel, Environment
from josh_engine.prompting import prompt_text
from josh_engine.values import Completion, Message, Preamble, ToolCall, Turn


class PromptedAgent(ABC):
    """`prompts`: edited texts by name; without one of this agent's the shipped text is used."""

    needs_model = True
    prompt: str

    def __init__(self, max_generations: int = 10, prompts: Mapping[str, str] | None = None) -> None:
        self.max_generations = max_generations
        self.text = prompt_text(self.prompt, prompts)

    @abstractmethod
    def preamble(self, environment: Environment) -> Preamble: ...

    @abstractmethod
    def hear(self, completion: Completion, number: int) -> Heard:
        """One generation read; `number`: of its first call."""

    @abstractmethod
    def tell(self, call: ToolCall) -> Message:
        """An answered call as the model reads it."""

    async def turn(self, path: Sequence[Turn], environment: Environment, model: ChatModel, seed: int) -> Turn:
        return await play_turn(
            path,
            environment,
            model,
            preamble=self.preamble(environment),
            hear=self.hear,
            tell=self.tell,
            max_generations=self.max_generations,
        )
