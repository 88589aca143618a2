from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from josh_engine.encoding import dump, load
from josh_engine.errors import ConfigError, DatasetError
from josh_engine.ports import World
from josh_engine.values import Scenario
from tests.toolwoz.small_town import call
from toolwoz.database import read_records
from toolwoz.generated import LISTED, make_scenario, open_world, town
from toolwoz.generated_names import EATERIES, LODGINGS, QUALITIES, SIGHTS, SPLIT_LANES, STATIONS, Namer, lane
from toolwoz.generated_town import Town, town_by_id
from toolwoz.goals import uncredited
from toolwoz.normalisation import normalised
from toolwoz.schema import BOOK_SLOTS, BOOKABLE, DOMAINS, SEARCH_SLOTS, UNIQUE, row_satisfies

CAMBRIDGE = Path(__file__).parents[2] / "../shared/data/multiwoz/db"
NOWHERE = Path("nowhere")
SPLITS = st.sampled_from(sorted(SPLIT_LANES))
INDEXES = st.integers(0, 2_000_000)
PLAIN = {
    word
    for name in itertools.chain(EATERIES, LODGINGS, QUALITIES, STATIONS, *SIGHTS.values(), ("the", "guesthouse"))
    for word in name.split()
}


def names_in(place: Town) -> set[str]:
    """Every proper name of a town: its own, its stations', its venues', its trains'."""
    rows = [(domain, row) for domain in DOMAINS for row in place.database.tables[domain].rows]
    stations = {row["departure"] for domain, row in rows if domain == "train"}
    return {place.name, *stations} | {row[UNIQUE[domain]] for domain, row in rows}


def invented_words(name: str) -> set[str]:
    return {word.removesuffix("'s") for word in name.split()} - PLAIN


@settings(max_examples=40)
@given(split=SPLITS, index=INDEXES)
def test_every_goal_call_is_credited_and_every_booked_record_is_found(split: str, index: int) -> None:
    scenario = make_scenario(split, index)
    database = town_by_id(scenario.setup["town"]).database
    assert uncredited(scenario, database) == () == uncredited(scenario, database, "authors")
    for part in scenario.setup["parts"]:
        hits = database.search(part["domain"], part["info"])
        identities = [row[UNIQUE[part["domain"]]] for row in hits]
        assert hits and (part["record"] is None or part["record"] in identities)


@settings(max_examples=40)
@given(split=SPLITS, index=INDEXES)
def test_scenarios_have_toolwozs_structure(split: str, index: int) -> None:
    scenario = make_scenario(split, index)
    database = town_by_id(scenario.setup["town"]).database
    parts = scenario.setup["parts"]
    assert 1 <= len(parts) <= 2 and 1 <= len(scenario.goals) <= 4
    assert len({part["domain"] for part in parts}) == len(parts)
    for part in parts:
        domain = part["domain"]
        assert set(part["info"]) <= set(SEARCH_SLOTS[domain]) and part["info"] == normalised(part["info"])
        assert bool(part["book"]) == (part["record"] is not None) == (part["reference"] is not None)
        assert bool(part["book"]) != bool(part["requests"])  # never together, as in MultiWOZ
        if part["book"]:
            assert {*part["book"], UNIQUE[domain]} == set(BOOK_SLOTS[domain])
        if part["fail_info"]:
            assert part["fail_info"].keys() == part["info"].keys()
            assert database.search(domain, part["fail_info"]) == ()
        assert all(part["book"][slot] != value for slot, value in part["fail_book"].items())


@settings(max_examples=40)
@given(split=SPLITS, index=INDEXES)
def test_a_first_wish_or_booking_gets_the_guest_nowhere(split: str, index: int) -> None:
    scenario = make_scenario(split, index)
    environment = open_world(NOWHERE).environment(scenario)
    for part in scenario.setup["parts"]:
        domain = part["domain"]
        if part["fail_info"]:
            assert environment.call(call(f"search_{domain}", **part["fail_info"])).answer == "[]"
        if part["fail_book"]:
            wrong = {**part["book"], **part["fail_book"], UNIQUE[domain]: part["record"]}
            assert json.loads(environment.call(call(f"book_{domain}", **wrong)).answer)["success"] is False


@settings(max_examples=40)
@given(split=SPLITS, index=INDEXES)
def test_the_brief_tells_every_wish_or_refers_back_to_it(split: str, index: int) -> None:
    scenario = make_scenario(split, index)
    told = " ".join(scenario.brief).lower()
    for part in scenario.setup["parts"]:
        wishes = {**part["info"], **part["book"], **part["fail_info"], **part["fail_book"]}
        for slot, value in wishes.items():
            shown = {"1": "one"}.get(value, value) if slot in ("stay", "people") else value
            hidden = {"internet": "free", "parking": "free"}.get(slot, shown)
            refers_back = slot in ("area", "pricerange", "people", "day") and "the same" in told
            assert hidden in told or refers_back, (slot, value, scenario.brief)


@settings(max_examples=25)
@given(split=SPLITS, number=st.integers(0, 10_000))
def test_every_name_of_a_town_holds_an_invented_word_of_its_splits_lanes(split: str, number: int) -> None:
    for name in names_in(town(number, split)):
        words = invented_words(name)
        assert len(words) == 1, name
        assert lane(words.pop()) in SPLIT_LANES[split], name


def test_the_lanes_of_the_splits_are_disjoint() -> None:
    for one, other in itertools.combinations(SPLIT_LANES, 2):
        assert not SPLIT_LANES[one] & SPLIT_LANES[other]
    assert set(SPLIT_LANES) == {*LISTED, "pretrain"}


@settings(max_examples=15)
@given(numbers=st.lists(st.integers(0, 10_000), min_size=4, max_size=4))
def test_towns_of_different_splits_share_no_name(numbers: list[int]) -> None:
    towns = [town(number, split) for number, split in zip(numbers, SPLIT_LANES, strict=True)]
    for one, other in itertools.combinations(towns, 2):
        assert not names_in(one) & names_in(other)
        assert one.id != other.id and one.database.digest != other.database.digest


def test_the_listed_splits_share_no_scenario_town_name_or_reference() -> None:
    seen: dict[str, dict[str, set[str]]] = {}
    for split in LISTED:
        scenarios = open_world(NOWHERE).scenarios(split)
        towns = {scenario.setup["town"] for scenario in scenarios}
        parts = [part for scenario in scenarios for part in scenario.setup["parts"]]
        seen[split] = {
            "ids": {scenario.id for scenario in scenarios},
            "briefs": {" ".join(scenario.brief) for scenario in scenarios},
            "towns": towns,
            "names": {name for identity in towns for name in names_in(town_by_id(identity))},
            "references": {part["reference"] for part in parts if part["reference"]},
        }
        assert len(seen[split]["ids"]) == len(scenarios) == LISTED[split]
        assert len(seen[split]["briefs"]) == len(scenarios)
    for one, other in itertools.combinations(seen.values(), 2):
        for kind, values in one.items():
            assert values and not values & other[kind], kind


def test_a_town_has_the_promised_size_and_its_own_values() -> None:
    place = town(7)
    counts = {domain: len(table.rows) for domain, table in place.database.tables.items()}
    assert counts == {"restaurant": 100, "hotel": 40, "attraction": 80, "train": 504}
    assert place.name in place.database.values("train", "departure")
    assert place.database.values("train", "departure") != town(8).database.values("train", "departure")
    for train in place.database.tables["train"].rows:
        assert "05:00" <= train["leaveAt"] < train["arriveBy"] < "24:00"


@pytest.mark.skipif(not CAMBRIDGE.is_dir(), reason="the MultiWOZ files lie beside the repository")
def test_no_name_or_text_comes_from_multiwoz() -> None:
    real = [record for domain in DOMAINS for record in read_records(CAMBRIDGE / f"{domain}_db.json")]
    fields = ("name", "departure", "address", "phone", "postcode", "trainID")
    taken = {str(record[field]).lower() for record in real for field in fields if field in record}
    words = {word for record in real for word in str(record.get("name", record.get("departure"))).lower().split()}
    for split in SPLIT_LANES:
        for number in range(4):
            place = town(number, split)
            assert not {name.lower() for name in names_in(place)} & taken
            assert not set().union(*map(invented_words, names_in(place))) & words
            rows = [row for domain in DOMAINS for row in place.database.tables[domain].rows]
            places = {row[field] for row in rows for field in ("address", "phone", "postcode") if field in row}
            assert not places & taken


def test_the_world_fits_the_port_and_needs_no_files() -> None:
    world: World = open_world(NOWHERE, {"goal_rule": "authors"})
    assert (world.name, world.splits) == ("toolwoz-generated", ("train", "val", "test"))
    assert [len(world.scenarios(split)) for split in world.splits] == [926, 200, 450]
    scenario = world.scenarios("val")[0]
    assert (scenario.id, scenario.world, scenario.split) == ("gen-val-00000", "toolwoz-generated", "val")
    assert world.environment(scenario).fingerprint() == world.environment(scenario).fork().fingerprint()
    assert load(Scenario, dump(scenario)) == scenario


def test_a_listed_split_is_a_sequence() -> None:
    scenarios = open_world(NOWHERE).scenarios("val")
    assert [one.id for one in scenarios[1:3]] == ["gen-val-00001", "gen-val-00002"]
    assert scenarios[-1] is scenarios[199] and scenarios[0] in scenarios
    with pytest.raises(IndexError):
        scenarios[200]


def test_scenarios_are_endless_and_an_id_is_all_it_takes() -> None:
    world = open_world(NOWHERE)
    assert world.scenario("gen-test-00003") == world.scenarios("test")[3]
    far = world.scenario("gen-pretrain-1234567")
    assert (far.split, far.id) == ("pretrain", "gen-pretrain-1234567")
    assert uncredited(far, world.environment(far).database) == ()
    for wrong in ("gen-test-3", "gen-dev-00003", "MUL0003", "gen-train-000042", "gen-train-0004x"):
        with pytest.raises(ConfigError, match="has no scenario"):
            world.scenario(wrong)


def test_unknown_splits_options_and_towns_are_errors() -> None:
    with pytest.raises(ConfigError, match=r"no split 'pretrain'.*train, val, test"):
        open_world(NOWHERE).scenarios("pretrain")
    with pytest.raises(ConfigError, match="no option 'order'"):
        open_world(NOWHERE, {"order": "sorted"})
    with pytest.raises(ConfigError, match="No towns are invented for 'dev'"):
        town(1, "dev")
    with pytest.raises(DatasetError, match="is no invented town"):
        open_world(NOWHERE).environment(Scenario("s", "toolwoz-generated", "val", (), ()))


def test_another_process_makes_the_same_scenario() -> None:
    code = "from toolwoz.generated import make_scenario; from josh_engine.encoding import dump; import sys; "
    code += "sys.stdout.buffer.write(dump(make_scenario('train', 77)).encode())"
    root = Path(__file__).parents[2]
    made = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True)
    assert made.stdout.decode() == dump(make_scenario("train", 77))


def test_opening_the_world_and_listing_a_split_is_cheap() -> None:
    began = time.process_time()
    assert len([scenario.id for scenario in open_world(NOWHERE).scenarios("train")]) == 926
    assert time.process_time() - began < 2.0  # 0.3 s on the machine it was written on


def test_shares_are_those_of_toolwoz() -> None:
    scenarios = list(open_world(NOWHERE).scenarios("train"))
    parts = [part for scenario in scenarios for part in scenario.setup["parts"]]
    calls = sum(len(scenario.goals) for scenario in scenarios) / len(scenarios)
    assert 2.45 < calls < 2.8  # ToolWOZ's validation and test: 2.62
    bookable = [part for part in parts if part["domain"] in BOOKABLE]
    assert 0.5 < sum(bool(part["book"]) for part in bookable) / len(bookable) < 0.65
    assert sum(bool(part["fail_info"]) for part in parts) > 200 and sum(bool(part["fail_book"]) for part in parts) > 50
    told = " ".join(sentence for scenario in scenarios for sentence in scenario.brief)
    for reference_back in ("the same people", "the same day", "the same area as", "the same price range as"):
        assert reference_back in told


def test_a_namer_never_repeats_itself() -> None:
    namer = Namer("train", random.Random(3))
    words = [namer.word() for _ in range(500)]
    assert len(set(words)) == 500


def test_a_booked_train_keeps_the_bound_it_was_chosen_for() -> None:
    for scenario in itertools.islice(open_world(NOWHERE).scenarios("test"), 100):
        database = town_by_id(scenario.setup["town"]).database
        for part in scenario.setup["parts"]:
            if part["domain"] == "train" and part["record"]:
                (row,) = database.find("train", part["record"])
                assert row_satisfies(row, part["info"])
