"""What a person can do, end to end on the services: figures, trees, rows, comparison."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app import parts, services, tables
from app.results import RunResult
from josh_engine.config import Run, RunConfig, StrategyConfig
from josh_engine.errors import ConfigError, NotFound, StorageError
from josh_engine.extract import RowPolicy
from josh_engine.metrics import summarise
from josh_engine.tree import EMPTY, fold
from josh_engine.values import Verdict
from storage.exports import list_exports
from storage.verdicts import add_verdict
from tests.app.conftest import REQUEST

Store = services.Store


@pytest.fixture
def played(store: Store, run: Run) -> RunResult:
    return services.run_here(store, run.id)


@pytest.fixture
def greedy(store: Store, config: RunConfig) -> RunResult:
    evaluated = services.create_run(store, replace(config, strategy=StrategyConfig("greedy")), name="baseline")
    return services.run_here(store, evaluated.id)


def test_a_run_keeps_what_reproduces_it(store: Store, config: RunConfig, run: Run) -> None:
    assert (run.config, run.state, run.name) == (config, "queued", f"josh on {config.world}/train")
    assert run.code_version == parts.code_version()
    assert services.load_run(store, run.id) == run
    with pytest.raises(ConfigError):
        services.create_run(store, replace(config, trials=0))
    assert len(services.list_runs(store)) == 1


def test_a_result_is_the_metrics_of_its_rollouts(store: Store, played: RunResult) -> None:
    summary = summarise(services.list_rollouts(store, played.run))
    assert summary.average_reward is not None and summary.success_rate is not None
    assert played.average_reward == summary.average_reward.value
    assert played.average_reward_interval == (summary.average_reward.low, summary.average_reward.high)
    assert (played.success_rate, played.calls) == (summary.success_rate.value, summary.calls)
    assert 0 < played.average_reward < 1, "a test in which everything is won, or nothing, would show nothing"
    assert played.critical_path_seconds == max(
        each.critical_seconds for each in services.list_rollouts(store, played.run)
    )


def test_a_list_says_the_same_figures_as_the_results(store: Store, played: RunResult, greedy: RunResult) -> None:
    newest, oldest = services.list_runs(store)
    assert (newest.run, newest.strategy, newest.name) == (greedy.run, "greedy", "baseline")
    for line, result in ((newest, greedy), (oldest, played)):
        assert (line.average_reward, line.success_rate) == pytest.approx((result.average_reward, result.success_rate))
        assert (line.state, line.scenarios, line.finished) == ("done", 12, 12)


def test_trials_are_played_apart_and_give_pass_k(store: Store) -> None:
    config = services.build_config(replace(REQUEST, strategy="greedy", trials=3, limit=4), Path())
    result = services.run_here(store, services.create_run(store, config).id)
    assert (result.scenarios, result.rollouts, len(result.pass_k)) == (4, 12, 3)
    assert result.pass_k[0] == pytest.approx(result.success_rate) and result.pass_k[2] <= result.pass_k[0]
    trees = [services.open_rollout(store, f"{result.run}/train/1/{trial}").tree for trial in range(3)]
    assert len({json.dumps(sorted(tree.nodes["0"].turn.messages[0].content)) for tree in trees}) > 1
    line = services.list_runs(store)[0]
    assert line.success_rate == pytest.approx(result.success_rate)


def test_scenarios_without_goals_are_counted_as_skipped(store: Store) -> None:
    config = services.build_config(replace(REQUEST, split="aimless"), Path())
    result = services.run_here(store, services.create_run(store, config).id)
    assert (result.state, result.skipped, result.average_reward, result.success_rate) == ("done", 1, None, None)


def test_a_rollout_is_opened_by_its_id_and_by_its_scenario(store: Store, played: RunResult) -> None:
    by_name = services.open_rollout(store, f"{played.run}/train/2")
    assert by_name == services.open_rollout(store, f"{played.run}/train/2/0")
    assert by_name == services.open_rollout(store, by_name.rollout.id)
    assert by_name.rollout.scenario_id == "train/2"
    assert by_name.tree.average_reward == by_name.rollout.average_reward
    assert set(by_name.labels) == {each.id for each in by_name.tree.nodes.values() if each.turn.speaker == "agent"}
    assert by_name.last_seq == by_name.rollout.events - 1
    assert "At most 10 generations." in by_name.tree.preamble.messages[0].content


@pytest.mark.parametrize("ref", ["nope", "nope/train/1", "{run}/train/99", "{run}/train/1/7", "{run}.99", "{run}/"])
def test_a_rollout_that_is_not_there_is_told(store: Store, played: RunResult, ref: str) -> None:
    with pytest.raises(NotFound):
        services.open_rollout(store, ref.format(run=played.run))


def test_a_live_page_folds_the_events_behind_those_it_has(store: Store, played: RunResult) -> None:
    opened = services.open_rollout(store, f"{played.run}.1")
    events = services.run_events(store, opened.rollout.id)
    first, rest = events[:4], services.run_events(store, opened.rollout.id, after=3)
    assert events == (*first, *rest) and rest
    tree = fold((event for _, event in rest), onto=fold((event for _, event in first), onto=EMPTY))
    assert tree == opened.tree


def test_a_verdict_changes_label_and_rows(store: Store, played: RunResult) -> None:
    before, _ = services.export_files(store, [played.run], formats=["kto"])
    ref, node = _a_negative(store, played)
    add_verdict(store, Verdict("v1", ref, node, "exclude", "ann", "2026-01-01T00:00:00Z"))
    assert services.open_rollout(store, ref).labels[node] == "off_path"
    after, _ = services.export_files(store, [played.run], formats=["kto"])
    assert after.negatives < before.negatives and after.positives == before.positives


def test_rows_are_written_with_their_provenance_and_recorded(store: Store, played: RunResult, tmp_path: Path) -> None:
    out = tmp_path / "rows" / "new"
    result = services.export_rows(store, [played.run], formats=["sft", "kto", "dpo", "openai"], out=out)
    assert {each.name for each in out.iterdir()} == set(result.files)
    lines = [json.loads(line) for line in (out / "kto.jsonl").read_text().splitlines()]
    assert len(lines) == result.positives + result.negatives and {line["label"] for line in lines} == {True, False}
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["runs"][0]["config"]["scenarios"] == [f"train/{number}" for number in range(12)]
    assert manifest["attribution"] == {REQUEST.world: "Invented for tests, in josh-data."}
    recorded = list_exports(store)[0]
    assert (recorded.id, recorded.files, recorded.runs) == (result.id, result.files, [played.run])


def test_a_download_holds_the_same_rows_and_records_nothing(store: Store, played: RunResult, tmp_path: Path) -> None:
    result, files = services.export_files(store, [played.run], formats=["kto"])
    written = services.export_rows(store, [played.run], formats=["kto"], out=tmp_path / "rows")
    assert files["kto.jsonl"] == (tmp_path / "rows" / "kto.jsonl").read_bytes()
    assert (result.id, written.id) == (None, "e1") and len(list_exports(store)) == 1


def test_unfiltered_rows_hold_more_and_a_test_split_is_no_silent_source(store: Store, played: RunResult) -> None:
    strict, _ = services.export_files(store, [played.run], formats=["kto"])
    loose, _ = services.export_files(store, [played.run], formats=["kto"], policy=RowPolicy(filtered=False))
    assert loose.scenarios > strict.scenarios and loose.rows > strict.rows
    assert strict.gates["test_scenarios"].ok and strict.gates["contradictory"].ok
    config = services.build_config(replace(REQUEST, split="test"), Path())
    tested = services.run_here(store, services.create_run(store, config).id)
    leaky, _ = services.export_files(store, [tested.run], formats=["kto"], policy=RowPolicy(filtered=False))
    assert not leaky.gates["test_scenarios"].ok


def test_rows_that_cannot_be_written_leave_nothing(store: Store, played: RunResult, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        services.export_rows(store, [played.run], formats=["kto"], out=tmp_path / "file" / "rows")
    with pytest.raises(ConfigError, match="Unknown row format 'csv'"):
        services.export_files(store, [played.run], formats=["csv"])
    with pytest.raises(NotFound):
        services.export_files(store, ["nope"], formats=["kto"])
    assert list_exports(store) == ()


def test_an_evaluation_says_what_went_wrong_and_whether_it_got_better(
    store: Store, played: RunResult, greedy: RunResult
) -> None:
    judged = services.evaluate_run(store, played.run, against=greedy.run)
    assert judged.paired is not None and judged.paired.n == 12
    assert judged.paired.difference == pytest.approx((played.average_reward or 0) - (greedy.average_reward or 0))
    assert judged.paired.low <= judged.paired.difference <= judged.paired.high
    alone = services.evaluate_run(store, greedy.run)
    assert alone.paired is None and alone.incorrect_format and sum(alone.errors_by_api.values()) > 0


def test_runs_without_a_scenario_in_common_cannot_be_compared(store: Store, played: RunResult) -> None:
    config = services.build_config(replace(REQUEST, split="test"), Path())
    other = services.run_here(store, services.create_run(store, config).id)
    with pytest.raises(ConfigError, match="no scenario in common"):
        services.evaluate_run(store, played.run, against=other.run)
    with pytest.raises(NotFound):
        services.evaluate_run(store, played.run, against="nope")


def test_frames_have_a_row_for_each_thing(store: Store, played: RunResult) -> None:
    assert list(tables.runs_frame(services.list_runs(store))["run"]) == [played.run]
    rollouts = tables.rollouts_frame(services.list_rollouts(store, played.run))
    assert list(rollouts["scenario"]) == [f"train/{number}" for number in range(12)]
    won = next(each for each in services.list_rollouts(store, played.run) if each.won == each.goals)
    goals = tables.goals_frame(services.open_rollout(store, won.id))
    assert list(goals["goal"]) == ["find_hotel", "book_hotel"] and all(goals["exchange"] >= 1)
    assert tables.runs_frame(()).empty


def _a_negative(store: Store, played: RunResult) -> tuple[str, str]:
    """A turn that yields a downvoted row."""
    _, files = services.export_files(store, [played.run], formats=["kto"])
    for line in map(json.loads, files["provenance.jsonl"].splitlines()):
        if line["label"] == "negative":
            return line["rollout"], line["node"]
    raise AssertionError("no negative in this run")
