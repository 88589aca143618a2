"""The embedded model from the first press to the verdict, in a real browser: sample, export, training, evaluation."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from app import services, trainings
from tests.e2e.conftest import Served, serving

pytestmark = [pytest.mark.browser, pytest.mark.long(130)]
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120_000  # ms from the first press to the end of the sample run; torch is loaded on two busy cores


@pytest.fixture(scope="module")
def embedded(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over a new store, as after `make run`."""
    folder = tmp_path_factory.mktemp("embedded")
    services.open_store(folder / "josh.db").close()
    with serving(folder / "josh.db") as served:
        yield served


@pytest.fixture(scope="module")
def searched(embedded: Served) -> str:
    """The sample run, made where the first test has not."""
    with services.open_store(embedded.store) as store:
        run = next(iter(services.list_runs(store)), None)
        run_id = run.run if run else services.load_sample(store).id
        deadline = time.monotonic() + PATIENCE / 1000
        while services.load_run(store, run_id).state != "done":
            assert time.monotonic() < deadline
            time.sleep(0.2)
    return run_id


def test_the_first_press_searches_with_the_embedded_model(embedded: Served, page: Any) -> None:
    page.goto(embedded.url())
    page.get_by_role("button", name="Load the sample run").click()
    expect(page.get_by_text("12 of 12 scenarios, state: done")).to_be_visible(timeout=PATIENCE)
    with services.open_store(embedded.store) as store:
        (line,) = services.list_runs(store)
        result = services.run_result(store, line.run)
    assert (result.agent_model, result.failed, line.agent) == ("embedded", 0, "react")
    assert result.agent_usage.completion_tokens > 1_000 and result.success_rate and result.success_rate > 0.3


def test_a_job_is_started_watched_reloaded_and_evaluated(embedded: Served, searched: str, page: Any) -> None:
    with services.open_store(embedded.store) as store:
        out = embedded.store.parent / "josh-data" / "rows"
        services.export_rows(store, [searched], formats=["sft", "kto"], out=out)
    page.goto(embedded.url("train"))
    expect(page.get_by_text("shows no NVIDIA GPU").or_(page.get_by_text("has a GPU"))).to_be_visible()
    mask = page.get_by_test_id("mask")
    expect(mask.locator(".good").first).to_be_visible(timeout=PATIENCE)
    expect(mask.locator(".good").first).to_contain_text("PLAN")
    page.get_by_role("combobox", name="Preset").click()
    page.get_by_role("option", name="smoke").click()
    expect(page.get_by_test_id("stCode").first).to_contain_text("--preset smoke")
    expect(page.get_by_test_id("stCode").nth(1)).to_contain_text("accelerate launch")
    expect(page.get_by_text("Reading the rows and taking one step")).to_have_count(0, timeout=PATIENCE)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Job ", exact=False).first).to_be_visible()
    page.wait_for_url("**/train?job=*")
    expect(page.get_by_test_id("stVegaLiteChart").first).to_be_visible(timeout=PATIENCE)
    page.reload()
    expect(page.get_by_text("Done: the adapter lies on disk")).to_be_visible(timeout=PATIENCE)
    with services.open_store(embedded.store) as store:
        job = trainings.load_training(store, parse_qs(urlsplit(page.url).query)["job"][0])
    assert (job.state, job.step, job.steps) == ("done", 20, 20) and Path(job.adapter or "").is_dir()
    answers = page.locator('[data-testid^="row-20-"]')  # what it said after the last step
    expect(answers).to_have_count(3)
    expect(answers.first).to_contain_text("PLAN")
    expect(page.get_by_role("tab", name="Answers")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("l")
    expect(page.get_by_role("tab", name="Log")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("l")
    expect(page.get_by_role("tab", name="Answers")).to_have_attribute("aria-selected", "true")
    page.get_by_role("spinbutton", name="Test scenarios").fill("6")
    page.get_by_role("spinbutton", name="Test scenarios").press("Enter")
    page.get_by_role("button", name="Evaluate this adapter").click()
    page.wait_for_url("**/evaluate?*")
    verdict = page.get_by_text("McNemar")
    expect(verdict).to_be_visible(timeout=PATIENCE)
    expect(verdict).to_contain_text("n 6", timeout=PATIENCE)
    charts_tell_their_figures_and_lead_to_turns(page)
    board = page.locator('[data-testid^="row-"]')
    expect(board.first).to_contain_text("embedded")
    board.first.get_by_role("link").first.click()
    page.wait_for_url("**/run?run=*")


def charts_tell_their_figures_and_lead_to_turns(page: Any) -> None:
    """On the page that compares base and adapter."""
    drawn = page.locator(".st-key-chart-failed-calls")
    expect(page.get_by_role("heading", name="Failed calls by tool")).to_be_visible()
    expect(drawn.locator('[aria-label^="Failed calls by tool."]').first).to_be_attached()
    for key in ("standings", "spreads"):
        with page.expect_download() as saved:
            page.locator(f".st-key-saving-{key}").get_by_role("button", name="Save this chart").click()
        assert Path(saved.value.path()).read_bytes().startswith(b"\x89PNG")
        with page.expect_download() as saved:
            page.locator(f".st-key-saving-{key}").get_by_role("button", name="CSV").click()
        assert b"model,metric" in Path(saved.value.path()).read_bytes()
    page.get_by_role("link", name="Incorrect format").click()
    page.wait_for_url("**table=incorrect_format*")
    expect(page.get_by_role("heading", name="Turns in which such a call went wrong")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("heading", name="Turns in which such a call went wrong")).to_have_count(0)


def test_a_bar_of_a_chart_leads_to_its_turns_in_the_tree(embedded: Served, searched: str, page: Any) -> None:
    """Plain play at a temperature at which this model errs often."""
    with services.open_store(embedded.store) as store:
        asked = services.RunRequest(split="test", limit=4, strategy="greedy", temperature=2.0)
        config = services.build_config(asked, services.data_path(embedded.store))
        run_id = services.create_run(store, config, name="hot").id
        subprocess.run(
            [sys.executable, "-m", "app", "resume", run_id, "--store", str(embedded.store)], check=True, cwd=ROOT,
            capture_output=True,
        )  # fmt: skip
    page.goto(embedded.url("evaluate", runs=run_id))
    page.locator(".st-key-chart-failed-calls .mark-rect path").first.click()
    page.wait_for_url("**api=*")
    expect(page.get_by_role("heading", name="Turns in which such a call went wrong")).to_be_visible()
    page.locator(".st-key-turns").get_by_role("link").first.click()
    page.wait_for_url(f"**/tree?run={run_id}*node=*")


def test_another_model_or_user_is_judged_from_the_page(embedded: Served, page: Any) -> None:
    page.goto(embedded.url("evaluate"))
    page.get_by_text("Judge a model").click()
    page.get_by_role("spinbutton", name="Scenarios").fill("2")
    page.get_by_role("spinbutton", name="Scenarios").press("Enter")
    page.get_by_role("button", name="Judge", exact=True).click()
    page.wait_for_url("**runs=*")
    with services.open_store(embedded.store) as store:
        assert any(line.name == "Judged: embedded" for line in services.list_runs(store))


def test_a_job_that_is_not_there_is_said_so(embedded: Served, page: Any) -> None:
    page.goto(embedded.url("train", job="nothere"))
    expect(page.get_by_text("Job `nothere` is not in this store.")).to_be_visible()


def test_wrong_rows_are_told_beside_the_form(embedded: Served, page: Any, tmp_path: Path) -> None:
    page.goto(embedded.url("train"))
    page.get_by_role("combobox", name="Rows").click()
    page.get_by_role("option", name="Another file").click()
    path = page.get_by_role("textbox", name="Path of an sft.jsonl")
    path.fill(str(tmp_path / "none.jsonl"))
    path.press("Enter")
    expect(page.get_by_text("There is no file")).to_be_visible(timeout=PATIENCE)
