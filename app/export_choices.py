"""The Export page's choices, and the address that says them: `/export?runs=a,b&fmt=kto&rows=…&audit=…`. Pure.

What the address does not say is the default; what it says wrongly, too. Defaults are the paper's: whole turns, only
trees with full reward, whatever nobody has audited included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args, get_type_hints

from app.results import RunLine
from josh_engine.extract import RowPolicy
from josh_engine.rows import FORMATS
from josh_engine.splitting import Split

HINTS = get_type_hints(RowPolicy)
ROWS: tuple[str, ...] = get_args(HINTS["rows"])
AUDITS: tuple[str, ...] = get_args(HINTS["audit"])
MOST_SHOWN = 100_000  # turns of the chosen runs: to be counted, their trees are held in memory
MOST_HELD = 50  # percent

FORMAT_WORDS: Mapping[str, str] = {"sft": "SFT", "kto": "KTO", "dpo": "DPO", "openai": "OpenAI"}
FORMAT_MEANINGS = (
    "SFT, KTO and DPO in TRL's columns: each generation with the context the model had. "
    "OpenAI: whole conversations, for hosted tuners."
)
ROWS_WORDS: Mapping[str, str] = {"whole_turn": "Whole turns", "first_divergence": "First divergence"}
ROWS_MEANINGS = (
    "Whole turns: every generation of a negative turn is trained away from (the paper). "
    "First divergence: only the first that differs from the ideal turn's (the authors' code)."
)
AUDIT_WORDS: Mapping[str, str] = {"any": "All turns", "audited": "Audited", "agreed": "Audited and agreed"}
AUDIT_MEANINGS = (
    "All turns: judged by a person or not. Audited: only turns with a verdict; one on a pair counts where it was "
    "blind, or settled the pair. Agreed: only those whose verdicts say what the search says."
)
FILTER_MEANINGS = "Appendix B: every goal reached on the ideal path, and no call on it that went wrong."
HELD_MEANINGS = "This share of the scenarios goes to files of its own. A scenario is never in both."


@dataclass(frozen=True, slots=True)
class ExportChoices:
    """`runs` empty: none is chosen. `held` is in percent."""

    runs: tuple[str, ...] = ()
    formats: tuple[str, ...] = ("kto",)
    rows: str = "whole_turn"
    audit: str = "any"
    filtered: bool = True
    held: int = 0
    seed: int = 0

    @property
    def policy(self) -> RowPolicy:
        return RowPolicy(self.rows, self.audit, self.filtered)  # type: ignore[arg-type]

    @property
    def split(self) -> Split:
        return Split(self.held / 100, self.seed)


def read_address(params: Mapping[str, str], default_runs: Sequence[str]) -> ExportChoices:
    """`default_runs`: where the address names none. Runs are not checked here: the page tells of unknown ones."""
    plain = ExportChoices()
    formats = tuple(each for each in _listed(params.get("fmt", "")) if each in FORMATS)
    return ExportChoices(
        runs=_listed(params["runs"]) if "runs" in params else tuple(default_runs),
        formats=formats or plain.formats,
        rows=_one_of(params.get("rows"), ROWS, plain.rows),
        audit=_one_of(params.get("audit"), AUDITS, plain.audit),
        filtered=params.get("full") != "0",
        held=min(_number(params.get("held")), MOST_HELD),
        seed=_number(params.get("seed")),
    )


def write_address(choices: ExportChoices) -> dict[str, str]:
    """Everything that differs from the defaults, and the runs, which have none that lasts."""
    plain = ExportChoices()
    said = {
        "fmt": ",".join(choices.formats), "rows": choices.rows, "audit": choices.audit,
        "full": "1" if choices.filtered else "0", "held": str(choices.held), "seed": str(choices.seed),
    }  # fmt: skip
    default = {
        "fmt": ",".join(plain.formats), "rows": plain.rows, "audit": plain.audit, "full": "1", "held": "0", "seed": "0",
    }  # fmt: skip
    return {"runs": ",".join(choices.runs)} | {name: text for name, text in said.items() if text != default[name]}


def default_runs(lines: Sequence[RunLine]) -> tuple[str, ...]:
    """The newest search with a tree of full reward, else the newest run; `lines` are newest first."""
    full = (line.run for line in lines if line.strategy == "josh" and line.success_rate)
    found = next(full, lines[0].run if lines else None)
    return (found,) if found else ()


def run_word(line: RunLine) -> str:
    return f"{line.run} · {line.name} · {line.finished} of {line.rollouts} done"


def folder_word(choices: ExportChoices) -> str:
    """Where the rows go below the data folder unless a person says otherwise."""
    return f"exports/{'-'.join((*choices.runs[:2], *choices.formats))}"


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (each.strip() for each in text.split(",")))))


def _one_of(text: str | None, known: Sequence[str], otherwise: str) -> str:
    return text if text is not None and text in known else otherwise


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0
