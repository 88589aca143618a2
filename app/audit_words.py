"""The audit in words and rows: how far it is, how far auditors agree, what was decided last. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from app.auditing import Audit, Judged
from app.listings import NO_FIGURE, Listed, address, duration, linked
from josh_engine.agreement import Agreement
from josh_engine.audit import AuditPair, margin
from josh_engine.values import Verdict

JUDGEMENT_WORDS = {
    "left": "left better", "right": "right better", "both_fine": "both fine", "both_bad": "both bad",
    "cannot_tell": "can't tell", "users_fault": "user's fault",
}  # fmt: skip
LAST = ("Last decisions", "What you said")
KAPPAS = ("Auditors", "κ", "Judged blind by both")
PAUSE_SECONDS = 300.0  # between two decisions: longer is a break, not work
RATED = 20  # decisions that a rate is taken from
MOST_LISTED = 10


def progress(audit: Audit, sample: Sequence[AuditPair], mine: Mapping[str, Judged]) -> str:
    """One line: mine, the team's, agreement, conflicts, rate, what is left, and how sure a share would be."""
    ids = {each.id for each in sample}
    done = len(ids & mine.keys())
    team = len(ids & {each.pair for each in audit.judged if not each.stale})
    told = [f"Yours {done} of {len(sample)}", f"judged by anybody {team / max(1, len(sample)):.0%}"]
    if (blind := sum(mine[each].verdict.blind for each in ids & mine.keys())) < done:
        told.append(f"{blind} of yours blind")
    kappas, alpha = audit.agreement()
    if alpha is not None:
        told.append(f"α {bounds(alpha)}")
    elif len(kappas) == 1:
        told.append(f"κ {bounds(next(iter(kappas.values())))}")
    told.append(f"{len(audit.conflicts())} conflicts")
    seconds = seconds_each([each.verdict for each in mine.values()])
    if seconds is not None and done < len(sample):
        told += [f"{3600 / seconds:.0f} an hour", f"{duration(seconds * (len(sample) - done))} left"]
    sure = margin(done, len(audit.pairs))
    if sure is not None:
        told.append(f"±{sure:.0%} for all {len(audit.pairs):,} pairs at this size")
    return " · ".join(told)


def seconds_each(verdicts: Sequence[Verdict]) -> float | None:
    """Between the last decisions, breaks left out; None of fewer than three."""
    times = sorted(datetime.fromisoformat(each.created) for each in verdicts)[-RATED:]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    worked = [each for each in gaps if 0 < each <= PAUSE_SECONDS]
    return sum(worked) / len(worked) if len(worked) >= 2 else None


def bounds(agreement: Agreement) -> str:
    if agreement.value is None:
        return NO_FIGURE
    if agreement.low is None or agreement.high is None:
        return f"{agreement.value:.2f}"
    return f"{agreement.value:.2f} [{agreement.low:.2f}, {agreement.high:.2f}]"


def kappas_listed(audit: Audit) -> Listed:
    """Every two auditors, and all of them where there are three or more."""
    kappas, alpha = audit.agreement()
    rows = [
        linked(f"{one}-{other}", "", ("text", f"{one} and {other}"), ("number", bounds(each)), ("number", str(each.n)))
        for (one, other), each in kappas.items()
    ]
    if alpha is not None:
        rows.append(linked("all", "", ("text", "all (α)"), ("number", bounds(alpha)), ("number", str(alpha.n))))
    return Listed(KAPPAS, rows, "" if rows else "No pair was judged blind by two people yet.")


def last_listed(audit: Audit, auditor: str, here: Mapping[str, str]) -> Listed:
    """An auditor's last decisions, each leading back to its pair."""
    own = [each for each in audit.judged if each.verdict.auditor == auditor][::-1][:MOST_LISTED]
    rows = [
        linked(
            each.verdict.id, address("audit", **here, pair=each.pair),
            ("link", scenario_of(audit, each)),
            ("text", in_words(each.verdict) + ("" if each.verdict.blind else " · not blind")),
        )
        for each in own
    ]  # fmt: skip
    return Listed(LAST, rows, "" if rows else "Nothing yet.")


def scenario_of(audit: Audit, judged: Judged) -> str:
    pair = audit.pair(judged.pair)
    return pair.scenario if pair else judged.pair


def in_words(verdict: Verdict) -> str:
    """What was said, the sides as that auditor saw them."""
    told = JUDGEMENT_WORDS.get(verdict.verdict, verdict.verdict)
    return f"{told}: {verdict.reason}" if verdict.reason else told


def seen_from(verdict: Verdict, left: str) -> str:
    """What was said, the sides as they stand now, with `left` on the left."""
    if verdict.verdict not in ("left", "right"):
        return in_words(verdict)
    better = verdict.node if verdict.verdict == verdict.side else verdict.rival
    told = "left better" if better == left else "right better"
    return f"{told}: {verdict.reason}" if verdict.reason else told
