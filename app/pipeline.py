"""The steps of the work as the Overview shows them: how much there is of each, and where it leads. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.forest import PairCount
from app.listings import counted, percent
from app.results import RunLine
from storage.activity import Activity
from storage.trainings import Training

NONE_JUDGED = "none judged yet"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the work: its page, how much there is, and in what state; `params` open the page at the right place."""

    page: str
    title: str
    count: str
    state: str
    params: Mapping[str, str]


def pipeline(
    lines: Sequence[RunLine],
    count: PairCount,
    *,
    active: Sequence[Activity],
    exports: int,
    jobs: Sequence[Training] = (),
) -> tuple[Step, ...]:
    """The work's steps in their order. Each leads to its page with what is newest there."""
    running = f"{len(active)} being played" if active else f"newest: {lines[0].state}" if lines else "none yet"
    finished, full = sum(line.finished for line in lines), fully_rewarded(lines)
    example = {"run": example_run(lines).run} if lines else {}
    share = percent(count.share) if count.pairs else "none"
    judged = [line for line in lines if line.strategy == "greedy" and line.finished]
    trained = f"newest: {jobs[0].state}" if jobs else "none yet"
    success = f"{percent(judged[0].success_rate)} success, {judged[0].success.of}" if judged else NONE_JUDGED
    return (
        Step("run", "Run", counted(len(lines), "run"), running, {"run": active[0].id} if active else {}),
        Step("tree", "Tree", counted(finished, "tree"), f"{full:,} with full reward", example),
        Step("audit", "Audit", counted(count.pairs, "pair"), f"{share} audited", example),
        Step("export", "Export", counted(exports, "export"), f"of {counted(full, 'full tree')}", {}),
        Step("train", "Train", counted(len(jobs), "job"), trained, {"job": jobs[0].id} if jobs else {}),
        Step("evaluate", "Evaluate", counted(len(judged), "run"), success, {}),
    )


def fully_rewarded(lines: Sequence[RunLine]) -> int:
    """Trees in which every goal was won, over all runs."""
    return sum(line.full for line in lines)


def example_run(lines: Sequence[RunLine]) -> RunLine:
    """The newest search that reached a goal; else the newest run. `lines` are newest first and not empty."""
    return next((line for line in lines if line.strategy == "josh" and line.average_reward), lines[0])
