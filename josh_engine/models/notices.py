"""What a person is told once about an endpoint although its answers go on: a refusal that was met by asking for
something else, a silent habit of the server. Told by whoever shows a run; nothing fails because of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """`kind` stands once in a list; `remedy` says what can be done, empty where nothing need be."""

    kind: str
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.remedy}".strip()


def told_once(notices: Iterable[Notice]) -> tuple[Notice, ...]:
    """The first of each kind, in order."""
    first = dict[str, Notice]()
    for notice in notices:
        first.setdefault(notice.kind, notice)
    return tuple(first.values())
