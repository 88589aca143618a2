"""Whose words rows are. Self-training learns from the model's own conversations (arXiv 2409.04617, section 2.2): rows
of another model or agent are told before a job, and refused unless somebody says that they are meant.

What the export says counts: its manifest names the runs with their models, its provenance the run of every row. A local
model is known again by the hash that its run recorded, else by its name. Rows without such papers are told as unknown.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from josh_engine.config import RunConfig
from josh_engine.encoding import from_json
from josh_engine.errors import ConfigError, DatasetError
from josh_engine.models.local.adapter import MANIFEST
from josh_engine.models.local.hashes import folder_hash

PROVENANCE = "provenance.jsonl"
FOREIGN, PERSON = "foreign:", "person"  # how runs call an imported agent, and a model that a person plays
SHOWN = 3  # players named in a sentence


@dataclass(frozen=True, slots=True)
class Origin:
    """Rows by who said them, in words. `unknown`: rows without papers."""

    own: Mapping[str, int] = field(default_factory=dict)
    others: Mapping[str, int] = field(default_factory=dict)
    unknown: int = 0

    def __str__(self) -> str:
        own, others = sum(self.own.values()), sum(self.others.values())
        total = f"of {own + others + self.unknown:,} rows"
        told = [
            f"{own:,} {total} are the model's own ({_listed(self.own)})" if own else "",
            f"{others:,} {total} are another's ({_listed(self.others)})" if others else "",
            f"{self.unknown:,} {total} do not tell whose they are" if self.unknown else "",
        ]
        return "; ".join(filter(None, told)) + "."


def origin_of(rows: Path, model: Path, known_as: str = "") -> Origin:
    """`model`: the base in training; `known_as`: what runs call it, where that is not its folder."""
    runs = {run: _told(config, model, known_as) for run, config in _runs(rows.parent)}
    of_row = {str(line.get("row_id")): str(line.get("run")) for line in _lines(rows.parent / PROVENANCE)}
    own, others, unknown = Counter[str](), Counter[str](), 0
    for line in _lines(rows):
        is_own, who = runs.get(of_row.get(str(line.get("row_id")), ""), (None, ""))
        unknown += is_own is None
        own.update([who] if is_own else ())
        others.update([who] if is_own is False else ())
    return Origin(own, others, unknown)


def refuse_others(origin: Origin, model: str) -> None:
    """Raises ConfigError."""
    if origin.others:
        raise ConfigError(
            f"{origin} A model trains on its own conversations, and this job trains {model}.",
            remedy="Search with that model, train the one whose rows they are, or say that you mean it: "
            "--rows-of-others.",
        )


def _told(config: RunConfig, model: Path, known_as: str) -> tuple[bool | None, str]:
    """Whether the run was played by this model, and its players in words. None: by code of a person's own, which may
    be anything."""
    name, foreign = config.model, config.agent.startswith(FOREIGN)
    if name is None:
        return (None if ":" in config.agent and not foreign else False), f"agent {config.agent}, without a model"
    address = config.endpoints.get(name, name)
    who = f"agent {config.agent}, model {address}" + (" with an adapter" if config.adapter else "")
    if recorded := config.hashes.get(name):
        same = recorded == folder_hash(model)
        return same, who if same else f"{who} of sha256 {recorded[:12]}"
    own = {_short(known_as or model.name), PERSON}
    if foreign or "@" in address or "/" in address or _short(address) in own:
        return _short(address) == _short(known_as or model.name), who
    return None, who


def _short(name: str) -> str:
    """A model's name without its owner, its folder's path or its endpoint's address."""
    return name.partition("@")[0].rstrip("/").rpartition("/")[2].lower()


def _runs(folder: Path) -> Iterator[tuple[str, RunConfig]]:
    """The runs that the manifest names; none where there is no manifest of an export."""
    try:
        told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["runs"]
        configs = [(str(each["run"]), each["config"]) for each in told]
    except (OSError, ValueError, LookupError, TypeError):
        return
    for run, config in configs:
        try:
            yield run, from_json(RunConfig, config)
        except DatasetError:
            continue  # of another version: its rows count as unknown


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """A file's objects; what is none is told by whoever trains on it."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    for line in text.split("\n"):
        if line.strip():
            try:
                told = json.loads(line)
            except ValueError:
                continue
            if isinstance(told, dict):
                yield told


def _listed(counted: Mapping[str, int]) -> str:
    told = sorted(counted, key=lambda who: (-counted[who], who))
    more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    return "; ".join(told[:SHOWN]) + more
