"""Whether a LoRA belongs on a model, decided once for all who put one on: from the files alone, without torch.

Names and shapes of its weights must be the model's (`adapter_weights`). Where a manifest of ours tells what it was
trained on, the model must be that one to the byte, its chat template included, wherever it lies now.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from josh_engine.errors import ConfigError, DatasetError
from josh_engine.models.local.adapter_weights import check_weights
from josh_engine.models.local.folder import check_adapter_files, read_object
from josh_engine.models.local.hashes import folder_hash, hash_before_templates, template_hash
from josh_engine.values import Json

MANIFEST = "manifest.json"


def check_adapter(adapter: Path, model: Path) -> bool:
    """Whether a manifest says that it was trained on this model; False: none tells, and names and shapes alone were
    compared. Raises ConfigError for an adapter of another model, DatasetError for damaged files."""
    weights = check_adapter_files(adapter)
    check_weights(weights, read_object(adapter / "adapter_config.json"), model)
    told = [manifest for manifest in manifests(adapter) if manifest.get("model_sha256")]
    for manifest in told:
        check_base(manifest, model, f"{adapter} was trained on another base")
    return bool(told)


def unknown_base(adapter: Path) -> str:
    """A sentence for an adapter whose base nobody can know; empty where a manifest tells it."""
    if any(manifest.get("model_sha256") for manifest in manifests(adapter)):
        return ""
    return f"{adapter} does not tell which base it was trained on: its weights fit, and that is all that is known."


def manifests(adapter: Path) -> tuple[Mapping[str, Json], ...]:
    """What jobs say of it: in its folder, so that it may be moved, and beside it. Raises DatasetError."""
    found = []
    for place in (adapter / MANIFEST, adapter.parent / MANIFEST):
        if place.is_file():
            try:
                told = json.loads(place.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise DatasetError(f"{place} cannot be read: {error}.") from error
            found += [told] if isinstance(told, dict) else []
    return tuple(found)


def check_base(manifest: Mapping[str, Json], model: Path, otherwise: str) -> None:
    """Raises ConfigError that begins `otherwise` where the model is not the one of the manifest, with both hashes."""
    wanted, template = manifest.get("model_sha256"), manifest.get("template_sha256")
    found = folder_hash(model) if template else hash_before_templates(model)
    if wanted == found:
        return
    own = template_hash(model)
    changed = f" (its chat template is {own}, not {template})" if template and template != own else ""
    raise ConfigError(
        f"{otherwise}: sha256 {wanted}, but {model} has {found}{changed}.",
        remedy=f"Give the base that it was trained on: it was {manifest.get('model', 'not told')}.",
    )


def base_identity(model: Path) -> dict[str, str]:
    """What `check_base` compares, for a manifest."""
    return {"model_sha256": folder_hash(model), "template_sha256": template_hash(model)}
