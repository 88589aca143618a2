"""Values as the data of `listing.js`: rows of text, each leading to a page. And the figures pages show, in words.

Pure. Nothing is marked up: a scenario's name is text, whatever it holds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from app.estimate import Estimate, certainty
from app.keys import Keys
from app.results import OpenedRollout, RunLine, RunResult
from app.words import ENDINGS
from josh_engine.config import Run
from josh_engine.rates import Rate
from josh_engine.tree import Tree, tree_order
from josh_engine.values import Json, Rollout, State
from storage.activity import Activity

RUNS = ("Run", "State", "Name", "Finished", "Reward", "Success", "Created (UTC)")
SCENARIOS = ("Scenario", "State", "Goals", "Average Reward", "Exchanges", "Turns", "Calls")
NO_FIGURE = "–"
SWITCHED = {("strict_arguments", "on"): "strict arguments"}  # what changes the world's answers, and so every figure
NO_BREAK = "\u00a0"
MOST_ROWS = 200  # what a page redraws every second without a noticeable pause
ETA_AFTER = 3  # finished scenarios; before, a guess would jump about
EVENTS = ("Event", "What happened (newest first)")
KEYS = ("Key", "What it does")
FAILURES = ("Scenario", "Calls", "What went wrong")
USAGE = ("Side", "Model", "Outputs", "Tokens in", "Tokens out", "usd", "Seconds each")
STOPPED_BY = {
    "person": "a person stopped it",
    "budget": "the budget is used up",
    "SIGTERM": "its process was told to end (SIGTERM)",
    "SIGINT": "its process was interrupted (SIGINT, as by Ctrl-C)",
}
STATES_BY_URGENCY: Sequence[State] = ("running", "failed", "paused", "done", "cancelled", "queued")


@dataclass(frozen=True, slots=True)
class Listed:
    """A listing. `note` stands under the rows."""

    columns: Sequence[str]
    rows: Sequence[Mapping[str, Json]]
    note: str = ""

    def drawn(self, height: int | None = None) -> dict[str, Json]:
        return {"columns": list(self.columns), "rows": list(self.rows), "note": self.note, "height": height}


def runs_listed(lines: Sequence[RunLine], *, page: str = "run") -> Listed:
    """Newest first, as they come."""
    rows = [
        linked(
            line.run,
            address(page, run=line.run),
            ("name", line.run),
            ("state", line.state),
            ("text", " ".join([line.name, *switched(line.options), *(f"#{tag}" for tag in line.tags)])),
            ("number", line.success.of),
            ("rate", joined(figure(line.average_reward), least(line.reward))),
            ("rate", joined(percent(line.success_rate), least(line.success, of="percent"))),
            ("faint", moment(line.created)),
        )
        for line in lines
    ]
    return Listed(RUNS, rows, "" if lines else "No runs yet.")


def switched(options: Mapping[str, str]) -> tuple[str, ...]:
    """What of a run's options must be told beside its figures, in words."""
    return tuple(words for switch, words in SWITCHED.items() if switch in options.items())


def scenarios_listed(rollouts: Sequence[Rollout], *, by_interest: bool = False) -> Listed:
    """In playing order; by interest: partial rewards first, then no reward, then full, then those not played.

    Of more than MOST_ROWS only so many are listed; where a run is that large, those being played come first.
    """
    shown = sorted(rollouts, key=_interest) if by_interest else list(rollouts)
    if len(shown) > MOST_ROWS and not by_interest:
        shown.sort(key=lambda rollout: STATES_BY_URGENCY.index(rollout.state))
    trials = any(rollout.trial for rollout in rollouts)
    rows = [_scenario_row(rollout, named_by_trial=trials) for rollout in shown[:MOST_ROWS]]
    left = len(shown) - len(rows)
    note = f"{left:,} more are not listed here; open one to find the others by name." if left else ""
    return Listed(SCENARIOS, rows, note if rows else "This run has no scenarios.")


def _scenario_row(rollout: Rollout, *, named_by_trial: bool) -> dict[str, Json]:
    name = f"{rollout.scenario_id} · trial {rollout.trial}" if named_by_trial else rollout.scenario_id
    return linked(
        rollout.id,
        address("tree", **tree_address(rollout)),
        ("link", name),
        ("state", rollout.state),
        ("goals", stars(rollout)),
        ("number", figure(rollout.average_reward if rollout.events else None)),
        ("number", str(rollout.depth)),
        ("number", str(rollout.nodes)),
        ("number", str(rollout.usage.calls)),
    )


def failures_listed(rollouts: Sequence[Rollout]) -> Listed:
    """Those that a fault of the world stopped, each with what was said of it."""
    rows = [
        linked(
            rollout.id,
            address("tree", **tree_address(rollout)),
            ("link", scenario_name(rollout)),
            ("number", str(rollout.usage.calls)),
            ("text", rollout.error or NO_FIGURE),
        )
        for rollout in rollouts
        if rollout.state == "failed"
    ]
    return Listed(FAILURES, rows, "" if rows else "No scenario failed.")


def events_listed(rollout: Rollout, told: Sequence[tuple[int, str]]) -> Listed:
    """Each leads to the tree as it was after that event."""
    where = tree_address(rollout)
    rows = [
        linked(str(number), address("tree", **where, t=str(number)), ("name", f"#{number}"), ("text", text))
        for number, text in told
    ]
    return Listed(EVENTS, rows, "" if rows else "The first turn is on its way.")


def keys_listed(keys: Keys) -> Listed:
    return Listed(KEYS, [linked(f"{key} {meaning}", "", ("key", key), ("text", meaning)) for key, meaning in keys])


def followed(rollouts: Sequence[Rollout], *, before: str | None) -> Rollout | None:
    """The one to watch: the one watched before while it is played, then the one begun last; with none in play, the
    one watched before, the one that shows most, or the last that has anything to show."""
    playing = [each for each in rollouts if each.state == "running" and each.events]
    known = [each for each in rollouts if each.id == before]
    return next(iter([*(each for each in known if each in playing), *playing[::-1], *known, *_shown(rollouts)]), None)


def _shown(rollouts: Sequence[Rollout]) -> list[Rollout]:
    best = best_example(rollouts)
    return [*([best] if best else ()), *(each for each in reversed(rollouts) if each.events)]


def tree_address(rollout: Rollout) -> dict[str, str]:
    """The query parameters of the rollout's tree; the first trial needs no number."""
    address = {"run": rollout.run_id, "scenario": rollout.scenario_id}
    return address | ({"trial": str(rollout.trial)} if rollout.trial else {})


def scenario_name(rollout: Rollout) -> str:
    """With its stars once it is done; before, they would be out of date at once."""
    trial = f" · trial {rollout.trial}" if rollout.trial else ""
    return f"{rollout.scenario_id}{trial}" + (f"  {stars(rollout)}" if rollout.state == "done" else "")


def find_rollout(rollouts: Sequence[Rollout], scenario: str, trial: str) -> Rollout | None:
    """The one an address names."""
    found = (each for each in rollouts if each.scenario_id == scenario and str(each.trial) == trial)
    return next(found, None)


def last_turn(tree: Tree) -> str | None:
    """Where the conversation to show ends while no turn is chosen: the last reward, else the last turn."""
    return tree.root or max(tree.nodes, key=tree_order, default=None)


def search_in_words(opened: OpenedRollout, *, unknown_node: str | None = None) -> str:
    """One line over a tree: how far the search came, and how it ended."""
    rollout, tree = opened.rollout, opened.tree
    if unknown_node:
        return f"⚠ Turn `{unknown_node}` is not in this tree."
    if rollout.error:
        return f"⚠ This search was stopped by a fault, which is no verdict on any turn: {rollout.error}"
    ending = ENDINGS[tree.ended] if tree.ended else {"running": "The search is running."}.get(rollout.state, "")
    won = f"{rollout.won} of {rollout.goals} goals" if rollout.goals else "No goals"
    size = f"{counted(len(tree.nodes), 'turn')} · {counted(tree.depth, 'exchange')}"
    counts = f"{won} · {size} · {rollout.usage.calls} model outputs"
    return f"{counts} · {ending or f'State: {rollout.state}.'}"


def stars(rollout: Rollout) -> str:
    return "★" * rollout.won + "☆" * (rollout.goals - rollout.won)


def figure(value: float | None) -> str:
    return NO_FIGURE if value is None else f"{value:.3f}"


def percent(value: float | None) -> str:
    return NO_FIGURE if value is None else f"{100 * value:.0f} %"


def interval(bounds: tuple[float, float] | None, *, of: str = "figure") -> str:
    """`95 %: 0.412 to 0.530`; empty where there is none."""
    if bounds is None:
        return ""
    low, high = (percent(bound) if of == "percent" else figure(bound) for bound in bounds)
    return f"95 %: {low} to {high}"


def least(rate: Rate, *, of: str = "figure") -> str:
    """`(≥0.678)`: what a rate is at least, with all that did not finish as 0; rounded down. Empty where that says no
    more than the rate."""
    if rate.value is None or rate.low is None or rate.value - rate.low < 1e-9:
        return ""
    scale = 100 if of == "percent" else 1000
    down = math.floor(rate.low * scale + 1e-9) / scale
    return f"(≥{percent(down) if of == 'percent' else figure(down)})".replace(" ", NO_BREAK)


def joined(*parts: str) -> str:
    """Those that say something, in a line."""
    return " ".join(part for part in parts if part)


def moment(text: str) -> str:
    """An ISO time, to the minute."""
    return text[:16].replace("T", " ")


def age_seconds(text: str, now: datetime | None = None) -> float:
    """How long ago an ISO time was."""
    return max(0.0, ((now or datetime.now(UTC)) - datetime.fromisoformat(text)).total_seconds())


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"


def progress_in_words(run: Activity) -> str:
    """`running · 12 of 20`."""
    return f"{run.state} · {run.finished} of {run.total}"


def stage(result: RunResult) -> str:
    """`20 of 20 scenarios, state: failed; 12 of 20 finished, 8 failed by a fault`."""
    told = f"{result.finished + result.failed} of {result.rollouts} scenarios, state: {result.state}"
    return told + (f"; {result.success.of} finished, {result.failed} failed by a fault" if result.failed else "")


def pace(rollouts: Sequence[Rollout], seconds: float) -> str:
    """Turns of both sides per second of work, over the run so far."""
    turns = sum(rollout.nodes for rollout in rollouts)
    return f"{turns / seconds:,.1f}" if seconds and turns else NO_FIGURE


def time_left(result: RunResult) -> str:
    """Known after ETA_AFTER finished scenarios of a run that is being played."""
    over = result.finished + result.failed
    if result.state != "running" or over < ETA_AFTER:
        return NO_FIGURE
    return duration(result.seconds / over * (result.rollouts - over))


def roughly(value: float, low: float, high: float) -> str:
    """`about 690 (610 to 770)`."""
    return f"about {value:,.0f} ({low:,.0f} to {high:,.0f})"


def usage_listed(result: RunResult) -> Listed:
    """What each side's model was asked and took; a side that plays without one was not asked."""
    rows = [
        linked(
            side,
            "",
            ("text", side),
            ("text", model or "no model"),
            ("number", f"{given.calls:,}"),
            ("number", f"{given.prompt_tokens:,}"),
            ("number", f"{given.completion_tokens:,}"),
            ("number", "unknown" if given.usd is None else f"{given.usd:,.4f}"),
            ("number", NO_FIGURE if given.seconds_per_call is None else f"{given.seconds_per_call:.2f}"),
        )
        for side, model, given in (
            ("Agent", result.agent_model, result.agent_usage),
            ("User", result.user_model, result.user_usage),
        )
    ]
    return Listed(USAGE, rows, "Prices are those of josh.toml; without them what was spent is unknown.")


def expectation(expected: Estimate | None, result: RunResult) -> str:
    """What was expected of the run, beside what it took; empty where nothing was."""
    if expected is None:
        return ""
    calls = roughly(expected.calls, expected.calls_low, expected.calls_high)
    took = "It took" if result.state == "done" else "So far it took"
    times = "" if expected.seconds is None else f", {duration(expected.seconds)}"
    return (
        f"Expected before the start: {calls} model outputs{times}. "
        f"{took} {result.calls:,}, {duration(result.seconds)}. {certainty(expected)}"
    )


def sign_of_life(run: Run, result: RunResult) -> tuple[str, str]:
    """How the run is, in words; and a tone: calm, late (over 30 s), silent (over 120 s)."""
    if result.state == "queued":
        return "Starting.", "calm"
    if result.state == "paused":
        return f"Paused: {_stopped_by(result)}. It goes on where it stopped.", "calm"
    if result.state == "interrupted":
        return "Interrupted: the process that played it is gone. Nothing is lost; resume it.", "silent"
    if result.state != "running":
        by = f" ({_stopped_by(result)})" if result.paused_by else ""
        return f"Ended: {moment(run.finished or '')} UTC{by}.", "calm"
    if run.heartbeat is None:
        return "Starting.", "calm"
    age = age_seconds(run.heartbeat)
    wish = " Asked to end: the turns in flight are finished first." if run.cancel_requested else ""
    tone = "calm" if age <= 30 else "late" if age <= 120 else "silent"
    return f"Running. Last sign of life {age:.0f} s ago.{wish}", tone


def notices_in_words(run: Run) -> str:
    """One line: what its models did without a word, and where the whole of it stands."""
    return f"⚠ {' '.join(each.text for each in run.notices)} The run's page says what to do."


def _stopped_by(result: RunResult) -> str:
    return STOPPED_BY.get(result.paused_by or "", "something stopped it")


def counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def best_example(rollouts: Sequence[Rollout]) -> Rollout | None:
    """The finished tree that shows most: every goal won, most goals, then most turns; None: no goal was won."""
    won = [rollout for rollout in rollouts if rollout.state == "done" and rollout.won]
    return max(won, key=lambda each: (each.success, each.goals, each.nodes), default=None)


def trainable(rollouts: Sequence[Rollout]) -> bool:
    """Whether a tree is finished with full reward, so that rows may come of the run."""
    return any(rollout.state == "done" and rollout.success for rollout in rollouts)


def _interest(rollout: Rollout) -> int:
    if not rollout.events:
        return 3
    if rollout.won == rollout.goals:
        return 2
    return 0 if rollout.won else 1


def address(page: str, **params: str) -> str:
    return f"{page}?{urlencode(params)}"


def linked(row_id: str, href: str, *cells: tuple[str, str]) -> dict[str, Json]:
    return {"id": row_id, "href": href, "cells": [{"kind": kind, "text": text} for kind, text in cells]}
