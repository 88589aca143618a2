"""What a training job is made of: its settings, each default with its source, and what it reports. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from josh_engine.errors import ConfigError

TRAINERS = ("sft", "kto_packed", "kto", "dpo")
BY_TRL = ("kto", "dpo")  # the others are packed (`losses`)


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Defaults are preset `tiny`'s for SFT: chosen on 200 validation scenarios of the generated world with the embedded
    model, as are `tiny`'s for KTO.

    `sequences_per_step`: packed sequences behind one step of the optimizer. `beta`, `desirable_weight`,
    `undesirable_weight`: of KTO (arXiv 2402.01306, equation 8). `collapse_below`: where the mean log-ratio of good
    units falls under it, training has begun to unlearn what it should keep, and stops; None: never.
    """

    trainer: str = "sft"
    preset: str = "tiny"
    epochs: float = 6.0  # 3 in Appendix B
    learning_rate: float = 2e-3  # LoRA on a tiny model; 2e-5 in the paper's Appendix B for llama-3-8B
    schedule: str = "cosine"  # or linear (the paper's SFT), constant
    warmup: float = 0.05  # share of all steps; ours
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    sequences_per_step: int = 16  # Appendix B: effective batch 16
    beta: float = 0.5  # 0.1 in Appendix B; a tiny model collapses there
    desirable_weight: float = 1.0  # Appendix B
    undesirable_weight: float = 0.5  # 2.71 in Appendix B; tiny: w_u * bad clearly below w_d * good
    collapse_below: float | None = -1.0
    max_length: int = 4096  # tokens of a sequence; longer ones are left out and counted
    max_steps: int | None = None
    checkpoint_steps: int = 20
    seed: int = 0
    bfloat16: bool | None = (
        None  # None: as suits the machine (`precision`); autocast on a CPU, a GPU holds the base in it
    )
    four_bit: bool = False  # the base as nf4 with double quantisation (arXiv 2305.14314); needs bitsandbytes
    rows_of_others: bool = False  # also rows that another model or agent said (`origin`)

    def checked(self) -> TrainConfig:
        """Itself, or a ConfigError that says which value cannot be."""
        if self.trainer not in TRAINERS:
            raise ConfigError(f"Unknown trainer {self.trainer!r}.", remedy=f"Use one of: {', '.join(TRAINERS)}.")
        if self.schedule not in ("cosine", "linear", "constant"):
            raise ConfigError(f"Unknown schedule {self.schedule!r}.", remedy="Use cosine, linear or constant.")
        for name in ("epochs", "learning_rate", "rank", "alpha", "sequences_per_step", "beta", "max_length"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} is {getattr(self, name)}, but must be above 0.")
        for name in ("max_steps", "checkpoint_steps"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}, but must be at least 1.")
        if not (0 <= self.dropout < 1 and 0 <= self.warmup < 1):
            raise ConfigError("dropout and warmup are shares, from 0 to less than 1.")
        return self


_SMOKE = {"max_steps": 20, "sequences_per_step": 4}
_PAPER_KTO = {"learning_rate": 5e-7, "rank": 64, "alpha": 64, "dropout": 0.05, "epochs": 1.0, "beta": 0.1,
              "undesirable_weight": 2.71, "four_bit": True}  # fmt: skip
_ADVISED = {"rank": 32, "alpha": 32, "epochs": 1.0, "beta": 0.1, "undesirable_weight": 1.0}
_TINY_KTO = {"learning_rate": 1e-3, "epochs": 3.0}
# name -> trainer -> what differs from the default. Sources: `tiny` measured; `paper` Appendix B (and the authors' code
# for what it leaves out); `recommended` TRL's "LoRA without regret" and KTO pages; `smoke` proves that all works.
PRESETS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "tiny": {"sft": {}, "kto_packed": _TINY_KTO, "kto": _TINY_KTO, "dpo": {**_TINY_KTO, "beta": 0.1}},
    "recommended": {
        "sft": {"learning_rate": 1e-4, "rank": 32, "alpha": 32, "epochs": 2.0},
        "kto_packed": {**_ADVISED, "learning_rate": 5e-6},
        "kto": {**_ADVISED, "learning_rate": 5e-6},
        "dpo": {**_ADVISED, "learning_rate": 1e-5},
    },
    "paper": {
        "sft": {"learning_rate": 2e-5, "schedule": "linear", "rank": 64, "alpha": 64, "dropout": 0.05, "epochs": 3.0,
                "four_bit": True},
        "kto_packed": _PAPER_KTO,
        "kto": _PAPER_KTO,
        "dpo": _PAPER_KTO,  # the paper has no DPO; its KTO's settings
    },
    "smoke": {
        "sft": _SMOKE, "kto_packed": {**_TINY_KTO, **_SMOKE}, "kto": {**_TINY_KTO, **_SMOKE},
        "dpo": {**_TINY_KTO, **_SMOKE, "beta": 0.1},
    },
}  # fmt: skip


def preset(name: str, trainer: str) -> TrainConfig:
    """Raises ConfigError naming what there is."""
    if name not in PRESETS:
        raise ConfigError(f"Unknown preset {name!r}.", remedy=f"Use one of: {', '.join(PRESETS)}.")
    if trainer not in PRESETS[name]:
        raise ConfigError(f"Unknown trainer {trainer!r}.", remedy=f"Use one of: {', '.join(PRESETS[name])}.")
    return replace(TrainConfig(trainer=trainer, preset=name), **PRESETS[name][trainer])


PRECISIONS: Mapping[str, bool | None] = {"auto": None, "fp32": False, "bf16": True}  # of `bfloat16`

# Every setting that is a number, with its kind; pages and the command line offer them all.
SETTINGS: Mapping[str, type[int] | type[float]] = {
    "epochs": float, "learning_rate": float, "warmup": float, "rank": int, "alpha": int, "dropout": float,
    "sequences_per_step": int, "beta": float, "desirable_weight": float, "undesirable_weight": float,
    "max_length": int, "max_steps": int, "checkpoint_steps": int, "seed": int,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Progress:
    """After a step of `steps`. `loss`: this step's. `metrics`: the trainer's own figures, of this step."""

    step: int
    steps: int
    loss: float
    learning_rate: float
    seconds: float
    tokens: int
    metrics: Mapping[str, float] = field(default_factory=dict)


Report = Callable[[Progress], None]
