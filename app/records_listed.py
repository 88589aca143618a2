"""Listings of what the store records beside runs: exports, search hits, people, tables, backups. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from app.listings import Listed, address, linked, moment
from storage.exports import Export
from storage.people import Person
from storage.search import Hits
from storage.sizes import Backup, StoreSize

UNITS = ("B", "KB", "MB", "GB", "TB")


def exports_listed(exports: Sequence[Export]) -> Listed:
    """Newest first, as they come; each leads to the same choices again."""
    rows = [
        linked(
            each.id,
            address("export", runs=",".join(each.runs), fmt=",".join(each.formats)),
            ("name", each.id),
            ("text", ", ".join(each.formats)),
            ("number", f"{each.rows:,}"),
            ("number", f"{each.scenarios:,}"),
            ("text", each.folder),
            ("faint", moment(each.created)),
        )
        for each in exports
    ]
    return Listed(("Export", "Formats", "Rows", "Scenarios", "Folder", "Written (UTC)"), rows)


def hits_listed(found: Hits) -> Listed:
    """Each leads to the turn in its tree."""
    rows = [
        linked(
            f"{hit.rollout}/{hit.node}",
            address("tree", run=hit.run, scenario=hit.scenario, **_trial(hit.trial), node=hit.node),
            ("link", hit.scenario),
            ("name", hit.node),
            ("text", " ".join(hit.snippet.split())),
        )
        for hit in found.hits
    ]
    return Listed(("Scenario", "Turn", "What was said"), rows)


def hits_in_words(found: Hits, query: str) -> str:
    if not found.total:
        said = f"No turn says {query!r}."
    elif found.total > len(found.hits):
        said = f"The best {len(found.hits)} of {found.total:,} turns."
    else:
        said = f"{found.total} {'turn' if found.total == 1 else 'turns'}."
    return said + (f" {found.unread} trees are still growing and are not searched yet." if found.unread else "")


def people_listed(people: Sequence[Person]) -> Listed:
    rows = [
        linked(
            each.name,
            "",
            ("text", each.name),
            ("number", f"{each.verdicts:,}"),
            ("faint", moment(each.since)),
            ("faint", moment(each.seen)),
        )
        for each in people
    ]
    note = "" if rows else "Nobody has said who they are yet. The field at the bottom of the sidebar asks."
    return Listed(("Name", "Verdicts", "First seen (UTC)", "Last seen (UTC)"), rows, note)


def tables_listed(size: StoreSize) -> Listed:
    rows = [
        linked(
            each.name,
            "",
            ("text", each.name),
            ("number", f"{each.rows:,}"),
            ("number", size_word(each.size) if each.size is not None else "–"),
        )
        for each in size.tables
    ]
    return Listed(("Table", "Rows", "Size"), rows)


def backups_listed(backups: Sequence[Backup]) -> Listed:
    rows = [
        linked(each.name, "", ("text", each.name), ("number", size_word(each.size)), ("faint", moment(each.made)))
        for each in backups
    ]
    return Listed(("Copy", "Size", "Made (UTC)"), rows, "" if rows else "No copies yet.")


def size_word(size: int) -> str:
    """`9.8 MB`; powers of a thousand, as disks are sold."""
    value, unit = float(size), 0
    while value >= 999.5 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{size} B" if unit == 0 else f"{value:.1f} {UNITS[unit]}"


def _trial(trial: int) -> dict[str, str]:
    return {"trial": str(trial)} if trial else {}
