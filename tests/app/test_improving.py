"""The loop in one go: its steps in order, resumable at any of them; the fake players stand in for a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app import improving, services, trainings
from app.improving import Plan, improve
from josh_engine.errors import ConfigError, TrainingError
from tests.app import fake_parts

PLAN = Plan(
    world=fake_parts.WORLD, agent=fake_parts.AGENT, user=fake_parts.USER, model=fake_parts.MODEL, scenarios=8,
    judged=6, trainers=("sft",), also_at=(), beam=4,
)  # fmt: skip


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Training is a process of its own, tested in test_trainings; here a job is done as soon as it is begun."""
    done: list[str] = []

    def train(turn: Any, trainer: str, seed: int) -> str:
        assert (turn.folder / "rows" / improving.ROWS[trainer]).stat().st_size > 0
        done.append(f"{trainer}-{seed}")
        return ""  # no adapter: the same model again

    monkeypatch.setattr(improving._Turn, "train", train)
    return done


def test_the_steps_and_what_they_found(tmp_path: Path, trained: list[str]) -> None:
    said: list[str] = []
    with services.open_store(tmp_path / "josh.db") as store:
        done = improve(store, PLAN, tmp_path / "turn", data=tmp_path, tell=said.append)
        names = [run.name for run in services.list_runs(store)][::-1]
    assert names == ["turn: base at 1, seed 0", "turn: search", "turn: sft-0 at 1, seed 0"]
    assert trained == ["sft-0"] and done.positives > 0 and done.rows >= done.positives + done.negatives
    base, tuned = done.judged
    assert (base.model, base.paired, tuned.model) == ("base", None, "sft-0")
    assert tuned.paired is not None and tuned.paired.baseline == base.run and tuned.paired.n == 6
    assert tuned.paired.success_low <= tuned.paired.success_difference <= tuned.paired.success_high


def test_the_same_call_again_does_nothing_again(tmp_path: Path, trained: list[str]) -> None:
    with services.open_store(tmp_path / "josh.db") as store:
        first = improve(store, PLAN, tmp_path / "turn", data=tmp_path)
        said: list[str] = []
        assert improve(store, PLAN, tmp_path / "turn", data=tmp_path, tell=said.append) == first
        assert said == [] and len(services.list_runs(store)) == 3


@pytest.mark.parametrize("step", range(3))
def test_a_turn_goes_on_where_it_was_killed(
    tmp_path: Path, trained: list[str], monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Killed after each run was made, and before it was played."""
    with services.open_store(tmp_path / "josh.db") as store:
        with monkeypatch.context() as patched:
            resume, calls = services.resume_run, [0]

            def dies(*given: Any, **named: Any) -> Any:
                calls[0] += 1
                if calls[0] > step:
                    raise SystemExit
                return resume(*given, **named)

            patched.setattr(services, "resume_run", dies)
            with pytest.raises(SystemExit):
                improve(store, PLAN, tmp_path / "turn", data=tmp_path)
        improve(store, PLAN, tmp_path / "turn", data=tmp_path)
        assert [run.state for run in services.list_runs(store)] == ["done"] * 3


def test_another_plan_in_the_same_folder_is_refused(tmp_path: Path, trained: list[str]) -> None:
    with services.open_store(tmp_path / "josh.db") as store:
        improve(store, PLAN, tmp_path / "turn", data=tmp_path)
        with pytest.raises(ConfigError, match="another plan"):
            improve(store, Plan(scenarios=7), tmp_path / "turn", data=tmp_path)


@pytest.mark.parametrize(
    "plan", [Plan(trainers=("ppo",)), Plan(trainers=()), Plan(seeds=()), Plan(scenarios=0), Plan(preset="huge")]
)
def test_plans_that_cannot_be_are_refused_before_anything_is_played(tmp_path: Path, plan: Plan) -> None:
    with services.open_store(tmp_path / "josh.db") as store:
        with pytest.raises(ConfigError):
            improve(store, plan, tmp_path / "turn", data=tmp_path)
        assert services.list_runs(store) == () and not (tmp_path / "turn").exists()


def test_a_training_that_fails_says_why_and_is_tried_again(tmp_path: Path) -> None:
    """The fake model is no folder, so it cannot be trained."""
    with services.open_store(tmp_path / "josh.db") as store:
        with pytest.raises((ConfigError, TrainingError), match="cannot be trained here"):
            improve(store, PLAN, tmp_path / "turn", data=tmp_path)
        known = json.loads((tmp_path / "turn" / "improve.json").read_text())
        assert len(known["runs"]) == 2 and known["export"] and trainings.list_trainings(store) == ()
