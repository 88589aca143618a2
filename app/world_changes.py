"""What a turn changed in its world, where the world can say so (an attribute `changes`, as `taubench` has it)."""

from __future__ import annotations

from pathlib import Path

from app import parts
from app.results import OpenedRollout
from josh_engine.errors import JoshError
from josh_engine.tree import path


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
