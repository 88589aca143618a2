"""An adapter and its base model made into one model's folder, for servers that take no adapters."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from josh_engine.errors import ConfigError, DatasetError, MissingDependency, TrainingError
from josh_engine.models.local.folder import check_adapter, check_model


@dataclass(frozen=True, slots=True)
class Merged:
    """`folder`: a whole model, safetensors and tokenizer. `bytes`: of its weights."""

    folder: str
    bytes: int


def merge(model: Path, adapter: Path, out: Path) -> Merged:
    """Raises ConfigError where the adapter is of another base or `out` is taken, DatasetError for damaged files,
    TrainingError where `out` cannot be written."""
    check_model(model)
    check_adapter(adapter)
    _same_base(model, adapter)
    if out.exists() and any(out.iterdir()):
        raise ConfigError(f"{out} is not empty.", remedy="Give another folder with --out.")
    try:
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise MissingDependency("Merging needs torch, transformers and peft.", remedy="pip install peft") from error
    try:
        base = AutoModelForCausalLM.from_pretrained(model, dtype="auto", use_safetensors=True, local_files_only=True)
        whole = PeftModel.from_pretrained(base, adapter, local_files_only=True).merge_and_unload(safe_merge=True)
        tokenizer = AutoTokenizer.from_pretrained(model, local_files_only=True)
    except Exception as error:
        raise ConfigError(f"{adapter} cannot be merged into {model}: {' '.join(str(error).split())[:300]}") from error
    try:
        out.mkdir(parents=True, exist_ok=True)
        whole.save_pretrained(out, safe_serialization=True)
        tokenizer.save_pretrained(out)
    except Exception as error:  # safetensors has an error of its own for a full disk
        raise TrainingError(f"{out} cannot be written: {error}.", remedy="Free some disk.") from error
    return Merged(str(out), check_model(out))


def _same_base(model: Path, adapter: Path) -> None:
    """By the manifest of the job that made it, where there is one."""
    from josh_engine.training.lora import folder_hash

    place = adapter.parent / "manifest.json"
    if not place.is_file():
        return
    try:
        wanted = json.loads(place.read_text(encoding="utf-8")).get("model_sha256")
    except (OSError, ValueError) as error:
        raise DatasetError(f"{place} cannot be read: {error}.") from error
    if wanted and (found := folder_hash(model)) != wanted:
        raise ConfigError(
            f"{adapter} was trained on another base: sha256 {wanted}, but {model} has {found}.",
            remedy="Give the base with --model that the adapter's card names.",
        )
