"""One training job from rows to an adapter on disk, with a manifest that says what made it.

The adapter's folder is what `--adapter` takes. The same call goes on from the newest checkpoint, unless rows, model or
settings are others than those it was started with: then it is refused, with what differs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from josh_engine.errors import ConfigError, DatasetError, TrainingError
from josh_engine.training.config import Progress, Report, TrainConfig
from josh_engine.training.kto_packed import PackedKto
from josh_engine.training.loop import ADAPTER, Loop, Objective
from josh_engine.training.packing import Packing, pack, read_rows
from josh_engine.training.sft import Supervised
from josh_engine.values import Json

MANIFEST, LOG = "manifest.json", "log.jsonl"
PACKAGES = ("torch", "transformers", "peft", "safetensors")


@dataclass(frozen=True, slots=True)
class Trained:
    """`adapter`: its folder. `too_long`: rows left out for their length. `loss`: the last step's."""

    adapter: str
    steps: int
    loss: float
    good: int
    bad: int
    sequences: int
    too_long: int
    seconds: float
    tokens: int


def train(model: Path, rows: Path, out: Path, config: TrainConfig, report: Report) -> Trained:
    """Raises ConfigError, DatasetError and TrainingError; Ctrl-C keeps a checkpoint and raises on."""
    config = config.checked()
    check_export(rows)
    from josh_engine.training.lora import folder_hash, open_trained

    opened, tokenizer = open_trained(model, config)
    packing = packed_rows(rows, tokenizer, config)
    started = _manifest(model, rows, config, packing) | {"model_sha256": folder_hash(model)}
    _keep_manifest(out, started)
    loop = Loop(out, opened, packing.sequences, config, objective_of(config, packing))
    try:
        loss = loop.run(_logged(out / LOG, report))
    except KeyboardInterrupt:
        opened.save_pretrained(out / ADAPTER, safe_serialization=True)  # as far as it came; the checkpoint goes on
        raise
    loop.save()
    return _finished(out, opened, started, packing, loop, loss)


def packed_rows(rows: Path, tokenizer: Any, config: TrainConfig) -> Packing:
    """The rows that this trainer learns from. Raises ConfigError where a kind is missing, and what `pack` does."""
    from josh_engine.training.lora import renderer

    wanted = [row for row in read_rows(rows) if config.trainer != "sft" or row.label is not False]
    if not wanted:
        raise ConfigError("There is no good row to learn from.", remedy="Give an sft.jsonl, or a kto.jsonl with some.")
    packing = pack(wanted, renderer(tokenizer), config.max_length)
    if config.trainer == "kto_packed" and not (packing.good and packing.bad):
        raise ConfigError("KTO needs good and bad rows, and one kind is missing.", remedy="Give a kto.jsonl.")
    return packing


def objective_of(config: TrainConfig, packing: Packing) -> Objective:
    return Supervised(config) if config.trainer == "sft" else PackedKto(config, packing.sequences)


def check_export(rows: Path) -> None:
    """Raises DatasetError where the manifest beside the rows tells another hash than the file has."""
    beside = rows.parent / MANIFEST
    if not rows.is_file():
        raise DatasetError(f"There is no file {rows}.", remedy="Give an sft.jsonl or kto.jsonl of an export.")
    if not beside.is_file():
        return
    try:
        listed = json.loads(beside.read_text(encoding="utf-8"))["files"][rows.name]["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return  # another kind of manifest, or one that does not list this file
    if (found := _hash(rows)) != listed:
        raise DatasetError(
            f"{rows} was changed after its export: its sha256 is {found}, but the manifest says {listed}.",
            remedy="Export the rows again; a judgement is changed in the tree, not in the file.",
        )


def _manifest(model: Path, rows: Path, config: TrainConfig, packing: Packing) -> dict[str, Json]:
    return {
        "model": str(model),
        "rows": str(rows),
        "rows_sha256": _hash(rows),
        "config": asdict(config),
        "good": packing.good,
        "bad": packing.bad,
        "sequences": len(packing.sequences),
        "too_long": packing.too_long,
        "provenance": _provenance(rows.parent),
        "versions": {name: version(name) for name in PACKAGES},
    }


def _provenance(folder: Path) -> dict[str, Json]:
    """The runs and auditors behind the rows, as the export tells them."""
    try:
        lines = (folder / "provenance.jsonl").read_text(encoding="utf-8").splitlines()
        told = [json.loads(line) for line in lines]
    except (OSError, ValueError):
        return {}
    auditors = {str(each) for line in told for verdict in line.get("verdicts", ()) for each in [verdict.get("auditor")]}
    return {"runs": sorted({str(line.get("run")) for line in told}), "auditors": sorted(auditors)}


def _keep_manifest(out: Path, started: Mapping[str, Json]) -> None:
    """Written once; a second call must be for the same job. Versions may differ: they are those of the start."""
    place = out / MANIFEST
    if place.is_file():
        before = json.loads(place.read_text(encoding="utf-8"))
        for name in ("rows_sha256", "model_sha256", "config"):
            if before.get(name) != json.loads(json.dumps(started[name])):
                raise ConfigError(
                    f"{out} holds a job with another {name}: {before.get(name)}, and not {started[name]}.",
                    remedy="Give another folder with --out, or delete this one.",
                )
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(started, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise TrainingError(f"{out} cannot be written: {error.strerror}.") from error


def _logged(file: Path, report: Report) -> Report:
    def told(progress: Progress) -> None:
        with file.open("a", encoding="utf-8") as log:
            log.write(json.dumps(asdict(progress)) + "\n")
        report(progress)

    return told


def _finished(out: Path, model: Any, started: Mapping[str, Json], packing: Packing, loop: Loop, loss: float) -> Trained:
    """The adapter, and the manifest with how it ended. What was finished before is given back as it is."""
    place = out / MANIFEST
    ended = json.loads(place.read_text(encoding="utf-8")).get("ended")
    if ended is None or not (out / ADAPTER / "adapter_model.safetensors").is_file():
        model.save_pretrained(out / ADAPTER, safe_serialization=True)
        ended = {"steps": loop.steps, "loss": loss, "seconds": loop.seconds, "tokens": loop.tokens}
        place.write_text(json.dumps({**started, "ended": ended}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return Trained(
        str(out / ADAPTER), ended["steps"], ended["loss"], packing.good, packing.bad, len(packing.sequences),
        packing.too_long, ended["seconds"], ended["tokens"],
    )  # fmt: skip


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
