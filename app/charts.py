"""The figures of Evaluate and Train as charts, each with the text that says the same to those who do not see it. Pure.

Colours are the theme's first ones; a series is told by its place and by words too, never by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from app.leaderboard import Standing, model_name
from app.over_trials import MOST_K
from josh_engine.metrics import Spread

BAR = "bar"  # the selection that a chosen bar makes
MOST_BARS = 15


@dataclass(frozen=True, slots=True)
class Drawn:
    """`alt`: what it shows, in words. `selects`: whether its bars can be chosen."""

    chart: Any
    alt: str
    frame: pd.DataFrame
    selects: bool = False


def standings_drawn(standings: Sequence[Standing]) -> Drawn:
    """Average Reward and success of every model with their intervals; `least`: with what did not finish as 0."""
    told = []
    for each in standings:
        result = each.judged.result
        for metric, rate, interval in (
            ("Average Reward", result.reward, result.average_reward_interval),
            ("Success", result.success, result.success_rate_interval),
        ):
            if rate.value is not None and interval is not None:
                told.append((named(each), metric, rate.value, *interval, rate.low, rate.finished, rate.asked))
    frame = pd.DataFrame(told, columns=["model", "metric", "value", "low", "high", "least", "finished", "asked"])
    base = alt.Chart(frame).encode(y=alt.Y("model:N", title=None, sort=None, axis=alt.Axis(labelLimit=260)))
    bars = base.mark_rule(strokeWidth=3).encode(
        x=alt.X("low:Q", title="95 % interval", scale=alt.Scale(domain=[0, 1])), x2="high:Q", color="metric:N",
        yOffset="metric:N",
    )  # fmt: skip
    points = base.mark_point(filled=True, size=80, opacity=1).encode(
        x="value:Q", color=alt.Color("metric:N", title=None, legend=alt.Legend(orient="bottom")),
        shape=alt.Shape("metric:N", title=None),
        yOffset="metric:N",
    )  # fmt: skip
    words = "; ".join(
        f"{model}, {metric}: {value:.3f} from {low:.3f} to {high:.3f}" for model, metric, value, low, high, *_ in told
    )
    return Drawn((bars + points).properties(height=alt.Step(22)), f"Models with 95 % intervals. {words}.", frame)


def named(standing: Standing) -> str:
    """Model, run, and how much of it is finished."""
    result = standing.judged.result
    return f"{model_name(standing.run)} · {result.run} · {result.success.of}"


def pass_drawn(standings: Sequence[Standing]) -> Drawn:
    """Pass^k over k for every model with its 95 % interval; dashed, what doing nothing earns. `least`: with trials that
    did not finish as failures; `tasks`: those with k finished trials."""
    told = [
        (named(each), k, rate.value, *interval, rate.low, rate.finished)
        for each in standings
        for k, (rate, interval) in enumerate(
            zip(each.judged.result.pass_rates, each.judged.result.pass_k_intervals, strict=True), start=1
        )
        if k <= MOST_K
    ]
    frame = pd.DataFrame(told, columns=["model", "k", "value", "low", "high", "least", "tasks"])
    base = alt.Chart(frame).encode(
        x=alt.X("k:O", title="k", axis=alt.Axis(labelAngle=0)),
        color=alt.Color("model:N", title=None, legend=alt.Legend(orient="bottom", labelLimit=300, columns=1)),
    )
    scale = alt.Scale(domain=[0, 1])
    ranges = base.mark_rule(strokeWidth=2, opacity=0.6).encode(
        y=alt.Y("low:Q", title="Pass^k", scale=scale), y2="high:Q", xOffset="model:N"
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        y=alt.Y("value:Q", scale=scale), shape=alt.Shape("model:N", title=None, legend=None), xOffset="model:N"
    )
    layers = [ranges, points]
    floors = sorted({each.judged.floor for each in standings if each.judged.floor is not None})
    if floors:
        rule = alt.Chart(pd.DataFrame({"floor": floors})).mark_rule(strokeDash=[5, 4], color="gray")
        layers.append(rule.encode(y=alt.Y("floor:Q", scale=scale)))
    words = "; ".join(
        f"{model}, k {k}: {value:.3f} from {low:.3f} to {high:.3f}" for model, k, value, low, high, *_ in told
    )
    below = "".join(f" Dashed: doing nothing, {floor:.3f}." for floor in floors)
    return Drawn(alt.layer(*layers).properties(height=340), f"Pass^k with 95 % intervals. {words}.{below}", frame)


def failed_calls_drawn(standing: Standing, baseline: Standing) -> Drawn:
    """Figure 4c: failed calls by tool, beside the baseline's. A bar leads to its turns."""
    sides = [("this model", standing.judged.errors_by_api), ("baseline", baseline.judged.errors_by_api)]
    if standing.run.id == baseline.run.id:
        sides = sides[:1]
    mine = standing.judged.errors_by_api
    names = sorted({name for _, found in sides for name in found}, key=lambda name: (-mine.get(name, 0), name))
    told = [(name, side, found.get(name, 0)) for name in names[:MOST_BARS] for side, found in sides]
    frame = pd.DataFrame(told, columns=["tool", "model", "errors"])
    words = "; ".join(f"{name}, {side}: {count}" for name, side, count in told)
    played = " and ".join(dict.fromkeys(each.judged.result.success.of for each in (standing, baseline)[: len(sides)]))
    axis = f"failed calls, in {played} conversations"
    return _bars(frame, "tool", "model", f"Failed calls by tool. {words or 'None'}.", axis)


def parameters_drawn(standing: Standing) -> Drawn:
    """Figure 5: the ten most frequent errors in parameters. A bar leads to its turns."""
    told = [
        (f"{each['api']}: {each['parameter']}", str(each["kind"]), int(str(each["count"])))
        for each in standing.judged.parameter_errors
    ]
    frame = pd.DataFrame(told, columns=["parameter", "kind", "errors"])
    words = "; ".join(f"{name}, {kind}: {count}" for name, kind, count in told)
    axis = f"errors, in {standing.judged.result.success.of} conversations"
    return _bars(frame, "parameter", "kind", f"Wrong parameters in tries at missed goals. {words or 'None'}.", axis)


def meant(bar: Mapping[str, str]) -> dict[str, str]:
    """What the address says of a chosen bar; nothing where none is chosen."""
    if "tool" in bar:
        return {"api": bar["tool"]}
    if "parameter" in bar:
        api, _, parameter = bar["parameter"].partition(": ")
        return {"api": api, "parameter": parameter, "kind": bar["kind"]}
    return {}


def _bars(frame: pd.DataFrame, name: str, series: str, words: str, axis: str) -> Drawn:
    chosen = alt.selection_point(name=BAR, fields=[name, series])
    chart = (
        alt.Chart(frame)
        .mark_bar(cursor="pointer")
        .encode(
            x=alt.X("errors:Q", title=axis, axis=alt.Axis(tickMinStep=1)),
            y=alt.Y(f"{name}:N", title=None, sort=None, axis=alt.Axis(labelLimit=260)),
            yOffset=alt.YOffset(f"{series}:N", sort=None),
            color=alt.Color(f"{series}:N", title=None, sort=None, legend=alt.Legend(orient="bottom")),
            opacity=alt.condition(chosen, alt.value(1.0), alt.value(0.55)),
        )
        .add_params(chosen)
        .properties(height=alt.Step(14))
    )
    return Drawn(chart, words, frame, selects=True)


def spreads_drawn(found: Mapping[str, Sequence[Spread]]) -> Drawn:
    """Figure 3c: how much a figure over so many conversations would vary, for each model."""
    told = [
        (model, metric, each.n, value)
        for model, spreads in found.items()
        for each in spreads
        for metric, value in (("Average Reward", each.average_reward), ("Success", each.success_rate))
    ]
    frame = pd.DataFrame(told, columns=["model", "metric", "conversations", "deviation"])
    chart = (
        alt.Chart(frame)
        .mark_line(point=True)
        .encode(
            x=alt.X("conversations:Q"),
            y=alt.Y("deviation:Q", title="standard deviation"),
            color=alt.Color("model:N", title=None, legend=alt.Legend(orient="bottom", labelLimit=260)),
            strokeDash=alt.StrokeDash("metric:N", title=None, legend=alt.Legend(orient="bottom")),
        )
        .properties(height=280)
    )
    ends = [(model, spreads[-1]) for model, spreads in found.items() if spreads]
    words = "; ".join(
        f"{model}: {last.average_reward:.3f} and {last.success_rate:.3f} at {last.n}" for model, last in ends
    )
    return Drawn(chart, f"Standard deviation of Average Reward and success by conversations. {words}.", frame)
