"""What a job would do, before it does: the rows that fit, one real step, and what the model is trained on in it.

Runs where torch may be imported. Time is that of one step, by as many tokens as there are; memory is an estimate.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from josh_engine.errors import ConfigError
from josh_engine.models.local.habits import Habit
from josh_engine.training.config import BY_TRL, TrainConfig
from josh_engine.training.cutting import Omitted

TRIED_PARAMETERS = 200_000_000  # of a model that a CPU takes one step of to see how long that is
SHOWN_TOKENS = 1_500
TRL_FACTOR = 1.5  # it reads every row with the reference too
ACTIVATION_BYTES = 34  # per token, layer and width: arXiv 2205.05198, table 2, without attention's own


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a sequence. `trained`: good, bad, or "" for what is only read."""

    text: str
    trained: str


@dataclass(frozen=True, slots=True)
class Preflight:
    """`good`, `bad`, `too_long`: rows. `tokens`: of one pass over the sequences; `longest`: of one. `parameters` of
    the model, `trained` of the adapter. `seconds`: of the whole job, None where no step was tried (a model too large
    for this machine's CPU). `memory_bytes`: about. `omitted`: rows that the model's chat template refuses or changes;
    `habits`: what else it does to these rows. `window`: tokens that the model reads, None where its folder does not
    tell."""

    good: int
    bad: int
    too_long: int
    sequences: int
    tokens: int
    longest: int
    steps: int
    parameters: int
    trained: int
    device: str
    seconds: float | None
    memory_bytes: int
    first: tuple[Piece, ...]
    omitted: tuple[Omitted, ...] = ()
    habits: tuple[str, ...] = ()
    window: int | None = None


def preflight(model: Path, rows: Path, config: TrainConfig) -> Preflight:
    """Raises what training would: ConfigError, DatasetError, TrainingError."""
    from josh_engine.training.job import objective_of, packed_rows
    from josh_engine.training.loop import FORWARD_TOKENS, step_count
    from josh_engine.training.lora import open_trained, window_of
    from josh_engine.training.rendering import renderer

    config = config.checked()
    opened, tokenizer = open_trained(model, config)
    window = window_of(opened, tokenizer)
    packing = packed_rows(rows, renderer(tokenizer), config, window)
    by_trl = config.trainer in BY_TRL
    trained = sum(each.numel() for each in opened.parameters() if each.requires_grad)
    parameters = sum(each.numel() for each in opened.parameters()) - trained
    device = str(next(opened.parameters()).device)
    lengths = [
        stop
        for each in packing.sequences
        for stop in ([span.stop for span in each.spans] if by_trl else [len(each.tokens)])
    ]  # TRL reads every row by itself
    steps = step_count(len(lengths), config)
    tried = device != "cpu" or parameters <= TRIED_PARAMETERS
    per_token = _seconds_per_token(opened, objective_of(config, packing), packing.sequences) if tried else None
    done = sum(lengths) * steps * config.sequences_per_step / max(1, len(lengths))
    layers, width, words = _shape(opened)
    at_once = max(FORWARD_TOKENS, max(lengths))
    memory = 4 * parameters + 12 * trained + at_once * (layers * width * ACTIVATION_BYTES + 8 * words)
    per_token = per_token * TRL_FACTOR if per_token is not None and by_trl else per_token
    return Preflight(
        packing.good, packing.bad, packing.too_long, len(lengths), sum(lengths), max(lengths), steps,
        parameters, trained, device, None if per_token is None else done * per_token, memory,
        tuple(piece for shown in _shown(packing.sequences) for piece in _pieces(shown, tokenizer)),
        packing.omitted, tuple(told_of(packing.habits)), window,
    )  # fmt: skip


def told_of(habits: Sequence[Habit]) -> Iterator[str]:
    """What the template does besides, for the person: rows that are left out are told by themselves."""
    return (f"The chat template {each.words}. {each.remedy}" for each in habits if each.weight == "note")


def _seconds_per_token(model: Any, objective: Any, sequences: Sequence[Any]) -> float:
    """Of forward and backward pass over a few sequences of middle length; the second try, for the first warms up."""
    from josh_engine.training.loop import parts

    middle = max(0, len(sequences) // 2 - 2)
    few = parts(sorted(sequences, key=lambda each: len(each.tokens))[middle : middle + 4])
    model.train()
    objective.try_on(model, few)
    seconds = 0.0
    for _ in range(2):
        started = time.perf_counter()
        for part in few:
            loss, _ = objective.loss(model, part, [each for other in few for each in other])
            loss.backward()
        seconds = time.perf_counter() - started
    if not math.isfinite(float(loss.detach())):
        raise ConfigError("The first step's loss is not a number.", remedy="The model's weights are damaged.")
    return seconds / sum(len(each.tokens) for part in few for each in part)


def _shape(model: Any) -> tuple[int, int, int]:
    """Layers, width, pieces of the vocabulary."""
    text = model.config.get_text_config(decoder=True)
    return text.num_hidden_layers, text.hidden_size, text.vocab_size


def _shown(sequences: Sequence[Any]) -> list[Any]:
    """The first with a good turn, and the first with a bad one."""
    firsts = [
        next((each for each in sequences if any(s.good is side for s in each.spans)), None) for side in (True, False)
    ]
    return list({id(each): each for each in firsts if each is not None}.values())


def _pieces(packed: Any, tokenizer: Any) -> Iterator[Piece]:
    """The sequence's beginning, cut where what is trained begins and ends."""
    place = 0
    for span in packed.spans:
        yield Piece(tokenizer.decode(packed.tokens[place : span.start]), "")
        yield Piece(tokenizer.decode(packed.tokens[span.start : span.stop]), "good" if span.good else "bad")
        place = span.stop
        if place > SHOWN_TOKENS:
            return
