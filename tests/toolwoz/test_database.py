from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from josh_engine.errors import DatasetError
from tests.toolwoz.small_town import RECORDS, small_town
from toolwoz.database import build_database, from_files
from toolwoz.schema import DOMAINS, SEARCH_SLOTS, row_satisfies

CAMBRIDGE = Path(__file__).parents[2] / "../shared/data/multiwoz/db"
needs_multiwoz = pytest.mark.skipif(not CAMBRIDGE.is_dir(), reason="the MultiWOZ files lie beside the repository")
TOWN = small_town()


@st.composite
def queries(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """A domain and wishes that often fit something: values of the table, in odd spellings, and some of nowhere."""
    domain = draw(st.sampled_from(DOMAINS))
    slots = draw(st.sets(st.sampled_from(SEARCH_SLOTS[domain])))
    values = {slot: [*TOWN.values(domain, slot), "nowhere", "any", "08:30"] for slot in slots}
    respelt = st.sampled_from([str.upper, str.title, lambda text: f"  {text} "])
    return domain, {slot: draw(respelt)(draw(st.sampled_from(values[slot]))) for slot in sorted(slots)}


@given(query=queries())
def test_the_index_finds_exactly_the_rows_that_satisfy_the_constraints(query: tuple[str, dict[str, str]]) -> None:
    domain, wishes = query
    assert list(TOWN.search(domain, wishes)) == [row for row in TOWN.tables[domain].rows if row_satisfies(row, wishes)]


def test_appendix_d_results_are_clean() -> None:
    (lantern,) = TOWN.find("restaurant", "Red Lantern")
    assert lantern == {
        "name": "the red lantern", "area": "north", "food": "thai", "pricerange": "cheap", "type": "restaurant",
        "address": "1 Low Road",
    }  # fmt: skip
    (elm,) = TOWN.find("hotel", "elm guesthouse")
    assert (elm["single"], elm["double"]) == ("50", "70")
    assert not elm.keys() & {"price", "location", "id", "family"}
    pool, museum = TOWN.search("attraction", {})
    assert "entrance" not in pool and museum["entrance"] == "2 pounds"


def test_a_train_id_may_name_several_trains() -> None:
    assert [row["day"] for row in TOWN.find("train", "tr2")] == ["monday", "friday"]


def test_an_argument_that_the_domain_lacks_finds_nothing() -> None:
    assert TOWN.search("attraction", {"stars": "4"}) == ()


def test_equal_tables_have_equal_digests() -> None:
    assert small_town().digest == TOWN.digest
    assert build_database({**RECORDS, "hotel": RECORDS["hotel"][:2]}).digest != TOWN.digest


def test_a_record_without_a_needed_field_is_named() -> None:
    broken = {**RECORDS, "train": [*RECORDS["train"], {"trainID": "TR8"}]}
    with pytest.raises(DatasetError, match=r"train table, record 6: field 'departure'"):
        build_database(broken)
    with pytest.raises(DatasetError, match="has no table of hotels"):
        build_database({"restaurant": RECORDS["restaurant"]})


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    for domain in DOMAINS:
        (tmp_path / f"{domain}_db.json").write_text(json.dumps(RECORDS[domain]))
    assert from_files(tmp_path).digest == TOWN.digest
    (tmp_path / "hotel_db.json").write_text('[{"name": ')
    with pytest.raises(DatasetError, match=r"hotel_db\.json cannot be read"):
        from_files(tmp_path)
    (tmp_path / "hotel_db.json").write_text('{"name": "elm"}')
    with pytest.raises(DatasetError, match=r"hotel_db\.json: expected a list of records"):
        from_files(tmp_path)
    (tmp_path / "hotel_db.json").unlink()
    with pytest.raises(DatasetError, match=r"hotel_db\.json is absent"):
        from_files(tmp_path)


@needs_multiwoz
def test_the_cambridge_tables_are_whole() -> None:
    cambridge = from_files(CAMBRIDGE)
    counts = {domain: len(table.rows) for domain, table in cambridge.tables.items()}
    assert counts == {"restaurant": 110, "hotel": 33, "train": 2828, "attraction": 79}
    assert len(cambridge.values("restaurant", "food")) == 23
    assert len(cambridge.values("train", "departure")) == 13


@needs_multiwoz
def test_a_train_query_takes_well_under_a_millisecond() -> None:
    cambridge = from_files(CAMBRIDGE)
    wishes = {"leaveAt": "09:15", "departure": "ely", "destination": "cambridge", "day": "monday"}
    began = time.process_time()
    for _ in range(200):
        assert cambridge.search("train", wishes)
    assert (time.process_time() - began) / 200 < 0.0005
