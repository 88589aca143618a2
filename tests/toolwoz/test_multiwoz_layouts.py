"""What people take for MultiWOZ 2.1 is named, with what is needed in its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.__main__ import main
from josh_engine.errors import DatasetError
from tests.toolwoz.multiwoz_sample import files, write_folder, write_zip
from toolwoz.multiwoz import import_multiwoz


def turns(identity: str, service: str) -> str:
    told = {"speaker": "USER", "utterance": "A room.", "frames": [], "turn_id": "0"}
    return json.dumps([{"dialogue_id": identity, "services": [service], "turns": [told]}])


OF_22 = {"train/dialogues_001.json": turns("SNG01.json", "hotel"), "schema.json": "[]"}
LAYOUTS = {
    "MultiWOZ 2.2": OF_22,
    "MultiWOZ 2.2 (": {"data/MultiWOZ_2.2/dev/dialogues_001.json": "not even JSON", "db/hotel_db.json": "[]"},
    "Schema-Guided": {"train/dialogues_001.json": turns("1_00000", "Hotels_2"), "train/schema.json": "[]"},
    "TRADE": {"data/train_dials.json": "[]", "data/dev_dials.json": "[]", "data/test_dials.json": "[]"},
    "ConvLab-3": {"data/dialogues.json": "[]", "data/ontology.json": "{}"},
}


def in_folders(folder: Path, contents: dict[str, str]) -> Path:
    for name, text in contents.items():
        write_folder((folder / name).parent, {Path(name).name: text})
    return folder


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(("name", "contents"), LAYOUTS.items())
def test_another_layout_is_named_with_what_is_needed(
    name: str, contents: dict[str, str], zipped: bool, tmp_path: Path
) -> None:
    make = write_zip if zipped else in_folders
    source = make(tmp_path / "source", contents)
    with pytest.raises(DatasetError) as caught:
        import_multiwoz(source, tmp_path / "data")
    assert name in caught.value.message and "goals" in caught.value.message
    assert "MultiWOZ_2.1.zip" in caught.value.remedy and not (tmp_path / "data").exists()


def test_a_file_of_2_2_s_is_told_as_its_folder_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = in_folders(tmp_path / "source", OF_22)
    words = ["--data", str(tmp_path / "data"), "--store", str(tmp_path / "josh.db")]
    assert main(["data", "multiwoz", str(folder / "train" / "dialogues_001.json"), *words]) == 2
    assert "MultiWOZ 2.2" in capsys.readouterr().err


def test_2_1_with_another_version_beside_it_is_taken(tmp_path: Path) -> None:
    source = in_folders(write_folder(tmp_path / "source", files()), {"MultiWOZ_2.2/dev/dialogues_001.json": "[]"})
    assert import_multiwoz(source, tmp_path / "data").validation == 1
