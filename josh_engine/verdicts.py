"""Which of a person's judgements stand: verdicts are appended, never changed, and read as chains.

A verdict that `supersedes` another replaces it; a chain is what was said of one subject, one word after another.
`withdraw` takes back what stood: what stood before it stands again, in its old place and with its old author, so rows,
provenance and all are as they were. The paper has no verdicts; all of this is ours (josh.md section 2).

A turn's label, the ideal path (promotions: one per tree), each auditor's word on a pair and the pair's
adjudication are subjects of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from josh_engine.values import Verdict

Subject = tuple[str, ...]
IDEAL_PATH: Subject = ("path",)


def standing(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts that hold now, in the order they were given: none that was superseded or withdrawn."""
    before = replaces(verdicts)
    replaced = {verdict.supersedes for verdict in verdicts}
    held = {found.id for each in verdicts if each.id not in replaced and (found := meaning(each, before))}
    return tuple(verdict for verdict in verdicts if verdict.id in held)


def replaces(verdicts: Sequence[Verdict]) -> dict[str, Verdict | None]:
    """Each verdict's id -> the one it supersedes. Only an earlier one counts, so no chain runs in a circle."""
    known: dict[str, Verdict] = {}
    before: dict[str, Verdict | None] = {}
    for verdict in verdicts:
        before[verdict.id] = known.get(verdict.supersedes or "")
        known[verdict.id] = verdict
    return before


def meaning(verdict: Verdict, before: Mapping[str, Verdict | None]) -> Verdict | None:
    """What stands when `verdict` is the last word: itself, or for a withdrawal what stood before the one it takes
    back; None: nothing. `before` is what `replaces` gives."""
    skipped = 0  # judgements still to be passed over, going back
    current: Verdict | None = verdict
    while current is not None:
        if current.verdict == "withdraw":
            skipped += 1
        elif skipped == 0:
            return current
        else:
            skipped -= 1
        current = before[current.id]
    return None


def subject(verdict: Verdict, before: Mapping[str, Verdict | None]) -> Subject:
    """What the verdict is about; a withdrawal is about what the withdrawn one was about."""
    while verdict.verdict == "withdraw" and (earlier := before[verdict.id]):
        verdict = earlier
    if verdict.verdict == "promote":
        return IDEAL_PATH
    if verdict.rival is None:
        return turn_subject(verdict.node)
    return pair_subject(verdict.node, verdict.rival, None if verdict.adjudicates else verdict.auditor)


def turn_subject(node: str) -> Subject:
    return ("turn", node)


def pair_subject(one: str, other: str, auditor: str | None) -> Subject:
    """`auditor` None: the pair's adjudication, of which there is one."""
    return ("pair", *sorted((one, other)), *([] if auditor is None else [auditor]))


def last_word(verdicts: Sequence[Verdict], about: Subject) -> Verdict | None:
    """The newest verdict on the subject, a withdrawal too: the one that the next must supersede."""
    before = replaces(verdicts)
    return next((each for each in reversed(verdicts) if subject(each, before) == about), None)
