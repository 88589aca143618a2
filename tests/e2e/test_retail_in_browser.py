"""τ-bench retail from the upload of its files to its figures, in a real browser, on the small shop."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Served, serving, settled
from tests.taubench.small_shop import TASKS, write_zip

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def shop(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("retail") / "josh.db") as served:
        yield served


def choose(page: Any, label: str, value: str, *, within: Any = None) -> None:
    settled(page)
    (within or page).get_by_role("combobox", name=re.compile(rf"{label}$")).first.click()
    page.get_by_role("option", name=value, exact=True).click()
    settled(page)


def test_files_are_uploaded_tasks_searched_trees_read_rows_counted_and_trials_judged(
    shop: Served, page: Any, tmp_path: Path
) -> None:
    page.goto(shop.url("data", tab="scenarios", world="tau-retail"))
    expect(page.get_by_text("τ-bench retail has not been imported yet")).to_be_visible()
    page.locator("input[type=file]").set_input_files(write_zip(tmp_path / "tau-bench.zip"))
    settled(page)
    page.get_by_role("button", name="Import", exact=True).click()
    told = page.locator(".st-key-faint-imported, .st-key-imported").first
    expect(told).to_contain_text("train 4, dev 1, test 4. 15 gold calls were made, 2 of which do not succeed")
    expect(told).to_contain_text("not τ-bench's own")
    expect(page.get_by_text("1 of 4 train tasks are left out")).to_be_visible()

    page.goto(shop.url("run"))
    choose(page, "World", "tau-retail")
    for label, kept in (("Agent", "tau_function_calling"), ("User", "shopper")):
        expect(page.get_by_role("combobox", name=re.compile(rf"{label}$"))).to_have_value(kept)
    expect(page.get_by_text("1 of 4 train tasks are left out")).to_be_visible()
    expect(page.get_by_text("needs a model")).to_be_visible()
    choose(page, "Agent", "gold_follower")
    choose(page, "User", "gold_reader")
    settled(page)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("3 of 3 scenarios, state: done")).to_be_visible()
    run = re.search(r"run=(\w+)", page.url)
    assert run is not None

    page.goto(shop.url("tree", run=run[1], scenario="train-001", pane="why"))
    expect(page.get_by_text("What it changed in the records")).to_be_visible()
    expect(page.get_by_text(re.compile(r"order #W000000[12]: status: \w+ →"))).to_be_visible()
    expect(page.get_by_text("Graded 1.")).to_be_visible()

    page.goto(shop.url("export", runs=run[1], fmt="kto,sft"))
    expect(page.locator(".st-key-sentence")).to_contain_text("rows of")

    page.goto(shop.url("data", tab="storage"))
    results = [{"task_id": 0, "trial": trial, "reward": 0.0, "info": {}, "traj": traj()} for trial in (0, 1)]
    results.append({"task_id": 1, "trial": 0, "traj": []})
    upload = {"name": "results.json", "mimeType": "application/json", "buffer": json.dumps(results).encode()}
    page.locator("input[type=file][accept*=json]").set_input_files(upload)
    settled(page)
    page.get_by_role("button", name="Add them as a run").click()
    expect(page.get_by_text("2 were graded again: all as in the file.")).to_be_visible()
    expect(page.get_by_text("Left out: results.json, result 2: reward is absent")).to_be_visible()

    page.goto(shop.url("evaluate"))
    settled(page)
    page.get_by_text("Judge a model").click()
    form = page.get_by_test_id("stExpander").filter(has_text="Judge a model")
    choose(page, "World", "tau-retail", within=form)
    expect(form.get_by_role("spinbutton", name="Trials")).to_have_value("10")
    choose(page, "Agent", "gold_follower", within=form)
    choose(page, "User", "gold_reader", within=form)
    settled(page)
    form.get_by_role("button", name="Judge", exact=True).click()
    expect(page.locator(".st-key-listing-pass, .st-key-pass").first).to_contain_text("floor: doing nothing (1 of 4)")
    expect(page.locator(".st-key-listing-pass, .st-key-pass").first).to_contain_text("gpt-4o, FC")
    expect(
        page.get_by_text(re.compile(r"Of \d scenarios?: \d sometimes, \d always, \d never succeeded"))
    ).to_be_visible()
    expect(page.get_by_text("43 of the 53 test users")).to_be_visible()


def traj() -> list[dict[str, Any]]:
    """A τ-bench conversation in which nothing is done."""
    said = ["You want help?", TASKS["test"][0]["instruction"]]
    return [
        {"role": "user", "content": said[1]}, {"role": "assistant", "content": said[0]},
        {"role": "user", "content": "No. ###STOP###"},
    ]  # fmt: skip
