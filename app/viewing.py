"""Finding a rollout by what a person calls it, and opening it: tree, verdicts, labels."""

from __future__ import annotations

from app.results import OpenedRollout
from josh_engine.errors import NotFound
from josh_engine.tree import fold, label_turns
from josh_engine.values import Rollout
from storage import runs, verdicts
from storage.database import Store


def open_rollout(store: Store, ref: str) -> OpenedRollout:
    rollout = _find(store, ref)
    events = runs.events_after(store, rollout.id)
    tree = fold(event for _, event in events)
    given = verdicts.list_verdicts(store, rollout.id)
    return OpenedRollout(
        run=runs.load_run(store, rollout.run_id),
        rollout=rollout,
        tree=tree,
        verdicts=given,
        labels=label_turns(tree, given),
        last_seq=events[-1][0] if events else -1,
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
