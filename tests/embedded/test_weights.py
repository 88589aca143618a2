"""The shipped model: complete, small, and refused by name once anything in it is damaged."""

from __future__ import annotations

import json
import shutil

import pytest

from embedded import MODEL
from embedded.weights import MANIFEST, checked_model, write_manifest
from josh_engine.errors import DatasetError


@pytest.fixture
def folder(tmp_path):
    for name in ("model.safetensors", "tokenizer.json"):
        (tmp_path / name).write_bytes(name.encode() * 100)
    write_manifest(tmp_path, {"tokens": 5})
    return tmp_path


def test_what_is_whole_is_given_out(folder):
    assert checked_model(folder) == folder
    assert json.loads((folder / MANIFEST).read_text())["tokens"] == 5


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_changed_a_truncated_and_a_missing_file_are_named(folder, name):
    whole = (folder / name).read_bytes()
    for damaged in (b"X" + whole[1:], whole[:-1], None):
        if damaged is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(damaged)
        with pytest.raises(DatasetError, match=name) as caught:
            checked_model(folder)
        assert "data pretrain" in caught.value.remedy


@pytest.mark.parametrize("manifest", ["", "[]", "{}", "not json"])
def test_without_a_readable_manifest_nothing_is_used(folder, manifest):
    (folder / MANIFEST).write_text(manifest)
    with pytest.raises(DatasetError, match=MANIFEST):
        checked_model(folder)


def test_the_shipped_model_is_whole_and_at_most_13_mb(tmp_path):
    assert checked_model() == MODEL
    assert sum(each.stat().st_size for each in MODEL.iterdir()) <= 13_000_000
    assert all(each.suffix in (".safetensors", ".json", ".jinja", ".md") for each in MODEL.iterdir())
    copied = shutil.copytree(MODEL, tmp_path / "model")
    (copied / "model.safetensors").write_bytes((MODEL / "model.safetensors").read_bytes()[:-1])
    with pytest.raises(DatasetError, match=r"model\.safetensors"):
        checked_model(copied)
