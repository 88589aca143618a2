"""A few rows of an extraction, as a person reads them and as they are in the file. Pure.

They are spread evenly over the file, so what is shown is what a trainer meets, not its first lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.listings import address, tree_address
from josh_engine.encoding import compact
from josh_engine.extract import Extraction, Generation, Source
from josh_engine.messages import conversation
from josh_engine.rows import generation_row, pair_row, whole_row
from josh_engine.tree import ideal_path, path
from josh_engine.values import Json, Message

SAMPLES = 5
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sample:
    """One row. `kind`: up, down, pair or whole. `rollout`: its id. `context`: what the model was called with;
    `answers`: (what becomes of it, message). `line`: the row as it stands in the file. `href` leads to its turn."""

    kind: str
    row_id: str
    rollout: str
    scenario: str
    node: str
    href: str
    context: tuple[Message, ...]
    answers: tuple[tuple[str, Message], ...]
    line: str

    def drawn(self) -> dict[str, Json]:
        return {
            "kind": self.kind,
            "id": self.row_id,
            "scenario": self.scenario,
            "node": self.node,
            "href": self.href,
            "context": [_drawn(message) for message in self.context],
            "answers": [_drawn(message) | {"use": use} for use, message in self.answers],
            "raw": json.dumps(json.loads(self.line), ensure_ascii=False, indent=2),
        }


def samples(extraction: Extraction, row_format: str, *, count: int = SAMPLES) -> tuple[Sample, ...]:
    """Of a KTO file both kinds, in the file's order."""
    if row_format == "dpo":
        return tuple(
            Sample(
                "pair",
                pair.row_id,
                *_place(pair.rejected.source, pair.rejected.node.id),
                pair.chosen.prompt,
                (("up", pair.chosen.message), ("down", pair.rejected.message)),
                compact(pair_row(pair)),
            )
            for pair in _spread(extraction.pairs, count)
        )
    if row_format == "openai":
        return tuple(_whole(source) for source in _spread(extraction.sources, count))
    if row_format == "sft":
        return tuple(_generation(each, "up", None) for each in _spread(extraction.positive, count))
    down = _spread(extraction.negative, min(count // 2, extraction.negatives))
    up = _spread(extraction.positive, count - len(down))
    both = [_generation(each, "up", True) for each in up] + [_generation(each, "down", False) for each in down]
    return tuple(sorted(both, key=lambda sample: sample.row_id))


def _generation(each: Generation, kind: str, label: bool | None) -> Sample:
    line = compact(generation_row(each, label))
    return Sample(kind, each.row_id, *_place(each.source, each.node.id), each.prompt, ((kind, each.message),), line)


def _whole(source: Source) -> Sample:
    """Has no row id in its file: hosted tuners refuse what they do not know. Its last turn stands for it."""
    last = ideal_path(source.tree, source.verdicts)[-1]
    said = conversation(source.tree.preamble, path(source.tree, last))
    return Sample("whole", source.rollout.id, *_place(source, last), said, (), compact(whole_row(source)))


def _place(source: Source, node: str) -> tuple[str, str, str, str]:
    """Rollout, scenario, node, and the address of its tree with the node chosen."""
    return (
        source.rollout.id,
        source.rollout.scenario_id,
        node,
        address("tree", **tree_address(source.rollout), node=node),
    )


def _spread(items: Sequence[T], count: int) -> list[T]:
    if len(items) <= count:
        return list(items)
    return [items[(2 * place + 1) * len(items) // (2 * count)] for place in range(count)]


def _drawn(message: Message) -> dict[str, Json]:
    return {"role": message.role, "text": message.content, "calls": list(_calls(message))}


def _calls(message: Message) -> Iterable[str]:
    for call in message.tool_calls:
        yield f"{call.name}({call.raw or json.dumps(dict(call.arguments), ensure_ascii=False)})"
