"""Checkpoints of a pretraining run: weights and optimizers as safetensors, the rest as JSON, replaced in one step."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from josh_engine.errors import ConfigError, DatasetError

NAME = "checkpoint"
PROGRESS, WEIGHTS = "progress.json", "model.safetensors"


def save(folder: Path, model: Any, optimizers: Sequence[Any], progress: dict[str, Any]) -> None:
    """A kill in the middle leaves the checkpoint before, under its own name or as `checkpoint.old`."""
    from safetensors.torch import save_file

    new, old = folder / f"{NAME}.new", folder / f"{NAME}.old"
    for each in (new, old):
        shutil.rmtree(each, ignore_errors=True)
    new.mkdir()
    save_file({name: value.detach().contiguous() for name, value in model.named_parameters()}, new / WEIGHTS)
    for number, optimizer in enumerate(optimizers):
        state = optimizer.state_dict()["state"]
        save_file(
            {f"{key}.{name}": value.contiguous() for key, kept in state.items() for name, value in kept.items()},
            new / f"optimizer-{number}.safetensors",
        )
    (new / PROGRESS).write_text(json.dumps(progress), encoding="utf-8")
    if (folder / NAME).exists():
        (folder / NAME).replace(old)
    new.replace(folder / NAME)
    shutil.rmtree(old, ignore_errors=True)


def load(folder: Path, model: Any, optimizers: Sequence[Any], shape: dict[str, Any]) -> dict[str, Any] | None:
    """What was saved of the progress, with model and optimizers as they were; None where nothing was.

    Raises ConfigError for a model of another shape, DatasetError for files that cannot be read.
    """
    from safetensors import SafetensorError

    place = next((each for each in (folder / NAME, folder / f"{NAME}.old") if (each / PROGRESS).exists()), None)
    if place is None:
        return None
    try:
        progress: dict[str, Any] = json.loads((place / PROGRESS).read_text(encoding="utf-8"))
        if progress["shape"] != shape:
            raise ConfigError(
                f"{place} holds a model of another shape: {progress['shape']}.",
                remedy="Give that shape, or another folder.",
            )
        _restore(place, model, optimizers)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise DatasetError(
            f"The checkpoint {place} cannot be read: {error}.", remedy=f"Delete {place} to start over."
        ) from error
    return progress


def _restore(place: Path, model: Any, optimizers: Sequence[Any]) -> None:
    from safetensors.torch import load_file

    weights = load_file(place / WEIGHTS)
    for name, value in model.named_parameters():
        value.data.copy_(weights[name])
    for number, optimizer in enumerate(optimizers):
        state: dict[int, dict[str, Any]] = {}
        for name, value in load_file(place / f"optimizer-{number}.safetensors").items():
            key, _, part = name.partition(".")
            state.setdefault(int(key), {})[part] = value
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
