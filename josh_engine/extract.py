"""Training rows from trees (section 2.2 of arXiv 2409.04617; josh.md section 2).

Rows are always derived: `extract(sources, policy)` is a pure function of trees and verdicts, so the same inputs give
the same rows, in the order of their ids (a hash, which is also the shuffle TRL's sequential KTO sampler needs).

- SFT: one row per agent generation on the ideal path; the prompt is exactly what the model was called with.
- KTO: every generation of an ideal turn up, every generation of a negative turn down (`whole_turn`, the paper's), or
  only the first generation that differs from the ideal turn's (`first_divergence`, what the authors' code did).
- DPO: the first diverging generations of an ideal and a negative turn, whose context is the same.
- openai: the whole conversation of the ideal path, as hosted tuners take it.

Ours: a generation that equals one of an ideal or partial turn in the same context, anywhere in the export, is never a
negative. The authors' code exports such texts under both labels. And two kinds of generation are in no row, up or down,
whatever anybody says of them: those of a turn that holds one that was no move (`Turn.cut`), and those that neither a
request nor a row can hold as the model wrote them (`messages.expressible`). The funnel counts both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from josh_engine.config import RunConfig
from josh_engine.encoding import compact
from josh_engine.messages import conversation, expressible, row, wire_tools
from josh_engine.pair_verdicts import heeded, preferred, vouches
from josh_engine.tree import Tree, ideal_path, label_turns, path
from josh_engine.values import Goal, Json, Label, Message, Node, PreferencePair, Rollout, Verdict
from josh_engine.verdicts import standing

Flaw = Literal["reward", "grade", "error"]
DROPPING = ("both_fine", "both_bad", "users_fault")  # josh.md section 2: the pair is dropped


@dataclass(frozen=True, slots=True)
class RowPolicy:
    """Which rows leave. `audit`: any turn; only turns or pairs with a verdict that vouches for them (`audited`);
    of those the ones whose verdicts agree with the derived label (`agreed`). `filtered`: Appendix B's filter, 100 %
    success without errors."""

    rows: Literal["whole_turn", "first_divergence"] = "whole_turn"
    audit: Literal["any", "audited", "agreed"] = "any"
    filtered: bool = True


@dataclass(frozen=True)
class Source:
    """One rollout to take rows from, with what its provenance needs."""

    rollout: Rollout
    config: RunConfig
    tree: Tree
    verdicts: tuple[Verdict, ...] = ()
    code_version: str = ""

    @cached_property
    def heeded(self) -> tuple[Verdict, ...]:
        """The verdicts that count."""
        return heeded(self.tree, self.verdicts)


@dataclass(frozen=True)
class Generation:
    """One model output in its context, as it goes into a row."""

    source: Source
    node: Node
    label: Label
    index: int
    prompt: tuple[Message, ...]
    message: Message

    @cached_property
    def prompt_rows(self) -> list[dict[str, Json]]:
        return [row(message) for message in self.prompt]

    @cached_property
    def completion_rows(self) -> list[dict[str, Json]]:
        return [row(self.message)]

    @cached_property
    def key(self) -> str:
        """Equal iff context, tools and text are."""
        return _digest(tools_text(self.source), self.prompt_rows, self.completion_rows)

    @property
    def row_id(self) -> str:
        """Hash of scenario, trial, node, generation and content; no run id, so a rerun gives the same rows."""
        rollout = self.source.rollout
        return _digest(rollout.scenario_id, rollout.trial, self.node.id, self.index, self.key)


@dataclass(frozen=True, slots=True)
class Pair:
    """The generations in which an ideal and a negative turn first differ; their context is the same."""

    chosen: Generation
    rejected: Generation

    @property
    def row_id(self) -> str:
        return _digest("pair", self.chosen.row_id, self.rejected.row_id)


@dataclass(frozen=True, slots=True)
class Extraction:
    """What the sources yield, sorted by row id. `funnel` counts from rollouts to rows."""

    sources: tuple[Source, ...]
    policy: RowPolicy
    positive: tuple[Generation, ...]
    negative: tuple[Generation, ...]
    pairs: tuple[Pair, ...]
    funnel: Mapping[str, int]

    @property
    def positives(self) -> int:
        return len(self.positive)

    @property
    def negatives(self) -> int:
        return len(self.negative)

    @property
    def scenarios(self) -> int:
        return len({source.rollout.scenario_id for source in self.sources})


@dataclass(frozen=True)
class Candidates:
    """What one source could yield. Which of `negative` and `pairs` do, is known when all sources have told what they
    protect. `generations` counts those whose label matters and that a row can hold, `admitted` those the audit policy
    lets through; `cut` those of turns with a generation that was no move, `unwritable` those that no row can hold."""

    source: Source
    finished: bool = False
    kept: bool = False
    generations: int = 0
    admitted: int = 0
    cut: int = 0
    unwritable: int = 0
    protected: frozenset[str] = frozenset()
    positive: tuple[Generation, ...] = ()
    negative: tuple[Generation, ...] = ()
    pairs: tuple[Pair, ...] = ()


def candidates(source: Source, policy: RowPolicy) -> Candidates:
    """Rollouts that failed or were cancelled never yield any."""
    if source.rollout.state != "done" or not ideal_path(source.tree, source.verdicts):
        return Candidates(source)
    if policy.filtered and flaw(source) is not None:
        return Candidates(source, finished=True)
    cut, labelled = _generations(source)
    generations = [each for each in labelled if expressible(each.message)]
    admitted = [each for each in generations if _admitted(each, policy.audit)]
    negative = [each for each in admitted if each.label == "negative" and not _dropped_pair(each)]
    first = {pair.rejected.node.id: pair.rejected.index for pair in _pairs(negative)}
    if policy.rows == "first_divergence":
        negative = [each for each in negative if each.index == first.get(each.node.id, 0)]
    return Candidates(
        source=source,
        finished=True,
        kept=True,
        generations=len(generations),
        admitted=len(admitted),
        cut=cut,
        unwritable=len(labelled) - len(generations),
        protected=frozenset(each.key for each in generations if each.label in ("ideal", "partial")),
        positive=tuple(each for each in admitted if each.label == "ideal"),
        negative=tuple(negative),
        pairs=tuple(pair for pair in _pairs(negative) if pair.chosen.label == "ideal"),
    )


def extract(sources: Iterable[Source], policy: RowPolicy | None = None) -> Extraction:
    """The rows of finished rollouts."""
    policy = policy or RowPolicy()
    found = [candidates(each, policy) for each in sources]
    protected = frozenset[str]().union(*(each.protected for each in found))
    positive = [each for some in found for each in some.positive]
    negative = [each for some in found for each in some.negative]
    consistent = [each for each in negative if each.key not in protected]
    pairs = [pair for some in found for pair in some.pairs if pair.rejected.key not in protected]
    unique_up, unique_down = _by_row_id(positive), _by_row_id(consistent)
    return Extraction(
        sources=tuple(each.source for each in found if each.kept),
        policy=policy,
        positive=unique_up,
        negative=unique_down,
        pairs=tuple({pair.row_id: pair for pair in sorted(pairs, key=lambda pair: pair.row_id)}.values()),
        funnel={
            "rollouts": len(found),
            "finished_with_reward": sum(each.finished for each in found),
            "kept_by_filter": sum(each.kept for each in found),
            "cut": sum(each.cut for each in found),
            "unwritable": sum(each.unwritable for each in found),
            "generations": sum(each.generations for each in found),
            "admitted": sum(each.admitted for each in found),
            "dropped_contradictory": len(negative) - len(consistent),
            "positive_rows": len(unique_up),
            "negative_rows": len(unique_down),
            "pairs": len(pairs),
        },
    )


def preference_pairs(source: Source) -> list[PreferencePair]:
    """The (good, bad) turns at each user turn on the ideal path, as section 2.2 has them."""
    tree, labels = source.tree, label_turns(source.tree, source.verdicts)
    ideal = _ideal_turns(source)
    return [
        PreferencePair(path(tree, node.parent or ""), ideal[node.parent].turn, node.turn)
        for node in (tree.nodes[each] for each, label in labels.items() if label == "negative")
        if node.parent in ideal
    ]


def flaw(source: Source) -> Flaw | None:
    """Why the filter leaves the rollout out; None: it is kept. Appendix B: "100% success in the ideal path without
    errors". A booking answered with success false is no error; a call the agent got an error for, or a malformed
    generation, is."""
    tree = source.tree
    on_path = [tree.nodes[each] for each in ideal_path(tree, source.verdicts)]
    if goals_reached(tree, [node.id for node in on_path]) != {goal.id for goal in _goals(tree)}:
        return "reward"
    if source.rollout.grade is not None and source.rollout.grade < 1:
        return "grade"
    own = (call for node in on_path if node.turn.speaker == "agent" for call in node.turn.calls)  # not a customer's
    return "error" if any(call.error is not None for call in own) else None


def goals_reached(tree: Tree, node_ids: Sequence[str]) -> set[str]:
    """The goals these turns reached; a failed turn wins none."""
    nodes = (tree.nodes[each] for each in node_ids)
    return {goal for node in nodes if node.turn.stop != "failed" for goal in node.goals}


def _goals(tree: Tree) -> tuple[Goal, ...]:
    return tree.scenario.goals if tree.scenario else ()


def _generations(source: Source) -> tuple[int, list[Generation]]:
    """Every generation of every turn whose label can matter for a row, with its context; and how many there are beside
    them in turns that one of them, no move, ended where a row might have come from."""
    cut, found, ideal = 0, list[Generation](), _ideal_turns(source)
    for node_id, label in label_turns(source.tree, source.verdicts).items():
        node = source.tree.nodes[node_id]
        if node.turn.cut:
            cut += sum(message.sampled for message in node.turn.messages) if node.parent in ideal else 0
        elif label in ("ideal", "partial", "negative"):
            found += _generations_of(source, node, label)
    return cut, found


def _generations_of(source: Source, node: Node, label: Label) -> Iterator[Generation]:
    """A turn's generations; the prompt of each is exactly what the model was called with."""
    said = list(conversation(source.tree.preamble, path(source.tree, node.parent or "")))
    index = 0
    for message in node.turn.messages:
        if message.sampled:
            yield Generation(source, node, label, index, tuple(said), message)
            index += 1
        said.append(message)


def _pairs(negative: Sequence[Generation]) -> list[Pair]:
    """For each negative turn, the first generation that differs from the ideal sibling's, if both still have one."""
    turns: dict[tuple[int, str], list[Generation]] = {}
    for each in negative:
        turns.setdefault((id(each.source), each.node.id), []).append(each)
    found = []
    for generations in turns.values():
        ideal = _ideal_turns(generations[0].source).get(generations[0].node.parent)
        if ideal is None:
            continue
        rivals = _generations_of(generations[0].source, ideal, "ideal")
        for chosen, rejected in zip(rivals, generations, strict=False):
            if chosen.key != rejected.key:
                if chosen.prompt_rows == rejected.prompt_rows and expressible(chosen.message):
                    found.append(Pair(chosen, rejected))
                break
    return found


def _ideal_turns(source: Source) -> dict[str | None, Node]:
    """The ideal agent turn after each user turn on the ideal path."""
    nodes = (source.tree.nodes[each] for each in ideal_path(source.tree, source.verdicts))
    return {node.parent: node for node in nodes if node.turn.speaker == "agent"}


def verdicts_on(generation: Generation) -> list[Verdict]:
    """The standing verdicts on a generation's turn, or on a pair it is in; overruled and stale ones too."""
    return [each for each in standing(generation.source.verdicts) if generation.node.id in (each.node, each.rival)]


def _heeded_on(generation: Generation) -> list[Verdict]:
    """Those of them that count."""
    return [each for each in generation.source.heeded if generation.node.id in (each.node, each.rival)]


def _admitted(generation: Generation, audit: str) -> bool:
    if audit == "any":
        return True
    verdicts = _heeded_on(generation)
    vouched = any(map(vouches, verdicts))
    return vouched and (audit == "audited" or all(_agrees(each, generation) for each in verdicts))


_AGREEING: Mapping[str, tuple[str, ...]] = {
    "ideal": ("good", "promote"),
    "negative": ("bad",),
    "partial": ("partial",),
}


def _agrees(verdict: Verdict, generation: Generation) -> bool:
    if verdict.rival is None:
        return verdict.verdict in _AGREEING.get(generation.label, ())
    return preferred(verdict) == _ideal_of(verdict, generation.source)


def _ideal_of(verdict: Verdict, source: Source) -> str | None:
    ideal = set(ideal_path(source.tree, source.verdicts))
    return next((each for each in (verdict.node, verdict.rival) if each in ideal), None)


def _dropped_pair(generation: Generation) -> bool:
    """Whether an auditor took the pair out, or preferred the turn that the search did not: such a turn must not be
    trained down, and only a promotion makes it ideal."""
    pairs = [each for each in _heeded_on(generation) if each.rival is not None]
    return any(each.verdict in DROPPING or preferred(each) == generation.node.id for each in pairs)


def _by_row_id(generations: Iterable[Generation]) -> tuple[Generation, ...]:
    """Sorted by row id; the same row from a rerun of the same scenario stands once."""
    found = {each.row_id: each for each in generations}
    return tuple(found[row_id] for row_id in sorted(found))


def tools_text(source: Source) -> str:
    """`tools` as a JSON string: TRL decodes it, and no loader merges its keys (stack.md 2.3). Empty: none were sent."""
    tools = source.tree.preamble.tools
    return compact(wire_tools(tools)) if tools else ""


def _digest(*parts: Json) -> str:
    text = json.dumps(parts, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]
