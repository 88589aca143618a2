"""The Talk page in a real browser: both sides, a reload in the middle, hostile words, and the way on to the tree."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.app.sample_search import HOSTILE
from tests.e2e.conftest import Served, settled

pytestmark = pytest.mark.browser


def lines(page: Any) -> Any:
    return page.get_by_test_id("stChatMessage")


def begin(page: Any, server: Served, side: str) -> None:
    page.goto(server.url("talk"))
    page.get_by_role("radio", name=side).click()
    if side == "The guest":
        choose(page, "Agent on the other side", "scripted")
    page.get_by_role("button", name="Start talking").click()
    expect(page).to_have_url(re.compile(r"/talk\?run="), timeout=15_000)


def choose(page: Any, label: str, value: str) -> None:
    field = page.get_by_role("combobox", name=label)
    field.click()
    field.fill(value)
    page.get_by_role("option", name=value, exact=True).click()


def say(page: Any, words: str) -> None:
    field = page.get_by_test_id("stChatInputTextArea")
    field.fill(words)
    field.press("Enter")


def test_a_guest_talks_reloads_hangs_up_and_finds_the_conversation_as_a_tree(server: Served, page: Any) -> None:
    begin(page, server, "The guest")
    expect(page.get_by_text("What you want")).to_be_visible(timeout=15_000)
    say(page, "I need a cheap place to stay in the north.")
    expect(lines(page)).to_have_count(2, timeout=15_000)
    expect(lines(page).first).to_contain_text("cheap place to stay")
    page.reload()
    expect(lines(page)).to_have_count(2, timeout=15_000)
    say(page, hostile := HOSTILE[0])
    expect(lines(page)).to_have_count(4, timeout=15_000)
    expect(lines(page).nth(2)).to_contain_text(hostile[:20])
    page.get_by_role("button", name="Hang up").click()
    expect(page.get_by_text("The conversation is over: 0 of")).to_be_visible(timeout=15_000)
    page.get_by_role("link", name="Open the tree").click()
    expect(page.get_by_test_id("josh-tree")).to_have_attribute("data-count", "5", timeout=15_000)


def test_a_person_plays_the_agent_with_a_tool_stops_and_goes_on(server: Served, page: Any) -> None:
    begin(page, server, "The agent")
    expect(page.get_by_text("Your job")).to_be_visible(timeout=15_000)
    expect(lines(page)).to_have_count(1, timeout=15_000)
    choose(page, "Tool", "search_hotel")
    expect(page.get_by_text("Look for a hotel or guesthouse")).to_be_visible()
    settled(page)  # the former tool's form has gone
    page.get_by_role("textbox", name="name").fill("No Such House")
    page.get_by_role("button", name="Call").click()
    expect(lines(page)).to_have_count(3, timeout=15_000)
    expect(lines(page).nth(1)).to_contain_text('search_hotel {"name": "No Such House"}')
    expect(lines(page).nth(2)).to_contain_text("[]")
    page.get_by_role("button", name="Stop here").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible(timeout=15_000)
    say(page, "I'm sorry, there is no such house.")
    expect(lines(page)).to_have_count(5, timeout=15_000)
    expect(lines(page).nth(3)).to_contain_text("no such house")


def test_what_cannot_be_opened_says_so(server: Served, page: Any) -> None:
    page.goto(server.url("talk", run="nothere"))
    expect(page.get_by_text("Run `nothere` is not in this store.")).to_be_visible(timeout=15_000)
