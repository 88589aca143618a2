"""In which numbers a job computes, and why.

A GPU computes in bfloat16. A CPU does where it has instructions for it; without them it takes twice as long as in
float32, since every product is converted there and back (measured with torch 2.13: docs/training.md).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from josh_engine.training.config import BY_TRL, TrainConfig

# Flag of /proc/cpuinfo -> what it is: Intel's Software Developer's Manual, volume 1, chapters 15 and 18, and Linux's
# Documentation/arch/arm64/elf_hwcaps.rst.
FAST_FLAGS: Mapping[str, str] = {
    "avx512_bf16": "Intel from Cooper Lake on, AMD from Zen 4 on",
    "amx_bf16": "Intel from Sapphire Rapids on",
    "bf16": "Arm from Neoverse V1 on",
}
CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Precision:
    bfloat16: bool
    why: str

    def __str__(self) -> str:
        return f"{'bfloat16' if self.bfloat16 else 'float32'}: {self.why}"


def precision_of(config: TrainConfig, device: str, flags: Collection[str] | None = None) -> Precision:
    """`flags` None: this machine's."""
    if device == "cpu" and config.trainer in BY_TRL:
        return Precision(False, "TRL's trainers compute in it on a CPU")
    if device != "cpu":
        return Precision(config.bfloat16 is not False, "on a GPU" if config.bfloat16 is None else "as asked for")
    found = sorted(FAST_FLAGS.keys() & set(cpu_flags() if flags is None else flags))
    known = f"this CPU has {', '.join(found)}" if found else f"this CPU shows none of {', '.join(FAST_FLAGS)}"
    if config.bfloat16 is None:
        return Precision(bool(found), known)
    return Precision(config.bfloat16, f"as asked for; {known}")


def cpu_flags(file: Path = CPUINFO) -> frozenset[str]:
    """None of a machine that has no such file."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    told = (line.partition(":") for line in lines)
    return frozenset(flag for name, _, flags in told if name.strip() in ("flags", "Features") for flag in flags.split())
