"""The estimate for a run that is not made yet, from what this store knows; kept with the run, to be judged by it."""

from __future__ import annotations

from collections.abc import Sequence

from app.estimate import Estimate, Played, estimate
from josh_engine.config import Run, RunConfig, RunLimits
from josh_engine.encoding import dump, load
from storage import curation, runs
from storage.database import Store

MOST_RUNS = 5  # the newest; older ones may be of another version


def estimate_run(store: Store, config: RunConfig, goals: Sequence[int], *, limits: RunLimits | None = None) -> Estimate:
    """`goals`: how many each scenario of the configuration has, in any order."""
    alike = [run for run in runs.list_runs(store) if run.rollouts_done and _same_players(run.config, config)]
    same = [run for run in alike if run.config.strategy == config.strategy]
    past, calls, seconds = [], 0, 0.0
    for run in (same or alike)[:MOST_RUNS]:
        played = runs.list_rollouts(store, run.id)
        past += [
            Played(run.config.strategy, each.goals, each.usage.calls, each.nodes)
            for each in played
            if each.state == "done" and each.goals
        ]
        calls += sum(each.usage.calls for each in played)
        seconds += run.seconds
    budget = limits.budget_calls if limits else None
    return estimate(config, goals, past=past, pace=seconds / calls if calls else None, budget=budget)


def keep_estimate(store: Store, run_id: str, expected: Estimate) -> None:
    curation.keep_estimate(store, run_id, dump(expected))


def kept_estimate(store: Store, run: Run) -> Estimate | None:
    """What was expected of the run before it began; None: nobody asked."""
    kept = curation.kept_estimate(store, run.id)
    return load(Estimate, kept) if kept else None


def _same_players(one: RunConfig, other: RunConfig) -> bool:
    def players(config: RunConfig) -> tuple[object, ...]:
        same_search = config.strategy.name
        return config.world, config.agent, config.user, config.model, config.user_model, same_search

    return players(one) == players(other)
