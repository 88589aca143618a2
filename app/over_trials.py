"""Figures over several trials of the same scenarios: Pass^k with intervals beside what others measured, which scenarios
end sometimes one way and sometimes the other, and what each side cost. Pure.

Pass^k (arXiv 2406.12045): the chance that k trials of a scenario all succeed, averaged over scenarios.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.leaderboard import Standing, model_name, with_interval
from app.listings import NO_FIGURE, Listed, address, linked
from app.reference_rows import RETAIL, RETAIL_2
from app.results import Interval, SideUsage
from josh_engine.rates import Rate
from josh_engine.values import Json

MOST_K = 4
PASS = ("Model", *(f"Pass^{k}" for k in range(1, MOST_K + 1)), "Tasks", "Trials", "Finished", "User")
OUTCOMES = ("Scenario", "This one", "Trials", "Baseline", "What changed")
COSTS = ("Model", "Conversations", "Agent's outputs each", "Agent's usd each", "User's outputs each", "User's usd each")
WHICH = ("Sometimes", "Always", "Never", "Open", "All")
MARKS: Mapping[bool | None, str] = {True: "✓", False: "·", None: "?"}
TAU_2 = "tau2-retail"  # of imported results


def several(standings: Sequence[Standing]) -> bool:
    """Whether there is anything to say of trials."""
    return any(each.judged.result.several for each in standings)


def is_retail_test(standing: Standing) -> bool:
    return standing.run.config.world == "tau-retail" and standing.run.config.split == "test"


def pass_listed(standings: Sequence[Standing]) -> Listed:
    """One row a run; then, faint, doing nothing and what others measured on the same tasks."""
    rows = []
    for each in standings:
        result, config = each.judged.result, each.run.config
        told = list(zip(result.pass_rates, result.pass_k_intervals, strict=True))[:MOST_K]
        shown = [pass_in_words(rate, interval) for rate, interval in told] + [NO_FIGURE] * (MOST_K - len(told))
        user = config.user + (f" ({config.user_model})" if config.user_model else "")
        rows.append(
            linked(
                each.run.id, address("run", run=each.run.id),
                ("link", f"{model_name(each.run)} · {each.run.id}"), *[("number", figure) for figure in shown],
                ("number", str(result.scenarios)), ("number", str(config.trials)), ("number", result.success.of),
                ("text", user),
            )
        )  # fmt: skip
    return Listed(PASS, [*rows, *_floors(standings), *_references(standings)])


def pass_in_words(rate: Rate, interval: Interval) -> str:
    """With the number of tasks it is over, where not all have so many finished trials."""
    return with_interval(rate, interval) + ("" if rate.whole else f" ({rate.of})")


def _floors(standings: Sequence[Standing]) -> list[dict[str, Json]]:
    """Doing nothing ends every trial alike, so all its Pass^k are one figure."""
    found = {(each.judged.floor, each.judged.result.scenarios) for each in standings}
    rows = []
    for floor, scenarios in sorted((floor, count) for floor, count in found if floor is not None):
        name = f"floor: doing nothing ({round(floor * scenarios)} of {scenarios})"
        figures = [("faint", f"{floor:.3f}")] * MOST_K
        rows.append(linked(name, "", ("faint", name), *figures, ("faint", str(scenarios)), *[("faint", "any")] * 3))
    return rows


def _references(standings: Sequence[Standing]) -> list[dict[str, Json]]:
    """τ-bench's and τ²-bench's tasks differ, so each has its own."""
    rows = [("115", each) for each in RETAIL if any(map(is_retail_test, standings))]
    rows += [("114", each) for each in RETAIL_2 if any(one.run.config.world == TAU_2 for one in standings)]
    return [
        linked(
            f"reference-{place}", "", ("faint", name), *[("faint", f"{each:.3f}") for each in told],
            *[("faint", NO_FIGURE)] * (MOST_K - len(told)), ("faint", tasks), *[("faint", NO_FIGURE)] * 2,
            ("faint", user),
        )
        for place, (tasks, (name, user, told)) in enumerate(rows)
    ]  # fmt: skip


def outcomes_listed(standing: Standing, baseline: Standing, which: str) -> Listed:
    """How each scenario's trials ended, the most changed against the baseline first. A row leads to its tree."""
    mine, its = standing.judged.trials, baseline.judged.trials
    beside = standing.run.id != baseline.run.id
    rows = []
    for scenario in sorted(mine, key=lambda each: (-abs(_gain(mine, its, each)) if beside else 0, each)):
        outcomes = mine[scenario]
        if which not in ("All", kind(outcomes)):
            continue
        known = beside and scenario in its
        rows.append(
            linked(
                scenario, address("tree", run=standing.run.id, scenario=scenario),
                ("link", scenario), ("number", _counted(outcomes)),
                ("text", "".join(MARKS[each] for each in outcomes)),
                ("number", _counted(its[scenario]) if known else NO_FIGURE),
                ("number", f"{_gain(mine, its, scenario):+.2f}" if known else NO_FIGURE),
            )
        )  # fmt: skip
    none = f"No scenario {which.lower()} succeeded." if which in WHICH[:3] else "There is none."
    return Listed(OUTCOMES, rows, "" if rows else none)


Outcomes = Sequence[bool | None]


def _counted(outcomes: Outcomes) -> str:
    return f"{outcomes.count(True)} of {len(outcomes)}"


def kind(outcomes: Outcomes) -> str:
    """Sometimes, Always or Never; Open where only the trials that did not finish could tell."""
    if True in outcomes and False in outcomes:
        return "Sometimes"
    if None in outcomes:
        return "Open"
    return "Always" if True in outcomes else "Never"


def in_words(standing: Standing) -> str:
    """How many scenarios flip between trials."""
    kinds = [kind(each) for each in standing.judged.trials.values()]
    counted = ", ".join(f"{kinds.count(name)} {name.lower()}" for name in WHICH[:3])
    things = "scenario" if len(kinds) == 1 else "scenarios"
    told = f"Of {len(kinds)} {things}: {counted} succeeded in {standing.run.config.trials} trials"
    return told + (f"; {left} open, for trials of theirs did not finish." if (left := kinds.count(WHICH[3])) else ".")


def _gain(mine: Mapping[str, Outcomes], its: Mapping[str, Outcomes], scenario: str) -> float:
    """Of the shares of finished trials that succeeded; 0.0 where a side finished none."""
    sides = [[each for each in side.get(scenario, ()) if each is not None] for side in (mine, its)]
    return sum(sides[0]) / len(sides[0]) - sum(sides[1]) / len(sides[1]) if all(sides) else 0.0


def costs_listed(standings: Sequence[Standing]) -> Listed:
    """What a conversation takes, the agent's side and the user's apart."""
    rows = []
    for each in standings:
        result = each.judged.result
        sides = [cell for side in (result.agent_usage, result.user_usage) for cell in _side(side, result.finished)]
        rows.append(
            linked(
                each.run.id, address("run", run=each.run.id), ("link", f"{model_name(each.run)} · {each.run.id}"),
                ("number", result.success.of), *[("number", cell) for cell in sides],
            )
        )  # fmt: skip
    return Listed(COSTS, rows)


def _side(side: SideUsage, conversations: int) -> tuple[str, str]:
    if not side.calls or not conversations:
        return "none", NO_FIGURE
    usd = "unknown" if side.usd is None else f"{side.usd / conversations:.4f}"
    return f"{side.calls / conversations:.1f}", usd
