"""A training's settings as the command line takes them: for the command shown beside the form, and for child processes.
Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from josh_engine.training.config import PRECISIONS


def setting_words(settings: Mapping[str, Any]) -> list[str]:
    """Those that are None stay as the preset has them."""
    words: list[str] = []
    for name, value in settings.items():
        flag = f"--{name.replace('_', '-')}"
        if name == "bfloat16":
            words += ["--precision", next(word for word, means in PRECISIONS.items() if means is value)]
        elif isinstance(value, bool):
            words.append(flag if value else f"--no-{flag.removeprefix('--')}")
        elif value is not None:
            words += [flag, str(value)]
    return words
