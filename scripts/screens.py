"""Takes the pictures of `docs/screens/`: every page, light and dark, 1440x900, from a real run made for it.

    python scripts/screens.py

Makes a JOSH run on the generated world and one on plain play in a temporary store, serves the app on a free port of
this machine and photographs it with Chromium. The first tree with three goals and partial credit is shown.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from app import services  # noqa: E402
from tests.e2e.conftest import ARGUMENTS, BROWSERS, Served, serving  # noqa: E402

SCREENS = ROOT / "docs" / "screens"
SCENARIOS = 40
SETTLED = {"train": 15_000}  # ms until a page has all it shows; others have it sooner
COLOURS = 160  # a palette keeps a picture below 100 kB


def main() -> int:
    import shutil

    from playwright.sync_api import sync_playwright

    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("error: no Chromium on this machine (Debian: apt-get install chromium)", file=sys.stderr)
        return 2
    SCREENS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "josh.db"
        josh, greedy = make_runs(store)
        with serving(store) as served, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=browser, args=ARGUMENTS)
            for theme in ("light", "dark"):
                context = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme=theme)
                page = context.new_page()
                for name, url in screens(served, store, josh=josh, greedy=greedy).items():
                    page.goto(url)
                    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
                    page.wait_for_timeout(SETTLED.get(name, 2500))
                    save(page.screenshot(), SCREENS / f"{name}-{theme}.png")
                    print(f"{name}-{theme}.png")
                context.close()
            chromium.close()
    return 0


def make_runs(store: Path) -> tuple[str, str]:
    """A search by the embedded model, and its plain play of the same scenarios; the search's rows are exported."""
    made = []
    with services.open_store(store) as opened:
        data = services.data_path(store)
        for strategy in ("josh", "greedy"):
            config = services.build_config(services.RunRequest(limit=SCENARIOS, strategy=strategy), data)
            run = services.create_run(opened, config)
            services.run_here(opened, run.id)
            made.append(run.id)
        services.export_rows(opened, made[:1], formats=["sft", "kto"], out=data / "rows")
    return made[0], made[1]


def screens(served: Served, store: Path, *, josh: str, greedy: str) -> dict[str, str]:
    """Name -> address."""
    with services.open_store(store) as opened:
        scenario, rival = telling(opened, josh)
    here = {"run": josh, "scenario": scenario}
    return {
        "overview": served.url(),
        "run": served.url("run", run=josh),
        "tree": served.url("tree", **here),
        "tree-pair": served.url("tree", **here, node=rival, pane="pair"),
        "audit": served.url("audit", runs=josh),
        "tree-compare": served.url("tree", **here, compare=greedy),
        "export": served.url("export", runs=josh),
        "data": served.url("data"),
        "models": served.url("data", tab="models"),
        "talk": served.url("talk"),
        "train": served.url("train"),
        "evaluate": served.url("evaluate", runs=greedy),
    }


def telling(store: services.Store, run_id: str) -> tuple[str, str]:
    """A scenario whose tree shows much: three goals or more, partial credit, negatives; and one of its negatives."""
    best: tuple[int, str, str] = (-1, "", "")
    for rollout in services.list_rollouts(store, run_id):
        labels = services.open_rollout(store, rollout.id).labels
        negatives = [node for node, label in labels.items() if label == "negative"]
        worth = 10 * (rollout.goals >= 3) + 5 * ("partial" in labels.values()) - abs(len(labels) - 25)
        if rollout.success and negatives and worth > best[0]:
            best = (worth, rollout.scenario_id, negatives[-1])
    return best[1], best[2]


def save(png: bytes, path: Path) -> None:
    import io

    from PIL import Image

    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS).save(path, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
