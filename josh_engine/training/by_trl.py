"""KTO and DPO by TRL's trainers, for any causal model; as a job like the packed ones.

Rows go in as tokens, each one a sequence of its own: the very tokens that the packed trainers learn from. TRL would
make its own of messages, by way of a table that gives all calls the same arguments (null where a call has none, a crash
where types differ; docs/decisions/0011-rows-on-disk.md). So its step from messages to tokens (`_prepare_dataset`, the
same in 1.13 and 1.16) is left out. Rows that are too long are left out and counted, where TRL would cut their end off,
the answer itself. Checkpoints are TRL's; going on from one needs no more than they hold, and gives what an
uninterrupted job would have.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from josh_engine.errors import ConfigError, MissingDependency, OutOfMemory, TrainingError
from josh_engine.training.config import Progress, Report, TrainConfig
from josh_engine.training.cutting import Cut, Omitted, Render, cut_rows
from josh_engine.training.loop import LOWER
from josh_engine.training.row_files import read_groups
from josh_engine.training.team import Team

FOLDER = "trl"  # checkpoints, in the job's folder
MICRO_BATCH = 4  # rows of one forward pass; KTO needs more than one
FIGURES = {"rewards/margins": "margin", "rewards/chosen": "reward_good", "rewards/rejected": "reward_bad", "kl": "kl"}
Columns = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Fitting:
    """What is learnt from, in groups of rows: a pair, or one row. `good`, `bad`: turns to learn from and against."""

    groups: tuple[tuple[Cut, ...], ...]
    too_long: int
    omitted: tuple[Omitted, ...]
    good: int
    bad: int


def fitting_rows(file: Path, render: Render, config: TrainConfig, window: int | None = None) -> Fitting:
    """Raises DatasetError, ConfigError where there is nothing to learn from, and what `cut_rows` does."""
    groups = read_groups(file, config.trainer)
    cuts = cut_rows(groups, render, config.max_length, window)
    kept = [each for group in cuts.kept for each in group]
    good = sum(each.row.label is True for each in kept)
    if not good or good == len(kept):
        raise ConfigError(
            f"{config.trainer.upper()} needs good and bad rows; of {len(groups):,} rows {good:,} and "
            f"{len(kept) - good:,} fit.",
            remedy="Raise max_length, train a model with a longer window, or export more runs.",
        )
    return Fitting(cuts.kept, cuts.too_long, cuts.omitted, good, len(kept) - good)


def columns_of(fitting: Fitting, config: TrainConfig, micro: int) -> Columns:
    """TRL's own columns of tokens. `micro`: rows of one forward pass."""
    firsts = [group[0] for group in fitting.groups]
    told: Columns = {"prompt_ids": [list(each.tokens[: each.start]) for each in firsts]}
    if config.trainer == "dpo":
        for place, name in enumerate(("chosen_ids", "rejected_ids")):
            told[name] = [list(group[place].tokens[group[place].start :]) for group in fitting.groups]
        return told
    answers = [list(each.tokens[each.start :]) for each in firsts]
    mixed: list[list[int]] = []  # KTO's estimate of the reference point: each answer with another one's prompt
    for place in range(0, len(answers), micro):
        part = answers[place : place + micro]
        mixed += [part[-1], *part[:-1]]
    return told | {"completion_ids": answers, "KL_completion_ids": mixed, "label": [bool(e.row.label) for e in firsts]}


class TrlJob:
    """`run` as `loop.Loop`'s, with the same fields."""

    def __init__(
        self, out: Path, model: Any, tokenizer: Any, fitting: Fitting, config: TrainConfig, team: Team
    ) -> None:
        self.out, self.model, self.fitting, self.config, self.team = out, model, fitting, config, team
        self.micro = min(MICRO_BATCH, config.sequences_per_step)
        self.accumulated = math.ceil(config.sequences_per_step / (self.micro * team.size))
        per_epoch = math.ceil(len(fitting.groups) / (self.micro * self.accumulated * team.size))
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
        trainer = _taking_tokens(getattr(trl, f"{kind}Trainer"))(
            model=self.model,
            args=getattr(trl, f"{kind}Config")(**given),
            train_dataset=Dataset.from_dict(columns_of(self.fitting, config, self.micro)),
            processing_class=tokenizer,
        )
        trainer.remove_callback(PrinterCallback)  # standard output is the command's own
        return trainer


def _taking_tokens(kind: Any) -> Any:
    """TRL's trainer for a dataset of tokens. Raises MissingDependency for a TRL that is made otherwise."""
    if not hasattr(kind, "_prepare_dataset"):
        raise MissingDependency("This version of TRL takes no tokens.", remedy="pip install 'trl>=1.13,<1.17'")

    class TakingTokens(kind):  # type: ignore[misc]
        def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
            return dataset

    return TakingTokens


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
