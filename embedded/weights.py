"""The shipped model's files, checked before they are used: a damaged one is refused by name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from embedded import MODEL
from josh_engine.errors import DatasetError

MANIFEST = "manifest.json"
AGAIN = "Get the files again with the repository, or make them again: python -m app data pretrain"


def checked_model(folder: Path = MODEL) -> Path:
    """The folder, once every file in it is what its manifest says. Raises DatasetError naming the file."""
    try:
        listed: Mapping[str, str] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"The embedded model in {folder} has no readable {MANIFEST}.", remedy=AGAIN) from error
    for name, expected in listed.items():
        if (found := _hash(folder / name)) != expected:
            told = f"is {found[:12]}…, not {expected[:12]}…" if found else "cannot be read"
            raise DatasetError(f"The embedded model is damaged: {folder / name} {told}.", remedy=AGAIN)
    return folder


def write_manifest(folder: Path, facts: Mapping[str, object]) -> None:
    """Lists the folder's files with their hashes, beside `facts` of how they were made."""
    files = sorted(each for each in folder.iterdir() if each.name not in (MANIFEST, "README.md"))
    listed = {each.name: _hash(each) for each in files}
    (folder / MANIFEST).write_text(json.dumps({**facts, "sha256": listed}, indent=2) + "\n", encoding="utf-8")


def _hash(file: Path) -> str:
    """Empty for a file that cannot be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
