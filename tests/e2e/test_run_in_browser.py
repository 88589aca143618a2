"""The Run page and the Overview in a real browser: start, watch, reload, stop, go on, cancel, look into a tree."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from app import services
from app.results import RunResult
from josh_engine.config import RunLimits
from tests.app.sample_search import HOSTILE
from tests.e2e.conftest import Served, make_run, serving, settled

pytestmark = [pytest.mark.browser, pytest.mark.long(45)]  # after the training file, for both play the embedded model
WORKING = re.compile(r"[1-9]\d* of 2778 scenarios, state: running")


def state(page: Any, wanted: str | re.Pattern[str], *, within: float = 90) -> None:
    bar = page.get_by_test_id("stMainBlockContainer").get_by_test_id("stProgress")
    expect(bar).to_contain_text(wanted, timeout=within * 1000)


def play(path: Path, run_id: str) -> RunResult:
    """In a process of its own, for the browser's driver keeps an event loop running in this one."""
    with services.open_store(path) as store:
        services.launch_run(store, run_id)
        while (result := services.run_result(store, run_id)).state in ("queued", "running"):
            time.sleep(0.05)
    return result


@pytest.fixture(autouse=True)
def nothing_goes_on(server: Served) -> Iterator[None]:
    """A test that failed half-way leaves no run behind, which would slow down all that follow."""
    yield
    with services.open_store(server.store) as store:
        for run in services.active_runs(store):
            services.cancel_run(store, run.id, wait=10)


def test_a_run_is_started_watched_reloaded_stopped_resumed_cancelled_and_looked_into(server: Served, page: Any) -> None:
    """The embedded world and players, many times over so that the run lasts as long as the test."""
    page.goto(server.url("run"))
    for label, value in (("How many", "926"), ("Concurrency", "1")):
        page.get_by_label(label, exact=True).fill(value)
        page.keyboard.press("Enter")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Trials", exact=True).fill("3")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="New run").click()
    settled(page)
    page.keyboard.press("s")
    state(page, "of 2778 scenarios")
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
    page.locator(".st-key-scenarios").get_by_role("link").first.click()
    page.locator(".st-key-tree").get_by_test_id("node-0").click()
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


def test_a_run_is_planned_followed_described_cloned_and_deleted(server: Served, page: Any) -> None:
    run = make_run(server.store, model="slow_model", limits=RunLimits(concurrency=2))
    with services.open_store(server.store) as store:
        services.launch_run(store, run.id)
    page.goto(server.url("run", run=run.id))
    forest = page.get_by_test_id("forest")
    expect(forest.get_by_role("link")).to_have_count(8)
    expect(forest.locator("[data-state=running]")).to_have_count(2)
    strip = page.locator(".st-key-jobs")
    expect(strip).to_contain_text("running · ")
    expect(page.get_by_role("button", name="Following newest")).to_be_visible()
    first = page.get_by_test_id(f"sapling-{run.id}.1")
    first.click()
    expect(page).to_have_url(re.compile("scenario=SCN-01"))
    expect(first).to_have_attribute("aria-current", "true")
    expect(page.locator(".st-key-ticker")).to_contain_text("The search begins")
    turns = page.get_by_test_id("josh-tree")
    before = turns.first.get_attribute("data-count")
    expect(turns.first).not_to_have_attribute("data-count", before)
    expect(turns).to_have_count(1)  # one scenario's drawing gives way to the next one's
    page.keyboard.press("f")
    expect(page).not_to_have_url(re.compile("scenario="))
    expect(page.get_by_role("button", name="Following newest")).to_be_visible()
    box = page.get_by_test_id("josh-tree").bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + box["height"] - 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + box["height"] - 90, steps=4)
    page.mouse.up()
    expect(page.get_by_role("button", name="Follow newest")).to_be_visible()
    expect(page).to_have_url(re.compile("scenario=SCN-"))
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("is being played, so it cannot be deleted")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Cancel").click()
    state(page, "state: cancelled")
    expect(strip).to_have_count(0)
    page.get_by_role("button", name="Name, tags, note").click()
    page.get_by_role("textbox", name="Name").fill(HOSTILE[0])
    page.get_by_role("textbox", name="Tags").fill("slow, β")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_test_id("stText").filter(has_text=f"{HOSTILE[0]}  ▸  #slow  ▸  #β")).to_be_visible()
    page.get_by_role("button", name="Clone settings").click()
    expect(page).to_have_url(re.compile(f"clone={run.id}"))
    expect(page.get_by_text("Not taken over: world tests.e2e.players:open_world")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page).to_have_url(re.compile(r"/run$"))
    expect(page.locator(".st-key-runs")).not_to_contain_text(run.id)


def test_failures_are_listed_and_only_they_are_retried(server: Served, page: Any) -> None:
    run = make_run(server.store, model="broken_model", scenarios=3)
    assert play(server.store, run.id).failed == 1
    page.goto(server.url("run", run=run.id))
    expect(page.get_by_text("⚠ The model did not answer in time.")).to_be_visible()
    page.get_by_role("tab", name="Failures").click()
    expect(page.locator(".st-key-failures").get_by_role("row")).to_have_count(2)
    with services.open_store(server.store) as store:
        before, ended = services.list_rollouts(store, run.id), services.load_run(store, run.id).finished
        page.get_by_role("button", name="Retry only the failed").click()
        while (now := services.load_run(store, run.id)).finished in (ended, None):
            page.wait_for_timeout(50)
        after = services.list_rollouts(store, run.id)
    assert (now.state, [each.state for each in after]) == ("failed", ["done", "failed", "done"])
    assert (after[0], after[2]) == (before[0], before[2]), "only what failed was played again"
    expect(page.get_by_role("button", name="Retry only the failed")).to_be_visible()


def test_a_hundred_small_trees_are_drawn_and_one_is_chosen(server: Served, page: Any) -> None:
    with services.open_store(server.store) as store:
        config = services.build_config(services.RunRequest(limit=100, agent="scripted"), server.store.parent)
        run = services.create_run(store, config, name="A hundred")
    assert play(server.store, run.id).state == "done"
    page.goto(server.url("run", run=run.id))
    cells = page.get_by_test_id("forest").get_by_role("link")
    expect(cells).to_have_count(100)
    expect(page.get_by_test_id(f"sapling-{run.id}.100")).not_to_have_attribute("data-turns", "0")
    page.get_by_test_id(f"sapling-{run.id}.7").click()
    expect(page.get_by_test_id(f"sapling-{run.id}.7")).to_have_attribute("aria-current", "true")


def test_the_overview_leads_to_the_tree_it_shows(server: Served, finished: tuple[Path, str], page: Any) -> None:
    page.goto(server.url())
    drawing = page.get_by_test_id("forest").get_by_role("link")
    path = drawing.locator("path.ideal")
    expect(path).to_have_attribute("d", re.compile("M"))
    now = path.get_attribute("d")
    expect(path).not_to_have_attribute("d", now)
    drawing.click()
    expect(page).to_have_url(re.compile(r"/tree\?run=\w+&scenario="))
    page.get_by_test_id("node-0").click()
    expect(page.get_by_test_id("turn-0")).to_be_visible()


def test_the_steps_of_the_work_are_keys_and_the_page_s_keys_are_told(server: Served, page: Any) -> None:
    page.goto(server.url())
    expect(page.locator(".st-key-card-run")).to_be_visible()
    settled(page)
    page.keyboard.press("h")
    help_ = page.get_by_role("dialog")
    expect(help_).to_contain_text("To the trees")
    page.keyboard.press("Escape")
    expect(help_).to_have_count(0)
    settled(page)
    page.keyboard.press("2")
    expect(page).to_have_url(re.compile(r"/tree\?run="))
    page.go_back()
    expect(page.locator(".st-key-card-run")).to_be_visible()
    settled(page)
    page.keyboard.press("1")
    expect(page).to_have_url(re.compile("/run"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_dialog_has_the_colours_of_the_theme(server: Served, page: Any, scheme: str) -> None:
    """It hangs beside the app's own element, which alone is told the theme by Streamlit."""
    page.emulate_media(color_scheme=scheme)
    page.goto(server.url())
    settled(page)
    page.keyboard.press("h")
    told = page.get_by_role("dialog").get_by_text("This help")
    expect(told).to_have_css("color", {"light": "rgb(28, 36, 33)", "dark": "rgb(229, 235, 232)"}[scheme])


def test_who_is_looking_is_asked_once_and_the_link_is_copied_whole(
    server: Served, finished: tuple[Path, str], page: Any
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(server.url("run", run=finished[1], scenario="SCN-02"))
    page.get_by_role("textbox", name="Who are you?").fill("Ada ✓")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-whoami")).to_be_visible()
    page.wait_for_function("document.cookie.includes('josh_auditor=Ada')")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    page.goto(server.url())
    expect(page.get_by_role("textbox", name="Who are you?")).to_have_value("Ada ✓")
    with services.open_store(server.store) as store:
        assert "Ada ✓" in [each.name for each in services.list_people(store)]


@pytest.mark.slow  # the first press is played in test_train_in_browser too
def test_an_empty_store_offers_the_sample_and_plays_it(tmp_path: Path, page: Any) -> None:
    with serving(tmp_path / "empty.db") as served:
        page.goto(served.url())
        page.get_by_role("button", name="Load the sample run").click()
        state(page, "12 of 12 scenarios, state: done", within=90)  # a language model plays it
        page.get_by_role("link", name="Overview").click()
        expect(page.locator(".st-key-card-tree")).to_contain_text("12 trees")
