"""Several trials of the same scenarios: figures worked out by hand, on the small shop and its offline pair."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import charts, evaluating, figures_csv, leaderboard, over_trials, services
from app.leaderboard import Standing
from app.results import SideUsage
from josh_engine.metrics import compare, pass_hat_k
from josh_engine.values import Rollout
from tests.taubench.small_shop import imported_shop


def texts(row: Any) -> list[str]:
    return [cell["text"] for cell in row["cells"]]


@pytest.fixture(scope="module")
def standings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Standing, Standing]:
    """Two runs of the offline pair on the four test tasks, four trials each."""
    folder = tmp_path_factory.mktemp("trials")
    data = imported_shop(folder / "data")
    found = []
    with services.open_store(folder / "josh.db") as store:
        for seed in (0, 1):
            asked = services.RunRequest(
                world="tau-retail", split="test", strategy="greedy", agent="gold_follower", user="gold_reader",
                trials=4, seed=seed,
            )  # fmt: skip
            run = services.create_run(store, services.build_config(asked, data))
            services.run_here(store, run.id, data=data)
            paired = evaluating.compare_runs(store, run.id, found[0].run.id) if found else None
            judged = services.evaluate_run(store, run.id, data=data)
            found.append(Standing(services.load_run(store, run.id), judged, paired))
    return found[0], found[1]


def rollout(scenario: str, trial: int, *, grade: float, goals: int = 1, won: int = 0) -> Rollout:
    return Rollout(f"{scenario}/{trial}", "r", scenario, trial, "done", None, goals, won, grade)


def test_pass_k_is_the_mean_of_c_k_over_n_k():
    trials = [rollout("a", trial, grade=float(trial < 3)) for trial in range(4)]
    trials += [rollout("b", trial, grade=float(trial < 1), goals=0) for trial in range(4)]
    found = pass_hat_k(trials)
    assert [each.over.value for each in found] == [(3 / 4 + 1 / 4) / 2, (3 / 6 + 0) / 2, (1 / 4 + 0) / 2, 0.0]
    assert all(each.over.low <= each.over.value <= each.over.high and each.over.n == 2 for each in found)


def test_scenarios_without_goals_count_where_the_world_grades_them():
    before = [rollout("a", 0, grade=0.0, won=1), rollout("b", 0, grade=0.0, goals=0)]
    after = [rollout("a", 0, grade=0.0, won=1), rollout("b", 0, grade=1.0, goals=0)]
    paired = compare(before, after)
    assert paired is not None and paired.graded and paired.n == 2
    assert paired.fixed == ("b",) and paired.success_difference.value == 0.5
    assert paired.difference == 0.0, "Average Reward is of those with goals"
    bare = compare(before[1:], after[1:])
    assert bare is not None and bare.difference == 1.0
    plain = compare([replace(before[0], grade=None)], [replace(after[0], grade=None)])
    assert plain is not None and not plain.graded


def test_where_the_world_grades_success_decides(standings):
    paired = standings[1].paired
    assert paired is not None and paired.graded and paired.n == 4
    told = replace(paired, low=-0.2, high=-0.1, success_low=0.1, success_high=0.3)
    assert told.verdict == "better"
    assert "success decides" in leaderboard.sentence(replace(standings[1], paired=told))
    assert replace(told, graded=False).verdict == "worse"


def test_pass_k_stands_with_intervals_the_floor_and_what_others_measured(standings):
    listed = over_trials.pass_listed(standings)
    names = [texts(row)[0] for row in listed.rows]
    assert names[2] == "floor: doing nothing (1 of 4)" and "gpt-4o, FC" in names
    assert len({row["id"] for row in listed.rows}) == len(listed.rows)
    first = standings[0].judged.result
    assert texts(listed.rows[0])[1:5] == [
        f"{value:.3f} [{low:.3f}, {high:.3f}]"
        for value, (low, high) in zip(first.pass_k, first.pass_k_intervals, strict=True)
    ]
    assert texts(listed.rows[2])[1:5] == ["0.250"] * 4
    dev = replace(standings[0].run.config, split="dev")
    elsewhere = replace(standings[0], run=replace(standings[0].run, config=dev))
    assert "gpt-4o, FC" not in [texts(row)[0] for row in over_trials.pass_listed([elsewhere]).rows]
    second = replace(standings[0], run=replace(standings[0].run, config=replace(dev, world="tau2-retail")))
    told = {texts(row)[0]: texts(row) for row in over_trials.pass_listed([second]).rows}
    assert told["GPT-5 (2025-10)"][1:] == ["0.816", "0.718", "0.647", "0.588", "114", "–", "–", "gpt-4.1"]
    assert "gpt-4o, FC" not in told


def test_flips_are_listed_by_how_much_changed_and_counted(standings):
    base, other = standings
    everything = over_trials.outcomes_listed(other, base, "All")
    assert len(everything.rows) == 4
    by_name = {texts(row)[0]: texts(row) for row in everything.rows}
    assert by_name["test-002"][1:3] == ["4 of 4", "✓✓✓✓"], "nothing is to be done there, and nothing is"
    for scenario, outcomes in other.judged.trials.items():
        assert by_name[scenario][1] == f"{sum(outcomes)} of 4"
        gain = (sum(outcomes) - sum(base.judged.trials[scenario])) / 4
        assert by_name[scenario][4] == f"{gain:+.2f}"
    gains = [abs(float(texts(row)[4])) for row in everything.rows]
    assert gains == sorted(gains, reverse=True)
    kinds = [over_trials.kind(each) for each in other.judged.trials.values()]
    for which in over_trials.WHICH[:3]:
        assert len(over_trials.outcomes_listed(other, base, which).rows) == kinds.count(which)
    assert over_trials.in_words(other).startswith(f"Of 4 scenarios: {kinds.count('Sometimes')} sometimes")
    assert texts(over_trials.outcomes_listed(base, base, "All").rows[0])[3:] == ["–", "–"]


def test_costs_of_the_sides_stand_apart(standings):
    judged = standings[0].judged
    usage = {"agent_usage": SideUsage(calls=48, usd=0.32), "user_usage": SideUsage(calls=32, usd=None)}
    told = replace(standings[0], judged=replace(judged, result=replace(judged.result, **usage)))
    assert texts(over_trials.costs_listed([told]).rows[0])[1:] == ["16 of 16", "3.0", "0.0200", "2.0", "unknown"]
    assert texts(over_trials.costs_listed(standings).rows[0])[1:] == ["16 of 16", "none", "–", "none", "–"]


def test_the_board_has_the_floor_and_ranks_by_success_and_the_csv_has_it_all(standings):
    listed = leaderboard.board_listed(standings, standings[0].run.id, official=False)
    assert texts(listed.rows[-1])[:4] == ["floor: doing nothing", "–", "–", "0.250"]
    rows = list(csv.DictReader(io.StringIO(figures_csv.as_csv(standings))))
    assert (rows[0]["trials"], rows[0]["floor"]) == ("4", "0.25")
    assert float(rows[0]["pass_2"]) == pytest.approx(standings[0].judged.result.pass_k[1])


def test_the_chart_says_its_figures_and_the_floor_in_words(standings):
    drawn = charts.pass_drawn(standings)
    assert len(drawn.frame) == 8 and "Dashed: doing nothing, 0.250." in drawn.alt
    assert drawn.chart.to_dict()["layer"]


def test_a_world_that_is_not_there_any_more_has_no_floor(standings, tmp_path: Path):
    assert evaluating.of_world(standings[0].run, tmp_path / "nowhere").floor is None
    with services.open_store(tmp_path / "josh.db") as store:
        config = services.build_config(services.RunRequest(limit=2), tmp_path)
        run = services.create_run(store, config)
        assert evaluating.of_world(run, tmp_path).floor is None, "a world that grades nothing"
