"""What a server does without a word stands in the run's result, said once, moves with it, and is shown as text."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import services
from josh_engine.config import Run, RunConfig, RunLimits, RunNotice
from josh_engine.errors import DatasetError
from josh_engine.models.notices import Notice
from josh_engine.models.scripted import ScriptedModel
from storage import runs, transfer
from tests.app import fake_parts
from tests.app.conftest import PLAYERS
from tests.app.test_pages import opened, said
from tests.fake_openai import chats
from tests.fake_openai.server import Programme, running

HOSTILE = "<img src=x onerror=alert(1)> **bold** \x1b[2J"
PLAYED = [*PLAYERS[:-2], "--strategy", "greedy", "--limit", "2", "--concurrency", "1"]


class Silent(ScriptedModel):
    """A model of a person's own may have something to tell, too."""

    notices = (Notice("window", f"It reads half ({HOSTILE}).", "Give it a larger window."), Notice("other", "Another."))


def open_silent() -> Silent:
    return Silent(fake_parts.answer)


@pytest.fixture
def silent(config: RunConfig) -> RunConfig:
    return replace(config, model="tests.app.test_notices:open_silent")


@pytest.fixture
def url() -> Iterator[str]:
    """An endpoint that is another model, and only thinks of the second scenario."""

    def answer(body: Any) -> Any:
        asked = json.dumps(body["messages"])
        usage = {"prompt_tokens": len(asked) // 4, "completion_tokens": 2}
        told = chats.said("Which hotel?", usage=usage) | {"model": "other\x1b[1m"}
        if "train/1" in asked:
            told["choices"][0]["message"] = {"content": None, "reasoning_content": "Which hotel is meant?"}
        return told

    with running(Programme(answer)) as server:
        yield server.url


def test_a_run_tells_of_its_endpoint_in_text_and_in_json(ask: Any, say: Any, url: str) -> None:
    words = ["run", *PLAYED, "--model", f"tiny@{url}"]
    _, result = ask(*words)
    assert [(each["model"], each["kind"]) for each in result["notices"]] == [
        (f"tiny@{url}", "other_model"), (f"tiny@{url}", "words_missing"),
    ]  # fmt: skip
    _, out, err = say(*words, "--json")
    assert err.count("notice: ") == 2 and "reasoning parser" in err and "\x1b" not in err
    _, out, err = say(*words)
    assert out.count("notice: ") == 2 and "\x1b" not in out and err == ""
    listed, tree = ask("list")[1]["runs"][0], ask("tree", f"{result['run']}/train/0")[1]
    assert listed["notices"] == tree["notices"] == result["notices"]
    assert "2 notices" in say("list")[1] and "notice: tiny@" in say("tree", f"{result['run']}/train/0")[1]


def test_a_notice_is_told_while_the_run_goes_and_once_over_all_sittings(
    store: services.Store, silent: RunConfig
) -> None:
    run = services.create_run(store, silent, limits=RunLimits(concurrency=1, budget_calls=5))
    paused = services.run_here(store, run.id)
    assert paused.state == "paused" and [each.kind for each in paused.notices] == ["window", "other"]
    assert services.resume_run(store, run.id, limits=RunLimits()).notices == paused.notices


def test_of_two_models_each_is_told(store: services.Store, run: Run) -> None:
    """The same habit of the agent's endpoint and of the user's: two remedies may be needed."""
    runs.tell(store, run.id, (RunNotice("a", "window", "2,048"), RunNotice("b", "window", "4,096")))
    runs.tell(store, run.id, (RunNotice("a", "window", "2,050"), RunNotice("a", "other", "x")))
    told = services.load_run(store, run.id).notices
    assert [(each.model, each.kind, each.text) for each in told] == [
        ("a", "window", "2,048"), ("b", "window", "4,096"), ("a", "other", "x"),
    ]  # fmt: skip


def test_pages_show_what_a_server_said_as_text(
    store: services.Store, silent: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOSH_STORE", str(tmp_path / "josh.db"))
    run = services.create_run(store, silent)
    services.run_here(store, run.id)
    assert f"Silent: It reads half ({HOSTILE}). Give it a larger window." in said(opened("run", run=run.id))
    tree = said(opened("tree", run=run.id, scenario=silent.scenarios[0]))
    assert HOSTILE in tree and "The run's page says what to do." in tree


def test_notices_move_with_their_run_and_a_changed_one_does_not_get_in(
    store: services.Store, silent: RunConfig, tmp_path: Path
) -> None:
    run = services.create_run(store, silent)
    told = services.run_here(store, run.id).notices
    _, packed = services.pack_run(store, run.id)
    with services.open_store(tmp_path / "elsewhere.db") as elsewhere:
        services.unbundle_run(elsewhere, io.BytesIO(packed))
        assert services.load_run(elsewhere, run.id).notices == told != ()
    with services.open_store(tmp_path / "third.db") as third:
        rows = {table: list(each) for table, each in transfer.run_rows(store, run.id).items()}
        rows["runs"] = [{**rows["runs"][0], "notices": '[{"model": 3}]'}]
        with pytest.raises(DatasetError, match="runs, row 1"):
            transfer.add_run_rows(third, rows)
        old = {name: value for name, value in rows["runs"][0].items() if name != "notices"}
        transfer.add_run_rows(third, rows | {"runs": [old]})
        assert services.load_run(third, run.id).notices == (), "a bundle from before there were any"
