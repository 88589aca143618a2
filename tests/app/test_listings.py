"""Rows of text that lead somewhere, and figures in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app import listings, pipeline
from app.estimate import Estimate
from app.forest import PairCount
from app.keys import EVERYWHERE, keys_of
from app.results import RunLine, RunResult
from josh_engine.values import Rollout
from storage.trainings import Training
from tests.app.sample_search import HOSTILE


def rollout(number: int, **values: object) -> Rollout:
    return Rollout(f"r.{number}", "r", f"S{number}", 0, **values)  # type: ignore[arg-type]


def line(**values: object) -> RunLine:
    known = {"run": "r", "name": "n", "world": "w", "split": "s", "strategy": "josh", "agent": "a", "user": "u"}
    known |= {"state": "done", "scenarios": 4, "rollouts": 4, "finished": 4, "average_reward": 0.5, "full": 1}
    return RunLine(**(known | {"success_rate": 0.25, "created": "2026-11-21T00:37:12+00:00"} | values))  # type: ignore[arg-type]


FULL = rollout(1, state="done", goals=2, won=2, events=9, nodes=20)
PART = rollout(2, state="done", goals=3, won=1, events=9)
NONE = rollout(3, state="done", goals=2, won=0, events=9)
WAITING = rollout(4)


def names(listed: listings.Listed) -> list[str]:
    return [row["cells"][0]["text"] for row in listed.rows]


def test_scenarios_stand_in_playing_order_or_by_interest():
    rollouts = (FULL, WAITING, NONE, PART)
    assert names(listings.scenarios_listed(rollouts)) == ["S1", "S4", "S3", "S2"]
    assert names(listings.scenarios_listed(rollouts, by_interest=True)) == ["S2", "S3", "S1", "S4"]


def test_a_scenario_not_begun_has_no_figure_and_a_finished_one_its_stars():
    row = listings.scenarios_listed((PART, WAITING)).rows
    assert [cell["text"] for cell in row[0]["cells"][:4]] == ["S2", "done", "★☆☆", "0.333"]
    assert row[1]["cells"][3]["text"] == listings.NO_FIGURE


def test_a_name_is_kept_as_it_is_and_quoted_in_the_address_only():
    odd = Rollout("r.1", "r", HOSTILE[0], 2)
    (row,) = listings.scenarios_listed([odd]).rows
    assert row["cells"][0]["text"].startswith(HOSTILE[0])
    assert "<" not in row["href"] and "trial=2" in row["href"]


def test_a_large_run_lists_those_being_played_first_and_says_how_many_are_left_out():
    many = [rollout(number, state="done") for number in range(300)] + [rollout(300, state="running")]
    listed = listings.scenarios_listed(many)
    assert names(listed)[0] == "S300"
    assert len(listed.rows) == listings.MOST_ROWS
    assert listed.note.startswith("101 more")


def test_runs_lead_to_the_page_asked_for():
    assert listings.runs_listed([line()]).rows[0]["href"] == "run?run=r"
    assert listings.runs_listed([line()], page="tree").rows[0]["href"] == "tree?run=r"
    assert listings.runs_listed([]).note == "No runs yet."


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (listings.figure(None), "–"),
        (listings.figure(0.5), "0.500"),
        (listings.percent(0.625), "62 %"),
        (listings.interval((0.1, 0.25)), "95 %: 0.100 to 0.250"),
        (listings.interval(None), ""),
        (listings.moment("2026-11-21T00:37:12+00:00"), "2026-11-21 00:37"),
        (listings.duration(7.26), "7.3 s"),
        (listings.duration(125), "2 min 05 s"),
    ],
)
def test_figures_are_said_plainly(said: str, wanted: str):
    assert said == wanted


def test_a_sign_of_life_is_told_by_its_age():
    now = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    assert listings.age_seconds("2026-01-01T00:00:00+00:00", now) == 60


def test_full_trees_are_counted_over_runs_and_the_best_example_is_chosen():
    assert pipeline.fully_rewarded([line(full=2), line(success_rate=None, full=0)]) == 2
    assert listings.best_example((NONE, PART, FULL, WAITING)) == FULL
    assert listings.best_example((NONE,)) is None
    greedy = line(run="g", strategy="greedy")
    assert pipeline.example_run([greedy, line()]).run == "r"
    assert pipeline.example_run([greedy]).run == "g"


def test_an_address_names_a_rollout_by_scenario_and_trial():
    again = Rollout("r.9", "r", "S1", 1)
    assert listings.find_rollout((FULL, again), "S1", "1") == again
    assert listings.find_rollout((FULL, again), "S1", "x") is None


def result(**values: object) -> RunResult:
    known = dict.fromkeys(("scenarios", "finished", "failed", "skipped", "calls", "tokens"), 0)
    known |= {"run": "r", "name": "n", "state": "running", "rollouts": 10, "seconds": 20.0, "usd": None, "error": None}
    known |= {"average_reward": None, "average_reward_interval": None, "success_rate": None, "pass_k": ()}
    known |= {"success_rate_interval": None, "critical_path_seconds": 0.0, "paused_by": None}
    return RunResult(**(known | values))  # type: ignore[arg-type]


def test_the_one_followed_stays_until_it_is_over_then_the_one_begun_last():
    first, second = rollout(1, state="running", events=3), rollout(2, state="running", events=1)
    assert listings.followed((first, second), before=None) == second
    assert listings.followed((first, second), before="r.1") == first
    over = rollout(1, state="done", events=9, goals=2, won=1)
    assert listings.followed((over, second), before="r.1") == second
    assert listings.followed((over, WAITING), before="r.1") == over
    assert listings.followed((FULL, over), before=None) == FULL
    assert listings.followed((WAITING,), before=None) is None


def test_the_time_left_is_told_after_three_scenarios_and_only_while_it_runs():
    assert listings.time_left(result(finished=2)) == listings.NO_FIGURE
    assert listings.time_left(result(finished=3, failed=1)) == "30.0 s"
    assert listings.time_left(result(finished=9, state="paused")) == listings.NO_FIGURE


def test_the_pace_is_turns_over_the_time_worked():
    assert listings.pace((FULL, WAITING), 4.0) == "5.0"
    assert listings.pace((WAITING,), 4.0) == listings.pace((FULL,), 0.0) == listings.NO_FIGURE


def test_what_was_expected_stands_beside_what_it_took():
    expected = Estimate(10, 690, 610, 770, 500, 12.0, basis="measured", past=40)
    told = listings.expectation(expected, result(state="done", calls=702, seconds=11.0))
    assert told.startswith(
        "Expected before the start: about 690 (610 to 770) model outputs, 12.0 s. It took 702, 11.0 s."
    )
    assert "So far it took 5" in listings.expectation(expected, result(calls=5))
    assert listings.expectation(None, result()) == ""


def test_failures_are_listed_with_what_was_said_of_each():
    failed = rollout(5, state="failed", error=f"No answer. {HOSTILE[0]}")
    (row,) = listings.failures_listed((FULL, failed)).rows
    assert [cell["text"] for cell in row["cells"]] == ["S5", "0", f"No answer. {HOSTILE[0]}"]
    assert listings.failures_listed((FULL,)).note == "No scenario failed."


def test_an_event_leads_to_the_tree_at_that_moment():
    (row,) = listings.events_listed(FULL, [(7, "It won.")]).rows
    assert row["href"] == "tree?run=r&scenario=S1&t=7"


def test_the_steps_of_the_work_say_how_much_there_is_and_lead_to_the_newest():
    count = PairCount(pairs=8, audited=2, looked_at=3, trees=3)
    told = pipeline.pipeline((line(finished=4),), count, active=(), exports=1)
    run, tree, audit, export, train, evaluate = told
    assert (run.count, run.state, dict(run.params)) == ("1 run", "newest: done", {})
    assert (tree.count, tree.state, dict(tree.params)) == ("4 trees", "1 with full reward", {"run": "r"})
    assert (audit.count, audit.state, dict(audit.params)) == ("8 pairs", "25 % audited", {"run": "r"})
    assert (export.count, export.state) == ("1 export", "of 1 full tree")
    assert (train.count, train.state, evaluate.count, evaluate.state) == (
        "0 jobs",
        "none yet",
        "0 runs",
        "none judged yet",
    )
    job = Training("t1", "n", "m", "r", "o", {}, "running", "2026-01-01")
    lines = (line(), line(strategy="greedy", success_rate=0.25))
    *_, train, evaluate = pipeline.pipeline(lines, count, active=(), exports=0, jobs=(job,))
    assert (train.count, train.state, dict(train.params)) == ("1 job", "newest: running", {"job": "t1"})
    assert (evaluate.count, evaluate.state) == ("1 run", "25 % success, 4 of 4")


def test_tags_stand_beside_the_name():
    (row,) = listings.runs_listed((line(tags=("paper",)),)).rows
    assert row["cells"][2]["text"] == "n #paper"


@pytest.mark.parametrize("title", ["Overview", "Run", "Tree", "Audit"])
def test_every_page_s_keys_are_listed_and_end_with_those_that_work_everywhere(title: str):
    rows = listings.keys_listed(keys_of(title)).rows
    assert len(rows) > len(EVERYWHERE) and rows[-len(EVERYWHERE)]["cells"][0]["text"] == "H"
