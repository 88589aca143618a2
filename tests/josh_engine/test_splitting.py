"""A scenario's rows are for training or for validation, never for both."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import FIND_HOTEL, search

from josh_engine.errors import ConfigError
from josh_engine.extract import Extraction, Source, extract
from josh_engine.rows import FORMATS, gates, in_several, provenance, render_files, rows
from josh_engine.splitting import Split, held_out, scenario_of, split_by_scenario

SCENARIOS = [f"scenario {number}" for number in range(12)]


@pytest.fixture(scope="module")
def extraction() -> Extraction:
    """Twelve scenarios, two trials of each, with rows both ways."""
    sources: list[Source] = []
    for trial in range(2):
        found = search({"0.0": [FIND_HOTEL]}, seed=trial).source()
        sources += [
            replace(found, rollout=replace(found.rollout, id=f"{name}/{trial}", scenario_id=name, trial=trial))
            for name in SCENARIOS
        ]
    made = extract(sources)
    assert made.positives and made.negatives and made.pairs
    return made


@given(
    st.sets(st.text(max_size=4), min_size=2, max_size=40), st.floats(0.001, 0.999), st.integers(0, 9), st.integers(0, 9)
)
def test_some_are_held_out_and_some_are_not_whatever_the_share(names, share, seed, other):
    apart = held_out(names, Split(share, seed))
    assert apart < names and apart
    assert abs(len(apart) - share * len(names)) <= 1
    assert held_out(sorted(names, reverse=True), Split(share, seed)) == apart, "the order does not matter"
    assert len(held_out(names, Split(share, other))) == len(apart)


def test_another_seed_holds_out_others():
    assert len({held_out(SCENARIOS, Split(0.25, seed)) for seed in range(20)}) > 10


def test_nothing_is_held_out_of_one_scenario_or_of_a_share_of_nothing():
    assert held_out(["only"], Split(0.5)) == held_out(SCENARIOS, Split(0.0)) == frozenset()


@pytest.mark.parametrize("share", [-0.1, 1.0, 3.0])
def test_a_share_that_cannot_be_is_told(extraction, share):
    with pytest.raises(ConfigError, match="held out for validation"):
        split_by_scenario(extraction, Split(share))


@pytest.mark.parametrize("share", [0.1, 0.25, 0.9])
def test_no_scenario_is_in_two_files_and_no_row_is_lost(extraction, share):
    parts = split_by_scenario(extraction, Split(share, 3))
    held = {name: {scenario_of(source) for source in part.sources} for name, part in parts.items()}
    assert not held["train"] & held["validation"] and held["train"] | held["validation"] == set(SCENARIOS)
    for row_format in FORMATS:
        whole = rows(extraction, row_format)
        split = [row for part in parts.values() for row in rows(part, row_format)]
        assert sorted(map(str, split)) == sorted(map(str, whole))
    ids = {name: {line["row_id"] for line in provenance(part)} for name, part in parts.items()}
    assert not ids["train"] & ids["validation"]


def test_files_are_named_by_their_part_and_provenance_names_it(extraction):
    files = render_files(extraction, ("kto", "openai"), split=Split(0.25))
    assert sorted(files) == [
        "kto.train.jsonl", "kto.validation.jsonl", "manifest.json", "openai.train.jsonl", "openai.validation.jsonl",
        "provenance.jsonl",
    ]  # fmt: skip
    assert b'"part":"train"' in files["provenance.jsonl"] and b'"part":"validation"' in files["provenance.jsonl"]
    whole = render_files(extraction, ("kto",))
    assert sorted(whole) == ["kto.jsonl", "manifest.json", "provenance.jsonl"]
    assert b'"part"' not in whole["provenance.jsonl"]
    assert sorted(whole["kto.jsonl"].splitlines()) == sorted(
        (files["kto.train.jsonl"] + files["kto.validation.jsonl"]).splitlines()
    )


def test_the_gate_counts_scenarios_in_the_rows_themselves(extraction):
    parts = split_by_scenario(extraction, Split(0.25))
    assert in_several(parts.values()) == frozenset()
    assert gates(extraction, Split(0.25))["both_splits"] == {"ok": True, "count": 0}
    leaking = replace(extraction, positive=extraction.positive[:1], negative=())
    assert in_several([extraction, leaking]) == {scenario_of(extraction.positive[0].source)}
