"""Models behind endpoints in a real browser: tested on Data & settings, chosen on Run; their key is nowhere."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from app import services
from tests.e2e.conftest import ROOT, Served, serving, settled

pytestmark = pytest.mark.browser
CANARY = "sk-canary-3f77aa"
TOML = """
[worlds]
small = "endpoint_runs:open_world"

[models.mine]
url = "{url}"
model = "tiny"
key_env = "JOSH_TEST_KEY"
price_prompt = 1.0
price_completion = 2.0

[models.gone]
url = "http://127.0.0.1:9/v1"
model = "tiny"
"""


@pytest.fixture(scope="module")
def endpoint(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of its own beside an endpoint that takes one key."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patched, answering(patched) as url:
        (folder / "josh.toml").write_text(TOML.format(url=url))
        patched.setenv("JOSH_CONFIG", str(folder / "josh.toml"))
        patched.setenv("PYTHONPATH", f"{ROOT / 'tests'}:{ROOT}")
        services.open_store(folder / "josh.db").close()
        with serving(folder / "josh.db") as served:
            yield served


@contextmanager
def answering(patched: pytest.MonkeyPatch) -> Iterator[str]:
    """The endpoint, in a process of its own (the browser's driver keeps an event loop here); its address."""
    patched.setenv("JOSH_TEST_KEY", CANARY)
    command = [sys.executable, "-m", "tests.fake_openai", "--key-env", "JOSH_TEST_KEY"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()


def test_a_test_of_an_endpoint_says_what_works_and_is_still_there_after_a_reload(endpoint: Served, page: Any) -> None:
    page.goto(endpoint.url("data", tab="models"))
    mine, gone = (page.locator(f".st-key-endpoint-{name}") for name in ("mine", "gone"))
    expect(mine).to_contain_text("key JOSH_TEST_KEY is set · 1 + 2 usd per million tokens", timeout=15_000)
    expect(gone).to_contain_text("○ not tested")
    mine.get_by_role("button", name="Test").click()
    expect(mine).to_contain_text("✓ answers in", timeout=20_000)
    gone.get_by_role("button", name="Test").click()
    expect(gone).to_contain_text("✕ does not answer", timeout=20_000)
    page.reload()
    expect(mine).to_contain_text("tool calls", timeout=15_000)
    expect(gone).to_contain_text("127.0.0.1:9")
    assert CANARY not in page.content()


def test_an_address_can_be_tried_and_one_that_is_none_is_refused(endpoint: Served, page: Any) -> None:
    page.goto(endpoint.url("data", tab="models"))
    field = page.get_by_role("textbox", name="Model and address")
    field.fill("no address at all")
    field.press("Enter")
    expect(page.get_by_text("'no address at all' is no endpoint.")).to_be_visible(timeout=15_000)


def choose(page: Any, label: str, value: str) -> None:
    field = page.get_by_role("combobox", name=label, exact=True)
    field.click()
    field.fill(value)
    page.get_by_role("option", name=value, exact=True).click()
    settled(page)


def test_a_run_with_two_models_and_an_edited_prompt_is_played_told_and_cloned(endpoint: Served, page: Any) -> None:
    page.goto(endpoint.url("run"))
    choose(page, "World", "small")
    choose(page, "Agent", "react")
    choose(page, "User", "goal")
    choose(page, "User's model", "mine")
    choose(page, "Agent's model", "mine")
    page.get_by_text("More", exact=True).click()
    prompt = page.get_by_role("textbox", name="Prompt: react")
    prompt.fill(prompt.input_value() + "\nBe brief, said the editor.")
    prompt.press("Control+Enter")
    expect(page.get_by_text("Edited: kept with the run, known by its hash.")).to_be_visible(timeout=15_000)
    page.locator(".st-key-start button").click()
    expect(page).to_have_url(re.compile(r"/run\?run="), timeout=15_000)
    expect(page.get_by_test_id("stMainBlockContainer").get_by_test_id("stProgress")).to_contain_text(
        "8 of 8 scenarios, state: done", timeout=60_000
    )
    page.get_by_role("tab", name="Usage").click()
    listed = page.locator(".st-key-usage")
    expect(listed).to_contain_text("Agent")
    expect(listed).to_contain_text("mine")
    page.get_by_role("button", name="Clone settings").click()
    expect(page).to_have_url(re.compile(r"/run\?clone="), timeout=15_000)
    page.get_by_text("More", exact=True).click()
    expect(page.get_by_role("textbox", name="Prompt: react")).to_have_value(re.compile("said the editor"))
    assert CANARY not in page.content()


def test_no_key_stands_in_what_the_runs_left_behind(endpoint: Served) -> None:
    for file in Path(endpoint.store.parent).rglob("*"):
        if file.is_file() and file.name != "josh.toml":
            assert CANARY.encode() not in file.read_bytes(), file
