"""What the explorer is sent: everything once, then only what changed; and how large its script is."""

from __future__ import annotations

from app import services
from app.shell import _slim
from app.tree_view import FOLDER, PARTS
from app.tree_view.opening import explored, opened, rivals
from josh_engine.config import Run


def rollout_of(store: services.Store, run: Run) -> services.Rollout:
    services.run_here(store, run.id)
    return services.list_rollouts(store, run.id)[0]


def test_turns_that_the_drawing_has_are_not_sent_again(store: services.Store, run: Run):
    rollout = rollout_of(store, run)
    first = explored(store, rollout.id, selected=None, height=600, place={})
    assert len(first["nodes"]) == rollout.nodes
    second = explored(store, rollout.id, selected="u", height=600, place={"q": "a"}, told=(first["version"], 7))
    assert "nodes" not in second and "replay" not in second
    assert (second["selected"], second["heard"]) == ("u", 7)
    assert second["matches"] is not None
    assert "nodes" in explored(store, rollout.id, selected="u", height=600, place={}, told=("another version", 8))


def test_an_opened_tree_is_kept_until_something_changes(store: services.Store, run: Run):
    rollout = rollout_of(store, run)
    before = opened(store, rollout.id)
    assert opened(store, rollout.id) is before
    services.give_verdict(store, rollout.id, "0", "bad", auditor="ann", seen=None)
    after = opened(store, rollout.id)
    assert after is not before
    assert len(after.verdicts) == len(before.verdicts) + 1


def test_a_run_that_does_not_hold_the_scenario_is_named(store: services.Store, run: Run):
    rollout = rollout_of(store, run)
    trees, unknown = rivals(store, rollout, ["nobody"])
    assert [each.rollout.id for each in trees] == [rollout.id]
    assert unknown == ("nobody",)


def test_the_script_stays_small_for_it_is_sent_with_every_change():
    parts = [_slim((FOLDER / f"{name}.js").read_text(encoding="utf-8")) for name in ("tree", *PARTS)]
    assert sum(len(part.encode()) for part in parts) < 46_000
