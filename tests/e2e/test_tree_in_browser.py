"""The Tree page in a real browser: selection, keys, history, hostile words, a tree that grows."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from app import services
from josh_engine.config import RunLimits
from tests.app.sample_search import HOSTILE
from tests.e2e.conftest import Served, make_run, serving, settled
from tests.e2e.players import SCENARIOS

pytestmark = pytest.mark.browser
NODES = "[role=treeitem]"


def tree(page: Any) -> Locator:
    found: Locator = page.get_by_test_id("josh-tree")
    return found


def chosen(page: Any) -> Locator:
    found: Locator = page.locator(f"{NODES}[aria-selected=true]")
    return found


def node_param(node: str) -> re.Pattern[str]:
    return re.compile(rf"[?&]node={re.escape(node)}(&|$)")


def test_a_deep_link_as_the_very_first_request_opens_page_frame_and_turn(finished: tuple[Path, str], page: Any) -> None:
    store, run = finished
    with serving(store) as fresh:
        page.goto(fresh.url("tree", run=run, scenario="SCN-01", node="0"))
        expect(chosen(page)).to_have_attribute("data-testid", "node-0")
        for name in ("Overview", "Run", "Tree", "Export", "Data"):
            expect(page.get_by_test_id("stSidebarNavLink").filter(has_text=name)).to_be_visible()
        expect(page).to_have_url(re.compile(r"/tree\?.*scenario=SCN-01.*node=0"))


def test_a_click_shows_the_conversation_and_back_and_forward_walk_the_choices(
    server: Served, finished: tuple[Path, str], page: Any
) -> None:
    page.goto(server.url("tree", run=finished[1], scenario="SCN-02"))
    page.get_by_test_id("node-0").click()
    expect(page).to_have_url(node_param("0"))
    expect(page.get_by_test_id("turn-0")).to_contain_text("exchange 1")
    page.get_by_test_id("node-1").click()
    expect(page.get_by_test_id("turn-1")).to_be_visible()
    expect(page.get_by_test_id("why").last).to_be_visible()
    page.go_back()
    expect(chosen(page)).to_have_attribute("data-testid", "node-0")
    expect(page.get_by_test_id("turn-1")).to_have_count(0)
    page.go_forward()
    expect(chosen(page)).to_have_attribute("data-testid", "node-1")
    page.get_by_test_id("chip-0").click()
    expect(chosen(page)).to_have_attribute("data-testid", "node-0")
    expect(tree(page)).to_have_attribute("data-built", "1")


def test_who_walks_on_before_a_click_is_answered_stays_where_they_went(
    server: Served, finished: tuple[Path, str], page: Any
) -> None:
    page.goto(server.url("tree", run=finished[1], scenario="SCN-02"))
    expect(page.get_by_test_id("node-u")).to_be_visible()
    settled(page)
    page.get_by_test_id("node-u").click()
    page.keyboard.press("ArrowDown")
    expect(page).to_have_url(node_param("u"))
    expect(page.get_by_test_id("turn-u")).to_be_visible()
    settled(page)
    page.keyboard.press("Enter")
    expect(chosen(page)).to_have_attribute("aria-level", "2")


def test_the_keyboard_walks_and_chooses(server: Served, finished: tuple[Path, str], page: Any) -> None:
    page.goto(server.url("tree", run=finished[1], scenario="SCN-02"))
    page.get_by_test_id("node-u").click()
    expect(page).to_have_url(node_param("u"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    expect(chosen(page)).to_have_attribute("data-testid", "node-u")
    page.keyboard.press("Enter")
    expect(chosen(page)).to_have_attribute("aria-level", "2")
    page.keyboard.press("w")
    expect(chosen(page)).to_have_attribute("data-goals", re.compile("."))
    expect(chosen(page)).to_have_attribute("aria-label", re.compile("reached goal"))
    zoom = tree(page).get_attribute("data-zoom")
    page.keyboard.press("+")
    expect(tree(page)).not_to_have_attribute("data-zoom", zoom or "")
    page.keyboard.press("f")
    page.keyboard.press("Escape")
    expect(chosen(page)).to_have_count(0)
    expect(page).not_to_have_url(re.compile("node="))


def test_the_drawing_is_tidy(server: Served, finished: tuple[Path, str], page: Any) -> None:
    """The ideal path is one straight line from the top, no two turns touch, rows stand in tree order."""
    page.goto(server.url("tree", run=finished[1], scenario="SCN-02"))
    expect(page.locator(f"{NODES}[data-label=ideal][data-kind=agent]").first).to_be_visible()
    settled(page)
    spots = page.locator(NODES).evaluate_all(
        """nodes => nodes.map(node => {
             const [x, y] = node.getAttribute("transform").match(/-?[\\d.]+/g).map(Number);
             return {x, y, ideal: node.dataset.label === "ideal"};
           })"""
    )
    assert (
        len({(spot["x"], spot["y"]) for spot in spots})
        == len(spots)
        == int(tree(page).get_attribute("data-count") or 0)
    )
    assert {spot["x"] for spot in spots if spot["ideal"]} == {0}
    for row in {spot["y"] for spot in spots}:
        across = [spot["x"] for spot in spots if spot["y"] == row]
        assert across == sorted(across)
        assert all(right - left >= 40 for left, right in pairwise(across))


def test_hostile_words_are_shown_as_they_are(server: Served, finished: tuple[Path, str], page: Any) -> None:
    """In the table, the crumbs, the picker, the conversation and its calls; that nothing ran or was fetched is
    checked for every test."""
    name = SCENARIOS[2].id
    page.goto(server.url("tree", run=finished[1]))
    page.get_by_role("link", name=name).click()
    expect(page.locator(".st-key-crumbs")).to_contain_text(name)
    picker = page.get_by_role("combobox", name="Scenario")
    expect(picker).to_have_value(re.compile(re.escape(name)))
    picker.click()
    expect(page.get_by_role("option").nth(2)).to_contain_text(name)
    page.keyboard.press("Escape")
    talk = page.get_by_test_id("conversation")
    for words in HOSTILE:
        expect(talk).to_contain_text(words)
    wrong = page.locator(f"{NODES}[aria-label*=Agent]").first
    wrong.hover()
    expect(page.locator("img:not([data-testid])")).to_have_count(0)
    page.goto(server.url("tree", run=finished[1], scenario=HOSTILE[1], node=HOSTILE[0]))
    expect(page.get_by_text(HOSTILE[1])).to_be_visible()
    page.goto(server.url("tree", run=finished[1], scenario=name, node=HOSTILE[0]))
    expect(page.get_by_text(f"Turn `{HOSTILE[0]}` is not in this tree.")).to_be_visible()


def test_a_growing_tree_is_mounted_once_and_keeps_choice_and_view(server: Served, page: Any) -> None:
    run = make_run(server.store, model="slow_model", scenarios=2, limits=RunLimits(concurrency=2))
    with services.open_store(server.store) as store:
        services.launch_run(store, run.id)
    try:
        page.goto(server.url("tree", run=run.id, scenario="SCN-02"))
        page.get_by_test_id("node-u").click()
        expect(page).to_have_url(node_param("u"))
        tree(page).evaluate("element => { element.marked = true }")
        page.get_by_title("Zoom in (+)").click()
        zoom, seen = (tree(page).get_attribute(f"data-{name}") or "" for name in ("zoom", "count"))
        expect(tree(page)).not_to_have_attribute("data-count", seen)
        expect(tree(page)).to_have_attribute("data-zoom", zoom)
        expect(tree(page)).to_have_attribute("data-built", "1")
        expect(chosen(page)).to_have_attribute("data-testid", "node-u")
        assert tree(page).evaluate("element => element.marked === true")
    finally:
        with services.open_store(server.store) as store:
            services.cancel_run(store, run.id, wait=5)


def test_rows_of_the_run_can_be_downloaded(server: Served, finished: tuple[Path, str], page: Any) -> None:
    page.goto(server.url("tree", run=finished[1], scenario="SCN-01"))
    with page.expect_download() as started:
        page.get_by_role("button", name="KTO").click()
    text = Path(started.value.path()).read_text(encoding="utf-8")
    assert text.startswith("{") and '"label"' in text
