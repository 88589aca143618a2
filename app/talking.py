"""A person plays one side of a conversation: starting it, what is asked and was said, answering.

A talk is a run like any other: strategy greedy, one scenario, the model `person` on one side. Its process waits for
the answer; where it has ended meanwhile (a crash, a long silence), answering starts it again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from app import catalog, jobs, parts, services, viewing
from app.settings import RunRequest, build_config
from josh_engine.config import Run
from josh_engine.errors import ConfigError
from josh_engine.models.finishes import HUNG_UP
from josh_engine.tree import Tree, path
from josh_engine.values import Completion, Message, Question, Rollout, Scenario, ToolCall
from storage import runs
from storage.database import Store
from storage.table import give_answer, open_question

Side = Literal["user", "agent"]
SIDES: Sequence[Side] = ("user", "agent")
PERSONS_AGENT = "function_calling"  # tools in a form of their own, which a person fills in
MAX_EXCHANGES = 40  # a person may take longer to the point than a simulator
LONGEST = 4_000  # characters of one answer


@dataclass(frozen=True, slots=True)
class TalkRequest:
    """Who plays whom where. `other` is the agent or user on the other side, `model` its model (None: it needs none,
    or the embedded one)."""

    side: Side
    world: str
    split: str
    scenario: str
    other: str
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the conversation as the person sees it. `who`: user, agent, call, or answer (of a tool)."""

    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Talk:
    """A talk as it stands. `state`: as `jobs.shown_state`. `question` None: the other side's turn, or it is over."""

    run: Run
    state: str
    side: Side
    rollout: Rollout
    scenario: Scenario
    tree: Tree
    question: Question | None
    lines: tuple[Line, ...]

    @property
    def over(self) -> bool:
        return self.state in ("done", "cancelled")

    @property
    def stamp(self) -> tuple[str, str, int]:
        """Changes when the page should be drawn anew."""
        return self.state, self.question.id if self.question else "", len(self.lines)


def start_talk(store: Store, request: TalkRequest, data: Path | None = None) -> Run:
    """Creates the run and starts it in a child process. Raises ConfigError, MissingKey."""
    place = data or services.data_path(store.path)
    plain = RunRequest(
        world=request.world,
        split=request.split,
        scenarios=(request.scenario,),
        strategy="greedy",
        depth=MAX_EXCHANGES,
    )
    if request.side == "user":
        wanted = replace(
            plain, agent=request.other, model=request.model, user=catalog.PERSON, user_model=catalog.PERSON
        )
    else:
        wanted = replace(plain, agent=PERSONS_AGENT, model=catalog.PERSON, user=request.other, user_model=request.model)
    config = build_config(wanted, place)
    name = f"Talk: a person as the {request.side}, {request.scenario}"
    run = services.create_run(store, config, name=name)
    return services.launch_run(store, run.id, data=place)


def side_of(run: Run) -> Side | None:
    """The side a person plays in the run; None: neither."""
    if run.config.user_model == catalog.PERSON:
        return "user"
    return "agent" if run.config.model == catalog.PERSON else None


def list_talks(store: Store) -> tuple[Run, ...]:
    """Newest first."""
    return tuple(run for run in runs.list_runs(store) if side_of(run) is not None)


def open_talk(store: Store, run_id: str, data: Path | None = None) -> Talk:
    """Raises NotFound, and ConfigError for a run in which no person plays."""
    run = runs.load_run(store, run_id)
    side = side_of(run)
    if side is None:
        raise ConfigError(f"No person plays in run {run_id}.", remedy="Look at it on the Tree page.")
    (rollout,) = runs.list_rollouts(store, run_id)
    opened = viewing.open_rollout(store, rollout.id)
    state = jobs.shown_state(store, run)
    question = None if state in ("done", "cancelled", "failed") else open_question(store, run_id)
    scenario = opened.tree.scenario or _scenario(run, data or services.data_path(store.path))
    return Talk(run, state, side, rollout, scenario, opened.tree, question, _lines(opened.tree, side, question))


def say(store: Store, run_id: str, question_id: str, words: str, *, person: str = "", hangs_up: bool = False) -> None:
    """The person's words; with `hangs_up` the last ones, which may be none. Raises ConfigError, Answered."""
    if not words.strip() and not hangs_up:
        raise ConfigError("Nothing was said.", remedy="Write a few words first.")
    if len(words) > LONGEST:
        raise ConfigError(f"That is {len(words):,} characters; {LONGEST:,} are the most.")
    finish = HUNG_UP if hangs_up else "stop"
    _answer(store, run_id, question_id, Completion(words.strip(), finish=finish), person)


def call(
    store: Store, run_id: str, question_id: str, tool: str, arguments: Mapping[str, str], *, person: str = ""
) -> None:
    """The person uses a tool; arguments that were left empty are left out. Raises Answered."""
    given = {name: value.strip() for name, value in arguments.items() if value.strip()}
    made = ToolCall("", tool, raw=json.dumps(given, ensure_ascii=False))
    _answer(store, run_id, question_id, Completion("", (made,), finish="tool_calls"), person)


def wake(store: Store, run_id: str) -> None:
    """Starts the talk's process again where it has ended and there is something to play."""
    run = runs.load_run(store, run_id)
    if jobs.shown_state(store, run) in ("paused", "failed", "interrupted"):
        services.launch_run(store, run_id)


def _answer(store: Store, run_id: str, question_id: str, answer: Completion, person: str) -> None:
    give_answer(store, run_id, question_id, answer, person=person)
    wake(store, run_id)


def _scenario(run: Run, data: Path) -> Scenario:
    """Before the run has begun, its scenario is not in its tree yet."""
    world = parts.open_world(run.config.world, data, run.config.options)
    return next(each for each in parts.scenarios(world, run.config.split) if each.id in run.config.scenarios)


def _lines(tree: Tree, side: Side, question: Question | None) -> tuple[Line, ...]:
    """As the side may see it: the agent also its calls and their answers, those of a turn in progress included."""
    if side == "agent" and question is not None:
        return tuple(line for message in question.messages for line in _told(message))
    if not tree.nodes:
        return ()
    (leaf,) = set(tree.nodes) - {node.parent for node in tree.nodes.values()}
    turns = path(tree, leaf)
    if side == "user":
        return tuple(Line(turn.speaker, turn.reply or "") for turn in turns)
    return tuple(line for turn in turns for message in turn.messages for line in _told(message))


def _told(message: Message) -> list[Line]:
    if message.role == "system":
        return []
    if message.role == "tool":
        return [Line("answer", message.content)]
    said = [Line("user" if message.role == "user" else "agent", message.content)] if message.content else []
    return [*said, *(Line("call", f"{each.name} {each.raw}") for each in message.tool_calls)]
