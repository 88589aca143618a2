"""What a job would do, before it does: the rows that fit, one real step, and what the model is trained on in it.

Runs where torch may be imported. Time is that of one step, by as many tokens as there are; memory is an estimate.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from josh_engine.errors import ConfigError
from josh_engine.models.local.habits import Habit
from josh_engine.training.config import BY_TRL, TrainConfig
from josh_engine.training.cutting import Omitted
from josh_engine.training.origin import origin_of
from josh_engine.training.packing import Packed
from josh_engine.training.precision import precision_of

TRIED_PARAMETERS = 200_000_000  # of a model that a CPU takes one step of to see how long that is
SHOWN_TOKENS = 1_500
FIRST_TRY, TRY_FACTOR, TRY_SECONDS = 64, 4, 6.0  # tokens, how many times more in the next try, seconds of one at most
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
    for this machine's CPU). `memory_bytes`: about. `origin`: whose words the rows are, in a sentence; `refused`: some
    are another's, and nobody said that they are meant. `precision`: what it computes in, and why. `omitted`: rows that
    the model's chat template refuses or changes; `habits`: what else it does to these rows. `window`: tokens that the
    model reads, None where its folder does not tell."""

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
    origin: str = ""
    refused: bool = False
    precision: str = ""
    omitted: tuple[Omitted, ...] = ()
    habits: tuple[str, ...] = ()
    window: int | None = None


def preflight(model: Path, rows: Path, config: TrainConfig, *, known_as: str = "") -> Preflight:
    """Raises what training would, but for rows of others, which are told: ConfigError, DatasetError, TrainingError."""
    from josh_engine.training.job import objective_of, packed_rows
    from josh_engine.training.loop import FORWARD_TOKENS, step_count
    from josh_engine.training.lora import open_trained, window_of
    from josh_engine.training.rendering import renderer
    from josh_engine.training.team import own_device

    origin = origin_of(rows, model, known_as)
    precision = precision_of(config.checked(), own_device())
    config = replace(config, bfloat16=precision.bfloat16)
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
        str(origin), bool(origin.others) and not config.rows_of_others, str(precision),
        packing.omitted, tuple(told_of(packing.habits)), window,
    )  # fmt: skip


def told_of(habits: Sequence[Habit]) -> Iterator[str]:
    """What the template does besides, for the person: rows that are left out are told by themselves."""
    return (f"The chat template {each.words}. {each.remedy}" for each in habits if each.weight == "note")


def _seconds_per_token(model: Any, objective: Any, sequences: Sequence[Any]) -> float:
    """Of forward and backward pass over a few sequences of middle length. A first try, of few tokens, warms up; then
    more are tried for as long as the last try says that there is time."""
    middle = max(0, len(sequences) // 2 - 2)
    few = sorted(sequences, key=lambda each: len(each.tokens))[middle : middle + 4]
    tokens, whole = FIRST_TRY, sum(len(each.tokens) for each in few)
    _timed(model, objective, _beginnings(few, tokens))
    while True:
        begun = _beginnings(few, tokens)
        read, seconds = sum(len(each.tokens) for each in begun), _timed(model, objective, begun)
        if read >= whole or seconds * TRY_FACTOR > TRY_SECONDS:
            return seconds / read
        tokens *= TRY_FACTOR


def _timed(model: Any, objective: Any, few: Sequence[Packed]) -> float:
    from josh_engine.training.loop import parts

    objective.try_on(model, parts(few))
    model.train()
    started = time.perf_counter()
    for part in parts(few):
        loss, _ = objective.loss(model, part, few)
        loss.backward()
        if not math.isfinite(float(loss.detach())):
            raise ConfigError("The first step's loss is not a number.", remedy="The model's weights are damaged.")
    return time.perf_counter() - started


def _beginnings(few: Sequence[Packed], most: int) -> list[Packed]:
    """So many tokens of the sequences, each with the generations within; with its last token as one where it has
    none."""
    found: list[Packed] = []
    for each in few:
        cut = min(len(each.tokens), most)
        if cut > 1:
            within = tuple(span for span in each.spans if span.stop <= cut)
            found.append(Packed(each.tokens[:cut], within or (replace(each.spans[0], start=cut - 1, stop=cut),)))
        most -= cut
    return found


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
