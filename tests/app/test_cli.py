"""The command line's contract: JSON fields and exit codes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.__main__ import main
from app.launching import ROOT
from storage.database import open_store
from tests.app.conftest import PLAYERS

RUN_FIELDS = {
    "run", "state", "scenarios", "failed", "skipped", "average_reward", "success_rate", "calls", "tokens", "usd",
    "seconds", "critical_path_seconds",
}  # fmt: skip
MULTIWOZ = Path(__file__).parents[3] / "shared/data/multiwoz"


def test_run_says_its_figures(ask: Any) -> None:
    code, given = ask("run", *PLAYERS, "--split", "train", "--limit", "5", "--name", "mine", "--beam", "4")
    assert code == 0 and given.keys() >= RUN_FIELDS and "pass_k" not in given
    assert (given["state"], given["scenarios"], given["failed"], given["skipped"]) == ("done", 5, 0, 0)
    assert given["name"] == "mine" and given["calls"] > 0


def test_trials_add_pass_k(ask: Any) -> None:
    _, given = ask("run", *PLAYERS, "--limit", "3", "--trials", "2", "--strategy", "greedy")
    assert len(given["pass_k"]) == 2 and given["scenarios"] == 3


def test_scenarios_come_from_a_file(ask: Any, tmp_path: Path) -> None:
    (tmp_path / "chosen").write_text("train/4\n\n  train/2\n")
    _, given = ask("run", *PLAYERS, "--scenarios", str(tmp_path / "chosen"))
    _, tree = ask("tree", f"{given['run']}.1")
    assert tree["scenario"] == "train/4"


def test_the_papers_preset_reaches_the_agent_and_the_model(ask: Any, tmp_path: Path) -> None:
    _, given = ask("run", *PLAYERS, "--limit", "1", "--preset", "paper")
    with open_store(tmp_path / "josh.db") as store:
        config = json.loads(store.read("SELECT config FROM runs")[0]["config"])
        (started,) = store.read("SELECT body FROM events WHERE seq = 0 AND rollout = ?", (f"{given['run']}.1",))
    assert config["sampling"] == {"temperature": 1.5, "top_p": 0.75, "top_k": 50}
    assert "At most 3 generations." in started["body"]


def test_resume_of_a_done_run_says_the_same_again(ask: Any, played: str) -> None:
    code, given = ask("resume", played)
    assert code == 0 and given.keys() >= RUN_FIELDS and (given["run"], given["state"]) == (played, "done")


def test_a_budget_pauses_and_resume_raises_it(ask: Any) -> None:
    code, paused = ask("run", *PLAYERS, "--budget-calls", "10", "--concurrency", "1")
    assert code == 0 and (paused["state"], paused["paused_by"]) == ("paused", "budget")
    code, done = ask("resume", paused["run"], "--budget-calls", "100000")
    assert code == 0 and done["state"] == "done" and done["calls"] > paused["calls"]


def test_failed_rollouts_are_exit_1_and_resume_mends_them(
    ask: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fault").write_text("train/1")
    monkeypatch.setenv("FAKE_FAULT", str(tmp_path / "fault"))
    code, failed = ask("run", *PLAYERS, "--limit", "3")
    assert code == 1 and (failed["state"], failed["failed"]) == ("failed", 1)
    (tmp_path / "fault").unlink()
    code, mended = ask("resume", failed["run"], "--failed-only")
    assert code == 0 and (mended["state"], mended["failed"]) == ("done", 0)


def test_cancel_says_the_state(ask: Any, played: str) -> None:
    assert ask("cancel", played) == (0, {"run": played, "state": "done"})
    _, paused = ask("run", *PLAYERS, "--budget-calls", "10", "--concurrency", "1")
    assert ask("cancel", paused["run"]) == (0, {"run": paused["run"], "state": "cancelled"})


def test_list_says_every_run_newest_first(ask: Any, played: str) -> None:
    _, second = ask("evaluate", *PLAYERS, "--limit", "2")
    code, given = ask("list")
    assert code == 0 and [each["run"] for each in given["runs"]] == [second["run"], played]
    assert given["runs"][0].keys() >= {
        "run", "name", "world", "split", "strategy", "agent", "user", "state", "scenarios", "average_reward",
        "success_rate", "created",
    }  # fmt: skip
    assert (given["runs"][0]["strategy"], given["runs"][0]["split"]) == ("greedy", "test")


def test_list_without_a_store_is_empty_and_makes_none(ask: Any, tmp_path: Path) -> None:
    assert ask("list") == (0, {"runs": []})
    assert list(tmp_path.iterdir()) == []


def test_tree_says_every_turn(ask: Any, played: str) -> None:
    code, given = ask("tree", f"{played}/train/3")
    assert code == 0 and given["scenario"] == "train/3" and given["state"] == "done"
    assert given["goals"][0].keys() == {"id", "name", "arguments", "reached_by"}
    first, second = given["nodes"][:2]
    assert (first["id"], first["parent"], first["speaker"], first["label"]) == ("u", None, "user", None)
    assert second.keys() == {"id", "parent", "speaker", "label", "goals", "reason", "reply", "stop", "calls"}
    reached = {goal["reached_by"]: goal["id"] for goal in given["goals"] if goal["reached_by"]}
    nodes = {node["id"]: node for node in given["nodes"]}
    assert reached and all(goal in nodes[node]["goals"] for node, goal in reached.items())
    assert all(nodes[node]["label"] == "ideal" for node in reached)
    called = [call for node in given["nodes"] for call in node["calls"]]
    assert called and all(call.keys() == {"name", "arguments", "result", "error"} for call in called)
    assert ask("tree", given["rollout"])[1] == given


def test_tree_of_a_rollout_that_was_never_begun_is_empty(ask: Any) -> None:
    _, paused = ask("run", *PLAYERS, "--budget-calls", "1", "--concurrency", "1")
    code, given = ask("tree", f"{paused['run']}/train/11")
    assert (code, given["state"], given["average_reward"], given["nodes"]) == (0, "queued", None, [])


def test_export_says_files_counts_and_gates(ask: Any, played: str, tmp_path: Path) -> None:
    out = tmp_path / "rows"
    code, given = ask("export", played, "--format", "kto", "--out", str(out), "--unfiltered")
    assert code == 0 and given.keys() >= {"files", "rows", "positives", "negatives", "scenarios", "gates"}
    assert set(given["files"]) == {"kto.jsonl", "provenance.jsonl", "manifest.json"}
    assert given["rows"] == given["positives"] + given["negatives"] == len((out / "kto.jsonl").open().readlines())
    assert "Invented for tests, in josh-data." in (out / "manifest.json").read_text()
    ask("export", played, "--out", str(out), "--data", str(tmp_path / "elsewhere"))
    assert "Invented for tests, in elsewhere." in (out / "manifest.json").read_text()
    assert all(gate.keys() == {"ok", "count"} for gate in given["gates"].values())
    _, first = ask("export", played, "--format", "sft,dpo", "--format", "kto", "--out", str(out), "--rows",
                   "first_divergence")  # fmt: skip
    assert {"sft.jsonl", "dpo.jsonl", "kto.jsonl"} <= set(first["files"])


def test_evaluate_plays_greedily_and_compares(ask: Any) -> None:
    _, baseline = ask("evaluate", *PLAYERS, "--split", "train")
    code, given = ask("evaluate", *PLAYERS, "--split", "train", "--seed", "1", "--against", baseline["run"])
    assert code == 0 and given.keys() >= RUN_FIELDS
    assert given.keys() >= {"bad_api_use", "incorrect_format", "errors_by_api", "parameter_errors", "paired"}
    assert given["paired"].keys() >= {"difference", "low", "high", "fixed", "broken"}
    assert given["paired"]["difference"] == pytest.approx(given["average_reward"] - baseline["average_reward"])
    assert "paired" not in baseline


@pytest.mark.skipif(not MULTIWOZ.exists(), reason="the shared MultiWOZ folder is not here")
def test_data_multiwoz_imports_and_the_world_then_plays(ask: Any, tmp_path: Path) -> None:
    code, given = ask("data", "multiwoz", str(MULTIWOZ))
    assert code == 0 and (tmp_path / "josh-data" / "toolwoz").is_dir()
    assert {name: given[name] for name in ("world", "validation", "full_test", "test", "train")} == {
        "world": "toolwoz", "validation": 793, "full_test": 805, "test": 450, "train": 0,
    }  # fmt: skip
    assert given["goal_calls"] == given["credited"] == 4190
    assert given["repaired"] and given["rejected"] == []
    code, result = ask("run", "--world", "toolwoz", "--split", "val", "--limit", "3", "--agent", "scripted")
    assert code == 0 and result["average_reward"] is not None


def test_every_command_speaks_to_a_person_too(say: Any, played: str, tmp_path: Path) -> None:
    for words in (
        ["run", *PLAYERS, "--limit", "1", "--trials", "2"],
        ["evaluate", *PLAYERS, "--against", played, "--split", "train"],
        ["resume", played],
        ["cancel", played],
        ["list"],
        ["tree", f"{played}.1"],
        ["export", played, "--out", str(tmp_path / "rows")],
    ):
        code, out, _ = say(*words)
        assert code == 0 and len(out) > 10 and not out.lstrip().startswith("{")


def test_help_is_there_for_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--help"], ["run", "--help"], ["data", "multiwoz", "--help"], ["export", "--help"]):
        with pytest.raises(SystemExit, match="0"):
            main(words)
        assert "usage:" in capsys.readouterr().out


@pytest.mark.usefixtures("at_home")
def test_a_progress_bar_is_drawn_on_a_terminal_and_the_json_stays_alone(tmp_path: Path) -> None:
    watched, terminal = pty.openpty()
    child = subprocess.run(
        [sys.executable, "-m", "app", "run", *PLAYERS, "--limit", "3", "--json"],
        stdout=subprocess.PIPE, stderr=terminal, cwd=ROOT, check=True,
    )  # fmt: skip
    os.close(terminal)
    assert json.loads(child.stdout)["state"] == "done"
    assert b"3/3" in os.read(watched, 100_000)
    os.close(watched)


@pytest.mark.parametrize("words", [["list"], ["tree", "{run}.1"], ["resume", "{run}"]])
def test_the_command_line_loads_nothing_heavy(played: str, words: list[str]) -> None:
    heavy = ("pandas", "streamlit", "openai", "torch", "transformers", "sqlite_utils", "pyarrow")
    child = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "app", *(each.format(run=played) for each in words)],
        capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    imported = {line.rpartition("|")[2].strip() for line in child.stderr.splitlines()}
    assert "storage.database" in imported and imported.isdisjoint(heavy)
