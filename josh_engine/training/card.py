"""The card of an adapter: what it is, what it was trained on and by whose judgement. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from josh_engine.values import Json

CARD = "README.md"
PAPER = "https://arxiv.org/abs/2409.04617"


def card(manifest: Mapping[str, Any]) -> str:
    """Markdown of a manifest as `job` writes it. What people and files wrote stands in code, as text."""
    config, ended = manifest["config"], manifest.get("ended") or {}
    front = {"library_name": "peft", "base_model": manifest["model"], "tags": ["josh", config["trainer"], "lora"]}
    provenance = manifest.get("provenance") or {}
    facts: list[tuple[str, Json]] = [
        ("Base model", manifest["model"]),
        ("sha256 of the base", manifest.get("model_sha256")),
        ("Rows", manifest["rows"]),
        ("sha256 of the rows", manifest["rows_sha256"]),
        ("Good and bad turns", f"{manifest['good']:,} and {manifest['bad']:,}"),
        ("Left out for their length", manifest["too_long"]),
        (
            "Left out for the chat template",
            {each["habit"]: each["rows"] for each in manifest.get("omitted") or ()} or 0,
        ),
        ("Whose words the rows are", manifest.get("origin", "not told")),
        ("Runs behind the rows", provenance.get("runs") or "not told by the export"),
        ("Auditors behind the rows", provenance.get("auditors") or "none: the algorithm's own labels"),
        ("Rows judged by people", provenance.get("judged_rows", 0)),
        ("Verdicts given blind, openly", f"{provenance.get('blind', 0)}, {provenance.get('open', 0)}"),
        ("Precision", manifest.get("precision", "not told")),
        ("Steps", ended.get("steps", "not finished")),
        ("Last loss", ended.get("loss", "not finished")),
        ("Tokens", ended.get("tokens", "not finished")),
    ]
    lines = [
        "---", json.dumps(front), "---", "",
        f"# A LoRA by JOSH: {config['trainer']}", "",
        f"Trained on turns of searched conversations ([JOSH]({PAPER})). It needs the base model",
        "it was trained on, speaks its chat template, and was judged by nobody yet unless an evaluation says so.", "",
        "| | |", "|---|---|",
        *(f"| {name} | {_code(value)} |" for name, value in facts),
        "", "## Settings", "", "| | |", "|---|---|",
        *(f"| {name} | {_code(value)} |" for name, value in sorted(config.items())),
        "", "## Versions", "", "| | |", "|---|---|",
        *(f"| {name} | {_code(value)} |" for name, value in sorted(manifest["versions"].items())),
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def _code(value: Json) -> str:
    """As code: no text of a file or a person becomes Markdown."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    plain = " ".join(text.split()).replace("`", "'").replace("|", "\\|")
    return f"`{plain}`"
