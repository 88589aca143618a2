"""Whether a person's own part keeps its contract (`josh_engine.contracts`), found out in a process of its own.

Checking a part runs its code, which may hang, crash or print: so the child has a time limit, and what it says is its
last line. `python -m app.checking KIND NAME DATA` is that child. A player is checked on the embedded world, against
the embedded other side, with a model that always says the same.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from app import catalog, declaring, demo, parts
from app.catalog import Kind
from app.launching import search_path
from josh_engine.contracts import player_findings, world_findings
from josh_engine.errors import JoshError
from josh_engine.models.scripted import ScriptedModel, say

LIMIT_SECONDS = 30.0
SCENARIOS = 5  # of each split of a world; a player meets as many
MOST_FINDINGS = 12  # a part that is wrong is mostly wrong everywhere
SAME_WORDS = "I am not sure yet."


@dataclass(frozen=True, slots=True)
class Checked:
    """`findings` is empty where the part keeps its contract. `seconds`: how long it took to say so."""

    kind: Kind
    name: str
    address: str
    findings: tuple[str, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        return not self.findings


def check_part(kind: Kind, name: str, data: Path, *, limit: float = LIMIT_SECONDS) -> Checked:
    """Raises ConfigError for a name that stands for nothing; whatever the part does becomes a finding."""
    demo.refuse("Checking own parts")
    address = catalog.address(kind, name, declaring.own_parts())
    started = time.monotonic()
    found = _asked([sys.executable, "-m", "app.checking", kind, name, str(data)], limit)
    return Checked(kind, name, address, found, time.monotonic() - started)


def _asked(command: list[str], limit: float) -> tuple[str, ...]:
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=os.environ | {"PYTHONPATH": search_path()},
        start_new_session=True,
    )
    try:
        said, complained = child.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)  # with whatever it started itself, which would keep the pipes open
        child.communicate()
        return (f"It gave no answer within {limit:.0f} s.",)
    try:
        return tuple(map(str, json.loads((said.strip().splitlines() or [""])[-1])["findings"]))
    except (ValueError, TypeError, KeyError):
        last = (complained.strip().splitlines() or ["it said nothing"])[-1]
        return (f"Its process ended with code {child.returncode}: {last}",)


def findings_of(kind: Kind, name: str, data: Path) -> Iterator[str]:
    """In this process."""
    if kind == "model":
        yield from _of_model(name)
        return
    world = parts.open_world(name if kind == "world" else catalog.DEFAULT_WORLD, data, {})
    if kind == "world":
        for split in world.splits:
            yield from world_findings(world, split, scenarios=SCENARIOS)
        return
    agent = parts.open_player("agent", name if kind == "agent" else catalog.OFFLINE_AGENT)
    user = parts.open_player("user", name if kind == "user" else catalog.DEFAULT_USER)
    model = ScriptedModel(lambda messages, seed: say(SAME_WORDS))
    for scenario in world.scenarios(world.splits[0])[:SCENARIOS]:
        if found := player_findings(agent, user, world, scenario, model=model):
            yield from (f"{scenario.id}: {finding}" for finding in found)
            return


def _of_model(name: str) -> Iterator[str]:
    """It is opened and not asked anything: an answer may cost money."""
    if not callable(getattr(parts.open_player("model", name), "complete", None)):
        yield "A model has `complete(messages, tools, sampling, seed)`."


def main(words: list[str]) -> None:
    kind, name, data = words
    try:
        found = list(dict.fromkeys(islice(findings_of(kind, name, Path(data)), MOST_FINDINGS)))  # type: ignore[arg-type]
    except JoshError as error:
        found = [str(error)]
    print()  # a part may have printed without an end of line
    print(json.dumps({"findings": found}))


if __name__ == "__main__":
    main(sys.argv[1:])
