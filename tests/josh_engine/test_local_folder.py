"""A model's folder is judged from outside, before torch is imported."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from josh_engine.errors import ConfigError, DatasetError, MissingDependency
from josh_engine.models.local.folder import check_adapter_files, check_model
from josh_engine.models.local_chat import open_local


def safetensors(path: Path, values: int = 4, *, cut: int = 0) -> Path:
    """A file with one tensor of zeros; `cut` bytes are missing at its end."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [values], "data_offsets": [0, 4 * values]}}).encode()
    whole = struct.pack("<Q", len(header)) + header + bytes(4 * values)
    path.write_bytes(whole[: len(whole) - cut])
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    return tmp_path


def test_a_sound_folder_has_the_size_of_its_weights(folder):
    weights = safetensors(folder / "model.safetensors")
    assert check_model(folder) == weights.stat().st_size


def test_a_sharded_model_is_checked_shard_by_shard(folder):
    index = {"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    safetensors(folder / "one.safetensors")
    with pytest.raises(DatasetError, match=r"two\.safetensors is missing \(1 of 2 parts\)"):
        check_model(folder)
    safetensors(folder / "two.safetensors", cut=3)
    with pytest.raises(DatasetError, match=r"two\.safetensors is .* bytes long, but should be"):
        check_model(folder)


def test_a_missing_folder_says_what_to_give(tmp_path):
    with pytest.raises(ConfigError, match=r"There is no model folder .*nowhere.*nothing is downloaded"):
        check_model(tmp_path / "nowhere")


def test_an_adapter_is_not_taken_for_a_model(tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ConfigError, match="holds an adapter"):
        check_model(tmp_path)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.pth", "last.ckpt"])
def test_pickles_are_refused_and_never_opened(folder, name):
    (folder / name).write_bytes(b"cos\nsystem\n(S'touch opened'\ntR.")
    with pytest.raises(ConfigError, match="pickle, which can run code"):
        check_model(folder)


def test_a_pickled_adapter_is_refused(tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}")
    (tmp_path / "adapter_model.bin").write_bytes(b"x")
    with pytest.raises(ConfigError, match="pickle"):
        check_adapter_files(tmp_path)


@pytest.mark.parametrize("cut", [1, 15, 16])
def test_weights_cut_short_are_found(folder, cut):
    safetensors(folder / "model.safetensors", cut=cut)
    with pytest.raises(DatasetError, match="bytes long, but should be"):
        check_model(folder)


@pytest.mark.parametrize(
    "content", [b"", b"12345", bytes(8) + b"{}", b"\xff" * 40, struct.pack("<Q", 8) + b"not json" + bytes(9)]
)
def test_what_is_no_safetensors_file_is_told(folder, content):
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(DatasetError, match="damaged"):
        check_model(folder)


def test_a_config_that_is_no_json_is_told(folder):
    (folder / "config.json").write_text("{")
    with pytest.raises(DatasetError, match=r"config\.json cannot be read"):
        check_model(folder)


def test_four_bit_without_its_package_names_the_command(folder, monkeypatch):
    safetensors(folder / "model.safetensors")
    monkeypatch.setitem(__import__("sys").modules, "bitsandbytes", None)
    with pytest.raises(MissingDependency, match="pip install bitsandbytes"):
        open_local(folder, quantize="4bit")


def test_what_cannot_be_is_refused_at_once(folder):
    safetensors(folder / "model.safetensors")
    with pytest.raises(ConfigError, match="Unknown quantisation"):
        open_local(folder, quantize="8bit")
    with pytest.raises(ConfigError, match="max_rows is 0"):
        open_local(folder, max_rows=0)
