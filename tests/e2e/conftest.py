"""A real server on a free port with a store of its own, and a real Chromium. In CI an absent browser is a failure.

Every page is watched: a request to anywhere but this machine, a script that a hostile string got to run, or an error
in the browser's console fails the test that caused it.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from app import services
from josh_engine.config import Run, RunConfig, RunLimits, StrategyConfig
from tests.e2e.players import SCENARIOS

ROOT = Path(__file__).parents[2]
PATIENCE = 15_000  # ms that a page may take to show what is expected, on two busy cores
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
QUIET = 400  # ms
STILL = """(quiet) => {
  const state = document.querySelector('[data-testid=stApp]')?.dataset.testScriptState;
  const size = (root) => [...root.querySelectorAll('*')].reduce(
    (sum, each) => sum + 1 + (each.shadowRoot ? size(each.shadowRoot) : 0), 0);
  const seen = `${state} ${size(document)}`, now = performance.now();
  if (window.settling?.seen !== seen) window.settling = { seen, since: now };
  const begun = document.querySelector('h1, h2') && state === 'notRunning';
  return begun && now - window.settling.since >= quiet;
}"""
NO_SUCH_PATH = "_stcore"  # Streamlit asks for these below the page's path first, to find its own base path
# Streamlit's own word where a component speaks while the page connects anew, when what it said is asked again; and the
# browser's, where a test's server has ended before its page.
WHILE_AWAY = ("Cannot send rerun backMessage when disconnected from server.", "net::ERR_CONNECTION_REFUSED")


@dataclass(frozen=True, slots=True)
class Served:
    """A running server and its store."""

    address: str
    store: Path

    def url(self, page: str = "", **params: str) -> str:
        query = f"?{urlencode(params)}" if params else ""
        return f"{self.address}/{page}{query}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(store: Path) -> Iterator[Served]:
    """A fresh server: no session has run before."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(port)]
    output = store.with_name("server.log")
    with output.open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"JOSH_STORE": str(store)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for(address, server, output)
        yield Served(address, store)
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        _end_runs(store)


def _end_runs(store: Path) -> None:
    """A talk that nobody went on with would wait for its person for a quarter of an hour."""
    if store.exists():
        with services.open_store(store) as opened:
            for run in services.active_runs(opened):
                services.cancel_run(opened, run.id, wait=5)


def _wait_for(address: str, server: subprocess.Popen[bytes], output: Path) -> None:
    for _ in range(300):
        if server.poll() is not None:
            pytest.fail(f"the server ended:\n{output.read_text()}")
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the server did not come up:\n{output.read_text()}")


def settled(page: Any, *, within: int = PATIENCE) -> None:
    """The page is drawn: its script has ended and nothing came or went for QUIET. What is pressed before, a person's
    hand is too slow for, and may be gone before it is heard."""
    page.evaluate("delete window.settling")
    page.wait_for_function(STILL, arg=QUIET, timeout=within, polling=50)


def make_run(store: Path, *, model: str, limits: RunLimits | None = None, scenarios: int = len(SCENARIOS)) -> Run:
    config = RunConfig(
        world="tests.e2e.players:open_world",
        split="all",
        scenarios=tuple(each.id for each in SCENARIOS[:scenarios]),
        agent="josh_engine.agents.scripted:ScriptedAgent",
        user="tests.e2e.players:patient_user",
        model=f"tests.e2e.players:{model}",
        strategy=StrategyConfig(max_depth=6),
    )
    with services.open_store(store) as opened:
        return services.create_run(opened, config, limits=limits)


@pytest.fixture(scope="package")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A store with one finished run; its path and the run's id."""
    path = tmp_path_factory.mktemp("e2e") / "josh.db"
    run = make_run(path, model="quick_model")
    with services.open_store(path) as store:
        assert services.run_here(store, run.id).state == "done"
    return path, run.id


@pytest.fixture(scope="package")
def server(finished: tuple[Path, str]) -> Iterator[Served]:
    with serving(finished[0]) as served:
        yield served


@pytest.fixture(scope="package")
def browser(finished: object) -> Iterator[Any]:
    """Playwright keeps an event loop running in this thread as long as it is open, in which nothing else can run one:
    so the finished run is made before, and all is closed when the last test of this package is done."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        told = "no Chromium on this machine: install it (Debian: apt-get install chromium)"
        pytest.fail(told) if os.environ.get("CI") else pytest.skip(told)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    strays: list[str] = []
    faults: list[str] = []
    context.on("request", lambda request: None if _is_ours(request.url) else strays.append(request.url))
    opened = context.new_page()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda told: faults.append(told.text) if _is_fault(told) else None)
    yield opened
    pwned = opened.evaluate("window.pwned")
    context.close()
    assert strays == [], "the page asked another machine"
    assert pwned is None, "a hostile string ran as a script"
    assert faults == [], "the browser reported errors"


def _is_ours(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("data", "blob", "about") or parts.hostname in ("127.0.0.1", "localhost")


def _is_fault(told: Any) -> bool:
    known = NO_SUCH_PATH in told.location.get("url", "") or told.text.endswith(WHILE_AWAY)
    return told.type == "error" and not known
