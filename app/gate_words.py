"""What each quality gate says in a sentence, and how grave it is (ui.md section 5's traffic light). Pure.

Red: rows like these must not be trained on. Amber: they may be, but look first. Green: as it should be. A fault of the
model's own is a legitimate negative, so the share of those is told and never warned of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from app.results import ExportResult, GateResult
from josh_engine.rows import LONGEST

Tone = Literal["green", "amber", "red"]
TONE_WORDS: Mapping[Tone, str] = {"green": "passed", "amber": "look first", "red": "failed"}
GRAVE = ("contradictory", "test_scenarios", "both_splits")
ORDER = (
    "contradictory", "test_scenarios", "both_splits", "after_error", "too_long", "duplicates", "balance",
    "length_gap", "explicit_faults",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    name: str
    tone: Tone
    text: str


def gates_told(result: ExportResult, formats: Sequence[str]) -> tuple[Told, ...]:
    """In the order of gravity, each with its sentence."""
    found = [_rows(result, formats)]
    found += [_told(name, result.gates[name], result) for name in ORDER if name in result.gates]
    return tuple(sorted(found, key=lambda told: ("red", "amber", "green").index(told.tone)))


def verdict_in_words(told: Sequence[Told]) -> str:
    failed, open_ = ([each for each in told if each.tone == tone] for tone in ("red", "amber"))
    if failed:
        return f"{len(failed)} {'check' if len(failed) == 1 else 'checks'} failed"
    return f"{len(open_)} to look at first" if open_ else "all checks pass"


def _rows(result: ExportResult, formats: Sequence[str]) -> Told:
    if result.rows == 0:
        return Told("rows", "red", "There are no rows. Choose another run, or a wider policy.")
    if empty := [name for name, count in result.lines.items() if count == 0]:
        return Told("rows", "amber", f"{empty[0]} is empty.")
    if result.negatives == 0 and "kto" in formats:
        return Told("rows", "red", "No row is trained away from, so KTO has nothing to compare with.")
    return Told("rows", "green", "Every file has rows.")


def _told(name: str, gate: GateResult, result: ExportResult) -> Told:
    tone: Tone = "green" if gate.ok else "red" if name in GRAVE else "amber"
    return Told(name, tone, _SENTENCES[name](gate, result))


def _contradictory(gate: GateResult, result: ExportResult) -> str:
    dropped = result.funnel.get("dropped_contradictory", 0)
    if gate.ok:
        return "No text is trained both towards and away from in the same context" + (
            f"; {dropped:,} such {'was' if dropped == 1 else 'were'} dropped." if dropped else "."
        )
    return f"{gate.count:,} texts are trained both towards and away from in the same context."


def _test_scenarios(gate: GateResult, result: ExportResult) -> str:
    if gate.ok:
        return "No scenario comes from a test split."
    return f"{gate.count:,} scenarios come from a test split: a model trained on them cannot be judged there."


def _both_splits(gate: GateResult, result: ExportResult) -> str:
    if not gate.ok:
        return f"{gate.count:,} scenarios have rows for training and for validation."
    if not result.held_out:
        return "Nothing is held out, so no scenario is in two files."
    return f"{result.held_out:,} of {result.scenarios:,} scenarios are held out; none is in both files."


def _after_error(gate: GateResult, result: ExportResult) -> str:
    if gate.ok:
        return "No row trains towards a turn in which a call went wrong."
    return f"{gate.count:,} rows train towards a turn in which a call went wrong."


def _too_long(gate: GateResult, result: ExportResult) -> str:
    if gate.ok:
        return f"No row is longer than {LONGEST:,} characters, about 8,192 tokens."
    return f"{gate.count:,} rows are longer than {LONGEST:,} characters, about 8,192 tokens; a trainer may cut them."


def _duplicates(gate: GateResult, result: ExportResult) -> str:
    if gate.count == 0:
        return "No two up rows say the same in the same context."
    few = "few enough" if gate.ok else "more than a tenth"
    return f"{gate.count:,} of {result.positives:,} up rows repeat another, {few}."


def _balance(gate: GateResult, result: ExportResult) -> str:
    if not result.positives or not result.negatives:
        return "Rows go one way only: KTO and DPO have nothing to compare."
    ratio = result.positives / result.negatives
    said = f"{result.positives:,} up to {result.negatives:,} down, {ratio:.1f} to 1"
    return f"{said}: balanced enough." if gate.ok else f"{said}: weight them, or they outweigh each other."


def _length_gap(gate: GateResult, result: ExportResult) -> str:
    if gate.count is None:
        return "There are not both kinds of rows, so there is no gap in length between them."
    said = f"Down rows are on average {gate.count} % as long as up rows"
    return f"{said}." if gate.ok else f"{said}: a model may learn the length instead of the choice."


def _explicit_faults(gate: GateResult, result: ExportResult) -> str:
    share = 100 * (gate.count or 0) / result.negatives if result.negatives else 0
    return f"{share:.0f} % of down rows are of turns with a call that went wrong: the model's own fault, rightly down."


_SENTENCES = {
    "contradictory": _contradictory, "test_scenarios": _test_scenarios, "both_splits": _both_splits,
    "after_error": _after_error, "too_long": _too_long, "duplicates": _duplicates, "balance": _balance,
    "length_gap": _length_gap, "explicit_faults": _explicit_faults,
}  # fmt: skip
