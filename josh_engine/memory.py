"""A journal and a recorder that live in memory: for `play`, for tests, for anyone without a store."""

from __future__ import annotations

from collections.abc import Sequence

from josh_engine.values import Event, JournalEntry, Rollout


class MemoryJournal:
    def __init__(self) -> None:
        self.entries: dict[tuple[str, str, int], JournalEntry] = {}
        self.requests: dict[tuple[str, str], JournalEntry] = {}

    def find(self, rollout: str, node: str, call: int) -> JournalEntry | None:
        return self.entries.get((rollout, node, call))

    def find_same(self, rollout: str, request: str) -> JournalEntry | None:
        return self.requests.get((rollout, request))

    async def keep(self, entry: JournalEntry) -> None:
        self.entries[entry.rollout, entry.node, entry.call] = entry
        self.requests.setdefault((entry.rollout, entry.request), entry)


class MemoryRecorder:
    """Keeps each rollout's events and its last summary."""

    def __init__(self) -> None:
        self.events: dict[str, list[Event]] = {}
        self.summaries: dict[str, Rollout] = {}

    def stored(self, rollout: str) -> Sequence[Event]:
        return tuple(self.events.get(rollout, ()))

    async def record(self, events: Sequence[Event], summary: Rollout) -> None:
        self.events.setdefault(summary.id, []).extend(events)
        self.summaries[summary.id] = summary
