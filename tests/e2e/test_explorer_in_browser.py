"""The explorer's tools in a real browser: lenses, folding, hoisting, finding, replay, comparison, large trees, gaps."""

from __future__ import annotations

import re
import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from app import services
from bench import large_trees
from josh_engine.config import RunConfig, StrategyConfig
from tests.e2e.conftest import Served, serving, settled

pytestmark = [pytest.mark.browser, pytest.mark.long(50)]
NODES = "[role=treeitem]"
MARKED = f"{NODES}[data-match=true]"


def tree(page: Any) -> Locator:
    found: Locator = page.get_by_test_id("josh-tree")
    return found


def chosen(page: Any) -> Locator:
    found: Locator = page.locator(f"{NODES}[aria-selected=true]")
    return found


def opened(page: Any, address: str) -> None:
    page.goto(address)
    expect(page.get_by_test_id("node-u")).to_be_visible()
    settled(page)  # the turns have come to rest


def places(page: Any) -> dict[str, str]:
    found: dict[str, str] = page.locator(NODES).evaluate_all(
        "all => Object.fromEntries(all.map(each => [each.dataset.id, each.getAttribute('transform')]))"
    )
    return found


def labels(page: Any) -> dict[str, str]:
    found: dict[str, str] = page.locator(NODES).evaluate_all(
        "all => Object.fromEntries(all.map(each => [each.dataset.id, each.dataset.label]))"
    )
    return found


def played(path: Path, config: RunConfig) -> str:
    """In a process of its own, for the browser's driver keeps this one's event loop."""
    with services.open_store(path) as store:
        run = services.create_run(store, config)
        services.launch_run(store, run.id)
        for _ in range(300):
            if services.load_run(store, run.id).state == "done":
                return run.id
            time.sleep(0.1)
    pytest.fail("the run did not end")


def test_a_lens_recolours_and_moves_nothing_and_is_in_the_address(
    server: Served, finished: tuple[Path, str], page: Any
) -> None:
    opened(page, server.url("tree", run=finished[1], scenario="SCN-02"))
    before = places(page)
    page.get_by_test_id("lens-goals").click()
    expect(tree(page)).to_have_attribute("data-lens", "goals")
    expect(page.get_by_test_id("legend")).to_contain_text("goals reached up to the turn")
    expect(page).to_have_url(re.compile("lens=goals"))
    assert places(page) == before
    expect(page.locator(f"{NODES}[data-lens-step='3']").first).to_be_attached()
    page.get_by_test_id("lens-cost").click()
    expect(page.get_by_test_id("legend")).to_contain_text("of the turn")
    expect(page).to_have_url(re.compile("lens=cost"))
    settled(page)
    page.go_back()
    expect(tree(page)).to_have_attribute("data-lens", "goals")
    page.reload()
    expect(tree(page)).to_have_attribute("data-lens", "goals")


def test_subtrees_fold_and_hoist_by_key_and_by_pointer(server: Served, finished: tuple[Path, str], page: Any) -> None:
    opened(page, server.url("tree", run=finished[1], scenario="SCN-02", node="0u"))
    everything = page.locator(NODES).count()
    chosen(page).focus()
    page.keyboard.press("c")
    group = page.get_by_test_id("group-0u")
    expect(group).to_have_attribute("aria-label", re.compile(r"\d+ turns folded below turn 0u"))
    folded = int((group.text_content() or "").lstrip("+"))
    expect(page.locator(NODES)).to_have_count(everything - folded + 1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(NODES)).to_have_count(everything)
    page.get_by_test_id("collapse").click()
    expect(page.locator("[data-kind=group]").first).to_be_visible()
    expect(page.get_by_test_id("collapse")).to_have_text("Unfold pruned")
    page.get_by_test_id("collapse").click()
    expect(page.locator(NODES)).to_have_count(everything)
    page.get_by_test_id("node-0u").dblclick()
    expect(page.locator(NODES)).to_have_count(folded + 1)
    expect(page).to_have_url(re.compile("hoist=0u"))
    expect(page.get_by_test_id("hoisted")).to_contain_text("turn 0u")
    page.reload()
    expect(page.locator(NODES)).to_have_count(folded + 1)
    page.get_by_test_id("hoisted").get_by_role("button", name="Back to the whole tree").click()
    expect(page.locator(NODES)).to_have_count(everything)
    expect(page).not_to_have_url(re.compile("hoist"))
    page.get_by_test_id("node-0u").focus()
    page.keyboard.press("o")
    expect(page.locator(NODES)).to_have_count(folded + 1)


def test_words_are_found_marked_and_walked_and_the_field_keeps_what_is_typed(
    server: Served, finished: tuple[Path, str], page: Any
) -> None:
    opened(page, server.url("tree", run=finished[1], scenario="SCN-02"))
    zoom = tree(page).get_attribute("data-zoom") or ""
    field = page.get_by_test_id("find")
    field.focus()
    page.keyboard.type("could you say + f o i")  # each a key of the drawing
    expect(page.get_by_test_id("matches")).to_have_text("0 matches")
    expect(tree(page)).to_have_attribute("data-zoom", zoom)
    expect(chosen(page)).to_have_count(0)
    field.fill("could you say")
    expect(page.get_by_test_id("matches")).to_have_text(re.compile(r"^[1-9]\d* match"))
    count = page.locator(MARKED).count()
    assert 0 < count < page.locator(NODES).count()
    expect(page).to_have_url(re.compile("q=could"))
    page.keyboard.press("Enter")
    expect(chosen(page)).to_have_attribute("data-match", "true")
    expect(page.get_by_test_id("matches")).to_contain_text(f"1 of {count}")
    page.get_by_title("Next match").click()
    expect(page.get_by_test_id("matches")).to_contain_text(f"2 of {count}")
    page.get_by_test_id("filter").click()
    page.get_by_test_id("filter-label:off_path").click()
    expect(page).to_have_url(re.compile("filter=label"))
    expect(page.locator(f"{MARKED}:not([data-label=off_path])")).to_have_count(0)
    page.reload()
    expect(page.get_by_test_id("filter-label:off_path")).to_have_attribute("aria-pressed", "true")
    field.focus()
    page.keyboard.press("Escape")
    expect(field).to_have_value("")
    page.keyboard.press("f")  # the drawing's key again, for the focus is back in it
    expect(page).not_to_have_url(re.compile("q="))


def test_the_replay_steps_scrubs_plays_and_ends_on_the_tree_as_it_is(
    server: Served, finished: tuple[Path, str], page: Any
) -> None:
    with services.open_store(finished[0]) as store:
        events = services.open_rollout(store, f"{finished[1]}/SCN-02").events
    opened(page, server.url("tree", run=finished[1], scenario="SCN-02", t="2"))
    expect(tree(page)).to_have_attribute("data-count", "2")
    expect(page.get_by_test_id("caption")).to_contain_text("Agent turn 0")
    expect(page.get_by_test_id("node-0")).to_have_attribute("data-label", "open")
    page.get_by_test_id("node-0").hover()
    expect(page.locator(".card")).to_contain_text("Agent turn 0 · open")
    expect(page.get_by_test_id("node-1")).to_be_hidden()
    expect(page.get_by_test_id("goal-1")).to_contain_text("not reached")
    page.get_by_test_id("step-on").click()
    expect(tree(page)).to_have_attribute("data-t", "3")
    expect(page).to_have_url(re.compile("t=3"))
    page.get_by_test_id("speed").select_option("8")
    before = places(page)
    page.get_by_test_id("node-u").focus()
    page.keyboard.press("Space")
    expect(tree(page)).to_have_attribute("data-playing", "true")
    expect(tree(page)).to_have_attribute("data-playing", "false", timeout=1000 * len(events))
    assert places(page) == before
    expect(tree(page)).to_have_attribute("data-t", str(events[-1][0]))
    expect(page.get_by_test_id("caption")).to_contain_text("The search is over")
    at_the_end = labels(page)
    page.get_by_test_id("scrub").fill("5")
    expect(tree(page)).to_have_attribute("data-t", "5")
    page.get_by_test_id("node-u").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("caption")).to_be_hidden()
    expect(page).not_to_have_url(re.compile("[?&]t="))
    assert labels(page) == at_the_end
    assert "ideal" in at_the_end.values()


def test_keys_walk_branch_points_ideal_turns_and_rewards(server: Served, finished: tuple[Path, str], page: Any) -> None:
    opened(page, server.url("tree", run=finished[1], scenario="SCN-02"))
    page.keyboard.press("n")  # nothing is in focus: from the page
    expect(chosen(page)).to_have_attribute("data-kind", "user")
    first = chosen(page).get_attribute("data-id") or ""
    page.keyboard.press("n")
    expect(chosen(page)).not_to_have_attribute("data-id", first)
    page.keyboard.press("b")
    expect(chosen(page)).to_have_attribute("data-id", first)
    page.keyboard.press("i")
    expect(chosen(page)).to_have_attribute("data-label", "ideal")
    page.keyboard.press("w")
    expect(chosen(page)).to_have_attribute("data-goals", re.compile("."))
    expect(page).to_have_url(re.compile("node="))


def test_a_drawing_that_lost_its_turns_gets_them_again(server: Served, finished: tuple[Path, str], page: Any) -> None:
    """After a first click the server sends no turns again; a new mount in the same session has none."""
    opened(page, server.url("tree", run=finished[1], scenario="SCN-02"))
    page.get_by_test_id("node-0").click()
    expect(page).to_have_url(re.compile("node=0"))
    page.get_by_test_id("node-1").click()
    expect(page).to_have_url(re.compile("node=1"))
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Run").click()
    expect(page).to_have_url(re.compile("/run"))
    expect(tree(page)).to_have_count(0)
    page.go_back()
    expect(chosen(page)).to_have_attribute("data-id", "1")
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page).to_have_url(re.compile("scenario=SCN-03"))
    expect(page.get_by_test_id("node-u")).to_be_visible()
    page.go_back()
    expect(chosen(page)).to_have_attribute("data-id", "1")


def test_trees_of_two_runs_are_compared_and_each_leads_to_its_own(
    server: Served, finished: tuple[Path, str], page: Any
) -> None:
    with services.open_store(server.store) as store:
        config = services.load_run(store, finished[1]).config
    other = played(
        server.store,
        RunConfig(
            config.world, config.split, ("SCN-02",), agent=config.agent, user=config.user, model=config.model, seed=1,
            strategy=StrategyConfig(max_depth=6),
        ),
    )  # fmt: skip
    opened(page, server.url("tree", run=finished[1], scenario="SCN-02"))
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("combobox", name="Compare with").fill(other)
    page.get_by_role("option", name=re.compile(other)).click()
    expect(page).to_have_url(re.compile(f"compare={other}"))
    expect(page.get_by_test_id("parting")).to_contain_text("First difference: exchange")
    expect(page.get_by_test_id("arrivals").locator("tbody tr")).to_have_count(4)
    expect(page.get_by_test_id(f"{finished[1]}-u")).to_have_attribute("data-shared", "true")
    page.get_by_test_id(f"open-{other}").click()
    expect(page).to_have_url(re.compile(f"run={other}"))
    expect(page.get_by_test_id("node-u")).to_be_visible()
    page.goto(server.url("tree", run=finished[1], scenario="SCN-02", compare="nobody"))
    expect(page.get_by_text("Run `nobody` does not hold this scenario")).to_be_visible()
    page.get_by_role("button", name="Back to this tree").click()
    expect(page.get_by_test_id("node-u")).to_be_visible()


def test_a_tree_of_over_2000_turns_starts_folded_and_unfolds_with_a_map(server: Served, page: Any) -> None:
    run = played(server.store, large_trees.config(beam=32, depth=48))
    opened(page, server.url("tree", run=run, scenario=large_trees.SCENARIO.id))
    assert int(tree(page).get_attribute("data-count") or 0) > 2000
    assert page.locator(NODES).count() < 200
    expect(page.get_by_test_id("minimap")).to_be_hidden()
    page.get_by_test_id("collapse").click()
    expect(page.locator(NODES).nth(2000)).to_be_attached()
    expect(page.get_by_test_id("minimap")).to_be_visible()
    page.keyboard.press("f")
    zoom = tree(page).get_attribute("data-zoom") or ""
    page.get_by_title("Zoom in (+)").click()
    expect(tree(page)).not_to_have_attribute("data-zoom", zoom)
    deep = page.locator(f"{NODES}[data-kind=agent]").last.get_attribute("data-id")
    page.goto(server.url("tree", run=run, scenario=large_trees.SCENARIO.id, node=deep))
    expect(chosen(page)).to_have_attribute("data-id", deep)


def test_a_log_with_a_gap_is_drawn_as_far_as_it_is_known(finished: tuple[Path, str], tmp_path: Path, page: Any) -> None:
    store, run = finished
    copy = tmp_path / "josh.db"
    shutil.copy(store, copy)
    with services.open_store(store) as whole:
        rollout = services.open_rollout(whole, f"{run}/SCN-02").rollout.id
    with sqlite3.connect(copy) as damaged:
        triggers = damaged.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'events'")
        for (name,) in triggers.fetchall():
            damaged.execute(f"DROP TRIGGER {name}")
        damaged.execute("DELETE FROM events WHERE rollout = ? AND seq BETWEEN 4 AND 6", (rollout,))
    damaged.close()
    with serving(copy) as served:
        opened(page, served.url("tree", run=run, scenario="SCN-02"))
        expect(page.get_by_text("3 events missing after #3.")).to_be_visible()
        assert page.locator(NODES).count() >= 3
