"""The panes beside the drawing and relabelling, in a real browser: by mouse and by key, alone and two at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from app import services
from app.results import OpenedRollout
from app.shell import COOKIE
from tests.app.sample_search import HOSTILE
from tests.e2e.conftest import Served

pytestmark = pytest.mark.browser
NODES = "[role=treeitem]"
HOME = "SCN-06"  # finished with full reward: what is said of it changes the rows


@pytest.fixture
def ada(page: Any, server: Served) -> Any:
    """A page whose person has said who she is."""
    page.context.add_cookies([{"name": COOKIE, "value": "Ada", "url": server.address}])
    return page


@contextmanager
def another(browser: Any, server: Served, name: str) -> Iterator[Any]:
    """A second person's browser."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": COOKIE, "value": name, "url": server.address}])
    yield context.new_page()
    context.close()


def opened(server: Served, run: str, scenario: str = HOME) -> OpenedRollout:
    with services.open_store(server.store) as store:
        return services.open_rollout(store, f"{run}/{scenario}")


def exported(server: Served, run: str) -> dict[str, bytes]:
    with services.open_store(server.store) as store:
        return services.export_files(store, [run], formats=("sft", "kto", "dpo"))[1]


def negatives(seen: OpenedRollout) -> list[str]:
    return [node for node, label in seen.labels.items() if label == "negative"]


def drawn(page: Any, node: str) -> Locator:
    found: Locator = page.get_by_test_id(f"node-{node}")
    return found


def pane(page: Any, name: str) -> Locator:
    found: Locator = page.locator(f"[data-testid=sheet][data-pane={name}]")
    return found


def show(page: Any, server: Served, run: str, **params: str) -> None:
    page.goto(server.url("tree", **{"run": run, "scenario": HOME} | params))
    expect(page.get_by_test_id("josh-tree")).to_have_attribute("data-built", "1")


def test_every_pane_is_a_tab_in_the_address_and_by_key(server: Served, finished: tuple[Path, str], page: Any) -> None:
    node = negatives(opened(server, finished[1]))[0]
    show(page, server, finished[1], node=node, pane="data")
    expect(pane(page, "Data")).to_contain_text(f"Rows of turn {node}")
    page.get_by_role("tab", name="Raw").click()
    expect(page).to_have_url(re.compile("pane=raw"))
    expect(pane(page, "Raw")).to_contain_text("NodeAdded")
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("pane=data"))
    expect(pane(page, "Data")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("pane=why"))
    expect(pane(page, "Why")).to_contain_text("Beam")
    page.get_by_role("tab", name="Pair").click()
    expect(page.get_by_test_id("compare")).to_contain_text(f"This turn: {node}")
    expect(page.locator("[data-mark=changed], [data-mark=left], [data-mark=right]").first).to_be_visible()
    page.get_by_role("tab", name="Path").click()
    expect(page.get_by_test_id("conversation")).to_be_visible()
    expect(page).not_to_have_url(re.compile("pane="))
    page.go_back()
    expect(page.get_by_test_id("compare")).to_be_visible()


def test_following_who_won_a_lost_race_chooses_the_winner(
    server: Served, finished: tuple[Path, str], page: Any
) -> None:
    with services.open_store(server.store) as store:
        trees = [services.open_rollout(store, each.id) for each in services.list_rollouts(store, finished[1])]
    tree, lost = next(
        (each, pruned) for each in trees for pruned in each.tree.reasons.values() if pruned.reason == "lost_race"
    )
    show(page, server, finished[1], scenario=tree.rollout.scenario_id, node=lost.node, pane="why")
    expect(page.get_by_test_id("reason")).to_contain_text(f"continued from {lost.link} only")
    page.get_by_test_id(f"go-{lost.link}").first.click()
    expect(drawn(page, lost.link or "")).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(re.compile(rf"node={re.escape(lost.link or '')}(&|$)"))
    expect(page.get_by_test_id("sheet")).to_contain_text(f"Agent turn {lost.link}")


def test_nobody_labels_without_a_name(server: Served, finished: tuple[Path, str], page: Any) -> None:
    seen = opened(server, finished[1])
    node = negatives(seen)[0]
    show(page, server, finished[1], node=node)
    expect(page.get_by_text("say who you are")).to_be_visible()
    drawn(page, node).click()
    page.keyboard.press("x")
    page.wait_for_timeout(500)
    assert opened(server, finished[1]).verdicts == seen.verdicts


def test_keys_label_and_take_back_and_a_text_field_keeps_its_letters(
    server: Served, finished: tuple[Path, str], ada: Any
) -> None:
    seen = opened(server, finished[1])
    node, before = negatives(seen)[0], exported(server, finished[1])
    show(ada, server, finished[1], node=node)
    drawn(ada, node).click()
    ada.keyboard.press("g")
    expect(drawn(ada, node)).to_have_attribute("data-override", "good")
    expect(drawn(ada, node)).to_have_attribute("data-label", "ideal")
    expect(ada.get_by_text(f"Ada called turn {node} good.", exact=False).first).to_be_visible()
    assert exported(server, finished[1]) != before
    ada.keyboard.press("e")
    expect(drawn(ada, node)).to_have_attribute("data-label", "off_path")
    ada.keyboard.press("z")
    expect(drawn(ada, node)).to_have_attribute("data-override", "good")
    ada.keyboard.press("z")
    expect(drawn(ada, node)).to_have_attribute("data-override", "")
    expect(drawn(ada, node)).to_have_attribute("data-label", "negative")
    assert exported(server, finished[1]) == before
    given = opened(server, finished[1]).verdicts
    assert len(given) == len(seen.verdicts) + 4
    ada.get_by_placeholder("Find words").click()
    ada.keyboard.type("gxe")
    ada.wait_for_timeout(700)
    assert opened(server, finished[1]).verdicts == given


def test_a_label_takes_its_reason_along_as_text(server: Served, finished: tuple[Path, str], ada: Any) -> None:
    node = negatives(opened(server, finished[1], "SCN-01"))[0]
    show(ada, server, finished[1], scenario="SCN-01", node=node, pane="why")
    ada.get_by_role("button", name="Reason").click()
    ada.get_by_role("button", name="wrong parameter").click()
    ada.get_by_label("In your words").fill(HOSTILE[1])
    ada.get_by_label("In your words").press("Control+Enter")
    expect(ada.get_by_role("button", name="Reason ✓")).to_be_visible()
    ada.keyboard.press("Escape")
    ada.get_by_role("button", name="Partial").click()
    expect(ada.get_by_test_id("sheet")).to_contain_text(f"Reason: wrong parameter; {HOSTILE[1]}")
    expect(drawn(ada, node)).to_have_attribute("data-override", "partial")
    ada.get_by_role("button", name="Undo").click()
    expect(drawn(ada, node)).to_have_attribute("data-override", "")


def test_a_promotion_is_foretold_needs_a_reason_where_it_earns_less_and_is_undone(
    server: Served, finished: tuple[Path, str], ada: Any
) -> None:
    seen, before = opened(server, finished[1]), exported(server, finished[1])
    node = negatives(seen)[0]
    show(ada, server, finished[1], node=node)
    ada.get_by_role("button", name="Promote").click()
    sheet = ada.get_by_test_id("sheet")
    expect(sheet).to_contain_text(f"Promote turn {node} to the ideal path")
    expect(sheet).to_contain_text("earns less")
    ada.get_by_role("button", name="Promote this branch").click()
    expect(ada.get_by_text("Say in a sentence why it is better")).to_be_visible()
    ada.get_by_label("Why is this branch better").fill("It asks first.")
    ada.get_by_role("button", name="Promote this branch").click()
    expect(drawn(ada, node)).to_have_attribute("data-override", "promote")
    expect(ada.locator(f"{NODES}[data-override=demoted_by_person]").first).to_be_visible()
    assert opened(server, finished[1]).verdicts[-1].reason == "It asks first."
    assert exported(server, finished[1]) != before
    ada.get_by_role("button", name="Undo").click()
    expect(drawn(ada, node)).to_have_attribute("data-override", "")
    expect(ada.get_by_text("Labels and rows are as they were.")).to_be_visible()
    assert exported(server, finished[1]) == before


def test_of_two_who_label_the_same_turn_the_second_is_told_and_may_insist(
    server: Served, finished: tuple[Path, str], ada: Any, browser: Any
) -> None:
    node = negatives(opened(server, finished[1], "SCN-05"))[0]
    with another(browser, server, "Bob") as bob:
        for each in (ada, bob):
            show(each, server, finished[1], scenario="SCN-05", node=node)
            expect(each.get_by_role("button", name="Bad")).to_be_visible()
        ada.get_by_role("button", name="Bad").click()
        expect(drawn(ada, node)).to_have_attribute("data-override", "bad")
        bob.get_by_role("button", name="Good").click()
        expect(bob.get_by_text(re.compile(f"Ada called turn {node} bad .*, after you had looked"))).to_be_visible()
        assert [each.verdict for each in opened(server, finished[1], "SCN-05").verdicts] == ["bad"]
        bob.get_by_role("button", name="Label good anyway").click()
        expect(drawn(bob, node)).to_have_attribute("data-override", "good")
    given = opened(server, finished[1], "SCN-05").verdicts
    assert [(each.auditor, each.verdict) for each in given] == [("Ada", "bad"), ("Bob", "good")]
