"""Figures against values worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from small import FIND_HOTEL, HOTEL, MALFORMED, search, strategy

from josh_engine.metrics import (
    Wrong,
    compare,
    error_analysis,
    estimate,
    mcnemar,
    pass_hat_k,
    spreads,
    summarise,
    wrong_calls,
)
from josh_engine.models.scripted import say, use
from josh_engine.values import Rollout, Usage


def rollout(scenario: str, won: int, goals: int = 2, *, trial: int = 0, **more) -> Rollout:
    return Rollout(f"r{scenario}{trial}", "run", scenario, trial, more.pop("state", "done"), None, goals, won, **more)


def test_average_reward_and_success_rate():
    summary = summarise([rollout("a", 2), rollout("b", 1), rollout("c", 0)])
    assert summary.average_reward.value == 0.5
    assert summary.success_rate.value == pytest.approx(1 / 3)
    assert (summary.average_reward.n, summary.scenarios, summary.failed) == (3, 3, 0)


def test_failed_rollouts_are_counted_beside_the_metric_and_goalless_ones_as_skipped():
    summary = summarise([rollout("a", 2), rollout("b", 0, state="failed"), rollout("c", 0, 0)])
    assert (summary.average_reward.value, summary.average_reward.n) == (1.0, 1)
    assert (summary.failed, summary.skipped, summary.success.of) == (1, 1, "2 of 3")
    assert summary.reward.low == 0.5, "c is known to have no goals, b may have some"


def test_a_worlds_grade_is_the_success():
    graded = [rollout("a", 2, grade=0.0), rollout("b", 0, grade=1.0)]
    assert [each.success for each in graded] == [False, True]


def test_nothing_finished_gives_no_figure_instead_of_zero():
    summary = summarise([rollout("a", 0, state="failed")])
    assert summary.average_reward is None and summary.success_rate is None and summary.pass_k == ()


def test_an_unknown_price_stays_unknown():
    assert summarise([rollout("a", 2, usd=None), rollout("b", 2, usd=1.0)]).usd is None
    assert summarise([rollout("a", 2, usd=0.5), rollout("b", 2, usd=1.0)]).usd == 1.5
    assert summarise([replace(rollout("a", 2), usage=Usage(3, 10, 5))]).tokens == 15


def test_pass_k_is_the_chance_that_k_of_the_trials_all_succeed():
    trials = [rollout("a", 2 if trial < 3 else 0, trial=trial) for trial in range(4)]
    trials += [rollout("b", 2, trial=trial) for trial in range(4)]
    by_hand = []
    for k in (1, 2, 3, 4):
        drawn = [all(trials[index].success for index in chosen) for chosen in combinations(range(4), k)]
        by_hand.append((sum(drawn) / len(drawn) + 1) / 2)
    assert [each.over.value for each in pass_hat_k(trials)] == pytest.approx(by_hand)
    assert [each.low for each in pass_hat_k(trials)] == pytest.approx(by_hand), "nothing is missing"


def test_the_interval_is_the_bootstraps_and_repeats():
    fair = [0.0, 1.0] * 50
    once, again = estimate(fair), estimate(fair)
    assert once == again
    assert once.low == pytest.approx(0.40, abs=0.011) and once.high == pytest.approx(0.60, abs=0.011)
    assert (estimate([1.0] * 5).low, estimate([1.0] * 5).high) == (1.0, 1.0)


def test_trials_of_a_scenario_are_not_counted_as_independent():
    once = [rollout(str(n), 2 * (n % 2)) for n in range(20)]
    thrice = [rollout(str(n), 2 * (n % 2), trial=trial) for n in range(20) for trial in range(3)]
    assert summarise(thrice).average_reward == summarise(once).average_reward


def test_a_comparison_is_paired_on_the_scenarios_both_finished():
    before = [rollout("a", 0), rollout("b", 2), rollout("c", 1), rollout("d", 0)]
    after = [rollout("a", 2), rollout("b", 2), rollout("c", 2), rollout("e", 2)]
    paired = compare(before, after)
    assert (paired.n, paired.pairs, paired.difference) == (3, 3, 0.5)
    assert (paired.fixed, paired.broken) == (("a", "c"), ())
    assert compare(before, [rollout("z", 1)]) is None


@pytest.mark.parametrize(("fixed", "broken", "p"), [(0, 0, 1.0), (5, 0, 0.0625), (8, 2, 0.109375), (3, 3, 1.0)])
def test_mcnemar_is_the_exact_binomial(fixed, broken, p):
    assert mcnemar(fixed, broken) == pytest.approx(p)
    assert mcnemar(broken, fixed) == mcnemar(fixed, broken)


def test_error_analysis_counts_conversations_apis_and_parameters():
    greedy = strategy("greedy", depth=2)
    malformed = search({"0": [MALFORMED, say("a")]}, config=greedy).tree
    unknown = search({"0": [use("fly_me"), say("a")]}, config=greedy).tree
    wrong = search({"0": [use("find_hotel", '{"area": "south"}'), say("a")]}, [HOTEL], greedy).tree
    missing = search({"0": [use("find_hotel"), say("a")]}, [HOTEL], greedy).tree
    right = search({"0": [use("find_hotel"), FIND_HOTEL, say("a")]}, [HOTEL], greedy).tree
    analysis = error_analysis([malformed, unknown, wrong, missing, right])
    assert (analysis.kinds["incorrect_format"], analysis.kinds["bad_api_use"], analysis.n) == (0.2, 0.2, 5)
    assert analysis.errors_by_api == {"find_hotel": 1, "fly_me": 1}
    assert {(each.parameter, each.kind, each.count) for each in analysis.parameter_errors} == {
        ("area", "wrong value", 1),
        ("area", "missing parameter", 1),
    }
    assert sum(each.share for each in analysis.parameter_errors) == 1.0


def test_every_figure_of_the_analysis_leads_to_its_calls():
    greedy = strategy("greedy", depth=2)
    malformed = search({"0": [MALFORMED, say("a")]}, config=greedy).tree
    unknown = search({"0": [use("fly_me"), say("a")]}, config=greedy).tree
    wrong = search({"0": [use("find_hotel", '{"area": "south"}'), say("a")]}, [HOTEL], greedy).tree
    missing = search({"0": [use("find_hotel"), say("a")]}, [HOTEL], greedy).tree
    trees = {"malformed": malformed, "unknown": unknown, "wrong": wrong, "missing": missing}

    def led_to(wanted):
        return [name for name, tree in trees.items() for _ in wrong_calls(tree, wanted)]

    assert led_to(Wrong(api="fly_me")) == ["unknown"]
    assert led_to(Wrong(table="bad_api_use")) == ["unknown"]
    assert led_to(Wrong(table="incorrect_format")) == ["malformed"]
    assert led_to(Wrong(api="find_hotel", parameter="area", kind="wrong value")) == ["wrong"]
    assert led_to(Wrong(api="find_hotel", parameter="area")) == ["wrong", "missing"]
    assert led_to(Wrong(api="find_hotel", parameter="stars")) == [] == led_to(Wrong(table="nothing"))
    (placed,) = wrong_calls(unknown, Wrong(api="fly_me"))
    assert placed.call in unknown.nodes[placed.node].turn.calls


def test_a_figure_s_spread_falls_with_the_root_of_the_conversations():
    told = spreads([rollout(str(each), each % 3) for each in range(120)])
    assert [each.n for each in told] == [10, 25, 50, 100, 120]
    deviation = (sum((won / 2 - 0.5) ** 2 for won in range(3)) / 3) ** 0.5
    for each in told:
        assert each.average_reward == pytest.approx(deviation / each.n**0.5, rel=0.06)
    assert told == spreads([rollout(str(each), each % 3) for each in range(120)])
    assert spreads([rollout("a", 1)]) == ()


def test_what_both_or_neither_succeed_in_is_counted():
    before = [rollout(name, won) for name, won in zip("abcd", (2, 2, 0, 1), strict=True)]
    after = [rollout(name, won) for name, won in zip("abcd", (2, 0, 2, 0), strict=True)]
    found = compare(before, after)
    assert (found.both, found.neither, found.fixed, found.broken) == (1, 1, ("c",), ("b",))
