"""Files come in whole and checked, or not at all."""

from __future__ import annotations

import json
import shutil

import pytest

from josh_engine.errors import DatasetError
from taubench.tasks import import_retail


def test_what_is_imported_is_counted_and_is_the_official_one(files, tmp_path):
    made = import_retail(files, tmp_path / "taubench")
    assert (made.train, made.dev, made.test, made.gold_calls) == (500, 20, 115, 1375)
    assert (made.unsuccessful, made.unachievable, made.official) == (44, 19, True)
    assert (tmp_path / "taubench" / "LICENSE").is_file()
    assert [each.name for each in tmp_path.iterdir()] == ["taubench"]


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("tasks_dev.json", lambda tasks: tasks[3].pop("instruction"), "task 3: instruction"),
        ("tasks_dev.json", lambda tasks: tasks[2]["actions"].append({"name": "fly", "kwargs": {}}), "task 2, action"),
        ("users.json", lambda users: users.update(x=1), "users.json holds no records"),
    ],
)
def test_what_is_wrong_is_named_by_file_index_and_field(files, tmp_path, file, change, said):
    broken = tmp_path / "broken"
    shutil.copytree(files, broken)
    for each in broken.iterdir():
        each.chmod(0o644)
    broken.chmod(0o755)
    told = json.loads((broken / file).read_text())
    change(told)
    (broken / file).write_text(json.dumps(told))
    with pytest.raises(DatasetError, match=said):
        import_retail(broken, tmp_path / "taubench")
    assert not (tmp_path / "taubench").exists()


def test_the_command_line_imports(files, tmp_path, capsys):
    from app.__main__ import main

    words = [
        "data",
        "taubench",
        str(files),
        "--data",
        str(tmp_path / "data"),
        "--store",
        str(tmp_path / "josh.db"),
        "--json",
    ]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["official"] is True
    assert main(["data", "taubench", str(tmp_path / "none"), "--data", str(tmp_path / "data")]) == 2
