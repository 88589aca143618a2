"""Rows of text that lead somewhere, and figures in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app import listings
from app.results import RunLine
from josh_engine.values import Rollout
from tests.app.sample_search import HOSTILE


def rollout(number: int, **values: object) -> Rollout:
    return Rollout(f"r.{number}", "r", f"S{number}", 0, **values)  # type: ignore[arg-type]


def line(**values: object) -> RunLine:
    known = {"run": "r", "name": "n", "world": "w", "split": "s", "strategy": "josh", "agent": "a", "user": "u"}
    known |= {"state": "done", "scenarios": 4, "rollouts": 4, "finished": 4, "average_reward": 0.5}
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
    assert listings.fully_rewarded([line(), line(success_rate=None)]) == 1
    assert listings.best_example((NONE, PART, FULL, WAITING)) == FULL
    assert listings.best_example((NONE,)) is None
    greedy = line(run="g", strategy="greedy")
    assert listings.example_run([greedy, line()]).run == "r"
    assert listings.example_run([greedy]).run == "g"


def test_an_address_names_a_rollout_by_scenario_and_trial():
    again = Rollout("r.9", "r", "S1", 1)
    assert listings.find_rollout((FULL, again), "S1", "1") == again
    assert listings.find_rollout((FULL, again), "S1", "x") is None
