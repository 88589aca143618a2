"""The pages as Streamlit runs them, without a browser: what they say, and what they refuse."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import choices, services
from josh_engine.config import Run
from josh_engine.encoding import to_json
from tests.app import fake_parts
from tests.app.sample_search import HOSTILE

ROOT = Path(__file__).parents[2]
PATIENCE = 150  # seconds; a page is drawn in one, on a machine that has nothing else to do
HEAVY = ("torch", "transformers", "trl", "peft", "datasets")

SHARED = ("Web page: click and replay", "pyvis network", "GraphML", "JSON (networkx)")


@pytest.fixture
def played(store: services.Store, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A finished run in the store that the pages open."""
    monkeypatch.setenv("JOSH_STORE", str(tmp_path / "josh.db"))
    monkeypatch.delenv("JOSH_DATA", raising=False)
    services.run_here(store, run.id)
    return run


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOSH_STORE", str(tmp_path / "empty.db"))
    monkeypatch.delenv("JOSH_DATA", raising=False)


def opened(page: str, **params: str) -> AppTest:
    test = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=PATIENCE)
    test.run()
    for name, value in params.items():
        test.query_params[name] = value
    return test.switch_page(f"pages/{page}.py").run()


def said(test: AppTest) -> str:
    assert not test.exception
    return "\n".join(element.value for element in test.text)


def test_an_empty_store_offers_a_start_on_every_page(empty: None):
    assert "No runs yet" in said(opened("overview"))
    assert "No runs yet" in said(opened("run"))
    assert "No runs yet" in said(opened("tree"))


def test_the_overview_counts_what_is_there(played: Run):
    test = opened("overview")
    assert said(test).startswith("JOSH lets")
    assert next((each.label, each.value) for each in test.metric) == ("Scenarios explored", "12")


def test_a_run_shows_its_figures_with_their_intervals(played: Run):
    test = opened("run", run=played.id)
    assert "Ended" in said(test)
    figures = {each.label: each for each in test.metric}
    assert figures["Average Reward"].delta.startswith("95 %")
    assert figures["Model outputs"].value != "0"
    assert not [each.label for each in test.button if each.label in ("Stop", "Cancel", "Resume")]


def test_a_tree_says_how_the_search_ended(played: Run):
    scenario = played.config.scenarios[0]
    test = opened("tree", run=played.id, scenario=scenario)
    assert f"▸  {scenario}" in said(test)
    assert "exchanges" in said(test)
    labels = [each.label for each in test.get("download_button")]
    assert labels == ["SFT", "KTO", "DPO", "All, with provenance", *SHARED]


@pytest.mark.parametrize("page", ["run", "tree"])
def test_an_unknown_run_is_told_with_the_store_it_is_not_in(played: Run, page: str):
    words = said(opened(page, run=HOSTILE[0]))
    assert f"Run `{HOSTILE[0]}` is not in this store." in words
    assert "josh.db" in words


def test_unknown_scenarios_trials_and_turns_are_told(played: Run):
    first = played.config.scenarios[0]
    assert f"Scenario `{HOSTILE[1]}` is not" in said(opened("tree", run=played.id, scenario=HOSTILE[1]))
    assert f"Scenario `{first}` is not" in said(opened("tree", run=played.id, scenario=first, trial="7"))
    assert "Turn `9.9` is not in this tree." in said(opened("tree", run=played.id, scenario=first, node="9.9"))


def test_the_paper_s_preset_fills_the_form(empty: None):
    test = opened("run")
    test.button(key="paper").click().run()
    fields = {each.label: each.value for each in test.number_input}
    assert (fields["Temperature"], fields["Top-k"], fields["Beam"], fields["Generations per turn"]) == (1.5, 50, 8, 3)


def test_a_field_s_value_is_told_in_every_run_for_another_may_interrupt_the_first(played: Run):
    """What the browser was never told, it answers with what an empty field of its kind holds: a beam of 0, one pair."""
    for page, least in (("run", 20), ("audit", 1)):
        test = opened(page).run()
        drawn = [*test.number_input, *test.selectbox, *test.text_area]
        fields = [each for each in drawn if each.key and each.key.startswith(("form-", "prompt-", "sample"))]
        assert len(fields) >= least
        assert [each.key for each in fields if not each.proto.set_value] == []


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("form-beam", 0, "beam is 0, but must be at least 1."),
        ("form-temperature", 0.0, "all branches of a turn are the same"),
        ("form-limit", 0, "limit is 0, but must be at least 1."),
        ("form-concurrency", 0, "concurrency is 0, but must be at least 1."),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_started(empty: None, field: str, value: float, told: str):
    test = opened("run")
    test.number_input(key=field).set_value(value).run()
    test.button(key="start").click().run()
    assert told in said(test)
    with services.open_store(services.store_path()) as store:
        assert services.list_runs(store) == ()


def metrics(test: AppTest) -> dict[str, str]:
    return {each.label: each.value for each in test.metric}


def test_the_estimate_and_the_manifest_follow_the_form(empty: None):
    test = opened("run")
    assert metrics(test)["Scenarios to play"] == "20" and "Modelled" in said(test)
    before = metrics(test)["Model outputs, about"]
    test.number_input(key="form-trials").set_value(2).run()
    assert metrics(test)["Scenarios to play"] == "40"
    assert int(metrics(test)["Model outputs, about"].replace(",", "")) == 2 * int(before.replace(",", ""))
    shown = json.loads(test.json[0].value)
    test.number_input(key="form-seed").set_value(7).run()
    assert json.loads(test.json[0].value) == shown | {"seed": 7}


def test_the_manifest_shown_is_the_one_that_is_stored(empty: None):
    test = opened("run")
    test.number_input(key="form-limit").set_value(2).run()
    shown = json.loads(test.json[0].value)
    test.button(key="start").click().run()
    with services.open_store(services.store_path()) as store:
        (line,) = services.list_runs(store)
        (kept,) = store.read("SELECT config FROM runs")
        assert json.loads(kept["config"]) == shown
        assert services.kept_estimate(store, services.load_run(store, line.run)) is not None
        services.cancel_run(store, line.run, wait=10)


def test_scenarios_are_chosen_by_filter_and_by_id(empty: None):
    test = opened("run")
    test.session_state["form-pick"] = choices.FILTER
    test.run()
    test.multiselect(key="form-domains").set_value(["train"]).run()
    test.number_input(key="form-least").set_value(3).run()
    lines = services.scenario_lines("toolwoz-generated", "train", Path())
    wanted = [line.id for line in lines if "train" in line.domains and line.goals >= 3]
    assert f"{len(wanted)} of 926 scenarios match." in said(test)
    assert json.loads(test.json[0].value)["scenarios"] == wanted[:20]
    test.session_state["form-pick"] = choices.IDS
    test.run()
    test.text_area(key="form-ids").set_value(f"{wanted[1]}, {wanted[0]}").run()
    assert json.loads(test.json[0].value)["scenarios"] == [wanted[1], wanted[0]]
    test.text_area(key="form-ids").set_value(HOSTILE[0]).run()
    assert "has no scenario" in said(test)


def test_a_cloned_run_fills_the_form_but_for_parts_named_by_module(played: Run):
    with services.open_store(services.store_path()) as store:
        config = services.build_config(services.RunRequest(limit=3, seed=9, beam=4), Path())
        plain = services.create_run(store, config)
    test = opened("run", clone=plain.id)
    assert json.loads(test.json[0].value) == to_json(config)
    test.number_input(key="form-seed").set_value(1).run()
    assert json.loads(test.json[0].value)["seed"] == 1, "the form is filled once"
    told = said(opened("run", clone=played.id))
    assert f"Not taken over: world {fake_parts.WORLD}, agent {fake_parts.AGENT}" in told


def test_a_run_with_failures_lists_them_and_offers_to_retry_only_those(
    store: services.Store, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fault = tmp_path / "fault"
    fault.write_text("train/3")
    monkeypatch.setenv("FAKE_FAULT", str(fault))
    monkeypatch.setenv("JOSH_STORE", str(store.path))
    services.run_here(store, run.id)
    test = opened("run", run=run.id)
    assert "The model did not answer in time." in said(test)
    fault.unlink()
    calls = {each.id: each.usage.calls for each in services.list_rollouts(store, run.id)}
    test.button(key="retry").click().run()
    for _ in range(200):
        if services.load_run(store, run.id).state == "done":
            break
        time.sleep(0.05)
    after = services.list_rollouts(store, run.id)
    assert {each.state for each in after} == {"done"}
    assert [each.id for each in after if each.usage.calls != calls[each.id]] == [f"{run.id}.4"]


def test_a_run_is_described_and_deleted_from_its_page(played: Run):
    test = opened("run", run=played.id)
    test.button(key="describe").click().run()
    test.text_input(key="describe-name").set_value("Nightly").run()
    test.text_input(key="describe-tags").set_value("a, b").run()
    test.button(key="save").click().run()
    assert "Nightly" in said(test) and "#a" in said(test)
    test.button(key="delete").click().run()
    assert "cannot be undone" in said(test)
    test.button(key="really-delete").click().run()
    with services.open_store(services.store_path()) as store:
        assert services.list_runs(store) == ()


def test_who_is_looking_is_asked_once_and_kept_with_the_people(played: Run):
    test = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=PATIENCE).run()
    test.text_input(key="auditor").set_value(f" {HOSTILE[0][:30]} ").run()
    assert test.session_state["auditor"] == HOSTILE[0][:30].strip()
    with services.open_store(services.store_path()) as store:
        assert [each.name for each in services.list_people(store)] == [HOSTILE[0][:30].strip()]


def test_the_sample_is_offered_where_there_is_nothing_and_played(empty: None):
    test = opened("overview")
    assert [each.label for each in test.button if each.key in ("sample", "start-a-run")] == [
        "Load the sample run",
        "Start a run",
    ]
    test.button(key="sample").click().run()
    with services.open_store(services.store_path()) as store:
        (line,) = services.list_runs(store)
        assert line.name == "Sample"
        services.cancel_run(store, line.run, wait=10)


def test_a_world_without_its_data_says_how_to_get_it(empty: None):
    test = opened("run")
    test.selectbox(key="form-world").set_value("toolwoz").run()
    assert "not been imported" in said(test)


def test_a_store_that_cannot_be_opened_is_a_box_not_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database at all" * 100)
    monkeypatch.setenv("JOSH_STORE", str(broken))
    for page in ("overview", "run", "tree"):
        assert "broken.db" in said(opened(page))


def test_a_page_that_fails_says_so_and_writes_the_traceback_to_the_log(
    played: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from app import shell

    shell._log_file.cache_clear()

    def fails(store: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(services, "list_runs", fails)
    test = opened("overview")
    assert "could not be drawn" in said(test)
    assert "Traceback" not in "".join(each.value for each in test.code)
    assert "ZeroDivisionError: by nothing" in (tmp_path / "josh.db.logs" / "app.log").read_text(encoding="utf-8")


def test_no_page_loads_what_only_training_needs(played: Run):
    """In a process of its own, for other tests may have loaded it here."""
    script = f"""
import sys
from streamlit.testing.v1 import AppTest
for page, params in (("overview", {{}}), ("run", {{"run": {played.id!r}}}),
                     ("tree", {{"run": {played.id!r}, "scenario": {played.config.scenarios[0]!r}}})):
    test = AppTest.from_file("streamlit_app.py", default_timeout={PATIENCE})
    test.run()
    for name, value in params.items():
        test.query_params[name] = value
    test.switch_page(f"pages/{{page}}.py").run()
    assert not test.exception and not [each for each in test.text if each.value.startswith("⚠")]
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_run_to_compare_stands_in_the_field_before_anything_of_it_is_finished(
    played: Run, store: services.Store, tmp_path: Path
):
    """A field that changed by itself when the run begins would be taken for a person's change, and lose the run."""
    asked = services.RunRequest(limit=2, agent="scripted", model=None, strategy="greedy")
    done, queued = (services.create_run(store, services.build_config(asked, tmp_path)) for _ in range(2))
    services.run_here(store, done.id, data=tmp_path)
    test = opened("evaluate", runs=f"{done.id},{queued.id},{played.id},nobody", base=done.id)
    assert test.multiselect(key="judged").value == [done.id, queued.id]
    assert test.query_params["runs"] == f"{done.id},{queued.id},{played.id},nobody"
    words = said(test)
    assert f"Run `{played.id}` is a search, and only plain play is compared." in words
    assert "Run `nobody` is not in this store." in words
    services.run_here(store, queued.id, data=tmp_path)
    test.run()
    assert test.multiselect(key="judged").value == [done.id, queued.id]
    assert "McNemar" in said(test)
