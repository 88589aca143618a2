"""Export and Data & settings in a real browser: what is downloaded is what the screen says, and runs move as files."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import expect

from app import services
from tests.app.sample_search import HOSTILE
from tests.e2e.conftest import Served, serving, settled
from tests.e2e.players import SCENARIOS
from tests.toolwoz.multiwoz_sample import files as multiwoz_files
from tests.toolwoz.multiwoz_sample import write_zip

pytestmark = pytest.mark.browser
FORMATS = "kto,sft,dpo,openai"


def count(page: Any, test_id: str) -> int:
    return int(page.get_by_test_id(test_id).get_attribute("data-count"))


def downloaded(page: Any, press: Any) -> bytes:
    settled(page)
    with page.expect_download() as started:
        press()
    return Path(started.value.path()).read_bytes()


def test_a_download_is_what_the_screen_says(server: Served, finished: tuple[Path, str], page: Any) -> None:
    """Every line parses, counts are the screen's, hashes the manifest's, and every row id leads to a turn."""
    page.goto(server.url("export", runs=finished[1], fmt=FORMATS, held="25"))
    expect(page.get_by_test_id("gates")).to_be_visible()
    expect(page.locator(".st-key-sentence")).to_contain_text("rows of")
    page.get_by_role("heading", name="Export").click()
    packed = downloaded(page, lambda: page.keyboard.press("d"))
    with zipfile.ZipFile(io.BytesIO(packed)) as held:
        files = {name: held.read(name) for name in held.namelist()}
    manifest = json.loads(files["manifest.json"])
    assert set(manifest["files"]) == set(files) - {"manifest.json"}
    rows = {}
    for name, body in files.items():
        if name != "manifest.json":
            assert manifest["files"][name]["sha256"] == hashlib.sha256(body).hexdigest()
            rows[name] = [json.loads(line) for line in body.decode().split("\n")[:-1]]
    shown = {name: count(page, f"rows-{name}") for name in rows if name != "provenance.jsonl"}
    assert len(shown) == 8 and shown == {name: len(rows[name]) for name in shown}
    labels = [row["label"] for part in ("train", "validation") for row in rows[f"kto.{part}.jsonl"]]
    assert (labels.count(True), labels.count(False)) == (count(page, "balance-up"), count(page, "balance-down"))
    for name, seen in manifest["funnel"].items():
        if page.get_by_test_id(f"funnel-{name}").count():
            assert count(page, f"funnel-{name}") == seen
    origins = {line["row_id"]: line for line in rows["provenance.jsonl"]}
    with services.open_store(server.store) as store:
        trees = {
            each.id: services.open_rollout(store, each.id).tree for each in services.list_rollouts(store, finished[1])
        }
    for name in shown:
        for row in rows[name]:
            if "row_id" in row:
                origin = origins[row["row_id"]]
                assert origin["node"] in trees[origin["rollout"]].nodes and origin["part"] == name.split(".")[1]
    parts = {
        part: {origins[row["row_id"]]["scenario"] for row in rows[f"sft.{part}.jsonl"]}
        for part in ("train", "validation")
    }
    assert parts["train"] and parts["validation"] and not parts["train"] & parts["validation"]
    one = page.get_by_text("Download one file")
    one.click()
    single = downloaded(page, lambda: page.get_by_role("button", name="kto.train.jsonl").click())
    assert single == files["kto.train.jsonl"]


def test_files_are_validated_by_a_key_and_choices_stay_in_the_address(
    server: Served, finished: tuple[Path, str], page: Any
) -> None:
    page.goto(server.url("export", runs=finished[1]))
    expect(page.get_by_test_id("gate-contradictory")).to_have_attribute("data-tone", "green")
    page.get_by_role("heading", name="Export").click()
    settled(page)
    page.keyboard.press("v")
    expect(page.get_by_test_id("check-datasets")).to_have_attribute("data-tone", "green", timeout=60_000)
    expect(page.locator("[data-testid^=check-][data-tone=green]")).to_have_count(7)
    before = count(page, "rows-kto.jsonl")
    page.get_by_text("First divergence").click()
    expect(page).to_have_url(re.compile("rows=first_divergence"))
    expect(page.get_by_test_id("rows-kto.jsonl")).not_to_have_attribute("data-count", str(before))
    expect(page.get_by_test_id("check-datasets")).to_have_count(0)
    page.go_back()
    expect(page.get_by_test_id("rows-kto.jsonl")).to_have_attribute("data-count", str(before))
    expect(page.get_by_role("radio", name="Whole turns")).to_be_checked()


def test_rows_are_shown_as_chat_and_as_they_are_and_lead_to_their_turn(
    server: Served, finished: tuple[Path, str], page: Any
) -> None:
    """Whatever hostile words stand in them; that nothing ran is checked for every test."""
    page.goto(server.url("export", runs=finished[1], full="0"))
    chat = page.get_by_test_id("sample-chat")
    expect(chat).to_contain_text("trained")
    words = []
    for number in range(5):
        page.get_by_test_id(f"sample-{number}").click()
        expect(page.get_by_test_id(f"sample-{number}")).to_have_attribute("aria-pressed", "true")
        words.append(chat.inner_text())
    assert len(set(words)) == 5 and any(text in said for text in HOSTILE for said in words)
    page.get_by_test_id("form-raw").click()
    row = json.loads(page.get_by_test_id("sample-raw").inner_text())
    assert {"prompt", "completion", "label", "row_id"} <= set(row)
    link = page.get_by_test_id("open-in-tree")
    where = dict(parse_qsl(urlsplit(link.get_attribute("href")).query))
    link.click()
    expect(page.locator("[role=treeitem][aria-selected=true]")).to_have_attribute(
        "data-testid", f"node-{where['node']}"
    )
    page.go_back()
    expect(page.get_by_test_id("samples")).to_be_visible()


def test_words_are_found_in_all_conversations_of_a_run(server: Served, finished: tuple[Path, str], page: Any) -> None:
    page.goto(server.url("tree", run=finished[1]))
    field = page.get_by_label("Search conversations")
    field.fill("book_train p3")
    field.press("Enter")
    expect(page.locator(".st-key-faint-hits-counted")).to_contain_text(re.compile(r"\d+ turns"))
    found = page.locator(".st-key-hits").get_by_role("link")
    expect(found.first).to_have_text(SCENARIOS[1].id)
    found.first.click()
    expect(page.locator("[role=treeitem][aria-selected=true]")).to_have_count(1)


def test_a_run_moves_to_another_store_as_a_file(
    server: Served, finished: tuple[Path, str], page: Any, tmp_path: Path
) -> None:
    """And MultiWOZ is imported by upload there, with its report."""
    page.goto(server.url("data", tab="storage"))
    page.get_by_role("combobox", name="Run").click()
    page.get_by_role("option", name=re.compile(finished[1])).click()
    packed = downloaded(page, lambda: page.get_by_role("button", name="Download").click())
    (tmp_path / "run.zip").write_bytes(packed)
    (tmp_path / "changed.zip").write_bytes(packed[:400] + bytes([packed[400] ^ 1]) + packed[401:])
    with serving(tmp_path / "other.db") as elsewhere:
        page.goto(elsewhere.url("data", tab="storage"))
        upload, add = page.locator(".st-key-run-zip input[type=file]"), page.get_by_role("button", name="Add it to")
        upload.set_input_files(tmp_path / "changed.zip")
        add.click()
        expect(page.get_by_text("This is not a whole bundle")).to_be_visible()
        upload.set_input_files(tmp_path / "run.zip")
        expect(page.locator(".st-key-run-zip")).to_contain_text("run.zip")
        expect(page.get_by_text("This is not a whole bundle")).to_have_count(0)  # so the page has seen the new file
        expect(add).to_be_enabled()
        add.click()
        page.get_by_role("link", name=f"Open run {finished[1]}").click()
        expect(page.get_by_test_id("stProgress")).to_contain_text("8 of 8 scenarios")
        page.goto(elsewhere.url("data", world="toolwoz"))
        page.locator("input[type=file]").set_input_files(write_zip(tmp_path / "multiwoz.zip", multiwoz_files()))
        page.get_by_role("button", name="Import", exact=True).click()
        expect(page.get_by_text(re.compile("✓ Imported from upload.zip: validation 1, test 2"))).to_be_visible()
        page.get_by_role("link", name="MUL").first.click()
        expect(page).to_have_url(re.compile("scenario=MUL"))
        expect(page.get_by_text("What the user wants")).to_be_visible()
        expect(page.get_by_test_id("stDataFrame")).to_be_visible()
        page.go_back()
        expect(page.get_by_text("Choose a scenario")).to_be_visible()
