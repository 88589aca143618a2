"""What players need is asked before anything is played: a model, prompts that can be filled, human transcripts."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import parts, services
from app.settings import RunRequest, build_config
from josh_engine.config import RunConfig
from josh_engine.encoding import load
from josh_engine.errors import ConfigError
from josh_engine.prompting import prompt_text
from tests.app import fake_parts
from tests.app.conftest import REQUEST

MODEL = "react_rules:agent_model"
OFFLINE = RunRequest(limit=1, agent="scripted")


@pytest.mark.parametrize("agent", ["act", "function_calling"])
def test_an_agent_that_needs_a_model_says_so_before_anything_is_played(agent: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"The agent '{agent}' needs a model, .* Give one with --model\."):
        build_config(replace(OFFLINE, agent=agent), tmp_path)
    assert build_config(replace(OFFLINE, agent=agent, model=MODEL), tmp_path).agent == agent


def test_the_default_agent_plays_with_the_embedded_model_unless_another_is_given(tmp_path: Path) -> None:
    assert build_config(RunRequest(limit=1), tmp_path).model == "embedded"
    assert build_config(RunRequest(limit=1, model=MODEL), tmp_path).model == MODEL


def test_the_embedded_model_is_dropped_where_the_agent_needs_none(tmp_path: Path) -> None:
    """The form keeps it chosen while the agent is changed."""
    assert build_config(replace(OFFLINE, model="embedded"), tmp_path).model is None


def test_a_user_that_needs_a_model_says_so_by_its_own_option(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"The user 'goal' needs a model, .*--user-model\."):
        build_config(replace(OFFLINE, user="goal", model=MODEL), tmp_path)


def test_a_guide_user_without_transcripts_is_refused_with_the_goal_user_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'gen-train-00000' has no human conversation.*--user goal"):
        build_config(replace(OFFLINE, user="guide", user_model=MODEL), tmp_path)


def test_the_command_line_says_it_in_one_line_and_makes_no_store(say: Any, tmp_path: Path) -> None:
    code, out, err = say("run", "--agent", "act", "--limit", "1")
    assert (code, out, len(err.strip().splitlines())) == (2, "", 1)
    assert "--model" in err and not (tmp_path / "josh.db").exists()


def test_the_offline_players_need_nothing(tmp_path: Path) -> None:
    assert build_config(OFFLINE, tmp_path).prompts == {}


def test_a_run_keeps_the_whole_text_of_the_prompts_it_plays_with(tmp_path: Path) -> None:
    built = build_config(replace(OFFLINE, agent="act", user="goal", model=MODEL, user_model=MODEL), tmp_path)
    assert built.prompts == {"act": prompt_text("act"), "goal": prompt_text("goal")}


def test_an_edited_prompt_is_played_kept_in_the_store_and_told_by_its_hash(ask: Any, tmp_path: Path) -> None:
    text = prompt_text("react").replace("# How to write", "# HOW TO WRITE, naïvely")
    (tmp_path / "mine.md").write_text(text, encoding="utf-8")
    code, given = ask(
        "run", "--agent", "react", "--model", MODEL, "--limit", "1", "--prompt", f"react={tmp_path / 'mine.md'}"
    )
    assert code == 0 and given["prompts"] == {"react": hashlib.sha256(text.encode()).hexdigest()}
    with services.open_store(tmp_path / "josh.db") as store:
        (row,) = store.read("SELECT config FROM runs")
        (rollout,) = services.list_rollouts(store, given["run"])
        opened = services.open_rollout(store, rollout.id)
    assert load(RunConfig, row["config"]).prompts == {"react": text}
    assert "# HOW TO WRITE, naïvely" in opened.tree.preamble.messages[0].content


def test_the_kept_text_is_played_whatever_is_shipped_later(tmp_path: Path) -> None:
    built = build_config(replace(OFFLINE, agent="react", model=MODEL), tmp_path)
    old = replace(built, prompts={"react": "As it was. {{tools}}"})
    agent = parts.open_parts(old, tmp_path).players.agent
    opened = parts.open_parts(old, tmp_path)
    environment = opened.world.environment(opened.scenarios[old.scenarios[0]])
    assert agent.preamble(environment).messages[0].content.startswith("As it was. {")


@pytest.mark.parametrize(
    ("agent", "edited", "said"),
    [
        ("react", {"act": "{{tools}}"}, "No player of this run uses a prompt 'act'.*Prompts in use: react"),
        ("react", {"nope": "x"}, "uses a prompt 'nope'"),
        ("react", {"react": "{{tols}}"}, "holds {{tols}}"),
        ("react", {"react": "no places"}, "lacks {{tools}}"),
        ("scripted", {"react": "{{tools}}"}, "These players use none"),
    ],
)
def test_a_prompt_that_cannot_be_is_refused(agent: str, edited: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        build_config(replace(OFFLINE, agent=agent, model=MODEL, prompts=edited), tmp_path)
    assert re.search(said, str(caught.value)), str(caught.value)


@pytest.mark.parametrize("given", ["react", "react=", "=x", "react=/no/such/file"])
def test_a_prompt_option_that_cannot_be_read_is_wrong_input(given: str, say: Any) -> None:
    code, _, err = say("run", "--agent", "react", "--model", MODEL, "--limit", "1", "--prompt", given)
    assert code == 2 and "prompt" in err


def test_a_persons_own_parts_declare_nothing_and_need_nothing(tmp_path: Path) -> None:
    assert build_config(replace(REQUEST, agent=fake_parts.AGENT, model=None), tmp_path).prompts == {}


def test_the_code_version_tells_an_edited_prompt_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "KINDS", ("*.py",))
    parts.code_version.cache_clear()
    without = parts.code_version()
    monkeypatch.undo()
    parts.code_version.cache_clear()
    assert parts.code_version() != without
