"""Which scenarios a run plays: the first so many of a split, those a filter leaves, or those whose ids were pasted.

Pure. A scenario's domains are what its goals' ids begin with (`hotel.book` -> hotel), or its goals' names where the
world names them otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from josh_engine.values import Goal, Scenario


@dataclass(frozen=True, slots=True)
class ScenarioLine:
    """A scenario as a list shows it. `words`: the brief, for searching."""

    id: str
    goals: int
    domains: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class ScenarioFilter:
    """`domains`: all of these; `least` to `most` goals; `text` in the id or the brief, whatever the case."""

    domains: Sequence[str] = ()
    least: int = 0
    most: int | None = None
    text: str = ""


def line_of(scenario: Scenario) -> ScenarioLine:
    domains = tuple(dict.fromkeys(_domain(goal) for goal in scenario.goals))
    return ScenarioLine(scenario.id, len(scenario.goals), domains, " ".join(scenario.brief))


def _domain(goal: Goal) -> str:
    head, dot, _ = goal.id.partition(".")
    return head if dot else goal.name


def domains_of(lines: Sequence[ScenarioLine]) -> tuple[str, ...]:
    return tuple(sorted({domain for line in lines for domain in line.domains}))


def most_goals(lines: Sequence[ScenarioLine]) -> int:
    return max((line.goals for line in lines), default=0)


def filtered(lines: Sequence[ScenarioLine], wanted: ScenarioFilter) -> tuple[ScenarioLine, ...]:
    """In their order."""
    text = wanted.text.casefold().strip()
    return tuple(
        line
        for line in lines
        if set(wanted.domains) <= set(line.domains)
        and wanted.least <= line.goals
        and (wanted.most is None or line.goals <= wanted.most)
        and (not text or text in line.id.casefold() or text in line.words.casefold())
    )


def pasted(text: str, known: Sequence[str]) -> tuple[str, ...]:
    """The ids in a pasted text: one a line; a line that is no id itself may hold several, apart by commas or blanks.

    Each stands once. Ids nobody knows are kept, so that they are told, not dropped.
    """
    ids: list[str] = []
    for line in map(str.strip, text.splitlines()):
        ids += [line] if line in set(known) else filter(None, re.split(r"[,;\s]+", line))
    return tuple(dict.fromkeys(ids))
