"""The Evaluate page's figures as files for a spreadsheet, unrounded. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.leaderboard import Standing, model_name
from app.over_trials import MOST_K
from app.results import Comparison, Interval
from josh_engine.metrics import FAULTS
from josh_engine.rates import Rate

if TYPE_CHECKING:
    import pandas as pd


def as_csv(standings: Sequence[Standing]) -> str:
    """One row per run, figures unrounded, under the names that they have in JSON. `_from` and `_to` bound the 95 %
    interval."""
    told = io.StringIO()
    rows = [_row(each) for each in standings]
    writer = csv.DictWriter(told, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return told.getvalue()


def _row(standing: Standing) -> dict[str, object]:
    judged, config, result = standing.judged, standing.run.config, standing.judged.result
    passed = {f"pass_{k}": rate for k, rate in enumerate(result.pass_rates[:MOST_K], start=1)}
    return {
        "run": _plain(result.run), "model": _plain(model_name(standing.run)), "world": config.world,
        "split": config.split, "order": config.options.get("order", ""), "temperature": config.sampling.temperature,
        "user": config.user, "trials": config.trials, "state": result.state, "finished": result.finished,
        "asked": result.rollouts, "failed": result.failed,
        **_rate("average_reward", result.reward, result.average_reward_interval),
        **_rate("success_rate", result.success, result.success_rate_interval),
        **{kind: judged.error_kinds.get(kind) for kind in FAULTS},
        **_beside(standing.paired),
        **{f"pass_{k}": passed[f"pass_{k}"].value if f"pass_{k}" in passed else "" for k in range(1, MOST_K + 1)},
        **{f"{name}_low": rate.low for name, rate in passed.items()},
        **{f"{name}_n": rate.finished for name, rate in passed.items()},
        "floor": judged.floor, "agent_usd": result.agent_usage.usd, "user_usd": result.user_usage.usd,
    }  # fmt: skip


def _rate(name: str, rate: Rate, interval: Interval | None) -> dict[str, object]:
    start, end = interval or ("", "")
    return {name: rate.value, f"{name}_low": rate.low, f"{name}_from": start, f"{name}_to": end}


def _beside(paired: Comparison | None) -> dict[str, object]:
    """Empty for the baseline itself."""
    names = (
        "baseline", "verdict", "n", "pairs", "difference", "difference_low", "low", "high", "success_difference",
        "success_difference_low", "success_low", "success_high", "p",
    )  # fmt: skip
    if paired is None:
        return dict.fromkeys((*names, "fixed", "broken"), "")
    return {name: getattr(paired, name) for name in names} | {
        "fixed": len(paired.fixed),
        "broken": len(paired.broken),
    }


def frame_as_csv(frame: pd.DataFrame) -> str:
    """A chart's figures, unrounded."""
    return str(frame.map(lambda cell: _plain(cell) if isinstance(cell, str) else cell).to_csv(index=False))


def _plain(text: str) -> str:
    """No spreadsheet takes it for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text
