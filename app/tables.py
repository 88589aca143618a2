"""Values as pandas frames, for pages. Pure; column names are what a person reads."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from app.results import OpenedRollout, RunLine
from josh_engine.tree import branches
from josh_engine.values import Rollout


def runs_frame(lines: Sequence[RunLine]) -> pd.DataFrame:
    """One row per run, in the order given."""
    columns = ["run", "name", "state", "world", "split", "strategy", "agent", "user", "scenarios", "finished"]
    columns += ["average reward", "success rate", "created"]
    rows = [
        [
            each.run, each.name, each.state, each.world, each.split, each.strategy, each.agent, each.user,
            each.scenarios, each.finished, each.average_reward, each.success_rate, each.created,
        ]
        for each in lines
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def rollouts_frame(rollouts: Sequence[Rollout]) -> pd.DataFrame:
    """One row per scenario and trial; `average reward` is empty where the scenario has no goals or is not begun."""
    columns = ["scenario", "trial", "state", "average reward", "goals won", "exchanges", "turns", "calls", "seconds"]
    columns += ["error", "rollout"]
    rows = [
        [
            each.scenario_id, each.trial, each.state, each.average_reward, f"{each.won}/{each.goals}", each.depth,
            each.nodes, each.usage.calls, round(each.seconds, 1), each.error or "", each.id,
        ]
        for each in rollouts
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def goals_frame(opened: OpenedRollout) -> pd.DataFrame:
    """One row per goal, in the scenario's order: where the search booked it, and in which exchange (from 1)."""
    tree = opened.tree
    goals = tree.scenario.goals if tree.scenario else ()
    columns = ["goal", "call", "arguments", "reached by", "exchange"]
    rows = []
    for goal in goals:
        node = tree.won.get(goal.id)
        arguments = ", ".join(f"{name}={value}" for name, value in goal.arguments.items())
        rows.append([goal.id, goal.name, arguments, node or "", len(branches(node)) if node else None])
    return pd.DataFrame(rows, columns=columns)
