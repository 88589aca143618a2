"""What a turn changed in its world, and how the world graded the conversation, where it can say so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from app import parts
from app.results import GRADED, OpenedRollout
from josh_engine.errors import JoshError
from josh_engine.tree import graded_end, path


@dataclass(frozen=True, slots=True)
class Graded:
    """`node`: up to where. `words`: the grade and how it came about; "" of the latter where the world is not there."""

    node: str
    words: str


def changes_of(opened: OpenedRollout, node: str, data: Path) -> tuple[str, ...] | None:
    """Lines; none where nothing changed. None: the world does not tell, or is not there any more."""
    config = opened.run.config
    if opened.tree.nodes[node].turn.speaker != "agent":
        return None
    try:
        told = getattr(parts.open_world(config.world, data, config.options), "changes", None)
        found = told(path(opened.tree, node)) if told else None
    except JoshError:
        return None
    return tuple(found[-1]) if found else None


def grade_of(opened: OpenedRollout, data: Path) -> Graded | None:
    """None: the world graded nothing, for the goals are all there is. An imported conversation has its file's words."""
    grade, end, scenario = opened.rollout.grade, graded_end(opened.tree), opened.tree.scenario
    if grade is None or end is None or scenario is None:
        return None
    told = str(scenario.setup[GRADED]) if GRADED in scenario.setup else _detail(opened, end, data)
    return Graded(end, f"Graded {grade:g}. {told}".strip())


def _detail(opened: OpenedRollout, end: str, data: Path) -> str:
    """The calls made again in a fresh world, which is asked."""
    config, turns, scenario = opened.run.config, path(opened.tree, end), opened.tree.scenario
    try:
        world = parts.open_world(config.world, data, config.options)
        environment = world.environment(scenario)  # type: ignore[arg-type]
        for call in (call for turn in turns for call in turn.calls if call.reached):
            environment.call(replace(call, result=None, error=None, fault=None))
        grade = world.reward.graded(scenario, turns, environment)  # type: ignore[arg-type]
    except JoshError:
        return ""
    return grade.detail if grade else ""
