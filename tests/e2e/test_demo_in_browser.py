"""The demonstration in a browser, without torch and the like; and the password in front of a server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from app import access, demo, demo_store, services
from tests.e2e.conftest import Served, serving, settled

pytestmark = pytest.mark.browser
LEFT_OUT = ("torch", "transformers", "peft", "trl", "datasets", "openai", "accelerate", "safetensors")


@pytest.fixture(scope="module")
def shown(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server in which none of the libraries that `requirements-demo.txt` leaves out can be imported."""
    folder = tmp_path_factory.mktemp("demo")
    demo_store.prepare(folder / "josh.db")
    for name in LEFT_OUT:
        (folder / "absent" / name).mkdir(parents=True)
        (folder / "absent" / name / "__init__.py").write_text(f"raise ImportError('{name} is not installed')\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(demo.VARIABLE, "1")
        patch.setenv("PYTHONPATH", str(folder / "absent"))
        with serving(folder / "josh.db") as served:
            yield served


def test_every_page_is_shown_and_nothing_is_changed(shown: Served, page: Any) -> None:
    before = hashlib.sha256(shown.store.read_bytes()).hexdigest()
    with services.open_store(shown.store) as store:
        lines = {line.name: line.run for line in services.list_runs(store)}
        search = next(line.run for line in services.list_runs(store) if line.strategy == "josh")
        rollout = max(services.list_rollouts(store, search), key=lambda each: (each.success, each.nodes))
    judged = ",".join(lines[name] for name in ("Base, plain play", "After JOSH-SFT", "After JOSH-KTO"))
    pages = {
        "": "Scenarios explored", f"run?run={search}": "12 of 12 scenarios", "run": "New run", "talk": "Talk",
        f"tree?run={search}&scenario={rollout.scenario_id}": "On the ideal path",
        f"audit?runs={search}": "The user says",
        f"export?runs={search}": "all checks", f"evaluate?runs={judged}&base={lines['Base, plain play']}": "McNemar",
        "train": "Nothing is exported yet", "data": "Data & settings",
    }  # fmt: skip
    for address, wanted in pages.items():
        page.goto(f"{shown.address}/{address}")
        expect(page.get_by_text(wanted).first).to_be_visible(timeout=30_000)
        settled(page, within=30_000)
        expect(page.get_by_text("could not be drawn"), address).to_have_count(0)
        expect(page.get_by_label("Who are you?"), "nobody is asked for a name").to_have_count(0)
    page.goto(shown.url("run"))
    page.get_by_role("button", name="Start", exact=False).last.click()
    expect(page.get_by_text("Nothing can be changed here.")).to_be_visible()
    page.goto(shown.url("audit", runs=search))
    page.get_by_role("button", name="Left").click()
    expect(page.get_by_text("Nobody has said who judges.")).to_be_visible()
    assert hashlib.sha256(shown.store.read_bytes()).hexdigest() == before


def test_the_overview_replays_a_search_by_itself(shown: Served, page: Any) -> None:
    page.goto(shown.url())
    drawing = page.locator(".st-key-example svg").first
    expect(drawing).to_be_visible()
    seen = {drawing.evaluate("each => each.outerHTML.length") for _ in range(12) if not page.wait_for_timeout(500)}
    assert len(seen) > 1, "it grows"


def test_a_password_stands_before_every_page(browser: Any, page: Any, tmp_path: Path) -> None:
    services.open_store(tmp_path / "josh.db").close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(access.VARIABLE, "open sesame")
        with serving(tmp_path / "josh.db") as served:
            for address in ("", "data", "tree?run=x"):
                page.goto(f"{served.address}/{address}")
                expect(page.get_by_role("textbox", name="Password")).to_be_visible()
                assert page.get_by_role("link", name="Run").count() == 0
            page.get_by_role("textbox", name="Password").fill("guess")
            page.get_by_role("button", name="Open").click()
            expect(page.get_by_text("That is not the password.")).to_be_visible()
            page.get_by_role("textbox", name="Password").fill("open sesame")
            page.get_by_role("button", name="Open").click()
            expect(page.get_by_text("Run `x` is not in this store.")).to_be_visible()
            assert "open sesame" not in page.content()
