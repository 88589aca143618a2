"""A person's parts are checked in a process of their own: whatever they do is a finding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app import checking, own_parts_listed, services
from josh_engine.errors import ConfigError
from tests.app import fake_parts

PARTS = """
import os, subprocess, sys, time
from dataclasses import replace
from tests.app.fake_parts import Agent, open_world
print("a part may print when it is imported", end="")

class Counting(Agent):
    turns = 0
    async def turn(self, *path):
        Counting.turns += 1
        return replace(await super().turn(*path), notes={"turn": Counting.turns})

def hang():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    time.sleep(60)

def crash():
    os._exit(3)

def shout():
    raise RuntimeError("not today")
"""
TOML = """
[worlds]
fake = "tests.app.fake_parts:open_world"
[agents]
counting = "own_parts_of_a_test:Counting"
hang = "own_parts_of_a_test:hang"
crash = "own_parts_of_a_test:crash"
shout = "own_parts_of_a_test:shout"
gone = "no_such_module_anywhere:X"
[models]
fake = "tests.app.fake_parts:open_model"
none = "tests.app.fake_parts:SIZES"
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_parts_of_a_test.py").write_text(PARTS)
    (tmp_path / "josh.toml").write_text(TOML)
    monkeypatch.setenv("JOSH_CONFIG", str(tmp_path / "josh.toml"))


@pytest.mark.parametrize(
    ("kind", "name", "finding"),
    [
        ("world", "fake", "Split 'empty' has no scenario."),
        ("agent", "counting", "gen-train-00000: The agent's turn differs for the same path and seed."),
        ("agent", "crash", "Its process ended with code 3: it said nothing"),
        ("agent", "shout", "RuntimeError: not today"),
        ("agent", "gone", "there is no module 'no_such_module_anywhere'"),
        ("model", "none", "A model has `complete("),
    ],
)
def test_a_part_that_breaks_its_contract_is_found(
    own: None, tmp_path: Path, kind: Any, name: str, finding: str
) -> None:
    checked = services.check_part(kind, name, tmp_path)
    assert not checked.ok and finding in checked.findings[0]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("agent", fake_parts.AGENT),
        ("user", fake_parts.USER),
        ("model", fake_parts.MODEL),
        ("world", "toolwoz-generated"),
    ],
)
def test_a_part_that_keeps_it_passes(tmp_path: Path, kind: Any, name: str) -> None:
    assert services.check_part(kind, name, tmp_path).findings == ()


def test_a_part_that_hangs_is_ended_with_all_it_started(own: None, tmp_path: Path) -> None:
    checked = checking.check_part("agent", "hang", tmp_path, limit=2.0)
    assert checked.findings == ("It gave no answer within 2 s.",)


def test_a_name_that_stands_for_nothing_is_no_finding_but_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Unknown agent"):
        services.check_part("agent", "nobody", tmp_path)


def test_the_command_line_checks_all_that_is_declared(own: None, ask: Any, tmp_path: Path) -> None:
    (tmp_path / "josh.toml").write_text('[users]\nmine = "tests.app.fake_parts:User"\n')
    code, given = ask("check")
    assert code == 0 and given["file"] == str(tmp_path / "josh.toml")
    assert [(part["kind"], part["name"], part["ok"]) for part in given["parts"]] == [("user", "mine", True)]
    code, given = ask("check", "world", fake_parts.WORLD)
    assert code == 1 and given["parts"][0]["findings"] == ["Split 'empty' has no scenario."]


def test_the_list_says_what_was_found(own: None, tmp_path: Path) -> None:
    declared = services.own_parts()
    names = [(kind, name) for kind, name, _ in own_parts_listed.every_part(declared)]
    assert names[:2] == [("world", "fake"), ("agent", "counting")] and ("user", "agenda") in names
    checked = services.check_part("world", "fake", tmp_path)
    listed = own_parts_listed.parts_listed(declared, {("world", "fake"): checked})
    texts = [cell["text"] for cell in listed.rows[0]["cells"]]
    assert texts[3:] == ["⚠ broken", "Split 'empty' has no scenario."]
    assert [cell["text"] for cell in listed.rows[1]["cells"]][3:] == ["○ not checked", ""]
