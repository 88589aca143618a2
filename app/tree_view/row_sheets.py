"""The panes about rows: Data, the lines one turn yields; and what a promotion would change, before it is confirmed.
Pure."""

from __future__ import annotations

from collections.abc import Mapping

from app.node_rows import FLAWS, NodeRows
from app.relabelling import Preview, RowChange
from app.tree_view.sheets import Block, code, facts, folded, head, text
from app.words import exchange

KINDS = {
    "sft": "SFT row",
    "kto up": "KTO row, up ↑",
    "kto down": "KTO row, down ↓",
    "dpo chosen": "DPO row, as the chosen side",
    "dpo rejected": "DPO row, as the rejected side",
}
COUNTED: tuple[tuple[str, str, bool | None], ...] = (
    ("SFT rows", "sft", None),
    ("KTO rows up ↑", "kto", True),
    ("KTO rows down ↓", "kto", False),
    ("DPO rows", "dpo", None),
)
POLICY = "In an export of this run, as the paper filters it (full reward, no errors on the ideal path)."


def data_sheet(found: NodeRows, node_id: str) -> list[Block]:
    blocks = [head(f"Rows of turn {node_id}")]
    if found.none:
        blocks.append(text(found.none, tone="strong"))
    if found.unfiltered:
        blocks.append(text("An unfiltered export holds these:", tone="faint"))
    elif found.lines:
        blocks.append(text(f"{POLICY} Each line is exactly as the file has it.", tone="faint"))
    for line in found.lines:
        where = f"generation {line.generation + 1} · prompt of {line.messages} messages · row {line.row_id}"
        blocks.append(code(KINDS[line.kind], line.text, note=where))
    return blocks


def promotion_sheet(told: Preview, unfiltered: Preview, scenarios: Mapping[str, str]) -> list[Block]:
    """`unfiltered`: the same without the filter, said where the filter leaves the tree out before or after.
    `scenarios` names the rollouts that rows are of."""
    also = unfiltered if told.flaw_before or told.flaw_after else None
    blocks = [
        head(f"Promote turn {told.verdict.node} to the ideal path"),
        text(_path(told), tone="strong"),
        facts(("Reward", _reward(told)), *_counts(told, also), ("Audits gone stale", _stale(told))),
        text(_where(told), tone="note" if told.earns_less or told.flaw_after else "faint"),
    ]
    for each, where in ((told, ""), (also, " in an unfiltered export")):
        if each is not None and each.rows:
            lines = [_line(row, scenarios, home=told.verdict.rollout) for row in each.rows]
            blocks.append(folded(f"Exactly these {len(lines)} rows change{where}", lines))
    return blocks


def changes_in_words(told: Preview) -> str:
    """`Rows: SFT +1 −0 · KTO +2 −2`: what a verdict did to the rows of a filtered export."""
    parts = []
    for name in ("sft", "kto", "dpo"):
        comes = sum(each.row_format == name and each.comes for each in told.rows)
        goes = sum(each.row_format == name and not each.comes for each in told.rows)
        if comes or goes:
            parts.append(f"{name.upper()} +{comes} −{goes}")
    return f"Rows: {' · '.join(parts)}" if parts else "No row of a filtered export changes"


def _path(told: Preview) -> str:
    changed = (*told.demoted, *told.promoted)
    if not changed:
        return "The ideal path stays as it is."
    comes = f"{', '.join(told.promoted)} {'come' if len(told.promoted) > 1 else 'comes'} onto it"
    goes = f"{', '.join(told.demoted)} {'leave' if len(told.demoted) > 1 else 'leaves'} it"
    both = " and ".join([comes] * bool(told.promoted) + [goes] * bool(told.demoted))
    return f"The ideal path changes at exchange {min(map(exchange, changed))}: {both}."


def _reward(told: Preview) -> str:
    less = "  ⚠ earns less" if told.earns_less else ""
    return f"{told.reward_before}/{told.goals} → {told.reward_after}/{told.goals} goals{less}"


def _counts(told: Preview, unfiltered: Preview | None) -> list[tuple[str, str]]:
    def count(each: Preview, name: str, label: bool | None) -> str:
        comes, goes = (each.count(name, comes=side, label=label) for side in (True, False))
        return f"+{comes} −{goes}" if comes or goes else "no change"

    return [
        (word, count(told, name, label) + (f"; unfiltered: {count(unfiltered, name, label)}" if unfiltered else ""))
        for word, name, label in COUNTED
    ]


def _stale(told: Preview) -> str:
    pairs = ", ".join(f"{each.node} and {each.rival} ({each.auditor})" for each in told.stale)
    return f"{len(told.stale)}: {pairs}" if pairs else "0"


def _where(told: Preview) -> str:
    if not told.finished:
        return "The search is not finished, so no rows come of this tree yet."
    if told.flaw_after:
        left = "The tree stays" if told.flaw_before else "After this the tree is"
        return f"{POLICY} {left} left out of it: {FLAWS[told.flaw_after]}."
    if told.flaw_before:
        return f"{POLICY} Until now the tree was left out of it: {FLAWS[told.flaw_before]}."
    return POLICY


def _line(row: RowChange, scenarios: Mapping[str, str], *, home: str) -> str:
    up = {True: " up ↑", False: " down ↓", None: ""}[row.label]
    other = "" if row.rollout == home else f" of {scenarios.get(row.rollout, row.rollout)}"
    return f"{'+' if row.comes else '−'} {row.row_format.upper()}{up} · turn {row.node}{other} · row {row.row_id}"
