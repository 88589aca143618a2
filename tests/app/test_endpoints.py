"""Endpoints from `josh.toml` and MODEL@URL: what they become, what a run records of them, and where keys stay."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import models, services
from app.catalog import declared
from app.endpoints import typed_endpoint
from app.parts import open_parts
from josh_engine.config import RunConfig, RunLimits
from josh_engine.encoding import dump, load
from josh_engine.errors import ConfigError, MissingKey
from josh_engine.models.endpoint import Endpoint, Timeouts
from josh_engine.models.openai_chat import OpenAIChat
from josh_engine.models.prices import Price
from josh_engine.values import Sampling
from tests.app.conftest import REQUEST
from tests.fake_openai.chats import said
from tests.fake_openai.server import Programme, running

CANARY = "sk-canary-77aa01"
TOML = """
[models.mine]
url = "http://127.0.0.1:8000/v1/"
model = "big-model"
key_env = "MINE_KEY"
price_prompt = 0.15
price_completion = 0.6
max_concurrency = 4
requests_per_minute = 90
total_seconds = 9
tries = 2

[models.plain]
url = "http://127.0.0.1:8001/v1"
model = "small"

[agents]
my_agent = "tests.app.fake_parts:Agent"
"""


@pytest.fixture
def toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    place = tmp_path / "josh.toml"
    monkeypatch.setenv("JOSH_CONFIG", str(place))
    monkeypatch.delenv("MINE_KEY", raising=False)

    def write(text: str) -> None:
        place.write_text(text)

    write(TOML)
    return write


def built(**choices: Any) -> RunConfig:
    from dataclasses import replace

    return services.build_config(replace(REQUEST, **choices), Path("josh-data"))


# What a name becomes


def test_a_table_says_everything_about_an_endpoint(toml: Any) -> None:
    assert models.endpoint_named("mine") == Endpoint(
        "big-model",
        "http://127.0.0.1:8000/v1",
        "MINE_KEY",
        price=Price(0.15, 0.6),
        max_concurrency=4,
        requests_per_minute=90,
        timeouts=Timeouts(total=9),
        tries=2,
    )
    assert models.endpoint_named("plain") == Endpoint("small", "http://127.0.0.1:8001/v1")


@pytest.mark.parametrize(
    ("name", "model", "url", "key_env"),
    [
        ("tiny@http://127.0.0.1:8000/v1", "tiny", "http://127.0.0.1:8000/v1", ""),
        ("org/tiny:q4@https://there/v1/", "org/tiny:q4", "https://there/v1", ""),
        ("gpt-4o@https://api.openai.com/v1", "gpt-4o", "https://api.openai.com/v1", "OPENAI_API_KEY"),
    ],
)
def test_a_typed_address_is_an_endpoint_and_only_openais_own_gets_the_usual_key(
    name: str, model: str, url: str, key_env: str
) -> None:
    assert typed_endpoint(name) == Endpoint(model, url, key_env)


@pytest.mark.parametrize("name", ["gpt-4o", "a:b", "mail@example.com", "./folder", "x@ftp://there"])
def test_what_is_no_address_is_none(name: str) -> None:
    assert typed_endpoint(name) is None


def test_a_typed_address_that_the_file_describes_has_its_key_and_prices(toml: Any) -> None:
    assert models.endpoint_named("big-model@http://127.0.0.1:8000/v1") == models.endpoint_named("mine")


def test_a_folder_is_a_local_model_and_is_recorded_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    monkeypatch.chdir(tmp_path)
    assert models.model_source("weights") == models.model_source("./weights") == weights
    with pytest.raises(ConfigError, match="no Hugging Face model"):
        built(model="weights")
    header = b'{"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
    (weights / "config.json").write_text("{}")
    (weights / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    assert built(model="weights").model == str(weights)
    with pytest.raises(ConfigError, match="is no adapter"):
        built(model="weights", adapter=str(tmp_path))


def test_an_adapter_goes_with_a_local_model_only(toml: Any) -> None:
    for choices in ({"model": None}, {"model": "plain"}, {}):
        with pytest.raises(ConfigError, match="goes with a local model"):
            built(adapter="somewhere", **choices)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('url = "http://x/v1"', "model is missing"),
        ('model = "m"', "url is missing"),
        ('url = "x/v1"\nmodel = "m"', "no http address"),
        ('url = "http://me:hidden@x/v1"\nmodel = "m"', "more than an address"),
        ('url = "http://x/v1?api_key=hidden"\nmodel = "m"', "more than an address"),
        ('url = "http://x/v1"\nmodel = "m"\nkey = "hidden"', "unknown key 'key'"),
        ('url = "http://x/v1"\nmodel = "m"\nkey_env = "sk-hidden"', "not the name of an environment variable"),
        ('url = "http://x/v1"\nmodel = "m"\nprice_prompt = "cheap"', "price_prompt must be a number"),
        ('url = "http://x/v1"\nmodel = "m"\nprice_prompt = -1', "price_prompt must be a number of at least 0"),
        ('url = "http://x/v1"\nmodel = "m"\nmax_concurrency = 0', "max_concurrency must be a whole number"),
        ('url = "http://x/v1"\nmodel = "m"\nmax_concurrency = 2.5', "max_concurrency must be a whole number"),
        ('url = "http://x/v1"\nmodel = "m"\ntotal_seconds = nan', "total_seconds must be a number"),
        ('url = "http://x/v1"\nmodel = "m"\ntries = true', "tries must be a whole number"),
    ],
)
def test_a_table_that_cannot_be_is_told_by_its_key_and_no_secret_is_repeated(toml: Any, table: str, said: str) -> None:
    toml(f"[models.mine]\n{table}\n")
    with pytest.raises(ConfigError) as caught:
        services.list_endpoints()
    assert re.search(said, str(caught.value)) and "models.mine" in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_endpoints_and_code_stand_beside_one_another_in_the_file() -> None:
    own = declared({"models": {"a": {"url": "http://x/v1", "model": "m"}, "b": "mod:attr"}}, "josh.toml")
    assert (set(own.endpoints), dict(own.named("model"))) == ({"a"}, {"b": "mod:attr"})
    with pytest.raises(ConfigError, match="must be a text"):
        declared({"models": {"c": 3}}, "josh.toml")
    with pytest.raises(ConfigError, match="table of names"):
        declared({"models": "a"}, "josh.toml")


# What a run records


def test_a_run_records_the_address_behind_a_name_and_finds_it_again_without_the_file(
    toml: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE_KEY", CANARY)
    config = load(RunConfig, dump(built(model="mine", user_model="plain")))
    assert config.endpoints == {
        "mine": "big-model@http://127.0.0.1:8000/v1",
        "plain": "small@http://127.0.0.1:8001/v1",
    }
    toml("")
    assert models.model_source("mine", config.endpoints) == Endpoint("big-model", "http://127.0.0.1:8000/v1")


def test_a_server_may_move_but_a_name_may_not_become_another_model(toml: Any) -> None:
    config = built(model="plain")
    toml(TOML.replace("8001", "9001"))
    source = models.model_source("plain", config.endpoints)
    assert isinstance(source, Endpoint) and source.url == "http://127.0.0.1:9001/v1"
    toml(TOML.replace('"small"', '"other"'))
    with pytest.raises(ConfigError, match="now 'other', but the run was made with 'small'"):
        open_parts(config, Path("josh-data"))


def test_agent_and_user_sample_each_in_their_own_way(toml: Any) -> None:
    config = built(model="plain", user_model="plain", temperature=0.7, user_temperature=0.3, user_max_tokens=90)
    assert config.sampling == Sampling(temperature=0.7)
    assert config.user_sampling == Sampling(temperature=0.3, max_tokens=90)


def test_agent_and_user_share_what_is_the_same_and_nothing_else(toml: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE_KEY", CANARY)
    toml(TOML + '\n[models.twin]\nurl = "http://127.0.0.1:8001/v1"\nmodel = "another"\n')

    def played_by(model: str, user_model: str) -> tuple[OpenAIChat, OpenAIChat]:
        players = open_parts(built(model=model, user_model=user_model), Path("josh-data")).players
        assert isinstance(players.model, OpenAIChat) and isinstance(players.user_model, OpenAIChat)
        return players.model, players.user_model

    same, user = played_by("plain", "plain")
    assert same is user
    one, two = played_by("plain", "twin")
    assert one is not two and one.limits is two.limits, "one address and key, one pace"
    mine, plain = played_by("mine", "plain")
    assert mine.limits is not plain.limits
    assert (mine.limits.pace.slots, mine.limits.pace.gap, mine.limits.patience.tries) == (4, 60 / 90, 2)


# Keys


def test_a_key_that_is_not_set_is_told_by_its_variable_before_anything_is_kept(toml: Any, say: Any) -> None:
    with pytest.raises(MissingKey, match="MINE_KEY, which is not set"):
        built(model="mine")
    code, out, err = say("run", "--model", "mine", "--agent", "my_agent", "--limit", "1")
    assert (code, out) == (2, "") and "export MINE_KEY" in err and err.count("\n") == 1


@pytest.mark.parametrize("key", ["two\nlines", "schlüssel"])
def test_a_key_that_no_header_can_hold_is_told_without_its_value(
    toml: Any, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("MINE_KEY", key)
    with pytest.raises(MissingKey, match="MINE_KEY") as caught:
        built(model="mine")
    assert key not in str(caught.value)


def test_endpoints_are_listed_with_whether_their_key_is_set(
    toml: Any, monkeypatch: pytest.MonkeyPatch, say: Any, ask: Any
) -> None:
    assert [each.key_set for each in services.list_endpoints()] == [False, None]
    monkeypatch.setenv("MINE_KEY", CANARY)
    mine, plain = services.list_endpoints()
    assert (mine.name, mine.key_env, mine.key_set, mine.price_prompt) == ("mine", "MINE_KEY", True, 0.15)
    assert plain.key_set is None
    code, text, _ = say("probe")
    assert code == 0 and "MINE_KEY: set" in text and "unknown / unknown" in text
    assert services.list_models() == ("embedded", "mine", "plain")
    assert CANARY not in text + str(ask("probe")[1])


# Budgets


def test_a_cap_in_usd_needs_a_price_and_is_told_so_before_anything_is_kept(
    toml: Any, store: services.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE_KEY", CANARY)
    with pytest.raises(ConfigError, match=r"price of 'plain' is unknown.*budget-calls"):
        services.create_run(store, built(model="mine", user_model="plain"), limits=RunLimits(budget_usd=1.0))
    assert services.list_runs(store) == ()
    run = services.create_run(store, built(model="plain"))
    with pytest.raises(ConfigError, match="price of 'plain'"):
        services.resume_run(store, run.id, limits=RunLimits(budget_usd=1.0))
    services.create_run(store, built(model="mine", user_model="mine"), limits=RunLimits(budget_usd=1.0))


# The probe


def test_a_probe_of_something_that_is_not_there_is_a_result(toml: Any, say: Any) -> None:
    assert "MINE_KEY" in services.probe_endpoint("mine").error
    code, out, err = say("probe", "tiny@http://127.0.0.1:9/v1")
    assert code == 1 and "Nothing answers" in out and "start the server" in err


def test_a_probe_is_shown_on_the_command_line(say: Any, ask: Any) -> None:
    with running(Programme(lambda body: said("Blue Cup"), models=("tiny", "big"))) as server:
        name = f"tiny@{server.url}"
        code, text, _ = say("probe", name)
        assert code == 0 and "answers" in text and "0 of 4 test calls" in text and "tiny, big" in text
        code, given = ask("probe", name)
    assert code == 0 and given["endpoint"] == name
    assert (given["tools"], given["n"], given["seed"], given["system_only"]) == (False, False, None, True)
