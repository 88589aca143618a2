"""Judging turns in the store: read what stands, say the next word, and what either does to the rows."""

from __future__ import annotations

import secrets

from app import exporting, viewing
from app.node_rows import NodeRows, node_rows
from app.relabelling import Preview, TurnJudgement, answering, checked, preview, withdrawing
from josh_engine.errors import ConfigError
from josh_engine.extract import RowPolicy, Source
from josh_engine.values import Verdict
from storage import runs, verdicts
from storage.database import Store
from storage.openings import same_opening


def give_verdict(
    store: Store,
    rollout_id: str,
    node: str,
    judgement: TurnJudgement,
    *,
    auditor: str,
    seen: str | None,
    reason: str = "",
) -> Verdict:
    asked = checked(
        viewing.open_rollout(store, rollout_id).tree,
        Verdict(_new_id(), rollout_id, node, judgement, auditor.strip(), runs.now(), reason=reason.strip()),
    )
    if judgement == "promote" and not asked.reason and preview_promotion(store, rollout_id, node).earns_less:
        raise ConfigError(
            "The promoted branch earns less reward than the ideal path that stands.",
            remedy="Say in a sentence why it is better all the same.",
        )
    return verdicts.answer_verdicts(store, rollout_id, lambda given: answering(given, asked, seen=seen))


def undo_verdict(store: Store, rollout_id: str, verdict_id: str, *, auditor: str) -> Verdict:
    if not auditor.strip():
        raise ConfigError("Nobody has said who judges.", remedy="Say who you are, at the side of the page.")
    word = Verdict(_new_id(), rollout_id, "", "withdraw", auditor.strip(), runs.now())
    return verdicts.answer_verdicts(store, rollout_id, lambda given: withdrawing(given, word, target=verdict_id))


def preview_verdict(
    store: Store, rollout_id: str, node: str, judgement: TurnJudgement, *, filtered: bool = True
) -> Preview:
    sources = _neighbours(store, rollout_id)
    tree = next(each.tree for each in sources if each.rollout.id == rollout_id)
    asked = checked(tree, Verdict("preview", rollout_id, node, judgement, "preview", ""))
    return preview(sources, asked, RowPolicy(filtered=filtered))


def preview_promotion(store: Store, rollout_id: str, node: str, *, filtered: bool = True) -> Preview:
    return preview_verdict(store, rollout_id, node, "promote", filtered=filtered)


def rows_of_node(store: Store, rollout_id: str, node: str) -> NodeRows:
    return node_rows(_neighbours(store, rollout_id), rollout_id, node)


def _neighbours(store: Store, rollout_id: str) -> list[Source]:
    """The rollouts whose rows can meet this one's in an export of its run, this one included."""
    run = runs.load_run(store, runs.load_rollout(store, rollout_id).run_id)
    return exporting.sources(store, run, only=same_opening(store, rollout_id))


def _new_id() -> str:
    return secrets.token_hex(8)
