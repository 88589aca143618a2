"""Loads a model with its tokenizer, and speaks its chat template. Runs in the worker's process only.

A model computes in bfloat16 on a GPU and in float32 on a CPU. An adapter is merged into the weights, which plays
faster, unless they are quantised. Nothing is downloaded and no code that comes with a model is run.

Refused, with the way out (an endpoint of `transformers serve` or vLLM): models that keep more than keys and values
per token (recurrent states, layers that share a cache), whose past cannot be cut and joined.
"""

from __future__ import annotations

import inspect
import json
import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from josh_engine.errors import BadResponse, ConfigError, DatasetError, JoshError, MissingDependency
from josh_engine.models.local.adapter_weights import check_complete
from josh_engine.models.local.folder import check_adapter_files, tensor_shapes
from josh_engine.models.local.habits import parts_of
from josh_engine.models.local.parsing import parse_reply
from josh_engine.models.local.selftest import Refused
from josh_engine.models.local.speaking import Template, template_of
from josh_engine.values import Json, ToolCall

log = logging.getLogger(__name__)

PLAIN_LAYERS = {"full_attention", "sliding_attention"}
ELSEWHERE = "Serve it with vLLM or `transformers serve`, and give that endpoint's URL as the model."


@dataclass(frozen=True, slots=True)
class Loaded:
    """`window`: how many tokens a conversation may have, `reply`: how many one reply has where nobody says so; each
    None where the model does not tell. `template`: the tokenizer's, with what its self-test found."""

    model: Any
    tokenizer: Any
    window: int | None
    stops: frozenset[int]
    template: Template
    reply: int | None = None


def load(folder: Path, adapter: Path | None, *, quantize: str | None, device: str) -> Loaded:
    """Raises ConfigError, DatasetError or MissingDependency saying what to do."""
    warnings.filterwarnings("ignore")
    try:
        return _load(folder, adapter, quantize, _device(device))
    except JoshError:
        raise
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())[:400]
        raise ConfigError(f"{adapter or folder} cannot be loaded: {said}.") from error


def render(loaded: Loaded, messages: Sequence[Json], tools: Sequence[Json]) -> list[int]:
    """The prompt's tokens: the chat template over messages and tools, ready for the assistant's next words.

    Raises BadResponse where the template refuses them, and where it is known to leave out what an answer builds on."""
    parts = parts_of(messages, (), tools)
    habit = next(
        (each for each in loaded.template.test.habits if each.play == "refused" and each.touches in parts), None
    )
    if habit is not None and (tools or habit.touches == "system"):
        raise _final(f"The model's chat template {habit.words}.", habit.remedy)
    try:
        return list(loaded.template.tokens(loaded.template.text(messages, tools, True)))
    except Refused as refused:
        raise BadResponse(
            f"The model's chat template refuses this conversation: {refused}.",
            remedy="Choose an agent or user whose requests it takes, or another model.",
        ) from refused


def _final(message: str, remedy: str) -> BadResponse:
    """An error that no further call can cure."""
    error = BadResponse(message, remedy=remedy)
    error.retry, error.final = False, True
    return error


def read_reply(
    loaded: Loaded, tokens: Sequence[int], prompt: Sequence[int], tools: Sequence[Json]
) -> tuple[str, tuple[ToolCall, ...]]:
    """(content, calls). Without tools the text is a text, whatever it looks like. What a tokenizer's own template
    cannot read, a broken call as a rule, is read as from any other model."""
    tokenizer = loaded.tokenizer
    if not tools:
        return str(tokenizer.decode(tokens, skip_special_tokens=True)).strip(), ()
    text = str(tokenizer.decode(tokens))
    if getattr(tokenizer, "response_template", None):
        try:
            return _by_template(tokenizer.parse_response(text, prefix=tokenizer.decode(prompt), tools=list(tools)))
        except Exception:
            log.debug("the response template cannot read this reply", exc_info=True)
    content, calls = parse_reply(text, {tool["function"]["name"] for tool in tools})
    for mark in tokenizer.all_special_tokens:
        content = content.replace(mark, "")
    return content.strip(), calls


def _by_template(message: Mapping[str, Json]) -> tuple[str, tuple[ToolCall, ...]]:
    """What the tokenizer's own `response_template` found. It gives arguments as values, so `raw` is JSON made of
    them; a model's thoughts, which it may set apart, are left out."""
    called = [call.get("function", call) for call in message.get("tool_calls") or ()]
    given = [(str(call["name"]), call.get("arguments", {})) for call in called]
    calls = [ToolCall("", name, raw=each if isinstance(each, str) else json.dumps(each)) for name, each in given]
    return str(message.get("content") or "").strip(), tuple(calls)


def _device(wanted: str) -> str:
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError(f"There is no device {wanted!r} here.", remedy="Leave the device out, or say cpu.")
    return wanted


def _load(folder: Path, adapter: Path | None, quantize: str | None, device: str) -> Loaded:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    _check_layers(config)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    if not tokenizer.chat_template:
        raise ConfigError(
            f"The tokenizer of {folder} has no chat template.", remedy="Use the instruction-tuned version of the model."
        )
    dtype = torch.bfloat16 if device != "cpu" else torch.float32
    how = {"dtype": dtype, "device_map": {"": device}, "use_safetensors": True, "local_files_only": True}
    if quantize:
        how["quantization_config"] = _four_bit(device)
    model, found = AutoModelForCausalLM.from_pretrained(folder, config=config, output_loading_info=True, **how)
    if missing := sorted(found["missing_keys"]):
        raise DatasetError(f"{folder} lacks weights: {missing[0]} and {len(missing) - 1} more.")
    if len(tokenizer) > (rows := model.get_input_embeddings().weight.shape[0]):
        raise ConfigError(
            f"The tokenizer of {folder} has {len(tokenizer):,} pieces, but its model knows {rows:,}.",
            remedy="It belongs to another model: get both from the same place.",
        )
    if "position_ids" not in inspect.signature(model.forward).parameters:
        raise ConfigError(f"Models of type {config.model_type} cannot be played here.", remedy=ELSEWHERE)
    if adapter is not None:
        adapted = put_on(model, adapter)
        model = adapted if quantize else adapted.merge_and_unload()
    window = getattr(config.get_text_config(decoder=True), "max_position_embeddings", None)
    reply = model.generation_config.max_new_tokens
    return Loaded(model.eval(), tokenizer, window, _stops(model, tokenizer), template_of(tokenizer), reply)


def _check_layers(config: Any) -> None:
    text = config.get_text_config(decoder=True)
    kinds = set(getattr(text, "layer_types", None) or PLAIN_LAYERS)
    if strange := sorted(kinds - PLAIN_LAYERS):
        raise ConfigError(f"Models of type {config.model_type} have {strange[0]} layers.", remedy=ELSEWHERE)
    if getattr(text, "num_kv_shared_layers", 0) or config.is_encoder_decoder:
        raise ConfigError(f"Models of type {config.model_type} cannot be played here.", remedy=ELSEWHERE)


def _four_bit(device: str) -> Any:
    import torch
    from transformers import BitsAndBytesConfig

    if device == "cpu":
        raise ConfigError("4-bit loading needs a GPU.", remedy="Leave the quantisation out.")
    try:
        return BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
    except ImportError as error:
        raise MissingDependency("4-bit loading needs bitsandbytes.", remedy="pip install bitsandbytes") from error


def put_on(model: Any, adapter: Path) -> Any:
    """The model with its LoRA on it. Raises ConfigError for one that lacks weights, as the model itself names them."""
    from peft import PeftModel, get_peft_model_state_dict

    adapted = PeftModel.from_pretrained(model, adapter, local_files_only=True)
    needed = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    check_complete(adapter, tensor_shapes(check_adapter_files(adapter)), needed)
    return adapted


def _stops(model: Any, tokenizer: Any) -> frozenset[int]:
    """What ends a reply: whatever model, generation settings and tokenizer each call the end."""
    named = [model.config.eos_token_id, model.generation_config.eos_token_id, tokenizer.eos_token_id]
    found: set[int] = set()
    for each in named:
        found.update(each if isinstance(each, list) else [] if each is None else [each])
    return frozenset(found)
