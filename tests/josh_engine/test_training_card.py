"""The adapter's card: what made it, down to the auditors; what others wrote stays text."""

from __future__ import annotations

from josh_engine.training.card import card

MANIFEST = {
    "model": "embedded", "model_sha256": "ab12", "rows": "rows/kto.jsonl", "rows_sha256": "cd34", "good": 2155,
    "bad": 926, "too_long": 3, "sequences": 7, "config": {"trainer": "kto_packed", "beta": 0.5, "seed": 0},
    "provenance": {"runs": ["01RUN"], "auditors": ["a1f0", "| <img src=x onerror=y> ` **bold**\nline"]},
    "versions": {"torch": "2.13"}, "ended": {"steps": 30, "loss": 0.25, "tokens": 9000, "seconds": 4.0},
}  # fmt: skip


def test_the_card_tells_base_rows_runs_auditors_settings_and_versions():
    told = card(MANIFEST)
    for part in ("embedded", "ab12", "cd34", "2,155 and 926", "01RUN", "a1f0", "`0.5`", "`2.13`", "`0.25`"):
        assert part in told
    assert told.startswith('---\n{"library_name": "peft", "base_model": "embedded"')


def test_what_others_wrote_is_code_and_keeps_its_line():
    line = next(line for line in card(MANIFEST).splitlines() if "onerror" in line)
    assert line.count("`") == 2 and line.endswith("` |")
    assert line.replace("\\|", "").count("|") == 3  # the table's own


def test_a_job_that_did_not_end_says_so_and_rows_without_people_too():
    told = card({**MANIFEST, "ended": None, "provenance": {}})
    assert told.count("`not finished`") == 3
    assert "the algorithm's own labels" in told and "not told by the export" in told
