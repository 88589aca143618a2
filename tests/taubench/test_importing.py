"""Files come in whole and checked, from any form in which they are published, or not at all."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from app import importing
from app.__main__ import main
from josh_engine.errors import DatasetError, JoshError
from taubench.files import read_source
from taubench.tasks import download_retail, import_retail
from taubench.world import open_world
from tests.app.test_importing import ended
from tests.served import served
from tests.taubench.small_shop import TASKS, plain_files, python_tasks, repository_files, write_folder, write_zip

EXCLUDED = [24, 27, 81, 148, 161, 214, 229, 252, 253, 288, 314, 349, 351, 369, 376, 427, 431, 441, 469]


def test_what_is_imported_is_counted_and_is_the_official_one(files, tmp_path):
    made = import_retail(files, tmp_path)
    assert (made.train, made.dev, made.test, made.gold_calls) == (500, 20, 115, 1375)
    assert (made.unsuccessful, made.official) == (44, True)
    assert made.excluded == tuple(f"train-{number:03d}" for number in EXCLUDED)
    assert (tmp_path / "tau-retail" / "LICENSE").is_file()
    assert [each.name for each in tmp_path.iterdir()] == ["tau-retail"]


def source_folder(place: Path) -> Path:
    return write_folder(place)


def source_repository(place: Path) -> Path:
    return write_folder(place, repository_files())


def source_zip(place: Path) -> Path:
    place.mkdir()
    return write_zip(place / "tau-bench.zip")


@pytest.mark.parametrize("make", [source_folder, source_repository, source_zip])
def test_a_folder_a_repository_and_its_zip_give_the_same_tasks(make: Callable[[Path], Path], tmp_path: Path):
    made = import_retail(make(tmp_path / "source"), tmp_path / "data")
    assert (made.train, made.dev, made.test, made.excluded, made.official) == (4, 1, 4, ("train-002",), False)
    assert (made.gold_calls, made.unsuccessful) == (15, 2)
    place = tmp_path / "data" / "tau-retail"
    for split, tasks in TASKS.items():
        assert json.loads((place / f"tasks_{split}.json").read_text()) == tasks
    told = json.loads((place / "manifest.json").read_text())
    assert told["report"]["excluded"] == ["train-002"] and "Sierra" in told["attribution"]
    assert set(told["sha256"]) == {each.name for each in place.iterdir()} - {"manifest.json"}


def broken(name: str, change: Callable[[str], str]) -> dict[str, str]:
    files = repository_files()
    place = next(each for each in files if each.endswith(f"retail/{name}"))
    return {**files, place: change(files[place])}


NOT_A_TASK = {
    "is not readable Python": "TASKS = [",
    "holds 0 lists": "TASKS = None",
    "holds 2 lists": "A = []\nB = []",
    r"task 1 is no Task": python_tasks("dev").replace("]\n", "    print('ran')]\n"),
    r"task 0: user_id is no plain value": python_tasks("dev").replace("'ada_byron_1001'", "open('/etc/hostname')"),
    r"task 0, action 0 is no Action": python_tasks("dev").replace("Action(name=", "dict(name="),
    r"task 0, action 0: kwargs is no plain value": python_tasks("dev").replace("kwargs={", "kwargs={**x, "),
    r"task 0: actions is no list": python_tasks("dev").replace("actions=[", "actions=None, more=["),
    r"task 0: outputs is no plain value": python_tasks("dev").replace("outputs=[]", "outputs={'1'}"),
    r"task 0, action 0: kwargs is no plain value.": python_tasks("dev").replace("kwargs={", "kwargs={'x': 1e999, "),
    r"task 0: instruction is no str": python_tasks("dev").replace("instruction=", "instructed="),
}


@pytest.mark.parametrize(("said", "text"), NOT_A_TASK.items())
def test_task_files_are_read_and_never_run(said: str, text: str, tmp_path: Path, capsys):
    source = write_folder(tmp_path / "source", broken("tasks_dev.py", lambda _: text))
    with pytest.raises(DatasetError, match=said) as caught:
        import_retail(source, tmp_path / "data")
    assert "tasks_dev" in caught.value.message and caught.value.remedy
    assert capsys.readouterr().out == "" and not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("tasks_dev.json", lambda told: told[0].pop("instruction"), "task 0: instruction"),
        ("tasks_dev.json", lambda told: told[0]["actions"].append({"name": "fly", "kwargs": {}}), "task 0, action 1"),
        ("tasks_dev.json", lambda told: told[0]["actions"].append({"name": ["x"], "kwargs": {}}), "task 0, action 1"),
        ("tasks_dev.json", lambda told: told[0].update(outputs=[1]), "task 0: outputs"),
        ("tasks_dev.json", lambda told: told[0].update(id=True), "task 0: no task with an id"),
        ("tasks_test.json", lambda told: told[2].update(id=0), "task 2: id 0 is task 0's too"),
        ("users.json", lambda told: told.update(x=1), "users.json holds no records"),
        ("orders.json", lambda told: told["#W0000001"].update(total=math.nan), "orders.json .* holds NaN"),
    ],
)
def test_what_is_wrong_is_named_by_file_index_and_field(tmp_path, file, change, said):
    told = json.loads(plain_files()[file])
    change(told)
    source = write_folder(tmp_path / "source", {**plain_files(), file: json.dumps(told)})
    before = import_retail(write_folder(tmp_path / "whole"), tmp_path / "data")
    with pytest.raises(DatasetError, match=said):
        import_retail(source, tmp_path / "data")
    assert len(open_world(tmp_path / "data").scenarios("train_all")) == before.train, "what was there stays"


@pytest.mark.parametrize("name", [*plain_files()])
def test_a_file_that_is_absent_is_named(name: str, tmp_path: Path):
    files = plain_files()
    del files[name]
    source = write_folder(tmp_path / "source", files)
    if name == "LICENSE":
        assert "LICENSE" not in read_source(source)
        return
    with pytest.raises(DatasetError, match=rf"no {name} in source"):
        import_retail(source, tmp_path / "data")


def test_a_zip_that_is_none_or_too_large_is_refused(tmp_path: Path, monkeypatch):
    (tmp_path / "no.zip").write_bytes(b"no zip")
    with pytest.raises(DatasetError, match="not a readable zip"):
        import_retail(tmp_path / "no.zip", tmp_path / "data")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        for folder in ("a", "b"):
            for name, text in plain_files().items():
                archive.writestr(f"{folder}/{name}", text)
    with pytest.raises(DatasetError, match="Two folders could be meant: a and b"):
        import_retail(tmp_path / "two.zip", tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_download_is_imported_and_leaves_no_zip_behind(tmp_path: Path):
    with served(write_zip(tmp_path / "made.zip").read_bytes()) as url:
        made = download_retail(tmp_path / "data", url)
    assert made.excluded == ("train-002",)
    assert [each.name for each in (tmp_path / "data").iterdir()] == ["tau-retail"]


def test_a_download_that_fails_says_what_to_do(tmp_path: Path):
    with served(b"gone", status=404) as url, pytest.raises(JoshError, match="answered 404") as caught:
        download_retail(tmp_path / "data", url)
    assert "data taubench PATH" in caught.value.remedy and list((tmp_path / "data").iterdir()) == []


def test_the_page_s_import_goes_on_in_a_process_of_its_own(tmp_path: Path):
    data = tmp_path / "data"
    with write_zip(tmp_path / "made.zip").open("rb") as upload:
        kept = importing.keep_upload("tau-retail", upload, data)
    importing.start_import("tau-retail", kept, data)
    state = ended(data, "tau-retail")
    assert (state.state, state.report["excluded"]) == ("done", ["train-002"]) and not kept.exists()
    there = importing.imported("tau-retail", data)
    assert there is not None and there.report == state.report and there.changed == ()
    (data / "tau-retail" / "wiki.md").write_text("Other rules.")
    again = importing.imported("tau-retail", data)
    assert again is not None and again.changed == ("wiki.md",)
    assert importing.import_state("toolwoz", data).state == "none", "worlds are apart"


def test_the_command_line_imports_and_its_fields_are_those_of_the_contract(tmp_path: Path, capsys):
    words = ["--data", str(tmp_path / "data"), "--store", str(tmp_path / "josh.db")]
    assert main(["data", "taubench", str(write_folder(tmp_path / "source")), *words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"world", "train", "dev", "test", "excluded", "database_hash"} <= set(told)
    assert (told["world"], told["excluded"], len(told["database_hash"])) == ("tau-retail", ["train-002"], 64)
    assert main(["data", "taubench", str(tmp_path / "none"), *words]) == 2
    assert main(["data", "taubench", *words]) == 2
    assert "--download" in capsys.readouterr().err
