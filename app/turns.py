"""Turns of the loop (`app.improving`) that a page starts, each in a process and a folder of its own; how far they
are."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app import demo, launching
from app.improving import RESULT, STATE, Plan, lock_of
from app.listings import Listed, address, linked
from app.settings import data_path
from josh_engine.errors import ConfigError
from storage import locks
from storage.database import Store, translated

FOLDER = "turns"  # in the data folder
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
TURNS = ("Turn", "State", "What it did last", "Verdicts")
START_SECONDS = 20  # until its process must have said something
GOING, DONE, STOPPED = "running", "done", "paused"
ALL_DONE = "All is done; open it for the verdicts."


@dataclass(frozen=True, slots=True)
class Turn:
    """`said`: the last line of its log. `runs`: those of plain play, the base's first."""

    name: str
    state: str
    said: str
    runs: tuple[str, ...]


def launch_turn(store: Store, name: str, plan: Plan, *, data: Path | None = None) -> None:
    """Starts a turn, or goes on with the one of this name. Raises ConfigError; RunHeld where it is at work."""
    demo.refuse("The loop")
    if not NAME.fullmatch(name):
        raise ConfigError(f"{name!r} cannot be a turn's name.", remedy="Use small letters, digits and dashes.")
    place = (data or data_path(store.path)).absolute() / FOLDER / name
    if locks.is_held(store.path, lock_of(place)):
        raise locks.RunHeld(f"The turn {name} is at work.", remedy="Watch it below.")
    with translated(store.path):
        place.mkdir(parents=True, exist_ok=True)
        place.touch()  # it begins now
    words = ["improve", "--out", str(place), *plan_words(plan.checked())]
    launching.launch(
        store.path, f"turn-{name}", words, data=data or data_path(store.path), failed=lambda store, said: None
    )


def plan_words(plan: Plan) -> tuple[str, ...]:
    """The plan as the command line takes it; its seeds are the first so many."""
    given = {
        "world": plan.world, "split": plan.split, "judged-split": plan.judged_split, "limit": plan.scenarios,
        "judged": plan.judged, "agent": plan.agent, "user": plan.user, "model": plan.model,
        "user-model": plan.user_model, "beam": plan.beam, "temperature": plan.temperature,
        "trainers": ",".join(plan.trainers), "preset": plan.preset, "seeds": len(plan.seeds),
    }  # fmt: skip
    words = [word for name, value in given.items() if value is not None for word in (f"--{name}", str(value))]
    return (*words, "--also-at", ",".join(f"{each:g}" for each in plan.also_at))


def list_turns(store: Store, data: Path | None = None) -> tuple[Turn, ...]:
    """Newest first."""
    places = ((data or data_path(store.path)).absolute() / FOLDER).glob("*/")
    newest = sorted(places, key=lambda place: -place.stat().st_mtime)
    return tuple(_turn(store, place) for place in newest)


def turns_listed(turns: Sequence[Turn]) -> Listed:
    """Each leads to its verdicts."""
    rows = [
        linked(
            turn.name,
            address("evaluate", runs=",".join(turn.runs), base=turn.runs[0]) if turn.runs else "",
            ("link", turn.name),
            ("state", turn.state),
            ("text", turn.said),
            ("number", str(max(0, len(turn.runs) - 1))),
        )
        for turn in turns
    ]  # fmt: skip
    return Listed(TURNS, rows, "" if rows else "No turn yet.")


def _turn(store: Store, folder: Path) -> Turn:
    just_begun = time.time() - folder.stat().st_mtime < START_SECONDS and not (folder / STATE).exists()
    held = just_begun or locks.is_held(store.path, lock_of(folder))
    said = launching.log_tail(store.path, f"turn-{folder.name}", 1)
    state = GOING if held else DONE if (folder / RESULT).is_file() else STOPPED
    told = _verdicts(folder) if state == DONE else (said[0] if said else "")
    return Turn(folder.name, state, told, _judged(folder))


def _verdicts(folder: Path) -> str:
    """On each model at the first temperature, against its base."""
    try:
        judged = json.loads((folder / RESULT).read_text(encoding="utf-8"))["judged"]
        first = [each for each in judged if each["temperature"] == judged[0]["temperature"]]
        told = [f"{each['model']}: {each['verdict']}" for each in first if each["verdict"]]
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return ALL_DONE  # of an older version, or not ours: its page judges anew
    return "; ".join(told) or ALL_DONE


def _judged(folder: Path) -> tuple[str, ...]:
    """The runs at the first temperature and seed."""
    try:
        known = json.loads((folder / STATE).read_text(encoding="utf-8"))
        at = f"{known['plan']['temperature']:g}"
        named = {name: run for name, run in known["runs"].items() if name.endswith(f" at {at}, seed 0")}
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    return tuple(named[name] for name in sorted(named, key=lambda name: (not name.startswith("base"), name)))
