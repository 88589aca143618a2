"""The addresses of Export and of Data & settings say every choice, and survive whatever somebody writes into them."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import browse_address, choosing, export_choices, records_listed
from app.browse_address import Place
from app.export_choices import ExportChoices, read_address, write_address
from app.results import RunLine
from josh_engine.values import Goal
from storage.exports import Export
from storage.search import Hit, Hits

words = st.text(st.characters(codec="utf-8", exclude_characters=","), min_size=1).filter(
    lambda text: text == text.strip()
)


@given(
    st.builds(
        ExportChoices,
        runs=st.lists(words, unique=True).map(tuple),
        formats=st.lists(st.sampled_from(["sft", "kto", "dpo", "openai"]), min_size=1, unique=True).map(tuple),
        rows=st.sampled_from(export_choices.ROWS),
        audit=st.sampled_from(export_choices.AUDITS),
        filtered=st.booleans(),
        held=st.integers(0, 50),
        seed=st.integers(0, 10**8),
    )
)
def test_an_export_s_address_says_every_choice(choices: ExportChoices) -> None:
    assert read_address(write_address(choices), ["other"]) == choices


@given(st.dictionaries(st.sampled_from(["runs", "fmt", "rows", "audit", "full", "held", "seed"]), st.text(max_size=12)))
def test_whatever_an_address_says_the_choices_can_be(params: dict[str, str]) -> None:
    choices = read_address(params, [])
    assert choices.formats and choices.rows in export_choices.ROWS and choices.audit in export_choices.AUDITS
    choices.split.checked()


def line(run: str, strategy: str, success: float | None) -> RunLine:
    return RunLine(run, "n", "w", "s", strategy, "a", "u", "done", 1, 1, 1, 0.5, success, "2026-01-01T00:00:00Z")


def test_the_newest_search_with_a_full_reward_is_chosen_first() -> None:
    lines = [line("d", "greedy", 1.0), line("c", "josh", None), line("b", "josh", 0.5), line("a", "josh", 1.0)]
    assert export_choices.default_runs(lines) == ("b",)
    assert export_choices.default_runs(lines[:2]) == ("d",)
    assert export_choices.default_runs([]) == ()


@given(st.builds(Place, st.just("scenarios"), st.just("w"), st.text(), st.text(), st.text()))
def test_a_place_s_address_says_where_it_is(place: Place) -> None:
    assert browse_address.read_place(browse_address.write_place(place), ["w"]) == place


def test_an_unknown_tab_or_world_is_the_first() -> None:
    place = browse_address.read_place({"tab": "<b>", "world": "os:system"}, ["one", "two"])
    assert (place.tab, place.world) == ("scenarios", "one")
    assert browse_address.write_place(Place("people", "one", "train", "x")) == {"tab": "people"}


def test_scenarios_are_listed_up_to_a_number_and_lead_to_themselves() -> None:
    lines = [choosing.ScenarioLine(f"s&{number}", 2, ("hotel",), "") for number in range(130)]
    listed = browse_address.scenarios_shown(lines, Place("scenarios", "w", "train", text="s"))
    assert len(listed.rows) == browse_address.MOST_LISTED and listed.note == "30 more match; filter to find them."
    where = dict(parse_qsl(str(listed.rows[3]["href"]).partition("?")[2]))
    assert browse_address.read_place(where, ["w"]) == Place("scenarios", "w", "train", "s&3", "s")


def test_a_report_is_told_in_a_sentence() -> None:
    report = {
        "validation": 793, "full_test": 805, "test": 450, "train": 0, "goal_calls": 4190, "credited": 4190,
        "repaired": [{"scenario": "A", "domain": "train", "booked": "", "chosen": "TR1", "why": "because"}],
        "rejected": [],
    }  # fmt: skip
    said = browse_address.import_in_words(report, "MultiWOZ_2.1.zip")
    assert said == (
        "Imported from MultiWOZ_2.1.zip: validation 793, test 450 of 805. 4,190 of 4,190 goal calls are credited when"
        " they are made, 1 record repaired."
    )
    (row,) = browse_address.repairs_shown(report).rows
    assert [cell["text"] for cell in row["cells"]][:4] == ["A", "train", "–", "TR1"]


def test_goals_exports_and_hits_are_listed_with_where_they_lead() -> None:
    shown = browse_address.goals_shown([Goal("g", "book_hotel", {"people": "2"}, "the lensfield")])
    assert [cell["text"] for cell in shown.rows[0]["cells"]] == ["book_hotel", "people = 2", "the lensfield"]
    export = Export(["a", "b"], ["kto"], {}, "/x", {}, 3, 2, 1, 1, {}, "e1", "2026-01-01T00:00:00Z")
    assert records_listed.exports_listed([export]).rows[0]["href"] == "export?runs=a%2Cb&fmt=kto"
    found = Hits((Hit("r", "r.1", "s/1", 2, "0u", "x\ny"),), 9, 1)
    row = records_listed.hits_listed(found).rows[0]
    assert row["href"] == "tree?run=r&scenario=s%2F1&trial=2&node=0u" and row["cells"][2]["text"] == "x y"
    assert records_listed.hits_in_words(found, "x").startswith("The best 1 of 9 turns. 1 trees are still growing")
    assert records_listed.hits_in_words(Hits((), 0, 0), "x") == "No turn says 'x'."


@pytest.mark.parametrize(
    ("size", "said"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (9_777_152, "9.8 MB"), (5e12, "5.0 TB")]
)
def test_sizes_are_said_as_a_person_says_them(size: int, said: str) -> None:
    assert records_listed.size_word(size) == said
