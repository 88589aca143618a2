"""The central values: frozen data without behaviour beyond questions about itself.

Everything JOSH knows about a search is one of these. They are validated once, where foreign data enters, and
serialised by `josh_engine.encoding`. Names follow arXiv 2409.04617; where we had to choose, the class says so.
This module refuses to know where anything is stored, shown or computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = Any  # what json.loads can return
Speaker = Literal["user", "agent"]
Stop = Literal["spoke", "ended", "failed"]
Fault = Literal["format", "unknown_tool", "bad_argument", "refused", "cut", "empty"]
Label = Literal["ideal", "negative", "partial", "off_path", "open"]
Why = Literal["all_goals_won", "no_live_leaf", "depth_exhausted", "ended"]
Reason = Literal["not_continued", "turn_failed", "partial_credit", "conversation_ended", "lost_race", "depth_exhausted"]
State = Literal["queued", "running", "paused", "done", "failed", "cancelled"]
Judgement = Literal[
    "good", "bad", "partial", "exclude", "promote",
    "left", "right", "both_fine", "both_bad", "cannot_tell", "users_fault",
    "withdraw",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Goal:
    """A sparse reward: the call `name(arguments)` (section 2.1: "a predefined correct tool or API call").

    Equal goals have different ids; one call pays at most one goal. `record` is the one database record the call must
    find, where the world has one (ToolWOZ: the booking's unique id); None: any.
    """

    id: str
    name: str
    arguments: Mapping[str, Json] = field(default_factory=dict)
    record: str | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is to be played. `brief`: what the user wants, in order; `guide`: the human transcript for the guide
    simulator, user first, alternating; `setup`: what the world needs to build the environment and its own players."""

    id: str
    world: str
    split: str
    brief: tuple[str, ...]
    goals: tuple[Goal, ...]
    guide: tuple[str, ...] = ()
    setup: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as OpenAI's `tools` takes it; `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool use. Asked for: `id`, `name`, `arguments`, `raw`; answered: exactly one of `result` and `error`.

    `id` is canonical: `call_<n>`, n counted from 1 along the path, so equal turns are equal; requests and rows hold it
    in nine characters (`messages.wire_id`). `raw` is the text the model emitted for its arguments. `arguments` is empty
    where `raw` could not be parsed. `result` and `error` are the text the agent reads. `fault` types the error:
    `format` (unparsable), `unknown_tool`, `bad_argument` (nonexistent argument, or a value of the wrong type),
    `refused` (the tool said no); None where there is no error. The first is the paper's "incorrect API format", the
    next two its "bad API use" (Table 4a). `cut` and `empty` stand for a generation that was no move
    (`models/finishes.py`) and ended the turn.
    """

    id: str
    name: str
    arguments: Mapping[str, Json] = field(default_factory=dict)
    raw: str = ""
    result: str | None = None
    error: str | None = None
    fault: Fault | None = None

    @property
    def answer(self) -> str:
        """What the agent reads back; empty while the call has not been made."""
        return self.error if self.error is not None else self.result or ""

    @property
    def reached(self) -> bool:
        """Whether the environment got to see it: what could not be read, or was no move, never does."""
        return self.fault not in ("format", "cut", "empty")


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message in OpenAI's roles. `sampled`: the model in training wrote it, so a row may train on it."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    sampled: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """Work done: `calls` counts model outputs (generations). Tokens are 0 where the model does not tell."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """One side's whole turn, in three views: train on `messages`, score `calls`, simulate from `reply`.

    `stop`: `spoke`; `ended` (the user hung up, or the agent handed over); `failed` (no reply within
    `max_generations`, or a generation that was no move). `notes`: what a part keeps for itself; never in a row, never
    shown to the other side.
    A user's turn holds one user message, and calls only where others played it (τ²-bench's customers have tools); an
    agent's turn holds, in order, assistant messages and what its calls answered (role tool; where calls are text, as in
    ReACT, role user). A malformed generation stays in `messages`, and stands in `calls` with fault `format`.
    """

    speaker: Speaker
    messages: tuple[Message, ...]
    calls: tuple[ToolCall, ...] = ()
    reply: str | None = None
    stop: Stop = "spoke"
    usage: Usage = Usage()
    notes: Mapping[str, Json] = field(default_factory=dict)

    @property
    def cut(self) -> bool:
        """Whether a generation in it was no move. Nobody can say how it would have gone on, so it is in no row."""
        return any(call.fault in ("cut", "empty") for call in self.calls)


@dataclass(frozen=True, slots=True)
class Preamble:
    """System messages and tools exactly as the agent's model gets them, so that rows equal requests.

    `tools` is empty where the model is called without a `tools` argument (ReACT and ACT name theirs in the prompt).
    """

    messages: tuple[Message, ...] = ()
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """A turn in its place. `id` is its address (see `josh_engine.tree`); `parent` is None for the first user turn.

    `goals`: the goals open when the turn began that it reached, whether or not the search booked them.
    """

    id: str
    parent: str | None
    turn: Turn
    goals: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Expansion:
    """What `ask` wants: the turn `node`, played by `speaker` after `parent` (None: on the empty conversation)."""

    node: str
    parent: str | None
    speaker: Speaker


@dataclass(frozen=True, slots=True)
class Played:
    """What came back: the turn, and the open goals that its calls reached."""

    expansion: Expansion
    turn: Turn
    goals: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pruned:
    """Why an agent turn is not on the ideal path. `link`: the winner (`lost_race`) or a goal (`partial_credit`)."""

    node: str
    reason: Reason
    link: str | None = None


@dataclass(frozen=True, slots=True)
class SearchStarted:
    scenario: Scenario
    preamble: Preamble


@dataclass(frozen=True, slots=True)
class NodeAdded:
    node: Node


@dataclass(frozen=True, slots=True)
class GoalsWon:
    """The search books these goals to this node (Algorithm 1, lines 18-22)."""

    node: str
    goals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Collapsed:
    """The frontier became `root` alone (Algorithm 1, line 20)."""

    root: str
    pruned: tuple[Pruned, ...]


@dataclass(frozen=True, slots=True)
class SearchEnded:
    why: Why
    pruned: tuple[Pruned, ...] = ()


Event = SearchStarted | NodeAdded | GoalsWon | Collapsed | SearchEnded


@dataclass(frozen=True, slots=True)
class Verdict:
    """A person's judgement: an append-only overlay on the derived labels, never an edit of a tree.

    On a turn (`rival` None): good, bad, partial, exclude, promote. On a pair (`rival` is the other node): left,
    right, both_fine, both_bad, cannot_tell, users_fault; `side` says where `node` stood ("left" or "right").
    `adjudicates`: it settles what auditors say of the pair. `created` is an ISO 8601 time in UTC. `supersedes` is the
    id of the verdict this one replaces; `withdraw` takes the one it supersedes back, and what stood before it stands
    again (`josh_engine.verdicts`).
    """

    id: str
    rollout: str
    node: str
    verdict: Judgement
    auditor: str
    created: str
    rival: str | None = None
    reason: str = ""
    blind: bool = False
    side: Literal["left", "right"] | None = None
    supersedes: str | None = None
    adjudicates: bool = False


@dataclass(frozen=True, slots=True)
class PreferencePair:
    """A good and a bad turn from the same user turn (section 2.2). They may differ in number of generations, which
    is why the paper trains with KTO."""

    prompt: tuple[Turn, ...]
    chosen: Turn
    rejected: Turn


@dataclass(frozen=True, slots=True)
class Grade:
    """A world's check of the end state. `reward` in 0..1; `detail` in words."""

    reward: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Rollout:
    """One scenario's search within a run, summed up. `error` is set iff the world failed, not the model.

    `goals` is |G| at the start, `won` how many of them the search booked, `grade` the world's own check (None: it
    has none). `seconds` is wall time; `critical_seconds` is the sum over asks of the slowest turn; `usd` None: the
    price is unknown.
    """

    id: str
    run_id: str
    scenario_id: str
    trial: int
    state: State = "queued"
    error: str | None = None
    goals: int = 0
    won: int = 0
    grade: float | None = None
    depth: int = 0
    nodes: int = 0
    events: int = 0
    usage: Usage = Usage()
    usd: float | None = 0.0
    seconds: float = 0.0
    critical_seconds: float = 0.0

    @property
    def average_reward(self) -> float | None:
        """Goals won / goals at the start (section 2.1). None: a scenario without goals."""
        return self.won / self.goals if self.goals else None

    @property
    def success(self) -> bool:
        """100 % success: the world's grade where it has one, else every goal won (section 4.1)."""
        if self.grade is not None:
            return self.grade >= 1.0
        return self.goals > 0 and self.won == self.goals


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a model samples. None: left to the endpoint."""

    temperature: float = 1.0  # Appendix B: 1.0 for GPT; 1.5 for llama-3-8B (preset `paper`)
    top_p: float | None = None  # Appendix B: 0.75 for llama-3-8B
    top_k: int | None = None  # Appendix B: 50 for llama-3-8B
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """One model output. `tool_calls` carry name and raw arguments as the endpoint gave them; the agent parses.
    `usage` and `usd` count the answers too that were no move and were asked for again (`models/journal.py`)."""

    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    finish: str = "stop"
    usage: Usage = Usage(calls=1)
    usd: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Question:
    """What a person who plays a side is asked; the answer is a Completion. `id`: the hash of messages and tools, so
    the same question after a crash finds the answer that was given before it."""

    id: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A paid answer. `call` counts the turn's model calls from 0; `request` is the hash of what was asked;
    `seconds` is how long the answer took."""

    rollout: str
    node: str
    call: int
    request: str
    completion: Completion
    seconds: float
