"""Two auditors with known votes: their agreement, their conflicts, and rows that follow whoever settles them."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from app import audit_words, auditing, services
from app.auditing import Audit, StalePair
from app.tree_view.judging_sheet import judging
from josh_engine.audit import AuditPair, in_order, margin, sides
from josh_engine.errors import ConfigError
from josh_engine.extract import RowPolicy
from josh_engine.rows import pseudonym

SCENARIOS = 30


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search of generated scenarios by the scripted agent, to be copied."""
    path = tmp_path_factory.mktemp("audit") / "josh.db"
    with services.open_store(path) as store:
        asked = services.RunRequest(limit=SCENARIOS, agent="scripted", model=None)
        services.run_here(store, services.create_run(store, services.build_config(asked, path.parent)).id)
    return path


@pytest.fixture
def store(searched: Path, tmp_path: Path):
    (tmp_path / "josh.db").write_bytes(searched.read_bytes())
    with services.open_store(tmp_path / "josh.db") as opened:
        yield opened


def audit(store: services.Store) -> Audit:
    (line,) = services.list_runs(store)
    return auditing.audit_of(store, [line.run])


def judge(store, pair: AuditPair, opinion: str, auditor: str, **more):
    """`opinion`: good, bad, or a judgement of both."""
    left, _ = sides(pair, auditor)
    told = {"good": "left" if left == pair.good else "right", "bad": "left" if left == pair.bad else "right"}
    given = {"left": left, "blind": True} | more
    return auditing.judge_pair(store, pair, told.get(opinion, opinion), auditor=auditor, **given)


def kto(store, audited: str = "any") -> list[dict]:
    (line,) = services.list_runs(store)
    _, files = services.export_files(store, [line.run], formats=["kto"], policy=RowPolicy(audit=audited))
    return [json.loads(each) for each in files["provenance.jsonl"].splitlines()]


def downs(store, audited: str = "any") -> set[tuple[str, str]]:
    return {(each["rollout"], each["node"]) for each in kto(store, audited) if each["label"] == "negative"}


def test_known_votes_give_the_known_kappa_conflicts_and_rows(store):
    """40 pairs: both prefer the search's turn 20 times, Ada alone 5, Bo alone 10, neither 5."""
    pairs = in_order(audit(store).pairs)[:40]
    assert len(pairs) == 40
    exportable = downs(store)
    votes = [("good", "good")] * 20 + [("good", "bad")] * 5 + [("bad", "good")] * 10 + [("bad", "bad")] * 5
    for pair, (ada, bo) in zip(pairs, votes, strict=True):
        judge(store, pair, ada, "Ada")
        judge(store, pair, bo, "Bo")
    found = audit(store)
    kappas, alpha = found.agreement()
    kappa = kappas["Ada", "Bo"]
    # observed 25/40; expected (25 * 30 + 15 * 10) / 1600
    assert round(kappa.value, 2) == round((25 / 40 - 900 / 1600) / (1 - 900 / 1600), 2) == 0.14
    assert kappa.n == 40 and alpha is None and kappa.low < kappa.value < kappa.high
    assert {each.id for each in found.conflicts()} == {each.id for each in pairs[20:35]}
    assert {pair.id for pair, _ in found.surprises()} == {each.id for each in pairs[20:]}
    assert [share for _, share in found.surprises()][:5] == [1.0] * 5
    assert f"κ {kappa.value:.2f}" in audit_words.progress(found, pairs, {})

    left_out = {(each.rollout, each.bad) for each in pairs[20:]}
    assert downs(store) == exportable - left_out, "a turn that somebody preferred is not trained down"
    for pair in pairs[20:27]:
        judge(store, pair, "good", "Cy", blind=False, adjudicates=True)
    settled = audit(store)
    assert {each.id for each in settled.conflicts()} == {each.id for each in pairs[27:35]}
    back = {(each.rollout, each.bad) for each in pairs[20:27]} & exportable
    assert downs(store) == (exportable - left_out) | back
    agreed = {(each.rollout, each.bad) for each in pairs[:27]} & exportable
    assert downs(store, "agreed") == agreed
    assert len(settled.agreement()[0]) == 1, "an adjudication is no third vote"


def test_three_auditors_have_an_alpha(store):
    pairs = audit(store).pairs[:6]
    for pair in pairs:
        for auditor in ("Ada", "Bo", "Cy"):
            judge(store, pair, "good" if pair in pairs[:3] else "both_fine", auditor)
    _, alpha = audit(store).agreement()
    assert alpha is not None and alpha.value == pytest.approx(1)
    assert "α 1.00" in audit_words.progress(audit(store), pairs, {})


@pytest.mark.long(12)
def test_provenance_tells_who_by_pseudonym_how_and_when(store):
    trained_away = downs(store)
    pair = next(each for each in audit(store).pairs if (each.rollout, each.bad) in trained_away)
    judge(store, pair, "good", "Ada Lovelace", reason="wrong API; too late")
    lines = [each for each in kto(store) if each["verdicts"]]
    assert lines
    for line in lines:
        (said,) = line["verdicts"]
        assert said["auditor"] == pseudonym("Ada Lovelace") != pseudonym("Bo")
        assert said["blind"] is True and said["counts"] is True and said["adjudicates"] is False
        assert said["created"].startswith("20")
    assert "Lovelace" not in json.dumps(kto(store))


def test_a_pair_of_a_tree_that_was_promoted_since_is_not_saved_but_judged_anew(store):
    pair = audit(store).pairs[0]
    shown = judge(store, pair, "good", "Ada")
    services.give_verdict(store, pair.rollout, pair.bad, "promote", auditor="Bo", seen=None, reason="kinder")
    with pytest.raises(StalePair, match="judge it again"):
        judge(store, pair, "good", "Cy")
    found = audit(store)
    assert shown.id not in {each.verdict.id for each in found.judged if not each.stale}
    assert pair.id not in {pair for votes in found.votes().values() for pair in votes}
    turned = found.pair(pair.id)
    if turned is not None:  # where both reach as much, they have changed their parts
        assert (turned.good, turned.bad) == (pair.bad, pair.good)
        judge(store, turned, "good", "Ada")
        assert [each.stale for each in audit(store).judged if each.pair == pair.id] == [False]


def test_another_word_replaces_one_s_own_and_undo_brings_the_first_back(store):
    pair = audit(store).pairs[0]
    judge(store, pair, "good", "Ada")
    second = judge(store, pair, "both_bad", "Ada")
    judge(store, pair, "bad", "Bo")
    assert audit(store).votes() == {"Ada": {pair.id: "both_bad"}, "Bo": {pair.id: "bad"}}
    auditing.undo_pair(store, second)
    assert audit(store).votes()["Ada"] == {pair.id: "good"}
    with pytest.raises(ConfigError, match="does not stand"):
        auditing.undo_pair(store, second)
    fresh = auditing.after(Audit(audit(store).pairs, ()), store, pair.rollout, stamp=())
    assert fresh.votes() == {each: {pair.id: vote[pair.id]} for each, vote in audit(store).votes().items()}


def test_many_judge_at_once_and_nobody_s_word_is_lost(store):
    pair = audit(store).pairs[0]
    names = [f"Person {number}" for number in range(8)]
    threads = [threading.Thread(target=judge, args=(store, pair, "good", name)) for name in names]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert audit(store).votes() == {name: {pair.id: "good"} for name in names}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"auditor": " "}, "who judges"),
        ({"judgement": "good"}, "cannot be judged"),
        ({"reason": "x" * 1001}, "too long"),
    ],
)
def test_what_cannot_be_said_is_refused(store, given, said):
    pair = audit(store).pairs[0]
    asked = {"judgement": "left", "auditor": "Ada", "left": pair.good, "blind": True} | given
    with pytest.raises(ConfigError, match=said):
        auditing.judge_pair(store, pair, asked.pop("judgement"), **asked)
    assert audit(store).judged == ()


def test_what_is_shown_of_a_pair_tells_nothing_but_what_was_done(store):
    words = ("ideal", "negative", "partial", "pruned", "★", "lost_race", "goal 1", "embedded", "scripted")
    for pair in audit(store).pairs[:20]:
        opened = auditing.open_pair(store, pair)
        told = judging(opened.tree, pair.good, pair.bad)
        text = json.dumps(told, ensure_ascii=False)
        assert not [word for word in words if word in text]
        assert f'"{pair.good}"' not in text and f'"{pair.bad}"' not in text
        mirrored = judging(opened.tree, pair.bad, pair.good)
        assert [each["kind"] for each in told["blocks"]] == [each["kind"] for each in mirrored["blocks"]]


def test_rate_and_margin_are_of_what_was_judged(store):
    pairs = audit(store).pairs[:4]
    told = [judge(store, pair, "good", "Ada") for pair in pairs]
    times = [f"2026-01-01T00:00:{second:02d}+00:00" for second in (0, 10, 20, 59)]
    from dataclasses import replace

    said = [replace(each, created=time) for each, time in zip(told, times, strict=True)]
    assert audit_words.seconds_each(said) == pytest.approx(59 / 3)
    far = [*said, replace(said[0], created="2026-01-01T05:00:00+00:00")]
    assert audit_words.seconds_each(far) == pytest.approx(59 / 3), "a break is no work"
    assert audit_words.seconds_each(said[:2]) is None
    audited = audit(store)
    mine = {each.pair: each for each in audited.judged}
    sure = margin(len(pairs), len(audited.pairs))
    assert f"±{sure:.0%} for all {len(audited.pairs):,} pairs" in audit_words.progress(audited, pairs, mine)
