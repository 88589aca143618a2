"""A run's rows from the store, summed up into `app.results`.

The figures are `josh_engine.metrics`'; only what a list shows every second is averaged apart, in SQL and without
intervals (`storage.tallies`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import jobs
from app.progress import progress_of
from app.results import Interval, Progress, RunLine, RunResult, SideUsage
from josh_engine.config import Run
from josh_engine.prompting import digest
from storage import runs
from storage.database import Store
from storage.spending import Spent, spent
from storage.tallies import Tally, tally_runs

if TYPE_CHECKING:
    from josh_engine.metrics import Estimate


def run_result(store: Store, run: Run) -> RunResult:
    from josh_engine.metrics import summarise  # loads numpy

    rollouts = runs.list_rollouts(store, run.id)
    summary = summarise(rollouts)
    agent, user = spent(store, run.id)
    return RunResult(
        run=run.id,
        name=run.name,
        state=jobs.shown_state(store, run),
        scenarios=run.scenario_count,
        rollouts=len(rollouts),
        finished=summary.success.finished,
        failed=summary.failed,
        skipped=summary.skipped,
        average_reward=summary.reward.value,
        average_reward_low=summary.reward.low,
        average_reward_interval=_interval(summary.average_reward),
        success_rate=summary.success.value,
        success_rate_low=summary.success.low,
        success_rate_interval=_interval(summary.success_rate),
        pass_k=tuple(each.over.value for each in summary.pass_k),
        pass_k_low=tuple(each.low for each in summary.pass_k),
        pass_k_n=tuple(each.over.n for each in summary.pass_k),
        pass_k_intervals=tuple((each.over.low, each.over.high) for each in summary.pass_k),
        calls=summary.calls,
        tokens=summary.tokens,
        usd=summary.usd,
        seconds=run.seconds,
        critical_path_seconds=max((rollout.critical_seconds for rollout in rollouts), default=0.0),
        agent_usage=_side(agent),
        user_usage=_side(user),
        agent_model=run.config.model,
        user_model=run.config.user_model,
        paused_by=run.paused_by,
        error=run.error or next((rollout.error for rollout in rollouts if rollout.state == "failed"), None),
        notices=run.notices,
        prompts={name: digest(text) for name, text in sorted(run.config.prompts.items())},
        options=run.config.options,
    )


def lines(store: Store) -> tuple[RunLine, ...]:
    """Every run, newest first."""
    tallies = tally_runs(store)
    return tuple(_line(store, run, tallies.get(run.id, Tally())) for run in runs.list_runs(store))


def _line(store: Store, run: Run, tally: Tally) -> RunLine:
    config = run.config
    return RunLine(
        run=run.id,
        name=run.name,
        world=config.world,
        split=config.split,
        strategy=config.strategy.name,
        agent=config.agent,
        user=config.user,
        state=jobs.shown_state(store, run),
        scenarios=run.scenario_count,
        rollouts=tally.rollouts,
        finished=tally.finished,
        full=tally.full,
        average_reward=tally.average_reward,
        average_reward_low=tally.average_reward_low,
        success_rate=tally.success_rate,
        success_rate_low=tally.success_rate_low,
        created=run.created,
        tags=run.tags,
        notices=run.notices,
        options=config.options,
    )


def progress(store: Store, run: Run) -> Progress:
    rollouts = runs.list_rollouts(store, run.id)
    return progress_of(run.id, rollouts, calls=sum(each.usage.calls for each in rollouts), seconds=run.seconds)


def _interval(estimate: Estimate | None) -> Interval | None:
    return (estimate.low, estimate.high) if estimate else None


def _side(given: Spent) -> SideUsage:
    return SideUsage(
        given.calls,
        given.prompt_tokens,
        given.completion_tokens,
        usd=given.usd,
        seconds_per_call=given.seconds / given.calls if given.calls else None,
    )
