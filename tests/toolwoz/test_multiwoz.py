from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from josh_engine.errors import ConfigError, DatasetError, JoshError
from josh_engine.values import Goal, Scenario
from tests.served import served
from tests.toolwoz.multiwoz_sample import DIALOGUES, files, sample, write_folder, write_zip
from tests.toolwoz.small_town import RECORDS
from toolwoz.derivation import detokenised, is_kept
from toolwoz.multiwoz import Rejection, download_multiwoz, import_multiwoz
from toolwoz.multiwoz_files import MULTIWOZ_21
from toolwoz.world import open_world

MULTIWOZ = Path(__file__).parents[2] / "../shared/data/multiwoz"
needs_multiwoz = pytest.mark.skipif(not MULTIWOZ.is_dir(), reason="the MultiWOZ files lie beside the repository")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "source", files())


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real files, imported once."""
    folder = tmp_path_factory.mktemp("real")
    import_multiwoz(MULTIWOZ, folder)
    return folder


def imported(source: Path, target: Path) -> dict[str, Scenario]:
    import_multiwoz(source, target)
    world = open_world(target)
    return {scenario.id: scenario for split in ("val", "full_test") for scenario in world.scenarios(split)}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@needs_multiwoz
def test_table_3_the_real_files_give_the_papers_793_and_805_with_every_goal_call_credited(tmp_path: Path) -> None:
    report = import_multiwoz(MULTIWOZ, tmp_path)
    assert (report.validation, report.full_test, report.test, report.train) == (793, 805, 450, 0)
    assert (report.goal_calls, report.credited, report.rejected) == (4190, 4190, ())
    domains = [repair.domain for repair in report.repaired]
    assert (domains.count("train"), domains.count("hotel"), len(domains)) == (36, 1, 37)
    world = open_world(tmp_path)
    test = world.scenarios("test")
    assert (len(test), test[0].id, test[-1].id) == (450, "MUL0003", "PMUL2380")
    assert not any(scenario.id.startswith("SNG") for scenario in test)
    calls = [len(scenario.goals) for split in ("val", "full_test") for scenario in world.scenarios(split)]
    assert [calls.count(number) for number in (1, 2, 3, 4)] == [141, 547, 685, 225]


@needs_multiwoz
def test_table_3_multiwozs_own_layout_in_a_zip_gives_the_same_and_the_rest_is_train(real: Path, tmp_path: Path) -> None:
    dialogues: dict[str, Any] = {}
    for name in ("val", "test"):
        given = json.loads(gzip.decompress((MULTIWOZ / f"dialogues/{name}_2.1.json.gz").read_bytes()))
        dialogues |= {f"{identity}.json": one for identity, one in given.items()}
    some = dict(list(dialogues.items())[:100])
    dialogues |= {f"TRAIN{identity}": one for identity, one in some.items()}
    folder = {path.name: path.read_text() for path in (MULTIWOZ / "db").glob("*.json")}
    folder |= {f"{name}ListFile.txt": (MULTIWOZ / f"lists/{name}ListFile.txt").read_text() for name in ("val", "test")}
    report = import_multiwoz(write_zip(tmp_path / "m.zip", {**folder, "data.json": json.dumps(dialogues)}), tmp_path)
    assert (report.validation, report.full_test, report.test, report.train) == (
        793,
        805,
        450,
        sum(is_kept(one["goal"]) for one in some.values()),
    )
    assert report.goal_calls == report.credited > 4190
    for split in ("val", "full_test"):
        assert open_world(tmp_path).scenarios(split) == open_world(real).scenarios(split)


@needs_multiwoz
def test_the_official_order_is_a_switch(real: Path) -> None:
    test = open_world(real, {"order": "list"}).scenarios("test")
    assert (len(test), test[0].id, test[-1].id) == (450, "MUL0484", "MUL1455")
    assert sum(len(scenario.setup["parts"]) == 1 for scenario in test) == 87


@needs_multiwoz
def test_the_real_files_make_whole_scenarios(real: Path) -> None:
    for scenario in open_world(real).scenarios("full_test"):
        assert scenario.brief and not any("<" in sentence for sentence in scenario.brief)
        assert len(scenario.guide) % 2 == 0 and all(scenario.guide)
        for part in scenario.setup["parts"]:
            assert bool(part["book"]) == (part["record"] is not None) == (len(part["reference"] or "") == 8)


def test_a_folder_gives_val_test_and_train(source: Path, tmp_path: Path) -> None:
    report = import_multiwoz(source, tmp_path / "josh-data")
    assert (report.world, report.validation, report.full_test, report.test, report.train) == ("toolwoz", 1, 2, 2, 0)
    assert (report.goal_calls, report.credited) == (7, 7)
    assert report.rejected == (Rejection("SNG9", "no restaurant in the database fits {'food': 'martian'}"),)


def test_appendix_a_goals_become_search_and_booking_calls(source: Path, tmp_path: Path) -> None:
    pine = imported(source, tmp_path)["MUL2"]
    train = {"day": "monday", "departure": "aldery", "destination": "brunmoor", "leaveAt": "08:00"}
    assert pine.goals == (
        Goal("train.search", "search_train", train, "TR2"),
        Goal("train.book", "book_train", {"people": "2", "trainID": "TR2"}, "TR2"),
        Goal("hotel.search", "search_hotel", {"area": "east", "internet": "no", "stars": "4"}, "pine lodge"),
        Goal(
            "hotel.book",
            "book_hotel",
            {"day": "monday", "people": "2", "stay": "3", "name": "pine lodge"},
            "pine lodge",
        ),
    )
    assert pine.setup["parts"][1] == {
        "domain": "hotel",
        "info": {"area": "east", "internet": "no", "stars": "4"},
        "fail_info": {"area": "east", "stars": "1"},
        "book": {"day": "monday", "people": "2", "stay": "3"},
        "fail_book": {"stay": "5"},
        "requests": [],
        "record": "pine lodge",
        "reference": "HOTEL001",
    }


def test_the_brief_is_the_message_without_tags_and_the_guide_reads_naturally(source: Path, tmp_path: Path) -> None:
    scenarios = imported(source, tmp_path)
    assert scenarios["MUL2"].brief == ("You want a train on monday", "You also need a place to stay in the east")
    assert scenarios["SNG1"].brief == ("You are curious.", "Find a museum!")
    assert scenarios["SNG1"].guide == ("i don't know.", "goodbye!")
    assert scenarios["SNG1"].setup["parts"][0]["requests"] == ["entrance", "phone"]


@pytest.mark.parametrize(
    ("tokenised", "natural"),
    [
        ("i 've seen it , but it 's not ours .", "i've seen it, but it's not ours."),
        ("at 10:30 ? ok !", "at 10:30? ok!"),
        ("they do n't  ( really )", "they don't (really)"),
        ("a .50 coin", "a .50 coin"),
    ],
)
def test_transcripts_are_detokenised(tokenised: str, natural: str) -> None:
    assert detokenised(tokenised) == natural


def test_a_booking_that_violates_its_goal_is_repaired_and_listed(source: Path, tmp_path: Path) -> None:
    report = import_multiwoz(source, tmp_path)
    (repair,) = report.repaired
    assert (repair.scenario, repair.domain, repair.booked, repair.chosen) == ("MUL1", "train", "TR9", "TR1")
    astray = {scenario.id: scenario for scenario in open_world(tmp_path).scenarios("test")}["MUL1"]
    assert astray.setup["parts"][0]["reference"] == "TRAIN002"  # the dialogue's own is kept


def test_an_earlier_booking_is_taken_when_the_last_does_not_fit(tmp_path: Path) -> None:
    dialogues = sample()
    log = dialogues["MUL1.json"]["log"]
    log[0]["metadata"] = {"train": {"book": {"booked": [{"trainID": "TR2", "reference": "EARLY001"}]}}}
    scenario = imported(write_folder(tmp_path / "source", files(dialogues)), tmp_path)["MUL1"]
    assert (scenario.goals[1].record, scenario.setup["parts"][0]["reference"]) == ("TR2", "EARLY001")


def test_a_booking_the_dialogue_does_not_show_gets_a_lasting_reference(tmp_path: Path) -> None:
    dialogues = sample()
    dialogues["MUL1.json"]["log"][1]["metadata"] = {}
    source = write_folder(tmp_path / "source", files(dialogues))
    references = {
        imported(source, tmp_path / target)["MUL1"].setup["parts"][0]["reference"] for target in ("one", "two")
    }
    assert len(references) == 1 and len(references.pop()) == 8


def test_alternatives_are_settled_for_what_the_database_has(tmp_path: Path) -> None:
    dialogues = sample()
    dialogues["SNG1.json"]["goal"]["attraction"]["info"] = {"type": "zoo|museum", "area": "north>west", "name": "any"}
    scenario = imported(write_folder(tmp_path / "source", files(dialogues)), tmp_path)["SNG1"]
    assert scenario.goals[0].arguments == {"type": "museum", "area": "west"}


def test_a_zip_and_its_folder_give_the_same_data_set(source: Path, tmp_path: Path) -> None:
    zipped = write_zip(tmp_path / "MultiWOZ.zip", files())
    import_multiwoz(source, tmp_path / "one")
    import_multiwoz(zipped, tmp_path / "two")
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert {name for name in one if one[name] != two.get(name)} == {"manifest.json"}  # it names its source


def test_nested_folders_json_lists_and_bare_ids_are_fine(source: Path, tmp_path: Path) -> None:
    given = files({identity.removesuffix(".json"): dialogue for identity, dialogue in DIALOGUES.items()})
    given["valListFile.json"] = given.pop("valListFile.txt").replace(".json", "")
    nested = write_folder(tmp_path / "outer/MultiWOZ_2.1", given)
    assert import_multiwoz(nested.parent, tmp_path / "one") == import_multiwoz(source, tmp_path / "two")
    assert import_multiwoz(nested / "data.json", tmp_path / "three").validation == 1


def test_gzip_files_of_one_split_each_are_read(tmp_path: Path) -> None:
    given = files()
    dialogues = json.loads(given.pop("data.json"))
    folder = write_folder(tmp_path / "source", given)
    for name, ids in (("val", ("MUL2", "MUL3")), ("test", ("SNG1", "MUL1"))):
        packed = gzip.compress(json.dumps({identity: dialogues[f"{identity}.json"] for identity in ids}).encode())
        (folder / f"{name}_2.1.json.gz").write_bytes(packed)
    report = import_multiwoz(folder, tmp_path)
    assert (report.validation, report.full_test) == (1, 2)
    (folder / "test_2.1.json.gz").write_bytes(packed[:-20])
    with pytest.raises(DatasetError, match=r"test_2\.1\.json\.gz is not a whole gzip file"):
        import_multiwoz(folder, tmp_path)


def test_the_data_set_says_whose_it_is_and_what_was_made(source: Path, tmp_path: Path) -> None:
    report = import_multiwoz(source, tmp_path)
    notice = (tmp_path / "toolwoz/NOTICE.md").read_text()
    assert "Paweł Budzianowski" in notice and "MIT License" in notice
    manifest = json.loads((tmp_path / "toolwoz/manifest.json").read_text())
    assert manifest["report"]["validation"] == report.validation
    assert manifest["report"]["repaired"][0]["scenario"] == "MUL1"
    assert "MultiWOZ" in open_world(tmp_path).attribution


def test_importing_twice_gives_the_same_bytes_and_leaves_nothing_else(source: Path, tmp_path: Path) -> None:
    import_multiwoz(source, tmp_path / "data")
    first = contents(tmp_path / "data")
    import_multiwoz(source, tmp_path / "data")
    assert contents(tmp_path / "data") == first
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["toolwoz"]


def with_goal(identity: str, **changes: Any) -> Callable[[dict[str, str]], None]:
    def spoil(given: dict[str, str]) -> None:
        dialogues = sample()
        dialogues[identity]["goal"].update(changes)
        given["data.json"] = json.dumps(dialogues)

    return spoil


def with_dialogue(identity: str, **changes: Any) -> Callable[[dict[str, str]], None]:
    def spoil(given: dict[str, str]) -> None:
        dialogues = sample()
        dialogues[identity].update(changes)
        given["data.json"] = json.dumps(dialogues)

    return spoil


def with_text(name: str, text: str) -> Callable[[dict[str, str]], None]:
    return lambda given: given.update({name: text})


def without(name: str) -> Callable[[dict[str, str]], None]:
    def spoil(given: dict[str, str]) -> None:
        del given[name]

    return spoil


def cut_off(given: dict[str, str]) -> None:
    given["data.json"] = given["data.json"][:-400]


BROKEN = {
    r"data\.json: dialogue MUL2, field goal\.hotel\.info\.stars: expected a text, found \['4'\]": with_goal(
        "MUL2.json", hotel={"info": {"stars": ["4"]}}
    ),
    r"data\.json: dialogue MUL2, field goal\.hotel: expected an object, found list": with_goal(
        "MUL2.json", hotel=["east"]
    ),
    r"dialogue SNG1, field goal\.attraction\.reqt: expected a list": with_goal(
        "SNG1.json", attraction={"info": {"area": "west"}, "reqt": "phone"}
    ),
    r"dialogue SNG1, field goal\.message": with_goal("SNG1.json", message=7),
    r"dialogue SNG1, field goal: expected an object": with_dialogue("SNG1.json", goal=None),
    r"dialogue SNG1, field log: expected a list": with_dialogue("SNG1.json", log={}),
    r"dialogue SNG1, field log\[0\]\.text": with_dialogue("SNG1.json", log=[{"metadata": {}}]),
    r"dialogue MUL1, field log\[0\]\.metadata\.train\.book: expected an object, found list": with_dialogue(
        "MUL1.json", log=[{"text": "hi", "metadata": {"train": {"book": ["TR1"]}}}]
    ),
    r"dialogue MUL1, field log\[0\]\.metadata\.train\.book\.booked: expected a list": with_dialogue(
        "MUL1.json", log=[{"text": "hi", "metadata": {"train": {"book": {"booked": 3}}}}]
    ),
    r"data\.json is broken at dialogue SNG9": cut_off,
    r"data\.json is broken at its beginning": with_text("data.json", "[]"),
    r"data\.json lacks 1 of the 2 dialogues in testListFile, the first being SNG404": with_text(
        "testListFile.txt", "SNG1\nSNG404\n"
    ),
    r"MUL2 stands in both valListFile and testListFile": with_text("testListFile.txt", "MUL2\n"),
    r"valListFile\.txt names no dialogue": with_text("valListFile.txt", "\n"),
    r"valListFile\.txt names a dialogue twice": with_text("valListFile.txt", "MUL2\nMUL2.json\n"),
    r"There is no valListFile\.txt or valListFile\.json": without("valListFile.txt"),
    r"There is no train_db\.json": without("train_db.json"),
    r"has no data\.json": without("data.json"),
    r"hotel_db\.json is not JSON": with_text("hotel_db.json", "[{"),
    r"hotel table, record 1: field 'name'": with_text("hotel_db.json", json.dumps([{"area": "east"}])),
    r"restaurant_db\.json: expected a list": with_text("restaurant_db.json", json.dumps(RECORDS)),
}


@pytest.mark.parametrize("says", BROKEN)
@pytest.mark.parametrize("packed", [False, True])
def test_broken_or_partial_files_are_named_and_change_nothing(
    says: str, packed: bool, source: Path, tmp_path: Path
) -> None:
    import_multiwoz(source, tmp_path / "data")
    before = contents(tmp_path / "data")
    given = files()
    BROKEN[says](given)
    broken = write_zip(tmp_path / "b.zip", given) if packed else write_folder(tmp_path / "broken", given)
    with pytest.raises(DatasetError, match=says):
        import_multiwoz(broken, tmp_path / "data")
    assert contents(tmp_path / "data") == before
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["toolwoz"]


def test_the_one_dialogue_that_some_copies_lack_is_listed_and_not_fatal(tmp_path: Path) -> None:
    given = files() | {"valListFile.txt": "MUL2\nMUL3\nPMUL4707\n"}
    report = import_multiwoz(write_folder(tmp_path / "source", given), tmp_path)
    assert Rejection("PMUL4707", "listed, but absent from the dialogues") in report.rejected


def test_a_dialogue_that_stands_there_twice_is_an_error(tmp_path: Path) -> None:
    given = files()
    given["data.json"] = given["data.json"].replace('"MUL3.json"', '"MUL2.json"')
    with pytest.raises(DatasetError, match="dialogue MUL2 stands there twice"):
        import_multiwoz(write_folder(tmp_path / "source", given), tmp_path)


def test_two_candidates_at_the_same_depth_are_an_error(tmp_path: Path) -> None:
    for version in ("2.0", "2.1"):
        write_folder(tmp_path / "source" / version, files())
    with pytest.raises(DatasetError, match=r"Two files could be meant: 2\.0/.* and 2\.1/"):
        import_multiwoz(tmp_path / "source", tmp_path / "data")


def test_a_zip_can_write_nowhere(tmp_path: Path) -> None:
    evil = write_zip(tmp_path / "a/b/evil.zip", files() | {"../../../escaped.txt": "boo"}, inside="")
    report = import_multiwoz(evil, tmp_path / "a/b/data")
    assert report.validation == 1
    assert not list(tmp_path.rglob("escaped.txt"))


def test_a_file_that_unpacks_to_more_than_any_multiwoz_file_is_refused(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolwoz.multiwoz_files.MULTIWOZ_21", replace(MULTIWOZ_21, largest=3000))
    for given in (source, write_zip(tmp_path / "bomb.zip", files())):
        with pytest.raises(DatasetError, match=r"data\.json has [\d,]+ bytes unpacked"):
            import_multiwoz(given, tmp_path / "data")


@pytest.mark.parametrize(("content", "says"), [(b"PK\x03\x04 no", "not a readable zip"), (b"", "not a readable zip")])
def test_a_file_that_is_no_zip_is_refused(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "file.zip"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=says):
        import_multiwoz(path, tmp_path)
    with pytest.raises(DatasetError, match="There is no"):
        import_multiwoz(tmp_path / "nothing", tmp_path)


def test_a_download_is_imported_and_leaves_no_zip_behind(source: Path, tmp_path: Path) -> None:
    body = write_zip(tmp_path / "made.zip", files()).read_bytes()
    with served(body) as url:
        report = download_multiwoz(tmp_path / "data", url)
    assert report == import_multiwoz(source, tmp_path / "other")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["toolwoz"]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"body": b"gone", "status": 404}, "answered 404"),
        ({"body": b"<html>a page</html>"}, "did not give a zip"),
        ({"body": b"PK half of it", "announced": 5000}, "broke off after|could not be fetched"),
    ],
)
def test_a_download_that_fails_says_so_and_what_to_do(answer: dict[str, Any], says: str, tmp_path: Path) -> None:
    with served(**answer) as url, pytest.raises(JoshError, match=says) as caught:
        download_multiwoz(tmp_path / "data", url)
    assert "data multiwoz PATH" in caught.value.remedy
    assert list((tmp_path / "data").iterdir()) == []


def test_a_download_without_a_connection_says_so(tmp_path: Path) -> None:
    with served(b"") as url:
        closed = url  # the port is shut once the server is gone
    with pytest.raises(DatasetError, match=r"could not be fetched: .*refused") as caught:
        download_multiwoz(tmp_path, closed)
    assert "another machine" in caught.value.remedy
    with pytest.raises(ConfigError, match="no web address"):
        download_multiwoz(tmp_path, "file:///etc/hostname")
