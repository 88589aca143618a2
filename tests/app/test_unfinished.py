"""Scenarios that failed or were never played never leave a figure in silence: on pages, the command line, in JSON and
CSV n of N stands beside it, and below 95 % finished nothing is decided."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import charts, evaluating, figures_csv, improving, leaderboard, listings, over_trials, rendering, services
from app.leaderboard import Standing
from josh_engine.rates import Rate
from storage import runs
from tests.app.conftest import PLAYERS, REQUEST
from tests.app.test_improving import PLAN, trained  # noqa: F401 - a fixture
from tests.app.test_pages import opened, said

Played = Callable[..., str]


@pytest.fixture
def plays(store: services.Store, tmp_path: Path) -> Played:
    """Makes a run of which so many of `asked` are done, in playing order: as it would be after play, without it."""

    def made(done: int, asked: int = 100, *, won: int = 2, trials: int = 1, left: str = "failed", **told: Any) -> str:
        config = services.build_config(replace(REQUEST, split="test", strategy="greedy", **told), tmp_path)
        config = replace(config, scenarios=tuple(f"test/{n}" for n in range(asked // trials)), trials=trials)
        run = services.create_run(store, config, name=f"{done} of {asked}")
        with store.write() as connection:
            connection.execute(
                "UPDATE rollouts SET state = 'done', goals = 2, won = ? WHERE run_id = ? AND number <= ?",
                (won, run.id, done),
            )
            connection.execute(
                "UPDATE rollouts SET state = ?, error = 'No answer.' WHERE run_id = ? AND number > ?",
                (left, run.id, done),
            )
        ended = {"failed": "failed", "queued": "paused"}[left] if done < asked else "done"
        runs.end(store, run.id, ended, paused_by="budget" if ended == "paused" else None)  # type: ignore[arg-type]
        return run.id

    return made


def standing(store: services.Store, run: str, base: str | None = None) -> Standing:
    paired = evaluating.compare_runs(store, run, base) if base else None
    return Standing(services.load_run(store, run), services.evaluate_run(store, run), paired)


def cells(row: Any) -> list[str]:
    return [cell["text"].replace(listings.NO_BREAK, " ") for cell in row["cells"]]


def test_a_run_with_40_percent_failed_says_so_everywhere(plays: Played, store: services.Store, say: Any, ask: Any):
    run = plays(60, won=1)
    (line,) = services.list_runs(store)
    (row,) = listings.runs_listed([line]).rows
    assert dict(zip(listings.RUNS, cells(row), strict=True)) | {"Created (UTC)": ""} == {
        "Run": run, "State": "failed", "Name": "60 of 100", "Finished": "60 of 100", "Reward": "0.500 (≥0.300)",
        "Success": "0 %", "Created (UTC)": "",
    }  # fmt: skip
    _, told = ask("list")
    figures = {"finished": 60, "rollouts": 100, "scenarios": 100, "average_reward": 0.5, "average_reward_low": 0.3}
    assert figures.items() <= told["runs"][0].items() and told["runs"][0]["success_rate_low"] == 0.0
    assert "60 of 100  0.500 (≥0.300)" in say("list")[1].replace(listings.NO_BREAK, " ")
    result = services.run_result(store, run)
    assert (result.reward.of, result.reward.low) == ("60 of 100", 0.3)
    told = rendering.result(result).replace(listings.NO_BREAK, " ")
    assert "0.500 [0.500, 0.500] (≥0.300), 60 of 100" in told and "60 of 100 rollouts finished, 40 failed" in told
    assert listings.stage(result).endswith("60 of 100 finished, 40 failed by a fault")


def test_a_paused_run_is_over_all_it_was_asked_for(plays: Played, store: services.Store):
    run = plays(10, 300, left="queued")
    result = services.run_result(store, run)
    assert (result.state, result.success.of, result.success.value) == ("paused", "10 of 300", 1.0)
    assert result.success_rate_low == pytest.approx(10 / 300)
    (row,) = listings.runs_listed(services.list_runs(store)).rows
    assert cells(row)[3:6] == ["10 of 300", "1.000 (≥0.033)", "100 % (≥3 %)"]


@pytest.mark.parametrize(
    ("base", "candidate", "verdict"),
    [
        (100, 95, "better"),
        (95, 100, "better"),
        (100, 94, "not decisive: 94 of 100 finished on the candidate's side"),
        (94, 95, "not decisive: 94 of 100 finished on the base's side"),
        (10, 60, "not decisive: 10 of 100 finished on the base's side and 60 of 100 finished on the candidate's side"),
    ],
)
def test_below_95_percent_nothing_is_decided(
    plays: Played, store: services.Store, base: int, candidate: int, verdict: str
):
    """The candidate wins all that it finished, the base none: no interval is in doubt."""
    one, other = plays(base, won=0), plays(candidate, won=2, seed=1)
    paired = evaluating.compare_runs(store, other, one)
    assert paired.told == verdict and paired.low == 1.0
    assert (paired.n, paired.pairs) == (min(base, candidate), 100)
    told = leaderboard.sentence(standing(store, other, one))
    assert told.lower().startswith(verdict.lower()) and f"n {paired.n} of 100 pairs. Were all that did" in told
    assert verdict in rendering.evaluation(replace(services.evaluate_run(store, other), paired=paired))


def test_the_board_ranks_by_the_figure_and_those_with_too_little_finished_come_last(
    plays: Played, store: services.Store
):
    base, weak, strong, lucky = plays(100, won=1), plays(98, won=0, seed=1), plays(97, won=2, seed=2), plays(94, seed=3)
    standings = [standing(store, run, base if run != base else None) for run in (lucky, weak, strong, base)]
    listed = leaderboard.board_listed(standings, base, official=False)
    assert [row["id"] for row in listed.rows] == [base, strong, weak, lucky]
    shown = [cells(row)[1] for row in listed.rows]
    assert shown == ["100 of 100", "97 of 100", "98 of 100", "94 of 100, not ranked"]
    assert cells(listed.rows[3])[4].endswith("not decisive")
    assert "94 of 100" in charts.standings_drawn(standings).alt
    (row, *_) = csv.DictReader(io.StringIO(figures_csv.as_csv(standings)))
    assert (row["finished"], row["asked"], row["success_rate"], row["success_rate_low"]) == ("94", "100", "1.0", "0.94")
    assert (row["verdict"], row["n"], row["pairs"]) == ("not decisive", "94", "100")


def test_pass_k_with_missing_trials_is_bounded_and_flips_stay_open(plays: Played, store: services.Store, at_home: None):
    """Of 5 scenarios with 4 trials each: 3 whole, one with 2 finished trials, one with none."""
    run = plays(14, 20, trials=4)
    told = standing(store, run)
    result = told.judged.result
    assert (result.pass_k, result.pass_k_n) == ((1.0,) * 4, (4, 4, 3, 3))
    assert result.pass_k_low == pytest.approx((0.7, (3 + 1 / 6) / 5, 0.6, 0.6))
    (row,) = over_trials.pass_listed([told]).rows
    assert cells(row)[1] == "1.000 [1.000, 1.000] (≥0.700) (4 of 5)" and cells(row)[7] == "14 of 20"
    assert "(≥0.600), 3 of 5" in rendering.result(result).replace(listings.NO_BREAK, " ")
    kinds = {scenario: over_trials.kind(outcomes) for scenario, outcomes in told.judged.trials.items()}
    assert list(kinds.values()) == ["Always"] * 3 + ["Open"] * 2
    (open_, unplayed) = over_trials.outcomes_listed(told, told, "Open").rows
    assert cells(open_)[1:3] == ["2 of 4", "✓✓??"] and cells(unplayed)[1:3] == ["0 of 4", "????"]
    assert over_trials.in_words(told).endswith("2 open, for trials of theirs did not finish.")


def test_evaluate_says_n_of_n_and_the_verdict(ask: Any, say: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    _, base = ask("evaluate", *PLAYERS, "--limit", "6")
    (tmp_path / "fault").write_text("test/1")
    monkeypatch.setenv("FAKE_FAULT", str(tmp_path / "fault"))
    code, told = ask("evaluate", *PLAYERS, "--limit", "6", "--seed", "1", "--against", base["run"])
    assert code == 1 and (told["finished"], told["scenarios"]) == (5, 6)
    assert told["success_rate_low"] == pytest.approx(told["success_rate"] * 5 / 6)
    paired = told["paired"]
    assert (paired["n"], paired["pairs"], paired["verdict"]) == (5, 6, "not decisive")
    assert paired["not_decisive"] == "5 of 6 finished on the candidate's side"
    _, shown, _ = say("evaluate", *PLAYERS, "--limit", "6", "--seed", "2", "--against", base["run"])
    assert "not decisive: 5 of 6 finished on the candidate's side" in shown and "bad API use" in shown
    assert "5 of 6 rollouts finished, 1 failed" in shown


def test_where_nothing_finished_the_figures_are_told_and_why_nothing_is_compared(
    ask: Any, say: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    _, base = ask("evaluate", *PLAYERS, "--limit", "2")
    (tmp_path / "fault").write_text("")
    monkeypatch.setenv("FAKE_FAULT", str(tmp_path / "fault"))
    code, out, err = say("evaluate", *PLAYERS, "--limit", "2", "--seed", "1", "--against", base["run"])
    assert code == 1 and "-, 0 of 2 finished" in out
    assert "Of the 2 scenarios that" in err and "none is finished on both sides" in err


def test_an_export_says_of_how_many_trees_it_is(say: Any, ask: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "fault").write_text("train/1")
    monkeypatch.setenv("FAKE_FAULT", str(tmp_path / "fault"))
    _, run = ask("run", *PLAYERS, "--limit", "4")
    _, told, _ = say("export", run["run"], "--out", str(tmp_path / "rows"))
    with services.open_store(tmp_path / "josh.db") as store:
        rewarded = sum(each.state == "done" and each.won > 0 for each in services.list_rollouts(store, run["run"]))
    assert 0 < rewarded <= 3 and f"{rewarded} of 4 finished with reward" in told


def test_improve_judges_nothing_by_a_remainder(
    store: services.Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    trained: list[str],  # noqa: F811
):
    (tmp_path / "fault").write_text("test/1")
    monkeypatch.setenv("FAKE_FAULT", str(tmp_path / "fault"))
    done = improving.improve(store, PLAN, tmp_path / "turn", data=tmp_path)
    base, tuned = done.judged
    assert (base.success.of, base.verdict, done.searched.success.of) == ("5 of 6", "", "8 of 8")
    assert tuned.verdict.startswith("not decisive: 5 of 6 finished on the base's side")
    assert tuned.success_rate is not None
    assert tuned.success_rate_low == pytest.approx(tuned.success_rate.value * 5 / 6)
    shown = rendering.improved(done)
    assert "not decisive: 5 of 6 finished on the base's side" in shown and "5 of 5 pairs" not in shown
    kept = json.loads((tmp_path / "turn" / improving.RESULT).read_text())
    assert (kept["judged"][1]["finished"], kept["judged"][1]["scenarios"]) == (5, 6)
    assert kept["judged"][1]["verdict"] == tuned.verdict


def test_the_pages_say_it(plays: Played, at_home: None):
    base, other = plays(100, won=0), plays(60, seed=1)
    test = opened("evaluate", runs=f"{other},{base}", base=base)
    assert "Not decisive: 60 of 100 finished on the candidate's side." in said(test)
    test = opened("run", run=other)
    shown = {each.label: each.value.replace(listings.NO_BREAK, " ") for each in test.metric}
    assert (shown["Average Reward"], shown["100 % success"]) == ("1.000 (≥0.600)", "100 % (≥60 %)")


def test_a_bound_is_rounded_down_and_said_only_where_it_says_more():
    assert listings.least(Rate(0.7, 0.67899, 97, 100)) == "(≥0.678)"
    assert listings.least(Rate(0.7, 0.679, 97, 100), of="percent") == f"(≥67{listings.NO_BREAK}%)"
    assert listings.least(Rate(0.7, 0.7, 100, 100)) == listings.least(Rate(0.0, 0.0, 9, 10)) == ""
    assert listings.least(Rate(None, None, 0, 10)) == ""
