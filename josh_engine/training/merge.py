"""An adapter and its base model made into one model's folder, for servers that take no adapters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from josh_engine.errors import ConfigError, JoshError, MissingDependency, TrainingError
from josh_engine.models.local.adapter import check_adapter
from josh_engine.models.local.folder import check_model
from josh_engine.models.local.loading import put_on


@dataclass(frozen=True, slots=True)
class Merged:
    """`folder`: a whole model, safetensors and tokenizer. `bytes`: of its weights."""

    folder: str
    bytes: int


def merge(model: Path, adapter: Path, out: Path) -> Merged:
    """Raises ConfigError where the adapter is of another base or `out` is taken, DatasetError for damaged files,
    TrainingError where `out` cannot be written."""
    check_model(model)
    check_adapter(adapter, model)
    if out.exists() and any(out.iterdir()):
        raise ConfigError(f"{out} is not empty.", remedy="Give another folder with --out.")
    try:
        import peft  # noqa: F401 - told here, where it can be helped
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise MissingDependency("Merging needs torch, transformers and peft.", remedy="pip install peft") from error
    try:
        base = AutoModelForCausalLM.from_pretrained(model, dtype="auto", use_safetensors=True, local_files_only=True)
        whole = put_on(base, adapter).merge_and_unload(safe_merge=True)
        tokenizer = AutoTokenizer.from_pretrained(model, local_files_only=True)
    except JoshError:
        raise
    except Exception as error:
        raise ConfigError(f"{adapter} cannot be merged into {model}: {' '.join(str(error).split())[:300]}") from error
    try:
        out.mkdir(parents=True, exist_ok=True)
        whole.save_pretrained(out, safe_serialization=True)
        tokenizer.save_pretrained(out)
    except Exception as error:  # safetensors has an error of its own for a full disk
        raise TrainingError(f"{out} cannot be written: {error}.", remedy="Free some disk.") from error
    return Merged(str(out), check_model(out))
