"""A store of a million nodes: lists, trees, filters and verdicts by time; an export of all rows and the app by memory.

The store is made where JOSH_BENCH_STORE says, and stays there for the next time; without it, in a folder that goes.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from app import auditing, services
from app.tree_view.picture import picture
from app.tree_view.transcript import transcript
from bench import large_store
from bench.figures import Figure
from josh_engine.audit import in_order, sides

SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"
TREES, FILTERS, VERDICTS = 100, 60, 60
WORDS = ("hotel", "taxi", "centre", "postcode", "train monday", "no such word")
EXPORT = """
import resource, sys
from pathlib import Path
from app import services
with services.open_store(Path(sys.argv[1])) as store:
    every = [line.run for line in services.list_runs(store)]
    made = services.export_rows(store, every, formats=["sft", "kto"], out=Path(sys.argv[2]))
print(made.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(os.environ.get("JOSH_BENCH_STORE") or Path(folder) / "josh.db")
        nodes = large_store.make(path)
        yield Figure("nodes in the store", nodes, "", "", f"{path.stat().st_size / 1e9:.1f} GB")
        with services.open_store(path) as store:
            yield from _times(store)
        yield from _export(path, Path(folder))
        yield from _app(path)


def _times(store: services.Store) -> Iterator[Figure]:
    dice = random.Random(0)
    lines = services.list_runs(store)
    yield Figure("list of runs", _worst(5, lambda: services.list_runs(store)), "s", "< 0.5", f"{len(lines)} runs")
    rollouts = [dice.choice(services.list_rollouts(store, dice.choice(lines).run)).id for _ in range(TREES)]
    given = iter(rollouts)
    yield Figure("a tree opened and drawn, worst", _worst(TREES, lambda: _opened(store, next(given))), "s", "< 1")
    shown = iter([dice.choice(lines).run for _ in range(FILTERS)])
    took = _share(0.95, FILTERS, lambda: services.list_rollouts(store, next(shown)))
    yield Figure("scenarios of a run, 95 %", took, "s", "< 0.3")
    run = lines[0].run
    first = _worst(1, lambda: services.search_messages(store, "restaurant", run_id=run))
    words = iter([dice.choice(WORDS) for _ in range(FILTERS)])
    took = _share(0.95, FILTERS, lambda: services.search_messages(store, next(words), run_id=run))
    yield Figure("words found in a run, 95 %", took, "s", "< 0.3", f"the first time, {first:.2f} s: the run is read")
    began = time.perf_counter()
    audit = auditing.audit_of(store, [run])
    yield Figure("pairs of a run read", time.perf_counter() - began, "s", "", f"{len(audit.pairs)} pairs")
    pairs = iter(in_order(audit.pairs))

    def judged() -> None:
        nonlocal audit
        pair = next(pairs)
        left, _ = sides(pair, "bench")
        auditing.judge_pair(store, pair, "left", left=left, auditor="bench", blind=True)
        audit = auditing.after(audit, store, pair.rollout, stamp=auditing.audit_stamp(store, [run]))
        audit.agreement()

    yield Figure("a verdict said and its effect read, 95 %", _share(0.95, VERDICTS, judged), "s", "< 0.3")


def _opened(store: services.Store, rollout: str) -> None:
    opened = services.open_rollout(store, rollout)
    picture(opened.tree, opened.labels, seq=opened.last_seq, verdicts=opened.verdicts, events=opened.events)
    transcript(opened.tree, opened.labels, None)


def _export(path: Path, folder: Path) -> Iterator[Figure]:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", EXPORT, path, folder / "rows"], capture_output=True, text=True, check=True
    )
    rows, peak = map(int, done.stdout.split())
    size = sum(each.stat().st_size for each in (folder / "rows").iterdir())
    detail = f"{rows:,} rows, {size / 1e9:.1f} GB, {time.perf_counter() - began:.0f} s"
    yield Figure("all rows exported (SFT, KTO), memory at most", peak / 1e9, "GB", "bounded", detail)


def _app(path: Path) -> Iterator[Figure]:
    """A person at every page in turn, in a browser."""
    import shutil

    from playwright.sync_api import sync_playwright

    from tests.e2e.conftest import ARGUMENTS, BROWSERS, serving

    browser = next(filter(None, map(shutil.which, BROWSERS)))
    with services.open_store(path) as store:
        lines = services.list_runs(store)
        run = lines[0].run
        scenario = services.list_rollouts(store, run)[0].scenario_id
    some = ",".join(line.run for line in lines[:5])
    with serving(path) as served, sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=browser, args=ARGUMENTS).new_page()
        slowest, where = 0.0, ""
        for name, address in {
            "overview": served.url(), "run": served.url("run", run=run), "scenarios": served.url("tree", run=run),
            "tree": served.url("tree", run=run, scenario=scenario), "audit": served.url("audit", runs=run),
            "export": served.url("export", runs=some), "evaluate": served.url("evaluate"), "data": served.url("data"),
            "overview again": served.url(),
        }.items():  # fmt: skip
            began = time.perf_counter()
            page.goto(address)
            wanted = '[data-testid="stMetric"]' if "overview" in name else SETTLED  # it goes on counting pairs
            page.locator(wanted).first.wait_for(timeout=120_000)
            took = time.perf_counter() - began
            slowest, where = max((slowest, where), (took, name))
            page.wait_for_timeout(3_000)
        yield Figure("the slowest page, whole", slowest, "s", "", where)
        yield Figure("memory of the app after all pages", _memory(_server_of(path)) / 1e9, "GB", "< 1")


def _server_of(path: Path) -> int:
    """The process that serves this store."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = (place / "cmdline").read_bytes(), (place / "environ").read_bytes()
        except OSError:
            continue
        if b"streamlit" in command and f"JOSH_STORE={path}".encode() in environment:
            return int(place.name)
    raise RuntimeError("no server of this store")


def _memory(process: int) -> int:
    """The most it ever had, in bytes."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


def _worst(times: int, act: Callable[[], Any]) -> float:
    return _share(1.0, times, act)


def _share(share: float, times: int, act: Callable[[], Any]) -> float:
    """Seconds within which this share of so many took."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        took.append(time.perf_counter() - began)
    return sorted(took)[max(0, int(share * times) - 1)]
