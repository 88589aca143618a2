"""Rollouts of one run that open alike are found together, whatever else their first turns hold."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from josh_engine.config import Run
from josh_engine.values import Event, Message, Node, NodeAdded, Turn, Usage
from storage import runs
from storage.database import Store
from storage.openings import same_opening
from storage.writer import RunWriter
from tests.storage.events import started


def opening(text: str, **more: object) -> tuple[Event, ...]:
    said = Turn("user", (Message("user", text),), reply=text)
    return started(), NodeAdded(Node("u", None, replace(said, **more)))  # type: ignore[arg-type]


def test_the_users_first_words_decide(store: Store, run: Run) -> None:
    openings = (opening("Hello, <b>é</b>"), opening("Hello, <b>é</b>", usage=Usage(3)), opening("Hello."), (started(),))
    rollouts = runs.list_rollouts(store, run.id)
    writer = RunWriter(store, rollouts)
    for rollout, events in zip(rollouts, openings, strict=False):
        writer.stored(rollout.id)
        asyncio.run(writer.record(events, replace(rollout, events=len(events))))
    assert same_opening(store, f"{run.id}.1") == same_opening(store, f"{run.id}.2") == {f"{run.id}.1", f"{run.id}.2"}
    assert same_opening(store, f"{run.id}.3") == {f"{run.id}.3"}
    assert same_opening(store, f"{run.id}.4") == {f"{run.id}.4"}
    assert same_opening(store, f"{run.id}.5") == {f"{run.id}.5"}
