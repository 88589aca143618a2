"""The tree page in Chromium: how long a tree takes to be drawn, and a click on a turn to be answered.

Drawn: from the moment the drawing gets its data to the frame in which it stands (`josh-tree`, which the drawing itself
measures). Answered: from the click to the frame in which the address names the turn and the conversation beside the
drawing shows it, which takes the server's rerun. And the Run page's hundred small trees: the slowest frame of a scroll
over them, and a click on one. Real searches, real server, one browser without a GPU.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app import services
from bench.figures import Figure
from bench.large_trees import SCENARIO, config
from tests.e2e.conftest import ARGUMENTS, BROWSERS, Served, serving

CLICKS = 7
SMALL = 100
TREES = (
    ("500 turns", 8, 34, 500, 300),
    ("2,000 turns", 32, 41, 3000, 1000),
    ("over 2,000 turns", 32, 48, 3000, 1000),
)
DRAWN = "performance.getEntriesByName('josh-tree')[0].duration"
FIND = """
const find = (wanted, root = document) => {
  const here = root.querySelector(wanted);
  if (here) return here;
  for (const each of root.querySelectorAll('*')) {
    const inside = each.shadowRoot && find(wanted, each.shadowRoot);
    if (inside) return inside;
  }
};
const until = async (holds) => {
  const began = performance.now();
  while (!holds() && performance.now() - began < 20000) await new Promise(requestAnimationFrame);
  return performance.now() - began;
};
"""
CLICK = f"""async (turn) => {{ {FIND}
  find(`[data-testid="node-${{turn}}"]`).dispatchEvent(new MouseEvent('click', {{ bubbles: true, composed: true }}));
  const told = () => new URLSearchParams(location.search).get('node') === turn;
  return until(() => told() && find(`[data-testid="turn-${{turn}}"]`));
}}"""
STEP = f"""async (moment) => {{ {FIND}
  const scrub = find('[data-testid=scrub]');
  scrub.value = String(moment);
  const began = performance.now();
  scrub.dispatchEvent(new Event('input'));
  await new Promise(requestAnimationFrame);
  await new Promise((seen) => setTimeout(seen));
  return performance.now() - began;
}}"""

SCROLL = f"""async () => {{ {FIND}
  const frame = find('.forest');
  let worst = 0, last = performance.now();
  for (let i = 0; i < 40; i++) {{
    frame.scrollTop = i * 40;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    worst = Math.max(worst, now - last);
    last = now;
  }}
  return worst;
}}"""
CHOOSE = f"""async (tree) => {{ {FIND}
  const sapling = () => find(`[data-testid="sapling-${{tree}}"]`);
  sapling().dispatchEvent(new MouseEvent('click', {{ bubbles: true, composed: true, cancelable: true }}));
  return until(() => sapling().getAttribute('aria-current') === 'true' && find('[data-testid=josh-tree]'));
}}"""


def measure() -> Iterator[Figure]:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "bench.db"
        runs = {name: play(store, beam=beam, depth=depth) for name, beam, depth, *_ in TREES}
        hundred = play_small(store)
        with serving(store) as server, sync_playwright() as playwright:
            found = next(filter(None, map(shutil.which, BROWSERS)))
            browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
            warm_up(browser, server, run=runs[TREES[0][0]])
            for name, _, _, drawn_in, answered_in in TREES:
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                yield from figures(page, server, name, run=runs[name], drawn_in=drawn_in, answered_in=answered_in)
                page.close()
            yield from forest(browser, server, run=hundred)
            browser.close()


def warm_up(browser: Any, server: Served, *, run: str) -> None:
    """The server's imports and the browser's first page are paid once, by whoever comes first."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(server.url("tree", run=run, scenario=SCENARIO.id))
    page.get_by_test_id("node-0").wait_for()
    page.evaluate(CLICK, "0")
    page.close()


def play(path: Path, *, beam: int, depth: int) -> str:
    with services.open_store(path) as store:
        run = services.create_run(store, config(beam=beam, depth=depth))
        services.run_here(store, run.id)
        return run.id


def play_small(path: Path) -> str:
    """A run of SMALL scenarios by the scripted players."""
    with services.open_store(path) as store:
        config = services.build_config(services.RunRequest(limit=SMALL, agent="scripted"), path.parent)
        run = services.create_run(store, config)
        services.run_here(store, run.id)
        return run.id


def figures(page: Any, server: Served, name: str, *, run: str, drawn_in: int, answered_in: int) -> Iterator[Figure]:
    page.goto(server.url("tree", run=run, scenario=SCENARIO.id))
    page.wait_for_function(f"{DRAWN.removesuffix('.duration')}", timeout=60_000)
    turns = page.get_by_test_id("josh-tree").get_attribute("data-count")
    shown = page.locator("[role=treeitem][data-kind=agent]").evaluate_all("all => all.map(each => each.dataset.id)")
    detail = f"{turns} turns, {page.locator('[role=treeitem]').count()} marks"
    yield Figure(f"{name}, drawn", page.evaluate(DRAWN), "ms", f"< {drawn_in}", detail)
    page.wait_for_timeout(1500)
    chosen = [shown[place * (len(shown) - 1) // CLICKS] for place in range(1, CLICKS + 1)]
    waits = [page.evaluate(CLICK, turn) for turn in chosen]
    worst = f"slowest of {CLICKS}: {max(waits):.0f} ms"
    yield Figure(f"{name}, click answered", statistics.median(waits), "ms", f"< {answered_in}", worst)
    last = int(page.get_by_test_id("scrub").get_attribute("max"))
    for what, moments in (
        ("jump", [last * place // CLICKS for place in range(1, CLICKS)]),
        ("step", range(last // 2, last // 2 + CLICKS)),
    ):
        spans = [page.evaluate(STEP, moment) for moment in moments]
        slowest = f"slowest of {len(spans)}: {max(spans):.0f} ms"
        yield Figure(f"{name}, a {what} of the replay", statistics.median(spans), "ms", "", slowest)


def forest(browser: Any, server: Served, *, run: str) -> Iterator[Figure]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(server.url("run", run=run))
    page.locator(f'[data-testid="sapling-{run}.{SMALL}"]:not([data-turns="0"])').wait_for()
    page.wait_for_timeout(1500)
    scrolls = [page.evaluate(SCROLL) for _ in range(3)]
    yield Figure(f"{SMALL} small trees, slowest frame of a scroll", statistics.median(scrolls), "ms", "< 200")
    waits = [page.evaluate(CHOOSE, f"{run}.{place}") for place in range(1, CLICKS + 1)]
    worst = f"slowest of {CLICKS}: {max(waits):.0f} ms"
    yield Figure(f"{SMALL} small trees, one chosen and drawn", statistics.median(waits), "ms", "< 1000", worst)
    page.close()
