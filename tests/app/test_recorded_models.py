"""A run knows its local model by hash: the same name over other files is another run, and no rows are said to be a
model's that said nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import parts, services, settings
from app.evaluating import launch_plain_play
from josh_engine.config import RunConfig
from josh_engine.errors import ConfigError
from josh_engine.models.local.hashes import folder_hash
from tests.app.conftest import REQUEST


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    header = b'{"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    return folder


def built(tmp_path: Path, **choices: Any) -> RunConfig:
    return settings.build_config(replace(REQUEST, **choices), tmp_path)


def test_local_models_of_both_sides_are_recorded_by_hash_and_others_are_not(tmp_path, model):
    config = built(tmp_path, model=str(model), user_model="name@http://127.0.0.1:1/v1")
    assert config.hashes == {str(model): folder_hash(model)}
    assert built(tmp_path).hashes == {}


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("chat_template.jinja", "{{ messages }}"),
        ("tokenizer_config.json", '{"chat_template": "{{ messages }}"}'),
        ("config.json", '{"rope_theta": 1}'),
    ],
)
def test_a_model_that_changed_meanwhile_is_refused_with_both_hashes(tmp_path, model, file, content):
    config = built(tmp_path, model=str(model))
    parts.open_parts(config, tmp_path)
    before = folder_hash(model)
    (model / file).write_text(content)
    with pytest.raises(ConfigError, match="is no longer what the run was made with") as told:
        parts.open_parts(config, tmp_path)
    assert before in str(told.value) and folder_hash(model) in str(told.value)


def test_a_run_of_before_hashes_were_recorded_plays_on(tmp_path, model):
    config = replace(built(tmp_path, model=str(model)), hashes={})
    (model / "chat_template.jinja").write_text("{{ messages }}")
    parts.open_parts(config, tmp_path)


def test_another_model_under_the_same_name_is_played_again(store, tmp_path, model, monkeypatch):
    monkeypatch.setattr(services, "launch_run", lambda store, run_id: services.load_run(store, run_id))
    request = replace(REQUEST, model=str(model), limit=1)
    first = launch_plain_play(store, request, name="first")
    with store.write() as connection:
        connection.execute("UPDATE runs SET state = 'done'")
    assert launch_plain_play(store, request, name="again") == first
    (model / "chat_template.jinja").write_text("{{ messages }}")
    assert launch_plain_play(store, request, name="changed") != first


def test_a_shipped_agent_that_needs_no_model_names_none(tmp_path, model):
    for agent, expected in (("scripted", None), ("react", str(model))):
        request = services.RunRequest(agent=agent, model=str(model), limit=1)
        assert settings.build_config(request, tmp_path).model == expected
