"""Relabelling: what a person's judgement of a turn becomes, what it meets, and what it changes in the rows. Pure.

josh.md section 2: verdicts overlay the derived labels and are only ever appended. On one tree there is one word on
each turn and one on the ideal path; whoever speaks names the last word they saw (`seen`). If another came meanwhile,
that is a Conflict, and nothing is lost: it can be said again on top of the newer word.

What changes is never estimated: the rows are derived with and without the verdict, and compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from josh_engine.errors import ConfigError, JoshError
from josh_engine.extract import Extraction, Flaw, Generation, RowPolicy, Source, extract, flaw, goals_reached
from josh_engine.tree import Tree, agent_turns, ideal_path, label_turns
from josh_engine.values import Verdict
from josh_engine.verdicts import IDEAL_PATH, Subject, last_word, meaning, replaces, standing, subject, turn_subject

TurnJudgement = Literal["good", "bad", "partial", "exclude", "promote"]
JUDGEMENTS: tuple[TurnJudgement, ...] = get_args(TurnJudgement)
LONGEST_REASON = 2_000


SAID: Mapping[str, str] = {
    "good": "called turn {node} good",
    "bad": "called turn {node} bad",
    "partial": "called turn {node} partial credit",
    "exclude": "excluded turn {node}",
    "promote": "promoted turn {node} to the ideal path",
    "withdraw": "took back what was said of turn {node}",
}


class Conflict(JoshError):
    """Somebody spoke meanwhile. `word` is the last word now, which the next must have seen."""

    def __init__(self, word: Verdict | None) -> None:
        said = f"{word.auditor} has judged this since you looked." if word else "This was taken back since you looked."
        super().__init__(said, remedy="Look at what stands now, then judge again.")
        self.word = word


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that comes or goes. `label` is KTO's up or down; None in the other formats. `rollout` is the tree it is
    of: a verdict can free or forbid the same words in another tree."""

    row_format: str
    comes: bool
    row_id: str
    rollout: str
    node: str
    label: bool | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a verdict would change. `goals` is |G|; rewards count goals on the ideal path; `stale`: standing verdicts
    on pairs whose turns would be labelled otherwise; `flaw_before` and `flaw_after`: why the filter leaves the tree
    out."""

    verdict: Verdict
    rows: tuple[RowChange, ...]
    goals: int
    reward_before: int
    reward_after: int
    path_before: tuple[str, ...]
    path_after: tuple[str, ...]
    stale: tuple[Verdict, ...]
    finished: bool
    flaw_before: Flaw | None
    flaw_after: Flaw | None

    def count(self, row_format: str, *, comes: bool, label: bool | None = None) -> int:
        asked = (row_format, comes, label)
        return sum((each.row_format, each.comes, each.label) == asked for each in self.rows)

    @property
    def earns_less(self) -> bool:
        return self.reward_after < self.reward_before

    @property
    def demoted(self) -> tuple[str, ...]:
        """The agent turns that leave the ideal path."""
        return tuple(each for each in self.path_before if each not in self.path_after and not each.endswith("u"))

    @property
    def promoted(self) -> tuple[str, ...]:
        """The agent turns that come onto the ideal path."""
        return tuple(each for each in self.path_after if each not in self.path_before and not each.endswith("u"))


def checked(tree: Tree, verdict: Verdict) -> Verdict:
    """Raises ConfigError for a verdict on a turn that takes none, by nobody, or of an unknown kind."""
    if verdict.verdict not in JUDGEMENTS:
        raise ConfigError(
            f"A turn cannot be judged {verdict.verdict!r}.", remedy=f"Use one of: {', '.join(JUDGEMENTS)}."
        )
    if verdict.node not in tree.nodes or tree.nodes[verdict.node].turn.speaker != "agent":
        raise ConfigError(f"Turn {verdict.node!r} is no agent turn of this tree.", remedy="Choose an agent turn.")
    if not verdict.auditor.strip():
        raise ConfigError("Nobody has said who judges.", remedy="Say who you are, at the side of the page.")
    if len(verdict.reason) > LONGEST_REASON:
        raise ConfigError("The reason is too long.", remedy=f"Say it in {LONGEST_REASON} characters.")
    return verdict


def about(judgement: str, node: str) -> Subject:
    """What a judgement of this turn would be a word on."""
    return IDEAL_PATH if judgement == "promote" else turn_subject(node)


def seen_words(tree: Tree, verdicts: Sequence[Verdict]) -> dict[Subject, str | None]:
    """The id of the last word on everything there is to judge: what someone who looks now has seen."""
    subjects = [IDEAL_PATH, *(turn_subject(node.id) for node in agent_turns(tree))]
    before = replaces(verdicts)
    return dict.fromkeys(subjects) | {subject(each, before): each.id for each in verdicts}


def answering(verdicts: Sequence[Verdict], verdict: Verdict, *, seen: str | None) -> Verdict:
    """The verdict as the next word on its subject. Raises Conflict where the last word is not the one seen."""
    word = last_word(verdicts, about(verdict.verdict, verdict.node))
    if (word.id if word else None) != seen:
        raise Conflict(word)
    return replace(verdict, supersedes=seen)


def withdrawing(verdicts: Sequence[Verdict], withdrawal: Verdict, *, target: str) -> Verdict:
    """The withdrawal of verdict `target` as the next word on its subject. Raises Conflict where it stands no more."""
    before = replaces(verdicts)
    replaced = {each.supersedes for each in verdicts}
    for head in verdicts:
        found = meaning(head, before) if head.id not in replaced else None
        if found is not None and found.id == target:
            return replace(withdrawal, node=found.node, rival=found.rival, supersedes=head.id)
    lost = next((each for each in verdicts if each.id == target), None)
    raise Conflict(last_word(verdicts, subject(lost, before)) if lost else None)


def undoable(verdicts: Sequence[Verdict], auditor: str) -> Verdict | None:
    """The newest judgement of a turn by this person that stands."""
    own = [each for each in standing(verdicts) if each.rival is None and each.auditor == auditor]
    return own[-1] if own else None


def standing_on(verdicts: Sequence[Verdict], judged: Subject) -> Verdict | None:
    """What stands on a turn's label, or on the ideal path."""
    before = replaces(verdicts)
    return next((each for each in reversed(standing(verdicts)) if subject(each, before) == judged), None)


def in_words(verdict: Verdict, *, seconds: float | None = None) -> str:
    """`Ada called turn 0.1 bad 20 s ago`; without `seconds`, no time."""
    said = f"{verdict.auditor} {SAID.get(verdict.verdict, 'judged turn {node}').format(node=verdict.node)}"
    return said if seconds is None else f"{said} {ago(seconds)}"


def ago(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago" if seconds >= 1 else "just now"


def preview(sources: Sequence[Source], verdict: Verdict, policy: RowPolicy | None = None) -> Preview:
    """What `verdict` would change in an export of these sources, which hold the verdict's own rollout."""
    policy = policy or RowPolicy()
    after = [_judged(each, verdict) for each in sources]
    was, will = (next(each for each in some if each.rollout.id == verdict.rollout) for some in (sources, after))
    tree, paths = was.tree, (ideal_path(was.tree, was.verdicts), ideal_path(will.tree, will.verdicts))
    rewards = [len(goals_reached(tree, each)) for each in paths]
    return Preview(
        verdict=verdict,
        rows=changed_rows(extract(sources, policy), extract(after, policy)),
        goals=len(tree.scenario.goals) if tree.scenario else 0,
        reward_before=rewards[0],
        reward_after=rewards[1],
        path_before=paths[0],
        path_after=paths[1],
        stale=_stale(was, will),
        finished=was.rollout.state == "done",
        flaw_before=flaw(was) if policy.filtered else None,
        flaw_after=flaw(will) if policy.filtered else None,
    )


def changed_rows(before: Extraction, after: Extraction) -> tuple[RowChange, ...]:
    """The rows that go, then those that come; a KTO row whose label turns round does both."""
    was, will = _rows(before), _rows(after)
    goes = [replace(was[key], comes=False) for key in sorted(was.keys() - will.keys(), key=str)]
    return (*goes, *(will[key] for key in sorted(will.keys() - was.keys(), key=str)))


def _rows(extraction: Extraction) -> Mapping[tuple[str, str, bool | None], RowChange]:
    """Keyed by what makes a line: its id is a hash of its text, so only the label can differ."""
    rows = [
        *_changes("sft", extraction.positive, None),
        *_changes("kto", extraction.positive, True),
        *_changes("kto", extraction.negative, False),
        *(replace(_change("dpo", pair.rejected, None), row_id=pair.row_id) for pair in extraction.pairs),
    ]
    return {(each.row_format, each.row_id, each.label): each for each in rows}


def _changes(row_format: str, generations: Iterable[Generation], label: bool | None) -> list[RowChange]:
    return [_change(row_format, each, label) for each in generations]


def _change(row_format: str, generation: Generation, label: bool | None) -> RowChange:
    rollout = generation.source.rollout.id
    return RowChange(row_format, True, generation.row_id, rollout, generation.node.id, label)


def _judged(source: Source, verdict: Verdict) -> Source:
    if source.rollout.id != verdict.rollout:
        return source
    word = last_word(source.verdicts, about(verdict.verdict, verdict.node))
    return replace(source, verdicts=(*source.verdicts, replace(verdict, supersedes=word.id if word else None)))


def _stale(was: Source, will: Source) -> tuple[Verdict, ...]:
    before, after = label_turns(was.tree, was.verdicts), label_turns(will.tree, will.verdicts)
    pairs = [each for each in standing(was.verdicts) if each.rival is not None]
    return tuple(
        each
        for each in pairs
        if any(before.get(node) != after.get(node) for node in (each.node, each.rival) if node is not None)
    )
