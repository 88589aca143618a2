"""One training job from rows to an adapter on disk, with a manifest that says what made it.

The adapter's folder is what `--adapter` takes. The same call goes on from the newest checkpoint, unless rows, model or
settings are others than those it was started with: then it is refused, with what differs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from josh_engine.errors import ConfigError, DatasetError, TrainingError
from josh_engine.models.local.adapter import MANIFEST, base_identity, check_base
from josh_engine.training.card import CARD, card
from josh_engine.training.config import BY_TRL, Progress, Report, TrainConfig
from josh_engine.training.cutting import Omitted, Render, cut_rows
from josh_engine.training.kto_packed import PackedKto
from josh_engine.training.loop import ADAPTER, Loop, Objective
from josh_engine.training.origin import Origin, origin_of, refuse_others
from josh_engine.training.packing import Packing, packed
from josh_engine.training.precision import Precision, precision_of
from josh_engine.training.row_files import read_groups
from josh_engine.training.samples import questions, sampling
from josh_engine.training.sft import Supervised
from josh_engine.training.team import Team, join
from josh_engine.values import Json

LOG = "log.jsonl"
PACKAGES = ("torch", "transformers", "peft", "safetensors")


@dataclass(frozen=True, slots=True)
class Counts:
    """What is learnt from: turns, the sequences they stand in, rows left out for their length, and for what the chat
    template makes of them."""

    good: int
    bad: int
    sequences: int
    too_long: int
    omitted: tuple[Omitted, ...] = ()


@dataclass(frozen=True, slots=True)
class Trained:
    """`adapter`: its folder. `too_long`, `omitted`: rows left out. `loss`: the last step's."""

    adapter: str
    steps: int
    loss: float
    good: int
    bad: int
    sequences: int
    too_long: int
    seconds: float
    tokens: int
    omitted: tuple[Omitted, ...] = ()


def train(model: Path, rows: Path, out: Path, config: TrainConfig, report: Report, *, known_as: str = "") -> Trained:
    """In this process, or in all that a launcher started for it (`team`): then all but the first report to nobody.
    `known_as`: what runs call the model, where that is not its folder.

    Raises ConfigError, DatasetError and TrainingError; Ctrl-C keeps a checkpoint and raises on.
    """
    asked = config.checked()
    if before := _read_manifest(out):
        check_base(before, model, f"{out} holds a job with another base")
    origin = check_rows(model, rows, asked, known_as=known_as)
    from josh_engine.training.lora import open_trained
    from josh_engine.training.rendering import renderer

    team = join()
    config, why = settled(asked, out)
    opened, tokenizer = open_trained(model, config)
    render = renderer(tokenizer)
    counts, work = _work_of(out, opened, tokenizer, render, rows=rows, config=config, team=team)
    started = _manifest(model, rows, asked, counts) | base_identity(model)
    started |= {"origin": str(origin), "precision": asdict(why)}
    if team.leads:
        _keep_manifest(out, started)
    team.wait()
    if (over := _ended(out)) is not None:
        return _trained(out, over, counts)
    told: Report = _silent
    if team.leads:
        posed = questions(rows, render, config)
        told = sampling(_logged(out / LOG, report), opened, tokenizer, posed, out, config.checkpoint_steps)
    try:
        loss = work.run(told)
    except KeyboardInterrupt:
        _save_adapter(team, opened, out, started)  # as far as it came; the checkpoint goes on
        raise
    work.save()
    ended: dict[str, Any] = {"steps": work.steps, "loss": loss, "seconds": work.seconds, "tokens": work.tokens}
    _save_adapter(team, opened, out, {**started, "ended": ended})
    if team.leads:
        _write(out / MANIFEST, {**started, "ended": ended})
    team.wait()
    return _trained(out, ended, counts)


def _trained(out: Path, ended: Mapping[str, Any], counts: Counts) -> Trained:
    told = {each.name: getattr(counts, each.name) for each in fields(counts)}
    return Trained(str(out / ADAPTER), **ended, **told)


def _silent(progress: Progress) -> None:
    """The first process tells."""


def _save_adapter(team: Team, model: Any, out: Path, manifest: Mapping[str, Json]) -> None:
    if not team.leads:
        return
    try:
        model.save_pretrained(out / ADAPTER, safe_serialization=True)
        (out / ADAPTER / CARD).write_text(card(manifest), encoding="utf-8")
        _write(out / ADAPTER / MANIFEST, manifest)  # what it is for goes where it goes
    except Exception as error:  # safetensors has an error of its own for a full disk
        raise TrainingError(
            f"The adapter cannot be written to {out / ADAPTER}: {error}. The last checkpoint beside it goes on.",
            remedy="Free some disk.",
        ) from error


class Work(Protocol):
    """What trains: the packed loop, or TRL."""

    steps: int
    seconds: float
    tokens: int

    def run(self, report: Report) -> float: ...
    def save(self) -> None: ...


def _work_of(
    out: Path, model: Any, tokenizer: Any, render: Render, *, rows: Path, config: TrainConfig, team: Team
) -> tuple[Counts, Work]:
    from josh_engine.training.lora import window_of

    window = window_of(model, tokenizer)
    if config.trainer in BY_TRL:
        from josh_engine.training.by_trl import TrlJob, fitting_rows

        fitting = fitting_rows(rows, render, config, window)
        counts = Counts(fitting.good, fitting.bad, len(fitting.groups), fitting.too_long, fitting.omitted)
        return counts, TrlJob(out, model, tokenizer, fitting, config, team)
    packing = packed_rows(rows, render, config, window)
    counts = Counts(packing.good, packing.bad, len(packing.sequences), packing.too_long, packing.omitted)
    return counts, Loop(out, model, packing.sequences, config, objective_of(config, packing), team)


def packed_rows(rows: Path, render: Render, config: TrainConfig, window: int | None = None) -> Packing:
    """The rows that this trainer learns from. Raises ConfigError where a kind is missing, and what `cut_rows` does."""
    groups = read_groups(rows, config.trainer)
    wanted = [each for each in groups if config.trainer != "sft" or each[0].label is not False]
    if not wanted:
        raise ConfigError("There is no good row to learn from.", remedy="Give an sft.jsonl, or a kto.jsonl with some.")
    packing = packed(cut_rows(wanted, render, config.max_length, window))
    if config.trainer != "sft" and not (packing.good and packing.bad):
        raise ConfigError("This trainer needs good and bad rows, and one kind is missing.", remedy="Give a kto.jsonl.")
    return packing


def objective_of(config: TrainConfig, packing: Packing) -> Objective:
    return Supervised(config) if config.trainer == "sft" else PackedKto(config, packing.sequences)


def check_rows(model: Path, rows: Path, config: TrainConfig, *, known_as: str) -> Origin:
    """Whose they are. Raises DatasetError for rows that were changed, ConfigError for another's that nobody meant."""
    check_export(rows)
    origin = origin_of(rows, model, known_as)
    if not config.rows_of_others:
        refuse_others(origin, known_as or str(model))
    return origin


def settled(config: TrainConfig, out: Path) -> tuple[TrainConfig, Precision]:
    """With the precision that suits this machine; that of its start where a job goes on."""
    from josh_engine.training.team import own_device

    before = _read_manifest(out).get("precision")
    chosen = Precision(**before) if before else precision_of(config, own_device())
    return replace(config, bfloat16=chosen.bfloat16), chosen


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


def _manifest(model: Path, rows: Path, config: TrainConfig, counts: Counts) -> dict[str, Json]:
    return {
        "model": str(model),
        "rows": str(rows),
        "rows_sha256": _hash(rows),
        "config": asdict(config),
        **asdict(counts),
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
    said = [verdict for line in told for verdict in line.get("verdicts", ())]
    times = sorted(str(each.get("created")) for each in said)
    return {
        "runs": sorted({str(line.get("run")) for line in told}),
        "auditors": sorted({str(each.get("auditor")) for each in said}),
        "judged_rows": sum(any(each.get("counts", True) for each in line.get("verdicts", ())) for line in told),
        "blind": sum(bool(each.get("blind")) for each in said),
        "open": sum(not each.get("blind") for each in said),
        "first_verdict": times[0] if times else None,
        "last_verdict": times[-1] if times else None,
    }


def _keep_manifest(out: Path, started: Mapping[str, Json]) -> None:
    """Written once; a second call must be for the same job. Versions may differ: they are those of the start."""
    place = out / MANIFEST
    if before := _read_manifest(out):
        before["config"] = {**asdict(TrainConfig()), **before.get("config", {})}  # of a version with fewer settings
        for name in ("rows_sha256", "config"):
            if before.get(name) != json.loads(json.dumps(started[name])):
                raise ConfigError(
                    f"{out} holds a job with another {name}: {before.get(name)}, and not {started[name]}.",
                    remedy="Give another folder with --out, or delete this one.",
                )
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        _write(place, started)
    except OSError as error:
        raise TrainingError(f"{out} cannot be written: {error.strerror}.") from error


def _read_manifest(out: Path) -> dict[str, Json]:
    """Empty where no job was begun."""
    place = out / MANIFEST
    told: dict[str, Json] = json.loads(place.read_text(encoding="utf-8")) if place.is_file() else {}
    return told


def _logged(file: Path, report: Report) -> Report:
    def told(progress: Progress) -> None:
        with file.open("a", encoding="utf-8") as log:
            log.write(json.dumps(asdict(progress)) + "\n")
        report(progress)

    return told


def _ended(out: Path) -> dict[str, Any] | None:
    """How the job in this folder ended; None where it did not, or its adapter is gone."""
    ended: dict[str, Any] | None = _read_manifest(out).get("ended")
    return ended if (out / ADAPTER / "adapter_model.safetensors").is_file() else None


def _write(place: Path, told: Mapping[str, Json]) -> None:
    """Whole or not at all: another process of the job may be reading it."""
    new = place.with_name(f"{place.name}.new")
    try:
        new.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        new.replace(place)
    except OSError as error:
        raise TrainingError(f"{place} cannot be written: {error.strerror}.", remedy="Free some disk.") from error


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
