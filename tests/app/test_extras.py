"""What endpoints are asked beyond the usual: what a person may write, what a run keeps of it, and where keys stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import choices, models, services
from app.extras import in_words, merged, recorded, typed_extras
from app.parts import open_parts
from josh_engine.config import RunConfig
from josh_engine.encoding import dump, load
from josh_engine.errors import ConfigError, MissingKey
from josh_engine.models.endpoint import Extras
from josh_engine.models.openai_chat import OpenAIChat
from tests.app.conftest import REQUEST
from tests.fake_openai.chats import said
from tests.fake_openai.server import Programme, running

CANARY = "azure-canary-5c31"
TOML = """
[models.mine]
url = "http://127.0.0.1:8000/v1"
model = "m"
extra_body = { chat_template_kwargs = { enable_thinking = false } }
headers = { "api-key" = "env:AZURE_KEY", "X-Title" = "plain-title" }
query = { "api-version" = "2024-10-21" }
omit = ["temperature"]

[models.plain]
url = "http://127.0.0.1:8001/v1"
model = "small"
"""
MINE = Extras(
    {"chat_template_kwargs": {"enable_thinking": False}},
    {"api-key": "env:AZURE_KEY", "X-Title": "plain-title"},
    {"api-version": "2024-10-21"},
    ("temperature",),
)


@pytest.fixture
def toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    place = tmp_path / "josh.toml"
    monkeypatch.setenv("JOSH_CONFIG", str(place))
    monkeypatch.setenv("AZURE_KEY", CANARY)

    def write(text: str) -> None:
        place.write_text(text)

    write(TOML)
    return write


def built(**chosen: Any) -> RunConfig:
    return services.build_config(replace(REQUEST, **chosen), Path("josh-data"))


def test_a_table_says_how_an_endpoint_is_asked(toml: Any) -> None:
    assert models.endpoint_named("mine").extras == MINE
    assert models.endpoint_named("m@http://127.0.0.1:8000/v1").extras == MINE
    assert models.endpoint_named("plain").extras == Extras()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("extra_body = 3", "extra_body must be a table"),
        ("extra_body = { messages = [] }", "messages is what the run itself asks"),
        ("extra_body = { stream = true }", "stream is what the run itself asks"),
        ("extra_body = { since = 2024-10-21 }", "no word for"),
        ("extra_body = { top = nan }", "no word for"),
        ('omit = ["tools"]', "tools is what the run itself asks"),
        ('omit = "seed"', "omit must be a list"),
        ('headers = { "api-key" = "hidden" }', "could hold a key"),
        ('headers = { Authorization = "Bearer hidden" }', "could hold a key"),
        ('headers = { "X-Any" = "env:not a name" }', "could hold a key"),
        ('headers = { "bad name" = "x" }', "is no header"),
        ('headers = { "X-Any" = "two\\nhidden" }', "is no header"),
        ('query = { api_key = "hidden" }', "no key"),
        ("query = { a = [1] }", "must be a text"),
    ],
)
def test_what_cannot_be_is_told_by_its_name_and_no_secret_is_repeated(toml: Any, line: str, told: str) -> None:
    toml(f'[models.mine]\nurl = "http://127.0.0.1:8000/v1"\nmodel = "m"\n{line}\n')
    with pytest.raises(ConfigError, match=r"models\.mine") as caught:
        models.endpoint_named("mine")
    assert told in str(caught.value) and "hidden" not in str(caught.value)


@pytest.mark.parametrize("text", ["[]", "{", '"a"', '{"temperature": 1}', '{"extra_body": {"model": "x"}}'])
def test_what_is_typed_for_a_run_is_told_where_it_cannot_be(text: str) -> None:
    with pytest.raises(ConfigError, match="--extras"):
        typed_extras(text, "--extras")


def test_a_runs_own_go_over_the_endpoints_and_come_back_as_they_were_typed() -> None:
    own = typed_extras('{"extra_body": {"temperature": 1}, "omit": ["seed"], "query": {"a": 1}}', "--extras")
    both = merged(MINE, own)
    assert both.body == {**MINE.body, "temperature": 1} and both.omit == ("seed",)
    assert both.query == {"api-version": "2024-10-21", "a": "1"}
    kept = recorded(both)
    assert merged(MINE, typed_extras(in_words(kept), "--extras")) == replace(both, headers=MINE.headers)
    assert typed_extras("  ", "--extras") == Extras() and in_words(Extras()) == ""


def test_a_run_keeps_what_it_was_asked_with_and_of_headers_their_names_alone(toml: Any) -> None:
    text = dump(built(model="mine", user_model="plain", user_extras='{"omit": ["seed"]}'))
    assert CANARY not in text and "plain-title" not in text
    config = load(RunConfig, text)
    assert config.extras == replace(MINE, headers={"api-key": "env:AZURE_KEY", "X-Title": ""})
    assert config.user_extras == Extras(omit=("seed",))


def test_a_resume_asks_the_same_though_the_file_says_otherwise_by_now(toml: Any) -> None:
    config = built(model="mine", user_model="mine", user_extras='{"extra_body": {"reasoning_effort": "low"}}')
    toml(TOML.replace("enable_thinking = false", "enable_thinking = true").replace('"temperature"', ""))
    players = open_parts(config, Path("josh-data")).players
    assert isinstance(players.model, OpenAIChat) and isinstance(players.user_model, OpenAIChat)
    assert players.model.endpoint.extras == MINE
    assert players.user_model.endpoint.extras.body["reasoning_effort"] == "low"
    assert players.model.limits is players.user_model.limits, "one endpoint, one pace"


def test_a_header_that_is_gone_and_a_variable_that_is_not_set_are_told(
    toml: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = built(model="mine")
    toml(TOML.replace(', "X-Title" = "plain-title"', ""))
    with pytest.raises(ConfigError, match="X-Title"):
        open_parts(config, Path("josh-data"))
    monkeypatch.delenv("AZURE_KEY")
    with pytest.raises(MissingKey, match="AZURE_KEY"):
        built(model="mine")


def test_only_an_endpoint_can_be_asked_so() -> None:
    with pytest.raises(ConfigError, match="no endpoint"):
        built(extras='{"omit": ["seed"]}')


def test_a_cloned_run_fills_the_form_with_them(toml: Any, store: services.Store) -> None:
    run = services.create_run(store, built(model="mine", extras='{"extra_body": {"reasoning_effort": "low"}}'))
    filled = choices.cloned(run, ())
    again = services.build_config(replace(choices.request(filled), scenarios=run.config.scenarios), Path("josh-data"))
    assert again.extras == run.config.extras and filled["user_extras"] == ""


def test_an_endpoint_is_listed_with_them_and_a_probe_asks_so(toml: Any, say: Any) -> None:
    text = say("probe")[1]
    assert "enable_thinking" in text and "env:AZURE_KEY" in text and CANARY not in text and "plain-title" not in text
    with running(Programme(lambda body: said("Blue Cup"))) as server:
        toml(TOML.replace("http://127.0.0.1:8000/v1", server.url))
        code, text, _ = say("probe", "mine")
    assert code == 0 and CANARY not in text
    assert all("chat_template_kwargs" in each and "temperature" not in each for each in server.requests)
    assert {each["api-key"] for each in server.endpoint.headers} == {CANARY}
    assert all("api-version=2024-10-21" in path for path in server.endpoint.paths)


def test_the_command_line_gives_them_for_one_run(toml: Any, say: Any) -> None:
    code, _, err = say("run", "--model", "plain", "--agent", "react", "--limit", "1", "--extras", '{"omit": ["tools"]}')
    assert code == 2 and "--extras" in err and "tools" in err
