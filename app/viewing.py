"""Finding a rollout by what a person calls it, and opening it: tree, verdicts, labels."""

from __future__ import annotations

from app import gaps
from app.results import OpenedRollout
from josh_engine.config import Run
from josh_engine.errors import NotFound
from josh_engine.tree import fold, label_turns
from josh_engine.values import Rollout
from storage import runs, verdicts
from storage.database import Store

Stamp = tuple[str, int, str | None, int]


def open_rollout(store: Store, ref: str) -> OpenedRollout:
    rollout = _find(store, ref)
    stored = runs.events_after(store, rollout.id)
    events = gaps.known(stored)
    tree = fold(event for _, event in events)
    given = verdicts.list_verdicts(store, rollout.id)
    return OpenedRollout(
        run=runs.load_run(store, rollout.run_id),
        rollout=rollout,
        tree=tree,
        verdicts=given,
        labels=label_turns(tree, given),
        last_seq=stored[-1][0] if stored else -1,
        events=events,
        missing=gaps.in_words(gaps.gaps(stored), left_out=len(stored) - len(events)),
    )


def rollout_stamp(store: Store, rollout_id: str) -> Stamp:
    """Cheap to ask for, and equal only while opening the rollout gives the same."""
    rollout = runs.load_rollout(store, rollout_id)
    return rollout.state, rollout.events, rollout.error, len(verdicts.list_verdicts(store, rollout_id))


def runs_with_scenario(store: Store, rollout: Rollout) -> tuple[Run, ...]:
    """The other runs that hold the rollout's scenario of the same world, newest first."""
    config = runs.load_run(store, rollout.run_id).config
    return tuple(
        run
        for run in runs.list_runs(store)
        if run.id != rollout.run_id
        and (run.config.world, run.config.split) == (config.world, config.split)
        and rollout.scenario_id in run.config.scenarios
    )


def _find(store: Store, ref: str) -> Rollout:
    run_id, slash, scenario = ref.partition("/")
    if not slash:
        return runs.load_rollout(store, ref)
    runs.load_run(store, run_id)
    known = {(each.scenario_id, each.trial): each for each in runs.list_rollouts(store, run_id)}
    before, _, trial = scenario.rpartition("/")
    for key in ((scenario, 0), (before, int(trial) if trial.isdecimal() else -1)):
        if key in known:
            return known[key]
    some = ", ".join(sorted({name for name, _ in known})[:3])
    raise NotFound(f"Run {run_id} has no scenario {scenario!r}.", remedy=f"It has {len(known)}, such as {some}.")
