"""The ports: what the engine asks of its parts. Whatever has the verbs fits; nobody inherits.

Agents and users keep no state between turns: all they know is the path, so any node can be resumed, replayed or
re-run alone. `tests/contracts.py` proves the contract of a part in one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, Self

from josh_engine.values import (
    Completion,
    Event,
    Expansion,
    Goal,
    Grade,
    JournalEntry,
    Message,
    Played,
    Preamble,
    Question,
    Rollout,
    Sampling,
    Scenario,
    Tool,
    ToolCall,
    Turn,
)

if TYPE_CHECKING:
    from josh_engine.tree import Tree


class Environment(Protocol):
    """The stateful world of one conversation. It changes through `call` only. One that a call can end says so by an
    attribute `over`, one that takes no further call by `spent`: the turn then fails."""

    @property
    def tools(self) -> tuple[Tool, ...]: ...
    @property
    def policy(self) -> str:
        """What the agent is told of its job."""
        ...

    def call(self, call: ToolCall) -> ToolCall:
        """The call with its `result`, or its `error` and `fault`. Never raises for the model's mistake."""
        ...

    def fork(self) -> Self:
        """An independent environment in the same state. Cheap: copy on write, never a copy of a database."""
        ...

    def fingerprint(self) -> str:
        """Equal iff the states are."""
        ...


class ChatModel(Protocol):
    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        sampling: Sampling | None = None,
        seed: int | None = None,
    ) -> Completion:
        """One output. `sampling` None: the run's; `seed` None: the turn's next. Raises a ModelError."""
        ...


class Agent(Protocol):
    """Never sees the scenario or its goals."""

    def preamble(self, environment: Environment) -> Preamble: ...

    async def turn(self, path: Sequence[Turn], environment: Environment, model: ChatModel, seed: int) -> Turn:
        """One full turn after `path`, which ends in a user's turn. User turns come without their notes."""
        ...


class UserSimulator(Protocol):
    """Reads replies, never the agent's calls."""

    async def turn(
        self, scenario: Scenario, path: Sequence[Turn], environment: Environment, model: ChatModel, seed: int
    ) -> Turn:
        """One turn after `path`, which is empty or ends in an agent's turn; agent turns come with `reply` only."""
        ...


class Reward(Protocol):
    def reached(self, open_goals: Iterable[Goal], turn: Turn, environment: Environment) -> frozenset[str]:
        """Ids of the open goals this turn's calls achieve, in an environment as the turn left it.

        A call that returned an error achieves none; one call pays at most one goal."""
        ...

    def graded(self, scenario: Scenario, path: Sequence[Turn], environment: Environment) -> Grade | None:
        """The world's check of a finished conversation; None: the goals are all there is."""
        ...


class World(Protocol):
    """Tools, data, scenarios and reward together; a world's module offers `open_world(data: Path) -> World`."""

    @property
    def name(self) -> str: ...
    @property
    def splits(self) -> tuple[str, ...]: ...
    @property
    def reward(self) -> Reward: ...

    def scenarios(self, split: str) -> Sequence[Scenario]:
        """In the world's own order. Raises ConfigError for an unknown split, DatasetError for absent data."""
        ...

    def environment(self, scenario: Scenario) -> Environment:
        """The environment at the start of the conversation."""
        ...


class Journal(Protocol):
    """Where paid answers are kept: (rollout, node, call) -> the answer. Written before the answer is used."""

    def find(self, rollout: str, node: str, call: int) -> JournalEntry | None: ...
    def find_same(self, rollout: str, request: str) -> JournalEntry | None:
        """An earlier answer to an identical request in this rollout (used at temperature 0)."""
        ...

    async def keep(self, entry: JournalEntry) -> None:
        """Returns once the entry is committed."""
        ...


class Recorder(Protocol):
    """What the driver tells of a rollout. One `record` is one transaction: all of it is kept, or nothing."""

    def stored(self, rollout: str) -> Sequence[Event]:
        """The events kept so far, in order; for resume."""
        ...

    async def record(self, events: Sequence[Event], summary: Rollout) -> None:
        """Keep these events, which follow those kept, with the rollout's summary."""
        ...


class Strategy(Protocol):
    def ask(self, tree: Tree) -> Sequence[Expansion]:
        """The turns to play next, in tree order; empty when the search is over."""
        ...

    def tell(self, tree: Tree, played: Sequence[Played]) -> Sequence[Event]:
        """What the answers to the last `ask`, in its order, mean. The tree is the one that was asked."""
        ...


class Table(Protocol):
    """Where a person who plays a side finds what is asked, and leaves the answer."""

    def put(self, question: Question) -> None:
        """Asking the same again changes nothing."""
        ...

    def answer(self, question_id: str) -> Completion | None:
        """None: not yet."""
        ...

    def is_left(self) -> bool:
        """Whether nobody should be waited for any more: the run is to stop."""
        ...
