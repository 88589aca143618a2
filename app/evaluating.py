"""A run judged: what the agent got wrong (section 5.2 of the paper), and whether it beats another run, scenario by
scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from app import figures, parts, services
from app.leaderboard import BeamLine, FailedCall
from app.results import Comparison, Evaluation
from app.settings import RunRequest, build_config, data_path
from josh_engine.config import Run, RunLimits
from josh_engine.errors import ConfigError, JoshError
from josh_engine.metrics import (
    BAD_API_USE,
    INCORRECT_FORMAT,
    Spread,
    Wrong,
    compare,
    error_analysis,
    spreads,
    wrong_calls,
)
from josh_engine.rates import by_scenario
from josh_engine.tree import fold
from josh_engine.values import Rollout
from storage import exports, runs, trainings
from storage.database import Store

AT_ONCE = 64  # conversations of plain play; a local model answers them together


def evaluate_run(store: Store, run_id: str, *, against: str | None = None, data: Path | None = None) -> Evaluation:
    """`data`: where the run's world is read; None: `data_path` of the store."""
    run = runs.load_run(store, run_id)
    rollouts = runs.list_rollouts(store, run_id)
    done = [rollout for rollout in rollouts if rollout.state == "done"]
    told = of_world(run, data or data_path(store.path))
    errors = error_analysis(fold(event for _, event in runs.events_after(store, each.id)) for each in done)
    return Evaluation(
        result=figures.run_result(store, run),
        bad_api_use=errors.kinds[BAD_API_USE] if done else None,
        incorrect_format=errors.kinds[INCORRECT_FORMAT] if done else None,
        error_kinds=errors.kinds if done else {},
        errors_by_api=errors.errors_by_api,
        parameter_errors=tuple(asdict(each) for each in errors.parameter_errors),
        paired=compare_runs(store, run_id, against) if against else None,
        trials=_trials(rollouts) if run.config.trials > 1 else {},
        floor=told.floor,
        unachievable=told.unachievable,
        won_by_doing_nothing=told.won_by_doing_nothing,
        caveat=told.caveat,
    )


def _trials(rollouts: Sequence[Rollout]) -> dict[str, tuple[bool | None, ...]]:
    return {
        scenario: tuple(each.success if each.state == "done" else None for each in trials)
        for scenario, trials in by_scenario(rollouts).items()
    }


@dataclass(frozen=True, slots=True)
class OfWorld:
    """What a world says of the scenarios that a run played; nothing where it does not, or is not there any more.
    `floor`: what doing nothing earns, by an attribute `floor`; the others by attributes of their names, see
    `app.results.Evaluation`."""

    floor: float | None = None
    unachievable: tuple[str, ...] = ()
    won_by_doing_nothing: tuple[str, ...] = ()
    caveat: str = ""


def of_world(run: Run, data: Path) -> OfWorld:
    config = run.config
    try:
        world = parts.open_world(config.world, data, config.options)
        told = {name: getattr(world, name) for name in FIELDS_OF_WORLD if hasattr(world, name)}
        scenarios = tuple(parts.listed(world, config).values()) if told else ()
        return OfWorld(**{name: tell(scenarios) for name, tell in told.items()})
    except JoshError:
        return OfWorld()


FIELDS_OF_WORLD = tuple(each.name for each in fields(OfWorld))


def compared(store: Store, run_id: str, baseline: str) -> Comparison | None:
    """As `compare_runs`; None where the two share nothing."""
    try:
        return compare_runs(store, run_id, baseline)
    except ConfigError:
        return None


def failed_calls(store: Store, run_id: str, wanted: Wrong, *, most: int) -> tuple[FailedCall, ...]:
    """The calls behind a figure of this run, in playing order."""
    found: list[FailedCall] = []
    for rollout in runs.list_rollouts(store, run_id):
        if rollout.state != "done" or len(found) >= most:
            continue
        tree = fold(event for _, event in runs.events_after(store, rollout.id))
        for each in wrong_calls(tree, wanted):
            call, told = each.call, f"{wanted.parameter}: {wanted.kind or 'wrong'}"
            text = f"{call.name} {call.raw}".strip()
            found.append(FailedCall(rollout.id, rollout.scenario_id, each.node, text, call.error or told))
    return tuple(found[:most])


def run_spreads(store: Store, run_id: str) -> tuple[Spread, ...]:
    """Figure 3c of this run; none of fewer than two conversations with goals."""
    return spreads(runs.list_rollouts(store, run_id))


def beam_lines(store: Store, world: str) -> tuple[BeamLine, ...]:
    """Searches in this world by beam, and the adapters that were trained on what each found (Table 1)."""
    folders = {export.folder: set(export.runs) for export in exports.list_exports(store)}
    made = [
        (folders.get(str(Path(job.rows).parent), set()), job) for job in trainings.list_trainings(store) if job.adapter
    ]
    found = []
    for run in runs.list_runs(store):
        config = run.config
        if config.world == world and config.strategy.name == "josh" and run.state in ("done", "failed"):
            adapters = {str(job.adapter): job.name for of, job in made if run.id in of}
            found.append(BeamLine(run, figures.run_result(store, run), adapters))
    return tuple(sorted(found, key=lambda each: (each.run.config.strategy.max_beam, each.run.id)))


def launch_evaluation(store: Store, model: str, adapter: str | None, *, name: str, limit: int) -> tuple[str, str]:
    """Plain play with the model as it is and with the adapter, on the same test scenarios at temperature 1, each in a
    process of its own. A base that was played before is not played again. The two runs' ids, one and the same where
    `adapter` is None."""
    base = launch_plain_play(store, _plain_play(model, None, limit), name=f"Base: {model}")
    return base, base if adapter is None else launch_plain_play(store, _plain_play(model, adapter, limit), name=name)


def _plain_play(model: str, adapter: str | None, limit: int) -> RunRequest:
    return RunRequest(split="test", limit=limit, strategy="greedy", model=model, adapter=adapter, temperature=1.0)


def launch_plain_play(store: Store, request: RunRequest, *, name: str) -> str:
    """The id of the run that there is already, or of a new one in a process of its own. Raises what is wrong with the
    request."""
    config = build_config(replace(request, strategy="greedy"), data_path(store.path))
    same = [run for run in runs.list_runs(store) if run.config == config and run.state in ("done", "running")]
    if same:
        return same[0].id
    run = services.create_run(store, config, limits=RunLimits(concurrency=AT_ONCE), name=name)
    return services.launch_run(store, run.id).id


def compare_runs(store: Store, run_id: str, baseline: str) -> Comparison:
    """Raises ConfigError where the two finished no scenario in common, NotFound."""
    shared = set(runs.load_run(store, baseline).config.scenarios) & set(runs.load_run(store, run_id).config.scenarios)
    paired = compare(runs.list_rollouts(store, baseline), runs.list_rollouts(store, run_id))
    if paired is None and shared:
        raise ConfigError(
            f"Of the {len(shared)} scenarios that {run_id} and {baseline} share, none is finished on both sides.",
            remedy="Resume them: what failed is played again.",
        )
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
        both=paired.both,
        neither=paired.neither,
        graded=paired.graded,
        pairs=paired.pairs,
        difference_low=paired.difference_low,
        success_difference_low=paired.success_difference_low,
        finished=paired.after.finished,
        asked=paired.after.asked,
        baseline_finished=paired.before.finished,
        baseline_asked=paired.before.asked,
    )
