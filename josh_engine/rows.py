"""Rows, provenance, checks and files of an extraction: pure rendering, no decisions.

Formats: `sft`, `kto`, `dpo` in TRL's columns (conversational, `tools` as a JSON string) and `openai`, whole
conversations as hosted tuners take them. Everything is sorted by row id, so equal sources give equal bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from josh_engine.encoding import compact
from josh_engine.errors import ConfigError
from josh_engine.extract import Extraction, Generation, Pair, RowPolicy, Source, tools_text, verdicts_on
from josh_engine.messages import expressible, wire, wire_tools
from josh_engine.pair_verdicts import vouches
from josh_engine.splitting import Split, scenario_of, split_by_scenario
from josh_engine.tree import ideal_path, label_turns
from josh_engine.values import Json

FORMATS = ("sft", "kto", "dpo", "openai")
LONGEST = 32_768  # characters: llama-3-8B's 8,192 tokens (the paper's model) at four characters each


def rows(extraction: Extraction, row_format: str) -> list[dict[str, Json]]:
    """TRL's columns for "sft", "kto", "dpo"; OpenAI's chat fine-tuning lines for "openai". Sorted by row id."""
    if row_format == "sft":
        return [generation_row(each) for each in extraction.positive]
    if row_format == "kto":
        labelled = [*((each, True) for each in extraction.positive), *((each, False) for each in extraction.negative)]
        labelled.sort(key=lambda item: item[0].row_id)
        return [generation_row(each, label) for each, label in labelled]
    if row_format == "dpo":
        return [pair_row(pair) for pair in extraction.pairs]
    if row_format == "openai":
        return sorted((whole_row(source) for source in extraction.sources), key=compact)
    raise ConfigError(f"Unknown row format {row_format!r}.", remedy=f"Use one of: {', '.join(FORMATS)}.")


def provenance(extraction: Extraction) -> list[dict[str, Json]]:
    """One line per row id: where it comes from and who judged it."""
    lines = {each.row_id: origin(each) for each in (*extraction.positive, *extraction.negative)}
    lines |= {pair.row_id: origin(pair.rejected) | {"row_id": pair.row_id} for pair in extraction.pairs}
    return [lines[row_id] for row_id in sorted(lines)]


@dataclass(frozen=True, slots=True)
class Tally:
    """What the checks look at. `repeated`: positives whose text and context another one has; `leaked`: scenarios of a
    test split; `both_splits`: scenarios with rows for training and for validation; `up_length`, `down_length`: mean
    length of what the model wrote, None where there is none."""

    positives: int
    negatives: int
    contradictory: int
    repeated: int
    leaked: int
    both_splits: int
    erring: int
    too_long: int
    faulty: int
    up_length: float | None
    down_length: float | None


@dataclass(frozen=True, slots=True)
class Facts:
    """A row as the checks see it. `written`: characters of what the model wrote, as JSON."""

    erring: bool
    too_long: bool
    faulty: bool
    written: int


def facts(generation: Generation) -> Facts:
    calls = generation.node.turn.calls
    return Facts(
        erring=any(call.error is not None for call in calls),
        too_long=_length(generation) > LONGEST,
        faulty=any(call.fault for call in calls),
        written=len(json.dumps(generation.completion_rows)),
    )


def tally(extraction: Extraction, split: Split) -> Tally:
    up = {each.key for each in extraction.positive}
    told_up, told_down = [facts(each) for each in extraction.positive], [facts(each) for each in extraction.negative]
    return Tally(
        positives=extraction.positives,
        negatives=extraction.negatives,
        contradictory=sum(each.key in up for each in extraction.negative),
        repeated=len(extraction.positive) - len(up),
        leaked=len({each.tree.scenario.id for each in extraction.sources if each.tree.scenario and is_test(each)}),
        both_splits=len(in_several(split_by_scenario(extraction, split).values())),
        erring=sum(each.erring for each in told_up),
        too_long=sum(each.too_long for each in (*told_up, *told_down)),
        faulty=sum(each.faulty for each in told_down),
        up_length=_mean([each.written for each in told_up]),
        down_length=_mean([each.written for each in told_down]),
    )


def _mean(lengths: Sequence[int]) -> float | None:
    return sum(lengths) / len(lengths) if lengths else None


def gates(extraction: Extraction, split: Split | None = None) -> dict[str, dict[str, Json]]:
    return checked(tally(extraction, split or Split()))


def checked(told: Tally) -> dict[str, dict[str, Json]]:
    """Each check's count and whether it is fit to train on. `length_gap` is mean negative over positive length in
    percent; `after_error` counts positives of turns in which a call got an error, `too_long` generations that with
    their context exceed LONGEST; `explicit_faults` counts negatives with a fault of the model's own (legitimate, so
    always ok); `both_splits` counts scenarios with rows for training and for validation."""
    gap = round(100 * told.down_length / told.up_length) if told.up_length and told.down_length is not None else None
    balanced = bool(told.negatives) and 1 / 8 <= told.positives / told.negatives <= 8
    return {
        "contradictory": {"ok": told.contradictory == 0, "count": told.contradictory},
        "duplicates": {"ok": told.repeated <= 0.1 * told.positives, "count": told.repeated},
        "balance": {"ok": balanced, "count": told.positives - told.negatives},
        "length_gap": {"ok": gap is None or 50 <= gap <= 200, "count": gap},
        "test_scenarios": {"ok": told.leaked == 0, "count": told.leaked},
        "both_splits": {"ok": told.both_splits == 0, "count": told.both_splits},
        "after_error": {"ok": told.erring == 0, "count": told.erring},
        "too_long": {"ok": told.too_long == 0, "count": told.too_long},
        "explicit_faults": {"ok": True, "count": told.faulty},
    }


def render_files(
    extraction: Extraction,
    formats: Sequence[str],
    head: Mapping[str, Json] | None = None,
    split: Split | None = None,
) -> dict[str, bytes]:
    """The export's files by name: `kto.jsonl`, or `kto.train.jsonl` and `kto.validation.jsonl` where scenarios are held
    out. `head` goes into the manifest (licence and attribution of the data, times); the row files depend on the sources
    alone."""
    split = split or Split()
    parts = split_by_scenario(extraction, split)
    files = {row_file(each, name): _lines(rows(part, each)) for each in formats for name, part in parts.items()}
    files["provenance.jsonl"] = _lines(_origins(parts))
    written = {name: (hashlib.sha256(body).hexdigest(), body.count(b"\n")) for name, body in files.items()}
    files["manifest.json"] = manifest(
        head or {},
        written,
        extraction.policy,
        split,
        _scenario_counts(parts),
        extraction.funnel,
        gates(extraction, split),
    )
    return files


def manifest(
    head: Mapping[str, Json],
    files: Mapping[str, tuple[str, int]],
    policy: RowPolicy,
    split: Split,
    scenarios: Mapping[str, int],
    funnel: Mapping[str, int],
    told: Mapping[str, Mapping[str, Json]],
) -> bytes:
    """`files`: name -> (sha256, lines). `scenarios`: by part. `told`: what `checked` gave."""
    made = {
        **head,
        "files": {name: {"sha256": sha, "lines": lines} for name, (sha, lines) in sorted(files.items())},
        "policy": {"rows": policy.rows, "audit": policy.audit, "filtered": policy.filtered},
        "split": {"share": split.share, "seed": split.seed, "scenarios": dict(scenarios)},
        "funnel": dict(funnel),
        "gates": told,
    }
    return (json.dumps(made, indent=2, ensure_ascii=False) + "\n").encode()


def _origins(parts: Mapping[str, Extraction]) -> list[dict[str, Json]]:
    """The provenance of all parts, sorted by row id; `part` says which file a row is in, where there are two."""
    found = [line | ({"part": name} if name else {}) for name, part in parts.items() for line in provenance(part)]
    return sorted(found, key=lambda line: str(line["row_id"]))


def row_file(row_format: str, part: str = "") -> str:
    return f"{row_format}.{part}.jsonl" if part else f"{row_format}.jsonl"


def _scenario_counts(parts: Mapping[str, Extraction]) -> dict[str, int]:
    return {name or "all": part.scenarios for name, part in parts.items()}


def generation_row(generation: Generation, label: bool | None = None) -> dict[str, Json]:
    """SFT's row; with a label, KTO's."""
    line: dict[str, Json] = {"prompt": generation.prompt_rows, "completion": generation.completion_rows}
    if label is not None:
        line["label"] = label
    return _with_tools(line, generation.source) | {"row_id": generation.row_id}


def pair_row(pair: Pair) -> dict[str, Json]:
    """DPO's row."""
    line = {
        "prompt": pair.chosen.prompt_rows,
        "chosen": pair.chosen.completion_rows,
        "rejected": pair.rejected.completion_rows,
    }
    return _with_tools(line, pair.chosen.source) | {"row_id": pair.row_id}


def _with_tools(line: dict[str, Json], source: Source) -> dict[str, Json]:
    tools = tools_text(source)
    return line | {"tools": tools} if tools else line


def whole_row(source: Source) -> dict[str, Json]:
    """The ideal path as one conversation. Context only (weight 0) is a turn that a person called bad, and a generation
    that is in no row of the other forms (`extract`)."""
    tree, labels = source.tree, label_turns(source.tree, source.verdicts)
    messages = [wire(message) for message in tree.preamble.messages]
    for node_id in ideal_path(tree, source.verdicts):
        turn = tree.nodes[node_id].turn
        for message in turn.messages:
            trained = labels.get(node_id) == "ideal" and not turn.cut and expressible(message)
            weightless = message.role == "assistant" and not trained
            messages.append(wire(message) | ({"weight": 0} if weightless else {}))
    line: dict[str, Json] = {"messages": messages}
    if tree.preamble.tools:
        line["tools"] = wire_tools(tree.preamble.tools)
    return line


def origin(generation: Generation) -> dict[str, Json]:
    source, node = generation.source, generation.node
    pruned = source.tree.reasons.get(node.id)
    return {
        "row_id": generation.row_id,
        "run": source.rollout.run_id,
        "rollout": source.rollout.id,
        "scenario": source.rollout.scenario_id,
        "split": source.tree.scenario.split if source.tree.scenario else None,
        "trial": source.rollout.trial,
        "node": node.id,
        "generation": generation.index,
        "label": generation.label,
        "reason": pruned.reason if pruned else None,
        "verdicts": [
            {
                "verdict": each.verdict,
                "auditor": pseudonym(each.auditor),
                "blind": each.blind,
                "created": each.created,
                "adjudicates": each.adjudicates,
                "counts": each in generation.source.heeded and vouches(each),
            }
            for each in verdicts_on(generation)
        ],
    }


def pseudonym(auditor: str) -> str:
    """The same for the same name; not the name. Who knows the name can tell that it is this one."""
    return "auditor-" + hashlib.sha256(f"josh auditor\x1f{auditor}".encode()).hexdigest()[:8]


def is_test(source: Source) -> bool:
    return source.tree.scenario is not None and source.tree.scenario.split in ("test", "full_test")


def in_several(parts: Iterable[Extraction]) -> frozenset[str]:
    """Scenarios with rows in more than one part: counted in the rows, not in how the scenarios were drawn."""
    seen: set[str] = set()
    found: set[str] = set()
    for part in parts:
        held = {scenario_of(each.source) for each in (*part.positive, *part.negative)}
        found |= held & seen
        seen |= held
    return frozenset(found)


def _length(generation: Generation) -> int:
    """Characters of a row's texts, its tools and calls included."""
    messages = (*generation.prompt, generation.message)
    called = sum(len(call.name) + len(call.raw) for message in messages for call in message.tool_calls)
    return sum(len(message.content) for message in messages) + called + len(tools_text(generation.source))


def _lines(lines: Iterable[Mapping[str, Json]]) -> bytes:
    return "".join(compact(each) + "\n" for each in lines).encode()
