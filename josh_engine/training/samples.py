"""What the model in training says to a few of its own rows, at every checkpoint: a person sees what a loss cannot say.

Answers are the likeliest ones, so nothing random is drawn and training goes on as if nobody had asked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from josh_engine.errors import DatasetError
from josh_engine.training.config import Progress, Report, TrainConfig
from josh_engine.training.cutting import LeftOut, Render, Tokens
from josh_engine.training.row_files import Row, read_groups

SAMPLES = "samples.jsonl"  # in the job's folder
QUESTIONS = 3
NEW_TOKENS = 96


@dataclass(frozen=True, slots=True)
class Question:
    """A good row's context as tokens. `asked`: its last message; `wanted`: the row's own answer."""

    tokens: Tokens
    asked: str
    wanted: str


@dataclass(frozen=True, slots=True)
class Sample:
    step: int
    asked: str
    wanted: str
    said: str


def questions(file: Path, render: Render, config: TrainConfig) -> list[Question]:
    """Of the first, the middle and the last good row that leave room for an answer."""
    rows = [row for group in read_groups(file, config.trainer) for row in group if row.label is not False]
    picked = {place: rows[place] for place in (0, len(rows) // 2, len(rows) - 1)} if rows else {}
    found = [asked for row in picked.values() if (asked := _question(row, render))]
    return [each for each in found if len(each.tokens) + NEW_TOKENS <= config.max_length][:QUESTIONS]


def _question(row: Row, render: Render) -> Question | None:
    """None for a row that is left out."""
    try:
        tokens, start = render.cut(row)
    except LeftOut:
        return None
    return Question(tokens[:start], _text(row.prompt[-1:]), _text(row.completion))


def _text(messages: Sequence[Any]) -> str:
    return "\n".join(str(each.get("content") or json.dumps(each.get("tool_calls"))) for each in messages)


def sampling(report: Report, model: Any, tokenizer: Any, asked: Sequence[Question], out: Path, every: int) -> Report:
    """`report`, with the answers written down at every `every`-th step and at the last."""

    def told(progress: Progress) -> None:
        if progress.step % every == 0 or progress.step == progress.steps:
            lines = [
                json.dumps(asdict(each), ensure_ascii=False) for each in _answers(model, tokenizer, asked, progress)
            ]
            with (out / SAMPLES).open("a", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines)
        report(progress)

    return told


def _answers(model: Any, tokenizer: Any, asked: Sequence[Question], progress: Progress) -> list[Sample]:
    import torch

    was_training, found = model.training, []
    model.eval()
    for each in asked:
        ids = torch.tensor([each.tokens], device=next(model.parameters()).device)
        with torch.no_grad():
            told = model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW_TOKENS, do_sample=False,
                temperature=None, top_p=None, top_k=None, pad_token_id=tokenizer.pad_token_id or 0,
            )  # fmt: skip
        said = tokenizer.decode(told[0, len(each.tokens) :], skip_special_tokens=True)
        found.append(Sample(progress.step, each.asked, each.wanted, said))
    model.train(was_training)
    return found


def read_samples(out: Path) -> tuple[Sample, ...]:
    """Newest first; none where nothing was written yet. Raises DatasetError for a file that is something else."""
    file = out / SAMPLES
    if not file.is_file():
        return ()
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
        return tuple(Sample(**json.loads(line)) for line in lines if line.endswith("}"))[::-1]
    except (OSError, ValueError, TypeError) as error:
        raise DatasetError(f"{file} cannot be read: {error}.") from error
