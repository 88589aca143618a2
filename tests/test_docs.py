"""Every command and every snippet in the documents runs as it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from app import catalog
from app.arguments import parse

ROOT = Path(__file__).parent.parent
BROUGHT = (
    ("MULTIWOZ", "toolwoz", ROOT / "../shared/data/multiwoz"),
    ("TAUBENCH", "tau-retail", ROOT / "../shared/data/tau_retail"),
)
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
DOCUMENTS += [ROOT / "bench/README.md"]


def blocks(language: str) -> list[tuple[Path, str]]:
    fence = re.compile(rf"```{language}\n(.*?)```", re.S)
    return [(path, body) for path in DOCUMENTS for body in fence.findall(path.read_text(encoding="utf-8"))]


def commands() -> list[str]:
    lines = [line.split(" #")[0].strip() for _, body in blocks("sh") for line in body.splitlines()]
    return [line for line in lines if line]


def run(line: str, folder: Path, *, store: Path | None = None) -> subprocess.CompletedProcess[str]:
    program, *arguments = shlex.split(line)
    assert program == "python"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JOSH_STORE": str(store or folder / "josh.db")}
    environment.pop("JOSH_DATA", None)
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=880
    )


def test_the_documents_hold_commands():
    assert len(commands()) >= 8


def test_make_commands_are_targets_of_the_makefile():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = [line.split()[1] for line in commands() if line.startswith("make ")]
    assert {"run", "test"} <= set(named) <= targets


def test_every_command_is_one_we_know_how_to_run():
    for line in commands():
        assert line.startswith(("make ", "python -m app ", "python -m bench")), line


@pytest.mark.timeout(600)
@pytest.mark.long(100)
def test_the_app_commands_run_in_the_order_in_which_they_stand(tmp_path):
    run_id = "none yet"
    for line in commands():
        if not line.startswith("python -m app "):
            continue
        if any(not place.exists() and (name in line or f"--world {world} " in line) for name, world, place in BROUGHT):
            continue  # the real data are not beside this checkout
        for name, _, place in BROUGHT:
            line = line.replace(name, str(place.resolve()))
        line = line.replace("RUN", run_id)
        done = run(line, tmp_path)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        listed = json.loads(run("python -m app list --json", tmp_path).stdout)["runs"]
        josh = [each["run"] for each in listed if each["strategy"] == "josh" and each["world"] == "toolwoz-generated"]
        run_id = josh[0] if josh else run_id
    assert (tmp_path / "rows" / "kto.jsonl").stat().st_size > 0


def test_commands_too_long_to_run_here_are_ones_that_can_be_given():
    """Those in fences without a language."""
    fence = re.compile(r"^```(\w*)\n(.*?)^```$", re.S | re.M)
    told = [each for path in DOCUMENTS for each in fence.findall(path.read_text(encoding="utf-8"))]
    found = [body for language, body in told if not language]
    lines = [line.split(" #")[0] for body in found for line in body.splitlines() if "-m app " in line]
    assert len(lines) >= 6
    for line in lines:
        parse(shlex.split(line.partition("-m app ")[2]))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("line", sorted({line for line in commands() if line.startswith("python -m bench")}))
def test_the_measurements_run(line, tmp_path):
    done = run(line, ROOT, store=tmp_path / "josh.db")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize(("path", "code"), blocks("python"), ids=lambda value: getattr(value, "name", "snippet"))
def test_snippets_run(path, code, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=170, check=False
    )
    assert done.returncode == 0, done.stderr
    if path.name == "README.md":
        assert done.stdout.startswith("1.0 ") and "'label': False" in done.stdout


def test_using_josh_takes_at_most_20_lines():
    (snippet,) = [code for path, code in blocks("python") if path.name == "README.md"]
    assert len([line for line in snippet.splitlines() if line.strip()]) <= 20


def test_files_named_in_the_readme_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"\]\(((?!http)[^)]+)\)|`([\w/]+(?:\.py|\.md|\.txt|/))`", text):
        path = name[0] or name[1]
        found = any((ROOT / base / path).exists() for base in ("", "josh_engine", "app"))
        assert found, f"README names {path}, which is not there"


def test_the_players_that_play_by_default_are_those_of_the_code():
    text = (ROOT / "docs/players.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| ((?:agent|user) `\w+`) \|(.+)\|$", text, re.M))
    default = {f"agent `{catalog.DEFAULT_AGENT}`", f"user `{catalog.DEFAULT_USER}`"}
    assert {player for player, told in table.items() if "the default" in told} == default
    assert f"without `--model` the `{catalog.EMBEDDED_MODEL}` one" in table[f"agent `{catalog.DEFAULT_AGENT}`"]
    assert "without any model" in table[f"agent `{catalog.OFFLINE_AGENT}`"]
    for world, suited in catalog.SUITED.items():
        assert f"`{world}` is played by the agent `{suited.agent}` with the user `{suited.user}`" in text
    known = {f"{kind} `{name}`" for kind in ("agent", "user") for name in catalog.CATALOG[kind]}  # type: ignore[index]
    assert set(table) <= known


def test_the_josh_toml_in_the_documents_is_read(tmp_path):
    shown = [body for _, body in blocks("toml")]
    assert shown
    for body in shown:
        (tmp_path / "josh.toml").write_text(body, encoding="utf-8")
        done = run("python -m app probe --json", tmp_path)
        assert done.returncode == 0, done.stderr
        named = re.findall(r"^\[models\.([\w-]+)\]", body, re.M)
        assert named == [each["name"] for each in json.loads(done.stdout)["endpoints"]]
