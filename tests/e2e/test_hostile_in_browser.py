"""500 hostile strings through every page and both pages that are handed out: text they were, and text they stay.

The `page` fixture fails a test where another machine was asked, a script of theirs ran, or the browser reported errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from app import services, shares
from tests.e2e.conftest import Served, serving, settled
from tests.hostile import LONG, hostile_store, strings

pytestmark = [pytest.mark.browser, pytest.mark.long(60)]
WIDE = "() => document.documentElement.scrollWidth - window.innerWidth"
ROOTS = """
const roots = [document];
for (const root of roots) roots.push(...[...root.querySelectorAll('*')].map((each) => each.shadowRoot).filter(Boolean));
"""
TEXTS = f"() => {{ {ROOTS} return roots.map((root) => (root.body ?? root).textContent).join('\\n'); }}"
LOADING = (
    'script[src*="192.0.2"], img[src*="192.0.2"], iframe, object, embed, base, a[href^="javascript"], a[href^="data:"],'
    "[onerror], [onload], [onfocus]"
)
STRAYS = f"""() => {{ {ROOTS}
  return roots.flatMap((root) => [...root.querySelectorAll(`{LOADING}`)].map((each) => each.outerHTML.slice(0, 200)));
}}"""


@pytest.fixture(scope="module")
def hostile(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str, str]]:
    path = tmp_path_factory.mktemp("hostile") / "josh.db"
    josh, greedy = hostile_store(path)
    with serving(path) as served:
        yield served, josh, greedy


def addresses(served: Served, josh: str, greedy: str) -> dict[str, str]:
    with services.open_store(served.store) as store:
        first, second, *_ = services.list_rollouts(store, josh)
    tree = {"run": josh, "scenario": second.scenario_id, "node": "0.0"}
    return {
        "overview": served.url(), "run": served.url("run", run=josh), "runs": served.url("run"),
        "scenarios": served.url("tree", run=josh), "path": served.url("tree", **tree),
        "long": served.url("tree", run=josh, scenario=first.scenario_id, node="0"),
        **{pane: served.url("tree", **tree, pane=pane) for pane in ("pair", "why", "data", "raw")},
        "compare": served.url("tree", **tree, compare=greedy), "audit": served.url("audit", runs=josh),
        "audit openly": served.url("audit", runs=josh, mode="open"), "export": served.url("export", runs=josh),
        "train": served.url("train"), "evaluate": served.url("evaluate", runs=greedy), "data": served.url("data"),
        "talk": served.url("talk"), "unknown": served.url("tree", run=strings()[1], node=strings()[0]),
    }  # fmt: skip


def test_there_are_500_of_them():
    assert len(set(strings())) == 500


def test_no_page_runs_loads_or_breaks(hostile: tuple[Served, str, str], page: Any) -> None:
    for name, address in addresses(*hostile).items():
        page.goto(address)
        settled(page, within=60_000)
        assert page.evaluate(WIDE) <= 1, f"{name} is wider than the window"
        assert page.get_by_text("This page could not be drawn").count() == 0, name
        assert page.evaluate(STRAYS) == [], name
        assert page.evaluate("window.pwned") is None, name
    shown = page.evaluate(TEXTS)
    assert strings()[1] in shown, "an unknown run's id is told as it was typed"


@pytest.mark.parametrize("kind", ["html", "pyvis"])
def test_no_file_runs_loads_or_breaks(
    hostile: tuple[Served, str, str], browser: Any, tmp_path: Path, kind: str
) -> None:
    served, josh, _ = hostile
    with services.open_store(served.store) as store:
        rollouts = services.list_rollouts(store, josh)
        made = {each.id: shares.shared_file(store, each.id, kind)[1] for each in rollouts}
    asked: list[str] = []
    context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    opened = context.new_page()
    opened.on("request", lambda request: asked.append(request.url))
    for number, body in enumerate(made.values()):
        (tmp_path / f"{number}.html").write_bytes(body)
        opened.goto((tmp_path / f"{number}.html").as_uri())
        opened.wait_for_timeout(150)
        assert opened.evaluate("window.pwned") is None
        assert opened.evaluate(STRAYS) == []
        assert opened.evaluate(WIDE) <= 1
    assert [each for each in asked if not each.startswith("file://")] == []
    if kind == "html":
        assert len(made[rollouts[0].id]) > len(LONG)
    context.close()


def test_the_page_in_a_file_shows_clicks_and_replays_without_a_network(
    server: Served, finished: tuple[Path, str], browser: Any, tmp_path: Path
) -> None:
    with services.open_store(finished[0]) as store:
        rollout = max(services.list_rollouts(store, finished[1]), key=lambda each: each.nodes)
        opened_there = services.open_rollout(store, rollout.id)
        (tmp_path / "tree.html").write_bytes(shares.shared_file(store, rollout.id, "html")[1])
    context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto((tmp_path / "tree.html").as_uri())
    nodes = page.locator('[data-testid="josh-tree"] [data-id]')
    expect(nodes).to_have_count(len(opened_there.tree.nodes))
    agent = next(each for each in opened_there.tree.nodes.values() if each.turn.speaker == "agent" and each.turn.reply)
    page.locator(f'[data-id="{agent.id}"]').click()
    expect(page.get_by_test_id("conversation")).to_contain_text(agent.turn.reply or "")
    drawn = page.get_by_test_id("josh-tree")
    page.get_by_test_id("scrub").fill("2")
    expect(drawn).to_have_attribute("data-count", "2")
    page.get_by_test_id("speed").select_option("8")
    page.get_by_test_id("play").click()
    expect(drawn).to_have_attribute("data-playing", "true")
    expect(drawn).to_have_attribute("data-playing", "false", timeout=60_000)
    expect(drawn).to_have_attribute("data-count", str(len(opened_there.tree.nodes)))
    assert faults == []
    context.close()
