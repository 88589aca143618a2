"""KTO and DPO by TRL's trainers, for any causal model; as a job like the packed ones.

Rows go in as they were exported, each one a sequence of its own. Rows that are too long are left out and counted,
where TRL would cut their end off, the answer itself. Checkpoints are TRL's; going on from one needs no more than they
hold, and gives what an uninterrupted job would have.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from josh_engine.errors import ConfigError, DatasetError, MissingDependency, OutOfMemory, TrainingError
from josh_engine.training.config import Progress, Report, TrainConfig
from josh_engine.training.loop import LOWER
from josh_engine.training.packing import Render
from josh_engine.training.team import Team
from josh_engine.values import Json

FOLDER = "trl"  # checkpoints, in the job's folder
MICRO_BATCH = 4  # rows of one forward pass; KTO needs more than one
FIGURES = {"rewards/margins": "margin", "rewards/chosen": "reward_good", "rewards/rejected": "reward_bad", "kl": "kl"}
Rows = list[dict[str, Json]]


@dataclass(frozen=True, slots=True)
class Fitting:
    """The rows that fit; how many did not; `good` and `bad`: turns to learn from and against."""

    rows: Rows
    too_long: int
    good: int
    bad: int


def fitting_rows(file: Path, render: Render, config: TrainConfig) -> Fitting:
    """Raises DatasetError, and ConfigError where there is nothing to learn from."""
    wanted = ("prompt", "chosen", "rejected") if config.trainer == "dpo" else ("prompt", "completion", "label")
    told = _read(file, wanted)
    sides = wanted[1:3] if config.trainer == "dpo" else ("completion",)
    kept = [row for row in told if all(_length(row, side, render) <= config.max_length for side in sides)]
    good = len(kept) if config.trainer == "dpo" else sum(row["label"] is True for row in kept)
    bad = len(kept) if config.trainer == "dpo" else len(kept) - good
    if not good or not bad:
        raise ConfigError(
            f"{config.trainer.upper()} needs good and bad rows; of {len(told):,} rows {good:,} and {bad:,} fit.",
            remedy="Raise max_length, train a model with a longer window, or export more runs.",
        )
    return Fitting(kept, len(told) - len(kept), good, bad)


def _read(file: Path, wanted: Sequence[str]) -> Rows:
    found: Rows = []
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            found.append({name: row[name] for name in wanted} | ({"tools": row["tools"]} if row.get("tools") else {}))
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(
                f"{file}, line {number}: no row for this trainer ({error!r}).",
                remedy="DPO takes a dpo.jsonl, KTO a kto.jsonl.",
            ) from error
    return found


def _length(row: dict[str, Any], side: str, render: Render) -> int:
    tools = json.loads(row["tools"]) if row.get("tools") else []
    return len(render([*row["prompt"], *row[side]], tools, False))


class TrlJob:
    """`run` as `loop.Loop`'s, with the same fields."""

    def __init__(
        self, out: Path, model: Any, tokenizer: Any, fitting: Fitting, config: TrainConfig, team: Team
    ) -> None:
        self.out, self.model, self.fitting, self.config, self.team = out, model, fitting, config, team
        self.micro = min(MICRO_BATCH, config.sequences_per_step)
        self.accumulated = math.ceil(config.sequences_per_step / (self.micro * team.size))
        per_epoch = math.ceil(len(fitting.rows) / (self.micro * self.accumulated * team.size))
        self.steps = min(config.max_steps or 10**9, max(1, round(per_epoch * config.epochs)))
        self.step, self.seconds, self.tokens, self.stopped = 0, 0.0, 0, False
        self.trainer = self._trainer(tokenizer)

    def run(self, report: Report) -> float:
        """The last step's loss. A KeyboardInterrupt of `report` keeps a checkpoint and is raised on."""
        import torch
        from safetensors import SafetensorError

        self.trainer.add_callback(_telling(self, report))
        newest = self._newest()
        try:
            self.trainer.train(resume_from_checkpoint=str(newest) if newest else None)
        except torch.OutOfMemoryError as error:
            raise OutOfMemory(f"The memory does not hold step {self.step + 1}. {self._last()}", remedy=LOWER) from error
        except (OSError, SafetensorError) as error:
            raise TrainingError(
                f"No checkpoint can be written: {error}. {self._last()}", remedy="Free some disk."
            ) from error
        if self.stopped:
            raise KeyboardInterrupt
        return next((each["loss"] for each in reversed(self.trainer.state.log_history) if "loss" in each), math.nan)

    def save(self) -> None:
        """Checkpoints are TRL's own."""

    def _newest(self) -> Path | None:
        return max((self.out / FOLDER).glob("checkpoint-*"), key=_number, default=None)

    def _last(self) -> str:
        place = self._newest()
        return f"The last good checkpoint is {place}." if place else "No checkpoint had been written."

    def _trainer(self, tokenizer: Any) -> Any:
        try:
            import trl
            from datasets import Dataset
            from transformers import PrinterCallback
        except ImportError as error:
            raise MissingDependency("This trainer needs trl and datasets.", remedy="pip install trl") from error
        import torch

        for name in ("transformers", "trl", "accelerate"):
            logging.getLogger(name).setLevel(logging.ERROR)
        config, gpu = self.config, torch.cuda.is_available()
        given = {
            "output_dir": str(self.out / FOLDER), "max_steps": self.steps, "learning_rate": config.learning_rate,
            "lr_scheduler_type": config.schedule, "warmup_steps": int(config.warmup * self.steps),
            "per_device_train_batch_size": self.micro, "gradient_accumulation_steps": self.accumulated,
            "weight_decay": 0.0, "max_grad_norm": 1.0, "seed": config.seed, "logging_steps": 1, "report_to": "none",
            "save_strategy": "steps", "save_steps": config.checkpoint_steps, "save_total_limit": 1,
            "bf16": gpu and config.bfloat16, "use_cpu": not gpu, "gradient_checkpointing": gpu, "disable_tqdm": True,
            "max_length": None, "beta": config.beta,
        }  # fmt: skip
        if config.trainer == "kto":
            given |= {
                "desirable_weight": config.desirable_weight, "undesirable_weight": config.undesirable_weight,
            }  # fmt: skip
        kind = config.trainer.upper()
        trainer = getattr(trl, f"{kind}Trainer")(
            model=self.model,
            args=getattr(trl, f"{kind}Config")(**given),
            train_dataset=Dataset.from_list(self.fitting.rows),
            processing_class=tokenizer,
        )
        trainer.remove_callback(PrinterCallback)  # standard output is the command's own
        return trainer


def _number(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _telling(job: TrlJob, report: Report) -> Any:
    from transformers import TrainerCallback

    class Telling(TrainerCallback):  # type: ignore[misc]
        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.started = time.monotonic()

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
            if not logs or "loss" not in logs or not job.team.leads:
                return  # the summary at the end; only the first process reports
            job.step, job.seconds = state.global_step, time.monotonic() - self.started
            job.tokens = int(logs.get("num_tokens", job.tokens))
            loss = float(logs["loss"])
            if not math.isfinite(loss):
                raise TrainingError(
                    f"The loss of step {job.step} is {loss}. {job._last()}",
                    remedy="Lower the rate.",
                )
            figures = {short: float(logs[name]) for name, short in FIGURES.items() if name in logs}
            try:
                rate = float(logs.get("learning_rate", 0.0))
                report(Progress(job.step, job.steps, loss, rate, job.seconds, job.tokens, figures))
            except KeyboardInterrupt:
                job.stopped = True
                if job.team.size == 1:
                    control.should_save = control.should_training_stop = True

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            """What the first process was told a step ago ends them all."""
            if job.team.size > 1 and job.team.any_of(job.stopped, args.device):
                job.stopped = control.should_save = control.should_training_stop = True

    return Telling()
