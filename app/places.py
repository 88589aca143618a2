"""Places that a page may read or write: only below a folder that was configured, whatever a person types."""

from __future__ import annotations

import os
from pathlib import Path

from josh_engine.errors import ConfigError

IMPORTS_VARIABLE = "JOSH_IMPORTS"


def imports_path(data: Path) -> Path:
    """Below which the page may import from: JOSH_IMPORTS, else the data folder."""
    chosen = os.environ.get(IMPORTS_VARIABLE)
    return Path(chosen).absolute() if chosen else data


def below(folder: Path, typed: str, *, remedy: str = "") -> Path:
    """The place `typed` names below `folder`, links followed. Raises ConfigError for one outside, or for none.

    A page has whoever can reach it for a user, who need not be whoever owns the machine's files.
    """
    if not typed.strip() or "\0" in typed:
        raise ConfigError("No path was given.", remedy=remedy or f"Name one below {folder}.")
    try:
        root = folder.resolve()
        place = (root / typed.strip()).resolve()
    except (OSError, RuntimeError) as error:  # a loop of links
        raise ConfigError(f"{typed!r} cannot be followed: {error}.") from error
    if place == root or not place.is_relative_to(root):
        raise ConfigError(f"{typed!r} is not below {folder}.", remedy=remedy or "Name a place inside it.")
    return place
