"""Charts say in words what they draw, their bars lead to turns, and hostile names stay data."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

from app import charts, figures_csv
from josh_engine.metrics import Spread
from tests.app.test_leaderboard import standings  # noqa: F401 - a fixture

HOSTILE = "=cmd|'<img src=x onerror=alert(1)>"


def test_every_chart_tells_its_figures_in_words_and_has_them_as_csv(standings):  # noqa: F811
    base, other = standings
    mine = replace(
        other.judged, errors_by_api={"search_train": 3, HOSTILE: 1},
        parameter_errors=({"api": "book_train", "parameter": "day", "kind": "wrong value", "count": 3, "share": 1.0},),
    )  # fmt: skip
    other = replace(other, judged=mine)
    drawn = {
        "search_train, this model: 3": charts.failed_calls_drawn(other, base),
        "book_train: day, wrong value: 3": charts.parameters_drawn(other),
        f"Average Reward: {base.judged.result.average_reward:.3f}": charts.standings_drawn([base, other]),
        "m: 0.100 and 0.200 at 50": charts.spreads_drawn({"m": [Spread(10, 0.3, 0.4), Spread(50, 0.1, 0.2)]}),
    }
    for told, each in drawn.items():
        assert told in each.alt
        assert json.dumps(each.chart.to_dict())  # a whole Vega-Lite specification
        rows = list(csv.DictReader(io.StringIO(figures_csv.frame_as_csv(each.frame))))
        assert len(rows) == len(each.frame) > 0
    rows = csv.DictReader(io.StringIO(figures_csv.frame_as_csv(charts.failed_calls_drawn(other, base).frame)))
    assert f"'{HOSTILE}" in {row["tool"] for row in rows}


def test_a_chosen_bar_is_what_the_address_says():
    assert charts.meant({"tool": "search_train", "model": "this model"}) == {"api": "search_train"}
    chosen = charts.meant({"parameter": "book_train: day", "kind": "wrong value"})
    assert chosen == {"api": "book_train", "parameter": "day", "kind": "wrong value"}
    assert charts.meant({}) == {}


def test_a_run_beside_itself_has_one_series(standings):  # noqa: F811
    base, _ = standings
    assert set(charts.failed_calls_drawn(base, base).frame["model"]) <= {"this model"}


def test_nothing_to_draw_is_said():
    assert charts.spreads_drawn({}).frame.empty
