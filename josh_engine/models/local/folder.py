"""Checks a model's folder before torch is even imported, so that a wrong one is told in milliseconds.

Only safetensors are read: a pickle can run code when it is opened. The header of a safetensors file says how long the
file must be, so one cut short by a broken download or a full disk is found without reading it. What cannot be seen
from outside (weights that are numbers, but wrong ones) shows when the model is warmed up (`batch`).
"""

from __future__ import annotations

import json
from pathlib import Path

from josh_engine.errors import ConfigError, DatasetError
from josh_engine.values import Json

PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
AGAIN = "Copy or download it again."
LARGEST_HEADER = 100_000_000  # bytes; the format's own limit


def check_model(folder: Path) -> int:
    """The weights' size in bytes. Raises ConfigError for what is no model, DatasetError for a damaged one."""
    if not folder.is_dir():
        raise ConfigError(
            f"There is no model folder {folder}.",
            remedy="Give the folder that holds config.json and *.safetensors; nothing is downloaded.",
        )
    if not (folder / "config.json").is_file():
        if (folder / "adapter_config.json").is_file():
            raise ConfigError(
                f"{folder} holds an adapter, not a model.", remedy="Give its base model's folder, and this as adapter."
            )
        raise ConfigError(f"{folder} is no Hugging Face model: it has no config.json.")
    read_object(folder / "config.json")
    return sum(check_safetensors(path) for path in weight_files(folder))


def check_adapter_files(folder: Path) -> Path:
    """Its weights. Raises ConfigError for what is no LoRA adapter as peft saves one, DatasetError for a damaged one."""
    if not (folder / "adapter_config.json").is_file():
        raise ConfigError(f"{folder} is no adapter: it has no adapter_config.json.")
    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():
        _refuse_pickles(folder)
        raise ConfigError(f"{folder} is no adapter: it has no adapter_model.safetensors.")
    check_safetensors(weights)
    read_object(folder / "adapter_config.json")
    return weights


def check_safetensors(path: Path) -> int:
    """The file's size in bytes, which must be what its header says. Raises DatasetError."""
    size = path.stat().st_size
    length, tensors = _header(path, size)
    try:
        ends = [int(tensor["data_offsets"][1]) for tensor in tensors.values()]
    except (ValueError, TypeError, LookupError) as error:
        raise DatasetError(f"{path} has a damaged header.", remedy=AGAIN) from error
    expected = 8 + length + max(ends, default=0)
    if size != expected:
        raise DatasetError(f"{path} is {size:,} bytes long, but should be {expected:,}.", remedy=AGAIN)
    return size


def tensor_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """What a safetensors file holds, from its header alone. Raises DatasetError."""
    _, tensors = _header(path, path.stat().st_size)
    try:
        return {name: tuple(int(each) for each in tensor["shape"]) for name, tensor in tensors.items()}
    except (ValueError, TypeError, LookupError) as error:
        raise DatasetError(f"{path} has a damaged header.", remedy=AGAIN) from error


def _header(path: Path, size: int) -> tuple[int, dict[str, Json]]:
    """Its length in bytes, and what it says of each tensor."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(LARGEST_HEADER, size):
            raise DatasetError(f"{path} is no safetensors file, or its first bytes are damaged.", remedy=AGAIN)
        header = file.read(length)
    try:
        return length, {name: entry for name, entry in json.loads(header).items() if name != "__metadata__"}
    except (ValueError, AttributeError) as error:
        raise DatasetError(f"{path} has a damaged header.", remedy=AGAIN) from error


def weight_files(folder: Path) -> list[Path]:
    """Those of a model. Raises ConfigError where there are none, DatasetError where one is missing."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        named = read_object(index).get("weight_map")
        if not isinstance(named, dict):
            raise DatasetError(f"{index} has no weight_map.", remedy=AGAIN)
        shards = [folder / str(name) for name in sorted(set(named.values()))]
        if missing := [shard for shard in shards if not shard.is_file()]:
            raise DatasetError(f"{missing[0]} is missing ({len(missing)} of {len(shards)} parts).", remedy=AGAIN)
        return shards
    whole = folder / "model.safetensors"
    if not whole.is_file():
        _refuse_pickles(folder)
        raise ConfigError(f"{folder} holds no weights: there is no model.safetensors.")
    return [whole]


def _refuse_pickles(folder: Path) -> None:
    found = sorted(path for pattern in PICKLES for path in folder.glob(pattern))
    if found:
        raise ConfigError(
            f"{found[0]} is a pickle, which can run code when it is opened; only safetensors are read.",
            remedy="Get the safetensors version, or convert it where you trust it: save_pretrained writes safetensors.",
        )


def read_object(path: Path) -> dict[str, Json]:
    """Raises DatasetError for a file that holds none."""
    try:
        parsed = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read: {error}.", remedy=AGAIN) from error
    if not isinstance(parsed, dict):
        raise DatasetError(f"{path} holds no object.", remedy=AGAIN)
    return parsed
