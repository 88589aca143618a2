"""A local model with a LoRA to be trained: loading, its tokens, saving. Runs where torch may be imported."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from josh_engine.errors import ConfigError, MissingDependency, TrainingError
from josh_engine.models.local.folder import check_model
from josh_engine.training.config import TrainConfig
from josh_engine.training.packing import Render, Tokens
from josh_engine.values import Json


def open_trained(folder: Path, config: TrainConfig) -> tuple[Any, Any]:
    """(model with a fresh LoRA on all its linear layers, tokenizer). The same seed gives the same start.

    Raises ConfigError, DatasetError and MissingDependency saying what to do.
    """
    check_model(folder)
    try:
        import torch
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging
    except ImportError as error:
        raise MissingDependency("Training needs torch, transformers and peft.", remedy="pip install peft") from error
    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=FutureWarning)  # peft's, about transformers' names
    warnings.filterwarnings("ignore", message=".*save_embedding_layers.*")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, local_files_only=True
        )
    except Exception as error:
        raise ConfigError(f"{folder} cannot be loaded: {' '.join(str(error).split())[:300]}") from error
    if not tokenizer.chat_template:
        raise ConfigError(f"The tokenizer of {folder} has no chat template.")
    torch.manual_seed(config.seed)
    lora = LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return get_peft_model(model, lora).to(device), tokenizer


def renderer(tokenizer: Any) -> Render:
    """The chat template as a function of messages to tokens; templates' complaints become TrainingErrors."""

    def render(messages: Sequence[Mapping[str, Json]], tools: Sequence[Mapping[str, Json]], asks: bool) -> Tokens:
        try:
            text = tokenizer.apply_chat_template(
                list(messages), tools=list(tools) or None, add_generation_prompt=asks, tokenize=False
            )
        except Exception as error:
            raise TrainingError(
                f"The model's chat template refuses a row: {' '.join(str(error).split())[:300]}",
                remedy="It may not carry tool calls; train a model whose template does, or use the ReACT agent.",
            ) from error
        return tuple(tokenizer(text, add_special_tokens=False)["input_ids"])

    return render


def folder_hash(folder: Path) -> str:
    """sha256 over the model's weights and tokenizer, by name."""
    digest = hashlib.sha256()
    for file in sorted([*folder.glob("*.safetensors"), *folder.glob("tokenizer*.json"), folder / "config.json"]):
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
