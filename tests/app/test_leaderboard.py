"""Whether one model is better than another: the words fire as seldom as they should, and say what is not comparable."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from app import evaluating, figures_csv, leaderboard, services
from app.leaderboard import Standing
from app.results import Comparison
from josh_engine.config import Run
from josh_engine.metrics import Wrong, compare
from josh_engine.values import Rollout, Sampling
from storage.trainings import add_training, end_training
from tests.app.conftest import REQUEST

SAME_MODEL = (0.35, 0.25, 0.4)  # chances of 0, 1 and 2 of two goals


def paired(**given: Any) -> Comparison:
    plain = {
        "baseline": "b", "n": 300, "pairs": 300, "difference": 0.1, "low": 0.05, "high": 0.15,
        "success_difference": 0.12, "success_low": 0.04, "success_high": 0.2, "p": 0.004,
        "fixed": ("s1", "s2"), "broken": ("s3",),
    }  # fmt: skip
    return Comparison(**{**plain, **given})


@pytest.fixture(scope="module")
def standings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Standing, Standing]:
    """Two runs of plain play on the fake world, really judged."""
    folder = tmp_path_factory.mktemp("board")
    with services.open_store(folder / "josh.db") as store:
        made = []
        for seed in (0, 1):
            asked = replace(REQUEST, split="test", strategy="greedy", seed=seed)
            run = services.create_run(store, services.build_config(asked, folder), name=f"=seed {seed}")
            services.run_here(store, run.id)
            made.append(services.load_run(store, run.id))
        base = Standing(made[0], services.evaluate_run(store, made[0].id))
        other = Standing(
            made[1], services.evaluate_run(store, made[1].id), evaluating.compare_runs(store, made[1].id, made[0].id)
        )
    return base, other


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.01, 0.2, "better"), (-0.2, -0.01, "worse"), (-0.1, 0.1, "undecided"), (0.0, 0.1, "undecided")],
)
def test_a_verdict_is_the_interval_s(low, high, said):
    assert paired(low=low, high=high).verdict == said


def test_the_sentence_says_verdict_figures_flips_and_what_n_resolves(standings):
    told = leaderboard.sentence(replace(standings[1], paired=paired()))
    assert told.startswith("Better: ")
    for part in ("+0.100 [0.050, 0.150]", "+0.120 [0.040, 0.200]", "2 fixed, 1 broken", "p 0.004", "n 300 of 300"):
        assert part in told
    assert leaderboard.resolved(paired()) == pytest.approx(2.8 * 0.05 / 1.96)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_of_2000_comparisons_of_a_model_with_itself_at_most_6_percent_are_decided():
    random, decided, n = Random(0), 0, 120

    def played() -> list[Rollout]:
        drawn = random.choices((0, 1, 2), SAME_MODEL, k=n)
        return [Rollout(str(each), "r", str(each), 0, "done", None, 2, won) for each, won in enumerate(drawn)]

    for _ in range(2_000):
        found = compare(played(), played())
        assert found is not None
        decided += not found.low <= 0 <= found.high
    assert 0.03 <= decided / 2_000 <= 0.06


def test_what_differs_between_two_runs_is_told(standings):
    base, other = standings
    assert leaderboard.warnings(other, base.run) == ()
    config = replace(
        other.run.config, user="goal", user_model="m", sampling=Sampling(temperature=0.0), options={"order": "list"}
    )
    told = leaderboard.warnings(replace(other, run=replace(other.run, config=config)), base.run)
    assert [each.split(" ")[0] for each in told] == ["user", "user's", "temperature", "test"]
    unfinished = replace(
        other, judged=replace(other.judged, result=replace(other.judged.result, state="running", failed=2))
    )
    assert len(leaderboard.warnings(unfinished, base.run)) == 2


def test_the_board_has_the_baseline_first_then_the_best_and_the_paper_s_rows_last(standings):
    base, other = standings
    listed = leaderboard.board_listed([other, base], base.run.id, official=True)
    assert [row["id"] for row in listed.rows][:2] == [base.run.id, other.run.id]
    assert [row["id"] for row in listed.rows][2:] == [name for name, _, _ in leaderboard.PAPER]
    assert all({cell["kind"] for cell in row["cells"]} == {"faint"} for row in listed.rows[2:])
    assert {len(row["cells"]) for row in listed.rows} == {len(leaderboard.BOARD)}
    assert len(leaderboard.board_listed([other, base], base.run.id, official=False).rows) == 2


def test_flips_lead_to_both_trees(standings):
    rows = leaderboard.flips_listed(replace(standings[1], paired=paired())).rows
    assert [row["cells"][0]["text"] for row in rows] == ["s1", "s2", "s3"]
    assert rows[0]["href"] == f"tree?run={standings[1].run.id}&scenario=s1&compare=b"
    only = leaderboard.flips_listed(replace(standings[1], paired=paired()), "Broken").rows
    assert [row["cells"][0]["text"] for row in only] == ["s3"]
    assert leaderboard.flips_listed(standings[0]).rows == []


def test_failed_calls_lead_to_their_turns(standings):
    base, other = standings
    mine = replace(other.judged, errors_by_api={"search_train": 3, "book_train": 1})
    its = replace(base.judged, errors_by_api={"search_hotel": 2})
    listed = leaderboard.calls_listed(replace(other, judged=mine), replace(base, judged=its), {"runs": "a,b"})
    assert [[cell["text"] for cell in row["cells"]] for row in listed.rows] == [
        ["search_train", "3", "0"], ["book_train", "1", "0"], ["search_hotel", "0", "2"],
    ]  # fmt: skip
    assert listed.rows[0]["href"] == "evaluate?runs=a%2Cb&api=search_train"
    found = [leaderboard.FailedCall("r.1", "s 1", "0.1", "search_train {}", "no such thing")]
    (row,) = leaderboard.turns_listed("r", found).rows
    assert row["href"] == "tree?run=r&scenario=s+1&node=0.1"


def test_the_csv_is_read_back_and_starts_no_formula(standings):
    base, other = standings
    named = replace(other.run, config=replace(other.run.config, model="=HYPERLINK(1)"))
    rows = list(csv.DictReader(io.StringIO(figures_csv.as_csv([base, replace(other, run=named)]))))
    assert [row["run"] for row in rows] == [base.run.id, other.run.id]
    assert rows[1]["model"] == "'=HYPERLINK(1)"
    assert float(rows[1]["average_reward"]) == other.judged.result.average_reward
    assert rows[0]["baseline"] == "" and rows[1]["baseline"] == base.run.id


def test_a_model_s_name_is_short_and_tells_its_adapter(standings):
    run: Run = standings[0].run

    def named(model: str | None, adapter: str | None) -> str:
        return leaderboard.model_name(replace(run, config=replace(run.config, model=model, adapter=adapter)))

    assert named("embedded", "/data/turn/sft-0/adapter") == "embedded + sft-0"
    assert named("/models/llama", "/data/other") == "llama + other"
    assert named("m@http://127.0.0.1:1/v1", None) == "m@http://127.0.0.1:1/v1"
    assert named(None, None) == run.config.agent


def test_calls_that_failed_are_found_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with services.open_store(tmp_path / "josh.db") as store:
        asked = replace(REQUEST, split="test", strategy="greedy")
        run = services.create_run(store, services.build_config(asked, tmp_path))
        services.run_here(store, run.id)
        judged = services.evaluate_run(store, run.id)
        for api, count in judged.errors_by_api.items():
            found = evaluating.failed_calls(store, run.id, Wrong(api=api), most=1_000)
            assert len(found) == count and all(each.error for each in found)
        assert evaluating.failed_calls(store, run.id, Wrong(api="no such tool"), most=10) == ()
        assert evaluating.compared(store, run.id, run.id) is not None


def test_an_adapter_is_judged_beside_its_base_and_a_base_is_played_once(tmp_path, monkeypatch):
    """The fake players stand in for a model: another seed for its adapter."""
    launched: list[str] = []

    def launch(store: services.Store, run_id: str) -> Run:
        launched.append(run_id)
        return services.load_run(store, run_id)

    def asked(*, split: str, limit: int, strategy: str, adapter: str | None, **_: Any) -> services.RunRequest:
        return replace(REQUEST, split=split, limit=limit, strategy=strategy, seed=0 if adapter is None else 1)

    monkeypatch.setattr(services, "launch_run", launch)
    monkeypatch.setattr(evaluating, "RunRequest", asked)
    with services.open_store(tmp_path / "josh.db") as store:
        base, tuned = evaluating.launch_evaluation(store, "m", "a", name="tuned", limit=3)
        assert launched == [base, tuned] and base != tuned
        services.run_here(store, base)
        again = evaluating.launch_evaluation(store, "m", None, name="", limit=3)
        assert again == (base, base) and len(launched) == 2


def test_table_4a_and_parameter_errors_lead_to_their_turns_and_stand_beside_the_paper_s(standings):
    base, other = standings
    errors = ({"api": "book_train", "parameter": "day", "kind": "wrong value", "count": 3, "share": 0.75},)
    kinds = {"bad_api_use": 0.2, "incorrect_format": 0.01, "cut": 0.05, "empty": 0.0}
    mine = replace(other.judged, error_kinds=kinds, parameter_errors=errors)
    rows = leaderboard.kinds_listed(replace(other, judged=mine), base, {"of": "x"}).rows
    assert [[cell["text"] for cell in row["cells"]][0:2] for row in rows] == [
        ["Bad API use", "20.0%"], ["Incorrect format", "1.0%"], ["Cut off", "5.0%"], ["Empty", "0.0%"],
    ]  # fmt: skip
    assert [cell["text"] for cell in rows[1]["cells"]][-2:] == ["25%", "1%"]
    assert rows[0]["href"] == "evaluate?of=x&table=bad_api_use"
    (row,) = leaderboard.parameters_listed(replace(other, judged=mine), {"of": "x"}).rows
    assert row["href"] == "evaluate?of=x&api=book_train&parameter=day&kind=wrong+value"
    assert (
        leaderboard.in_words(Wrong("book_train", parameter="day", kind="wrong value")) == "book_train, day: wrong value"
    )
    assert leaderboard.in_words(Wrong(table="bad_api_use")) == "Bad API use"


def test_the_order_of_multiwoz_stands_beside_its_figures(standings):
    config = replace(standings[0].run.config, world="toolwoz", split="test")
    assert leaderboard.played(config) == "toolwoz test, sorted ids"
    assert leaderboard.played(replace(config, options={"order": "list"})) == "toolwoz test, list order"
    assert "order" not in leaderboard.played(replace(config, world="another"))


def test_beams_are_listed_with_what_was_learnt_from_each_search(tmp_path, standings):
    with services.open_store(tmp_path / "josh.db") as store:
        made = []
        for beam in (4, 2):
            asked = replace(REQUEST, strategy="josh", beam=beam)
            run = services.create_run(store, services.build_config(asked, tmp_path), name=f"beam {beam}")
            services.run_here(store, run.id)
            made.append(run.id)
        services.export_rows(store, made[:1], formats=["sft"], out=tmp_path / "rows", data=tmp_path)
        rows, out = tmp_path / "rows" / "sft.jsonl", tmp_path / "adapter"
        job = add_training(store, name="learnt", model="m", rows=str(rows), out=str(out), config={}, folder="")
        end_training(store, job.id, "done", adapter=str(out))
        world = services.load_run(store, made[0]).config.world
        lines = evaluating.beam_lines(store, world)
        assert [each.run.config.strategy.max_beam for each in lines] == [2, 4]
        assert [dict(each.adapters) for each in lines] == [{}, {str(out): "learnt"}]
        assert evaluating.beam_lines(store, "another") == ()
    other = standings[1]
    judged = replace(other, run=replace(other.run, config=replace(other.run.config, adapter=str(out))))
    listed = leaderboard.beams_listed(lines, [judged])
    assert {len(row["cells"]) for row in listed.rows} == {len(leaderboard.BEAMS)}
    told = [[cell["text"] for cell in row["cells"]] for row in listed.rows]
    assert told[0][-2:] == ["–", "–"] and told[1][-2] == "learnt"
    assert told[1][-1] == f"{other.judged.result.success_rate:.3f} (6 of 6)"
    assert [each[0] for each in told] == ["2", "4", "4", "8", "16"]  # the paper's last
