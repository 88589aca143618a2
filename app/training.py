"""Trains an adapter on an export's rows, and says on standard error how far it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.models import model_source
from josh_engine.errors import ConfigError
from josh_engine.training.config import Progress, preset

if TYPE_CHECKING:
    from josh_engine.training.job import Trained


def train_adapter(
    model: str, rows: Path, out: Path, *, trainer: str, preset_name: str, settings: Mapping[str, Any]
) -> Trained:
    """`model`: the embedded one, or a folder. `settings`: those of TrainConfig that differ from the preset; None: as
    it says. Raises ConfigError, DatasetError, TrainingError."""
    source = model_source(model)
    if not isinstance(source, Path):
        raise ConfigError(f"{model!r} cannot be trained here.", remedy="Give a model's folder, or: embedded.")
    given = {name: value for name, value in settings.items() if value is not None}
    config = replace(preset(preset_name, trainer), **given).checked()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # small matrices: a second thread waits more than it works
    from josh_engine.training.job import train

    return train(source, rows.absolute(), out.absolute(), config, _tell)


def _tell(progress: Progress) -> None:
    told = "".join(f"  {name} {value:.3f}" for name, value in progress.metrics.items())
    share = f"step {progress.step} of {progress.steps}"
    print(f"{share}  loss {progress.loss:.4f}{told}  {progress.seconds:.0f} s", file=sys.stderr, flush=True)
