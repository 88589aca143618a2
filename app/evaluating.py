"""A run judged: what the agent got wrong (section 5.2 of the paper), and whether it beats another run, scenario by
scenario."""

from __future__ import annotations

from dataclasses import asdict

from app import figures, services
from app.leaderboard import FailedCall
from app.results import Comparison, Evaluation
from app.settings import RunRequest, build_config, data_path
from josh_engine.config import RunLimits
from josh_engine.errors import ConfigError
from josh_engine.metrics import UNPARSABLE, compare, error_analysis
from josh_engine.tree import fold, tree_order
from storage import runs
from storage.database import Store

AT_ONCE = 64  # conversations of plain play; a local model answers them together


def evaluate_run(store: Store, run_id: str, *, against: str | None = None) -> Evaluation:
    run = runs.load_run(store, run_id)
    rollouts = runs.list_rollouts(store, run_id)
    done = [rollout for rollout in rollouts if rollout.state == "done"]
    errors = error_analysis(fold(event for _, event in runs.events_after(store, each.id)) for each in done)
    return Evaluation(
        result=figures.run_result(store, run),
        bad_api_use=errors.bad_api_use if done else None,
        incorrect_format=errors.incorrect_format if done else None,
        errors_by_api=errors.errors_by_api,
        parameter_errors=tuple(asdict(each) for each in errors.parameter_errors),
        paired=compare_runs(store, run_id, against) if against else None,
    )


def compared(store: Store, run_id: str, baseline: str) -> Comparison | None:
    """As `compare_runs`; None where the two share nothing."""
    try:
        return compare_runs(store, run_id, baseline)
    except ConfigError:
        return None


def failed_calls(store: Store, run_id: str, api: str, *, most: int) -> tuple[FailedCall, ...]:
    """The calls of this tool that went wrong, in playing order; `api` "(unparsable)": those that named none."""
    found: list[FailedCall] = []
    for rollout in runs.list_rollouts(store, run_id):
        if rollout.state != "done" or len(found) >= most:
            continue
        tree = fold(event for _, event in runs.events_after(store, rollout.id))
        for node in sorted(tree.nodes.values(), key=lambda each: tree_order(each.id)):
            found += [
                FailedCall(rollout.id, rollout.scenario_id, node.id, f"{call.name} {call.raw}".strip(), call.error)
                for call in node.turn.calls
                if call.error is not None and (call.name or UNPARSABLE) == api
            ]
    return tuple(found[:most])


def launch_evaluation(store: Store, model: str, adapter: str | None, *, name: str, limit: int) -> tuple[str, str]:
    """Plain play with the model as it is and with the adapter, on the same test scenarios at temperature 1, each in a
    process of its own. A base that was played before is not played again. The two runs' ids, one and the same where
    `adapter` is None."""
    base = _launched(store, model, None, f"Base: {model}", limit)
    return base, base if adapter is None else _launched(store, model, adapter, name, limit)


def _launched(store: Store, model: str, adapter: str | None, name: str, limit: int) -> str:
    """The id of the run that there is already, or of a new one."""
    request = RunRequest(split="test", limit=limit, strategy="greedy", model=model, adapter=adapter, temperature=1.0)
    config = build_config(request, data_path(store.path))
    same = [run for run in runs.list_runs(store) if run.config == config and run.state in ("done", "running")]
    if same:
        return same[0].id
    run = services.create_run(store, config, limits=RunLimits(concurrency=AT_ONCE), name=name)
    return services.launch_run(store, run.id).id


def compare_runs(store: Store, run_id: str, baseline: str) -> Comparison:
    """Raises ConfigError where the two finished no scenario in common, NotFound."""
    runs.load_run(store, baseline)
    paired = compare(runs.list_rollouts(store, baseline), runs.list_rollouts(store, run_id))
    if paired is None:
        raise ConfigError(
            f"Runs {run_id} and {baseline} finished no scenario in common, so they cannot be compared.",
            remedy="Compare runs over the same world and split.",
        )
    return Comparison(
        baseline=baseline,
        n=paired.n,
        difference=paired.difference,
        low=paired.low,
        high=paired.high,
        success_difference=paired.success_difference.value,
        success_low=paired.success_difference.low,
        success_high=paired.success_difference.high,
        p=paired.p,
        fixed=paired.fixed,
        broken=paired.broken,
    )
