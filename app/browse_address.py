"""What the Data & settings page shows, and the address that says it: `/data?tab=…&world=…&split=…&scenario=…`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.choosing import ScenarioLine
from app.listings import Listed, address, linked
from josh_engine.values import Goal

TABS: Mapping[str, str] = {
    "scenarios": "Scenarios",
    "models": "Models",
    "parts": "Parts",
    "people": "People",
    "storage": "Storage",
    "display": "Display",
}
MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class Place:
    """`scenario` empty: none is chosen. `text`: what scenarios are filtered by."""

    tab: str
    world: str
    split: str = ""
    scenario: str = ""
    text: str = ""


def read_place(params: Mapping[str, str], worlds: Sequence[str]) -> Place:
    """An unknown tab or world is the first; splits and scenarios are checked by whoever opens the world."""
    tab, world = params.get("tab", ""), params.get("world", "")
    return Place(
        tab=tab if tab in TABS else next(iter(TABS)),
        world=world if world in worlds else worlds[0],
        split=params.get("split", ""),
        scenario=params.get("scenario", ""),
        text=params.get("q", ""),
    )


def write_place(place: Place) -> dict[str, str]:
    said = {"world": place.world, "split": place.split, "scenario": place.scenario, "q": place.text}
    shown = said if place.tab == "scenarios" else {}
    return {"tab": place.tab} | {name: text for name, text in shown.items() if text}


def scenarios_shown(lines: Sequence[ScenarioLine], place: Place) -> Listed:
    """Each leads to itself on this page. Only the first so many are listed."""
    rows = [
        linked(
            line.id,
            address("data", **write_place(Place("scenarios", place.world, place.split, line.id, place.text))),
            ("link", line.id),
            ("number", str(line.goals)),
            ("text", ", ".join(line.domains)),
        )
        for line in lines[:MOST_LISTED]
    ]
    left = len(lines) - len(rows)
    note = f"{left:,} more match; filter to find them." if left else ""
    return Listed(("Scenario", "Goals", "About"), rows, note if rows else "No scenario matches.")


def goals_shown(goals: Sequence[Goal]) -> Listed:
    rows = [
        linked(
            goal.id,
            "",
            ("name", goal.name),
            ("text", ", ".join(f"{name} = {value}" for name, value in goal.arguments.items())),
            ("text", goal.record or "any"),
        )
        for goal in goals
    ]
    return Listed(("Call", "Arguments", "Record"), rows, "" if rows else "This scenario has no goals.")


def import_in_words(report: Mapping[str, object], source: str) -> str:
    """What the import found, in a sentence or two."""
    if report.get("world") == "tau-retail":
        official = "It is τ-bench's own." if report.get("official") else "The database is not τ-bench's own."
        return (
            f"Imported from {source or 'a file'}: train {_count(report, 'train')}, dev {_count(report, 'dev')}, test"
            f" {_count(report, 'test')}. {_count(report, 'gold_calls')} gold calls were made,"
            f" {_count(report, 'unsuccessful')} of which do not succeed. {official}"
        )
    train = f", train {_count(report, 'train')}" if report.get("train") else ""
    rejected = f", {len(_many(report, 'rejected'))} left out" if _many(report, "rejected") else ""
    repaired = len(_many(report, "repaired"))
    calls = f"{_count(report, 'credited')} of {_count(report, 'goal_calls')} goal calls are credited when they are made"
    return (
        f"Imported from {source or 'a file'}: validation {_count(report, 'validation')}, test {_count(report, 'test')}"
        f" of {_count(report, 'full_test')}{train}. {calls},"
        f" {repaired} {'record' if repaired == 1 else 'records'} repaired{rejected}."
    )


def repairs_shown(report: Mapping[str, object]) -> Listed:
    rows = [
        linked(
            f"{each['scenario']}/{each['domain']}",
            "",
            ("name", str(each["scenario"])),
            ("text", str(each["domain"])),
            ("text", str(each["booked"]) or "–"),
            ("text", str(each["chosen"])),
            ("faint", str(each["why"])),
        )
        for each in _many(report, "repaired")
    ]
    return Listed(("Scenario", "Domain", "Booked", "Record now", "Why"), rows, "" if rows else "Nothing was repaired.")


def _count(report: Mapping[str, object], name: str) -> str:
    count = report.get(name, 0)
    return f"{count:,}" if isinstance(count, int) else "?"


def _many(report: Mapping[str, object], name: str) -> Sequence[Mapping[str, object]]:
    found = report.get(name)
    return found if isinstance(found, list | tuple) else ()
