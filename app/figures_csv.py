"""The Evaluate page's figures as files for a spreadsheet, unrounded. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.leaderboard import Standing, model_name

if TYPE_CHECKING:
    import pandas as pd


def as_csv(standings: Sequence[Standing]) -> str:
    """One row per run, figures unrounded."""
    told = io.StringIO()
    writer = csv.writer(told, lineterminator="\n")
    writer.writerow(
        ["run", "model", "world", "split", "order", "temperature", "user", "n", "average_reward", "average_reward_low",
         "average_reward_high", "success_rate", "success_low", "success_high", "bad_api_use", "incorrect_format",
         "baseline", "difference", "low", "high", "success_difference", "success_diff_low", "success_diff_high",
         "fixed", "broken", "p", "trials", "pass_1", "pass_2", "pass_3", "pass_4", "floor", "agent_usd", "user_usd"]
    )  # fmt: skip
    for each in standings:
        result, paired, config = each.judged.result, each.paired, each.run.config
        reward, success = result.average_reward_interval or ("", ""), result.success_rate_interval or ("", "")
        beside: list[object] = [""] * 9
        if paired is not None:
            beside = [
                paired.baseline, paired.difference, paired.low, paired.high, paired.success_difference,
                paired.success_low, paired.success_high, len(paired.fixed), len(paired.broken),
            ]  # fmt: skip
        writer.writerow(
            [_plain(result.run), _plain(model_name(each.run)), config.world, config.split,
             config.options.get("order", ""), config.sampling.temperature,
             config.user, result.finished, result.average_reward, *reward, result.success_rate, *success,
             each.judged.bad_api_use, each.judged.incorrect_format, *beside, paired.p if paired else "",
             config.trials, *(*result.pass_k, "", "", "", "")[:4], each.judged.floor, result.agent_usage.usd,
             result.user_usage.usd]
        )  # fmt: skip
    return told.getvalue()


def frame_as_csv(frame: pd.DataFrame) -> str:
    """A chart's figures, unrounded."""
    return str(frame.map(lambda cell: _plain(cell) if isinstance(cell, str) else cell).to_csv(index=False))


def _plain(text: str) -> str:
    """No spreadsheet takes it for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text
