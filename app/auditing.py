"""Auditing pairs of runs: what is there to judge, what was judged by whom, and the next word on a pair.

A word is kept only where the pair is what its auditor saw: another path promoted meanwhile, or a newer word of the same
auditor from elsewhere, is told instead, and nothing is saved.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from app import exporting, seeing, viewing
from app.results import OpenedRollout
from josh_engine.agreement import Agreement, cohens_kappa, krippendorffs_alpha
from josh_engine.audit import PAIR_JUDGEMENTS, AuditPair, PairJudgement, opinion, pairs_of
from josh_engine.errors import ConfigError
from josh_engine.extract import Source
from josh_engine.pair_verdicts import pair_of, stale
from josh_engine.values import Verdict
from josh_engine.verdicts import last_word, pair_subject, standing
from storage import runs, verdicts
from storage.database import Store
from storage.stamps import export_stamp

CHIPS = (
    "wrong API", "wrong parameter", "missing parameter", "bad wording", "hallucinated", "tool or system fault",
)  # fmt: skip
LONGEST_NOTE = 1_000
Mode = Literal["blind", "open", "conflicts", "surprises"]


class StalePair(ConfigError):
    """The pair is no longer what its auditor saw. Nothing was saved."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A standing verdict on a pair. `opinion`: good or bad (the turn preferred), or the judgement itself."""

    pair: str
    verdict: Verdict
    opinion: str
    stale: bool


@dataclass(frozen=True, slots=True)
class Audit:
    """The pairs of some runs and all that stands on them, in the order it was said. `stamp`: equal iff nothing was
    added since."""

    pairs: tuple[AuditPair, ...]
    judged: tuple[Judged, ...]
    stamp: tuple[object, ...] = ()

    def pair(self, pair_id: str) -> AuditPair | None:
        return next((each for each in self.pairs if each.id == pair_id), None)

    def votes(self, *, blind: bool = False) -> dict[str, dict[str, str]]:
        """Auditor -> pair -> opinion, of verdicts that are not stale; adjudications are no votes. `blind`: only
        those given blind."""
        found: dict[str, dict[str, str]] = {}
        for each in self.judged:
            if not each.stale and not each.verdict.adjudicates and (each.verdict.blind or not blind):
                found.setdefault(each.verdict.auditor, {})[each.pair] = each.opinion
        return found

    def settled(self) -> dict[str, str]:
        """Pair -> opinion of its adjudication."""
        return {each.pair: each.opinion for each in self.judged if each.verdict.adjudicates and not each.stale}

    def conflicts(self) -> tuple[AuditPair, ...]:
        """Pairs whose auditors differ, and that nobody has settled."""
        said: dict[str, set[str]] = {}
        for votes in self.votes().values():
            for pair, told in votes.items():
                said.setdefault(pair, set()).add(told)
        settled = self.settled()
        return tuple(each for each in self.pairs if len(said.get(each.id, ())) > 1 and each.id not in settled)

    def surprises(self) -> tuple[tuple[AuditPair, float], ...]:
        """Pairs in which auditors see it otherwise than the search did, with the share of votes against it; the
        largest first, then the one with more votes."""
        said: dict[str, list[str]] = {}
        for votes in self.votes().values():
            for pair, told in votes.items():
                said.setdefault(pair, []).append(told)
        against = [
            (each, sum(told != "good" for told in said[each.id]) / len(said[each.id]))
            for each in self.pairs
            if each.id in said
        ]
        found = [(pair, share) for pair, share in against if share > 0]
        return tuple(sorted(found, key=lambda each: (-each[1], -len(said[each[0].id]), each[0].id)))

    def agreement(self) -> tuple[Mapping[tuple[str, str], Agreement], Agreement | None]:
        """Cohen's kappa of every two auditors who judged pairs in common; Krippendorff's alpha of three or more. Of
        blind verdicts: who has seen a label agrees with it, not with the other."""
        votes = self.votes(blind=True)
        names = sorted(votes)
        kappas = {
            (one, other): cohens_kappa(votes[one], votes[other])
            for place, one in enumerate(names)
            for other in names[place + 1 :]
            if votes[one].keys() & votes[other].keys()
        }
        return kappas, krippendorffs_alpha([votes[name] for name in names]) if len(names) > 2 else None


def audit_of(store: Store, run_ids: Sequence[str]) -> Audit:
    """Raises NotFound."""
    stamp = audit_stamp(store, run_ids)
    found: list[AuditPair] = []
    judged: list[Judged] = []
    for run_id in dict.fromkeys(run_ids):
        for source in exporting.sources(store, runs.load_run(store, run_id)):
            pairs, said = _read(source)
            found += pairs
            judged += said
    judged.sort(key=lambda each: each.verdict.created)
    return Audit(tuple(found), tuple(judged), stamp)


def _read(source: Source) -> tuple[tuple[AuditPair, ...], list[Judged]]:
    """A tree's pairs, and what stands on them."""
    pairs = {each.id: each for each in pairs_of(source)}
    gone = stale(source.tree, source.verdicts)
    on_pairs = [each for each in standing(source.verdicts) if each.rival is not None and pair_of(each) in pairs]
    judged = [Judged(pair_of(each), each, opinion(each, pairs[pair_of(each)]), each.id in gone) for each in on_pairs]
    return tuple(pairs.values()), judged


def audit_stamp(store: Store, run_ids: Sequence[str]) -> tuple[object, ...]:
    return export_stamp(store, run_ids)


def after(audit: Audit, store: Store, rollout_id: str, *, stamp: tuple[object, ...]) -> Audit:
    """The same audit, read anew where one rollout's verdicts have changed."""
    run_id = runs.load_rollout(store, rollout_id).run_id
    (source,) = exporting.sources(store, runs.load_run(store, run_id), only={rollout_id})
    pairs, fresh = _read(source)
    kept = [each for each in audit.judged if each.verdict.rollout != rollout_id]
    others = [each for each in audit.pairs if each.rollout != rollout_id]
    judged = sorted([*kept, *fresh], key=lambda each: each.verdict.created)
    return Audit((*others, *pairs), tuple(judged), stamp)


def judge_pair(
    store: Store,
    pair: AuditPair,
    judgement: PairJudgement,
    *,
    left: str,
    auditor: str,
    blind: bool,
    reason: str = "",
    adjudicates: bool = False,
) -> Verdict:
    """The next word of this auditor on the pair as they saw it, with `left` on the left. It is kept as blind only where
    the pair's label was never shown to them. Raises StalePair, ConfigError; Superseded where the same auditor was
    faster elsewhere."""
    if judgement not in PAIR_JUDGEMENTS:
        raise ConfigError(
            f"A pair cannot be judged {judgement!r}.", remedy=f"Use one of: {', '.join(PAIR_JUDGEMENTS)}."
        )
    if not auditor.strip():
        raise ConfigError("Nobody has said who judges.", remedy="Say who you are, at the side of the page.")
    if len(reason) > LONGEST_NOTE:
        raise ConfigError("The note is too long.", remedy=f"Say it in {LONGEST_NOTE} characters.")
    run_id = runs.load_rollout(store, pair.rollout).run_id
    (source,) = exporting.sources(store, runs.load_run(store, run_id), only={pair.rollout})
    asked = Verdict(
        secrets.token_hex(8), pair.rollout, pair.good, judgement, auditor.strip(), runs.now(), rival=pair.bad,
        reason=reason.strip(), side="left" if left == pair.good else "right", adjudicates=adjudicates,
    )  # fmt: skip

    def answer(given: tuple[Verdict, ...]) -> Verdict:
        if pair not in pairs_of(replace(source, verdicts=given)):
            raise StalePair(
                "This pair has changed since it was shown: another branch was promoted.",
                remedy="It is shown as it is now; judge it again.",
            )
        about = pair_subject(pair.good, pair.bad, None if adjudicates else asked.auditor)
        word = last_word(given, about)
        unseen = seeing.place_seen(store, asked.auditor, pair) is None
        return replace(asked, blind=blind and unseen, supersedes=word.id if word else None)

    return verdicts.answer_verdicts(store, pair.rollout, answer)


def undo_pair(store: Store, verdict: Verdict) -> Verdict:
    """Takes a verdict on a pair back; what the auditor said of it before stands again. Raises ConfigError where it does
    not stand any more."""

    def answer(given: tuple[Verdict, ...]) -> Verdict:
        if verdict.id not in {each.id for each in standing(given)}:
            raise ConfigError("This decision does not stand any more.", remedy="Look at the pair as it is now.")
        about = pair_subject(verdict.node, verdict.rival or "", None if verdict.adjudicates else verdict.auditor)
        word = last_word(given, about)
        return replace(
            verdict, id=secrets.token_hex(8), verdict="withdraw", created=runs.now(), reason="",
            supersedes=word.id if word else None,
        )  # fmt: skip

    return verdicts.answer_verdicts(store, verdict.rollout, answer)


def open_pair(store: Store, pair: AuditPair) -> OpenedRollout:
    return viewing.open_rollout(store, pair.rollout)


def reasons_on(audit: Audit, pair: AuditPair) -> tuple[Judged, ...]:
    """What auditors said of it, for whoever settles it."""
    return tuple(each for each in audit.judged if each.pair == pair.id and not each.verdict.adjudicates)
