"""A local model with a LoRA to be trained: loading, its tokens, saving. Runs where torch may be imported."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from josh_engine.errors import ConfigError, MissingDependency
from josh_engine.models.local.folder import check_model
from josh_engine.training.config import TrainConfig
from josh_engine.training.team import own_device

UNTOLD = 10**12  # a tokenizer whose folder names no length has one above


def open_trained(folder: Path, config: TrainConfig) -> tuple[Any, Any]:
    """(model with a fresh LoRA on all its linear layers, tokenizer). The same seed gives the same start.

    Raises ConfigError, DatasetError and MissingDependency saying what to do.
    """
    check_model(folder)
    try:
        import torch
        from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging
    except ImportError as error:
        raise MissingDependency("Training needs torch, transformers and peft.", remedy="pip install peft") from error
    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=FutureWarning)  # peft's, about transformers' names
    warnings.filterwarnings("ignore", message=".*save_embedding_layers.*")
    held = _held_as(config, own_device())
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True, local_files_only=True, **held)
    except Exception as error:
        raise ConfigError(f"{folder} cannot be loaded: {' '.join(str(error).split())[:300]}") from error
    if not tokenizer.chat_template:
        raise ConfigError(f"The tokenizer of {folder} has no chat template.")
    if config.four_bit:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    torch.manual_seed(config.seed)
    lora = LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, lora).to(own_device()), tokenizer


def _held_as(config: TrainConfig, device: str) -> dict[str, Any]:
    """How the base's weights are held: they are never changed. Its LoRA is in float32."""
    import torch

    half = torch.bfloat16 if config.bfloat16 and device != "cpu" else torch.float32
    if not config.four_bit:
        return {"dtype": half}
    if device == "cpu":  # torch warns of wrong gradients once bitsandbytes' kernels there answered in eval mode
        raise ConfigError("A base in 4 bits is trained on a GPU, and there is none here.", remedy="Use --no-four-bit.")
    if find_spec("bitsandbytes") is None:
        raise MissingDependency(
            "A base in 4 bits needs bitsandbytes.", remedy="pip install -r requirements-4bit.txt, or --no-four-bit."
        )
    from transformers import BitsAndBytesConfig

    quantised = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=half
    )
    return {"dtype": half, "quantization_config": quantised, "device_map": {"": device}}


def window_of(model: Any, tokenizer: Any) -> int | None:
    """How many tokens the model reads at most; None where its folder does not tell."""
    told = (
        getattr(model.config.get_text_config(decoder=True), "max_position_embeddings", None),
        tokenizer.model_max_length if tokenizer.model_max_length < UNTOLD else None,
    )
    return min((each for each in told if each), default=None)
