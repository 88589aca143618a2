"""A real Llama whose weights say one thing: which token follows which, with which probability. Its attention and its
feed-forward layers add nothing, so it needs no training, and still runs through every line that a large model does.

Whole tool calls are single tokens, so a chain of a few tokens makes conversations worth searching: what it answers
depends on the row's own chance, as with any model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tiny_model import CHAT_TEMPLATE, SPECIAL

from josh_engine.values import Goal, Scenario
from josh_engine.worlds.scripted import ScriptedWorld

START, END = "<|assistant|>", "<|end|>"
Chain = Mapping[str, Mapping[str, float]]  # token -> what may follow -> its probability


def call(name: str, **arguments: str) -> str:
    return "\n" + json.dumps({"name": name, "arguments": arguments}) + "\n"


HOTEL, TRAIN = call("find_hotel", area="north"), call("find_train", day="monday")
BROKEN = '\n{"name": "find_hotel", "arguments": {"area": north}}\n'
CHAIN: Chain = {
    START: {"<tool_call>": 0.6, "Anything else?": 0.25, "One moment.": 0.15},
    "<tool_call>": {HOTEL: 0.5, TRAIN: 0.4, BROKEN: 0.1},
    HOTEL: {"</tool_call>": 1.0},
    TRAIN: {"</tool_call>": 1.0},
    BROKEN: {"</tool_call>": 1.0},
    "</tool_call>": {END: 1.0},
    "Anything else?": {END: 1.0},
    "One moment.": {END: 1.0},
}
RESPONSE_TEMPLATE = {
    "defaults": {"role": "assistant"},
    "start_anchor": START,
    "fields": {
        "tool_calls": {
            "open": "<tool_call>",
            "close": "</tool_call>",
            "repeats": True,
            "content": "json",
            "transform": {"type": "function", "function": "{content}"},
        },
        "content": {"close": END, "content": "text"},
    },
}


def save_chain_model(folder: Path, chain: Chain = CHAIN, *, response_template: bool = False) -> Path:
    """`response_template`: the tokenizer says itself how its calls are read."""
    import torch
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = {letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocab=letters, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    words = [word for word in _words(chain) if word not in SPECIAL]
    tokenizer.add_tokens([AddedToken(word, normalized=False) for word in words])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END, pad_token="<|pad|>", chat_template=CHAT_TEMPLATE
    )
    if response_template:
        fast.response_template = RESPONSE_TEMPLATE
    size = len(fast) + len(fast) % 2
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=size,
            hidden_size=size,
            intermediate_size=8,
            num_hidden_layers=1,
            num_attention_heads=1,
            max_position_embeddings=8192,
            eos_token_id=fast.eos_token_id,
            pad_token_id=fast.pad_token_id,
        )
    )
    with torch.no_grad():
        for parameter in model.model.layers.parameters():
            parameter.zero_()
        model.model.embed_tokens.weight.copy_(torch.eye(size))
        model.lm_head.weight.copy_(_scores(chain, fast, size) / size**0.5)
    model.generation_config.do_sample = True  # without it `transformers serve` is greedy at any temperature
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def _words(chain: Chain) -> Sequence[str]:
    return list(dict.fromkeys([*chain, *(word for after in chain.values() for word in after)]))


def _scores(chain: Chain, tokenizer, size: int):
    """[next, token]: log-probabilities; -30 for what never follows. After a letter comes the end."""
    import torch

    scores = torch.full((size, size), -30.0)
    scores[tokenizer.eos_token_id] = 0.0
    for word, after in chain.items():
        token = tokenizer.convert_tokens_to_ids(word)
        scores[tokenizer.eos_token_id, token] = -30.0
        for each, probability in after.items():
            scores[tokenizer.convert_tokens_to_ids(each), token] = torch.tensor(probability).log()
    return scores


def open_world() -> ScriptedWorld:
    """Two scenarios that the chain's calls can win; named "chain_model:open_world"."""
    goals = (Goal("hotel", "find_hotel", {"area": "north"}), Goal("train", "find_train", {"day": "monday"}))
    brief = ("A hotel in the north.", "And a train on monday.", "Anything.", "Please go on.")
    return ScriptedWorld(
        [Scenario("both", "scripted", "all", brief, goals), Scenario("one", "scripted", "all", brief, goals[1:])]
    )
