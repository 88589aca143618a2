"""n of N: what did not finish is in no mean, is counted beside it, and bounds it."""

from __future__ import annotations

import pytest

from josh_engine.metrics import FAULTS, Wrong, compare, error_analysis, pass_hat_k, summarise, wrong_calls
from josh_engine.rates import ENOUGH, Rate, rate, reward, scenario_means, success
from josh_engine.tree import fold
from josh_engine.values import (
    Message,
    Node,
    NodeAdded,
    Preamble,
    Rollout,
    Scenario,
    SearchStarted,
    State,
    ToolCall,
    Turn,
)

UNFINISHED: tuple[State, ...] = ("failed", "queued", "running", "paused", "cancelled")


def rollout(
    scenario: object, won: int = 0, *, state: State = "done", trial: int = 0, grade: float | None = None
) -> Rollout:
    """One of two goals; nothing is known of one that did not finish."""
    goals = 2 if state == "done" else 0
    return Rollout(f"r.{scenario}.{trial}", "r", str(scenario), trial, state, None, goals, won, grade)


def side(done: int, asked: int, *, won: int = 2) -> list[Rollout]:
    return [rollout(f"{n:03}", won, state="done" if n < done else "failed") for n in range(asked)]


@pytest.mark.parametrize("state", UNFINISHED)
def test_what_did_not_finish_is_a_0_in_the_bound_and_nothing_in_the_mean(state: State):
    rollouts = [rollout("a", 2), rollout("b", 1), *(rollout(n, state=state) for n in range(2))]
    assert rate(rollouts, reward) == Rate(0.75, 0.375, 2, 4)
    assert rate(rollouts, success) == Rate(0.5, 0.25, 2, 4)


def test_scenarios_weigh_alike_whatever_finished_of_their_trials():
    rollouts = [rollout("a", 2, trial=trial) for trial in range(3)]
    rollouts += [rollout("b", 0), *(rollout("b", state="failed", trial=trial) for trial in (1, 2))]
    assert rate(rollouts, success) == Rate(0.5, 0.5, 4, 6)
    rollouts[3] = rollout("b", 2)
    assert rate(rollouts, success) == Rate(1.0, (1 + 1 / 3) / 2, 4, 6)
    means = scenario_means(rollouts, success)
    assert (means["b"].value, means["b"].low, means["b"].high) == (1.0, 1 / 3, 1.0)


def test_nothing_finished_has_no_figure_and_no_bound():
    assert rate([rollout("a", state="failed")], reward) == Rate(None, None, 0, 1)
    assert rate([], reward) == Rate(None, None, 0, 0)


@pytest.mark.parametrize(("finished", "asked"), [(19, 20), (95, 100), (285, 300), (133, 140), (171, 180), (0, 0)])
def test_just_enough_is_enough(finished: int, asked: int):
    assert Rate(None, None, finished, asked).enough
    assert finished == 0 or finished == round(ENOUGH * asked)
    assert not asked or not Rate(None, None, finished - 1, asked).enough


def test_pairs_with_an_unfinished_side_are_counted_and_bound_the_difference():
    before, after = side(10, 10, won=0), side(8, 10)
    found = compare(before, after)
    assert found is not None
    assert (found.n, found.pairs, found.difference, len(found.fixed)) == (8, 10, 1.0, 8)
    assert found.difference_low == found.success_difference_low == pytest.approx(0.8)
    assert (found.before.of, found.after.of) == ("10 of 10", "8 of 10")
    turned = compare(after, before)
    assert turned is not None and turned.difference == -1.0
    assert turned.difference_low == -1.0, "the baseline's unfinished might all have succeeded"


def test_a_tie_of_trials_is_no_majority():
    """One of two trials: the scenario is won by neither side's majority, so it is neither fixed nor both."""
    half = [rollout("a", 2, trial=0), rollout("a", 0, trial=1)]
    none = [rollout("a", 0, trial=trial) for trial in (0, 1)]
    whole = [rollout("a", 2, trial=trial) for trial in (0, 1)]
    found = [compare(before, after) for before, after in ((none, half), (half, half), (half, whole), (whole, half))]
    told = [(each.fixed, each.broken, each.both, each.neither) for each in found if each is not None]
    assert told == [((), (), 0, 1), ((), (), 0, 1), (("a",), (), 0, 0), ((), ("a",), 0, 0)]


def test_pass_k_takes_missing_trials_for_no_trials_and_bounds_them_as_failures():
    """a: 3 of 3 finished of 4; b: 4 of 4; c: none finished."""
    trials = [rollout("a", 2, trial=trial, state="done" if trial < 3 else "failed") for trial in range(4)]
    trials += [rollout("b", 2 if trial < 2 else 0, trial=trial) for trial in range(4)]
    trials += [rollout("c", trial=trial, state="queued") for trial in range(4)]
    found = pass_hat_k(trials)
    assert [each.over.n for each in found] == [2, 2, 2, 1]
    assert [each.over.value for each in found] == pytest.approx([0.75, (1 + 1 / 6) / 2, 0.5, 0.0])
    assert [each.low for each in found] == pytest.approx([(3 / 4 + 1 / 2) / 3, (1 / 2 + 1 / 6) / 3, (1 / 4) / 3, 0.0])
    assert summarise(trials).success.of == "7 of 12"


def test_every_fault_of_the_agent_s_own_is_in_one_kind_of_error():
    """A fault that is new to the values is a kind at once, and leads to its turns."""
    kinds = [fault for faults in FAULTS.values() for fault in faults]
    assert len(kinds) == len(set(kinds)) and "refused" not in kinds
    for kind, faults in FAULTS.items():
        for fault in faults:
            call = ToolCall("call_1", "", error="No.", fault=fault)  # type: ignore[arg-type]
            turn = Turn("agent", (Message("assistant", ""),), (call,), None, "failed")
            scenario = Scenario("s", "w", "x", (), ())
            tree = fold([SearchStarted(scenario, Preamble((), ())), NodeAdded(Node("0", None, turn))])
            analysis = error_analysis([tree])
            assert {name for name, share in analysis.kinds.items() if share} == {kind}
            assert [each.node for each in wrong_calls(tree, Wrong(table=kind))] == ["0"]
            (tool,) = analysis.errors_by_api
            assert [each.node for each in wrong_calls(tree, Wrong(api=tool))] == ["0"]
