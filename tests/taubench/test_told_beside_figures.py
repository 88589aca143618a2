"""What a figure of this world must be read with stands beside it: strict arguments, and tasks nobody can fully win."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from app import choices, leaderboard, listings, services
from app.__main__ import main
from app.foreign import Imported, in_words
from app.leaderboard import Standing
from app.results import Evaluation
from taubench.world import open_world

OFFLINE = [
    "evaluate", "--world", "tau-retail", "--split", "train_all", "--agent", "gold_follower", "--user", "gold_reader",
    "--trials", "1",
]  # fmt: skip
CAVEAT = (
    "The gold writes of train-002 cannot all succeed; the grade asks for the others. Doing nothing earns 1.0 in"
    " train-002."
)


@pytest.fixture
def told(data, tmp_path, capsys):
    """`told(words)`: what the command line answers."""
    store = tmp_path / "josh.db"

    def tell(*words: str):
        assert main([*words, "--store", str(store), "--data", str(data)]) == 0
        return capsys.readouterr().out

    return tell


def play(told, *words: str) -> dict:
    return json.loads(told(*OFFLINE, *words, "--json"))


def test_strict_arguments_stand_beside_every_figure(told, tmp_path):
    strict, plain = play(told, "--strict-arguments"), play(told)
    assert (strict["options"], plain["options"]) == ({"strict_arguments": "on"}, {})
    assert "strict_arguments on" in told(*OFFLINE, "--strict-arguments")
    lines = {line["run"]: line for line in json.loads(told("list", "--json"))["runs"]}
    assert lines[strict["run"]]["options"] == {"strict_arguments": "on"}
    assert "tau-retail/train_all, strict arguments" in told("list")
    with services.open_store(tmp_path / "josh.db") as store:
        runs = [services.load_run(store, each["run"]) for each in (strict, plain)]
        standings = [Standing(run, services.evaluate_run(store, run.id, data=tmp_path / "data")) for run in runs]
        listed = listings.runs_listed(services.list_runs(store))
        assert choices.cloned(runs[0], [])["strict_arguments"] == "on"
    assert sum("strict arguments" in str(row) for row in listed.rows) == 2
    assert leaderboard.model_name(runs[0]) == "gold_follower, strict arguments"
    assert "strict arguments on against off" in leaderboard.warnings(standings[0], runs[1])
    board = leaderboard.board_listed(standings, runs[1].id, official=False)
    assert sum("strict arguments" in str(row) for row in board.rows) == 1


def test_tasks_whose_gold_writes_cannot_all_succeed_are_named_where_they_are_graded(told, data, tmp_path):
    judged = play(told)
    assert (judged["unachievable"], judged["won_by_doing_nothing"]) == (["train-002"], ["train-002"])
    assert judged["caveat"] == CAVEAT and judged["floor"] == 0.25
    assert CAVEAT in told(*OFFLINE)
    world = open_world(data)
    assert world.note("train_all") == CAVEAT and world.note("test") == (
        "1 of 4 tasks have no goal: a search skips them, plain play is graded."
    )
    with services.open_store(tmp_path / "josh.db") as store:
        run = services.load_run(store, judged["run"])
        standing = Standing(run, services.evaluate_run(store, run.id, data=data))
    assert leaderboard.board_listed([standing, standing], run.id, official=False).note == CAVEAT
    lost, other = (next(each for each in world.scenarios("train_all") if each.id == f"train-00{n}") for n in (2, 1))
    assert world.reward.graded(lost, (), world.environment(lost)).detail.endswith("gold writes can succeed.")
    assert "gold writes" not in world.reward.graded(other, (), world.environment(other)).detail
    assert world.caveat([other]) == "" == Evaluation(standing.judged.result, None, None, {}, ()).caveat


def test_an_import_says_it_of_what_it_grades_again(data, tmp_path, told):
    said = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "No."}]
    info = {"task": {"instruction": open_world(data).scenarios("train_all")[2].brief[0]}}
    made = [{"task_id": 2, "trial": 0, "reward": 1.0, "info": info, "traj": said}]
    (tmp_path / "r.json").write_text(json.dumps(made))
    imported = json.loads(told("import", str(tmp_path / "r.json"), "--json"))
    assert (imported["caveat"], imported["regraded"], imported["differing"]) == (CAVEAT, 1, [])
    assert CAVEAT in in_words(replace(Imported(**imported), run="x"))
