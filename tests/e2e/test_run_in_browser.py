"""The Run page and the Overview in a real browser: start, watch, reload, stop, go on, cancel, look into a tree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.app.sample_search import HOSTILE
from tests.e2e.conftest import Served

pytestmark = pytest.mark.browser
WORKING = re.compile(r"[1-9]\d* of 2778 scenarios, state: running")


def state(page: Any, wanted: str | re.Pattern[str], *, within: float = 15) -> None:
    expect(page.get_by_test_id("stProgress")).to_contain_text(wanted, timeout=within * 1000)


def test_a_run_is_started_watched_reloaded_stopped_resumed_cancelled_and_looked_into(server: Served, page: Any) -> None:
    """The embedded world and players, many times over so that the run lasts as long as the test."""
    page.goto(server.url("run"))
    for label, value in (("Scenarios", "926"), ("Concurrency", "1")):
        page.get_by_label(label, exact=True).fill(value)
        page.keyboard.press("Enter")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Trials", exact=True).fill("3")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="New run").click()
    page.keyboard.press("s")
    state(page, "of 2778 scenarios", within=3)
    expect(page).to_have_url(re.compile(r"/run\?run=\w+"))
    state(page, WORKING)
    address = page.url
    page.reload()
    state(page, WORKING)
    assert page.url == address
    page.get_by_role("button", name="Stop").click()
    state(page, "state: paused")
    page.get_by_role("button", name="Resume").click()
    state(page, WORKING)
    page.get_by_role("button", name="Cancel").click()
    state(page, "state: cancelled")
    page.get_by_test_id("listing").get_by_role("link").first.click()
    page.get_by_test_id("node-0").click()
    expect(page).to_have_url(re.compile("node=0"))
    expect(page.get_by_test_id("turn-0")).to_be_visible()
    page.go_back()
    expect(page).not_to_have_url(re.compile("node="))
    page.go_back()
    expect(page).to_have_url(address)
    state(page, "state: cancelled")


def test_an_unknown_run_is_said_to_be_unknown_and_those_there_are_offered(
    server: Served, finished: tuple[Path, str], page: Any
) -> None:
    page.goto(server.url("run", run=HOSTILE[0]))
    expect(page.get_by_text(f"Run `{HOSTILE[0]}` is not in this store.")).to_be_visible()
    page.get_by_role("link", name=finished[1]).click()
    state(page, "8 of 8 scenarios, state: done")


def test_the_overview_leads_to_the_tree_it_shows(server: Served, finished: tuple[Path, str], page: Any) -> None:
    page.goto(server.url())
    page.get_by_test_id("node-0").click()
    expect(page).to_have_url(re.compile(r"/tree\?run=\w+&scenario=.*node=0"))
    expect(page.get_by_test_id("turn-0")).to_be_visible()
