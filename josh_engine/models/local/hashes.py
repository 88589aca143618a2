"""A model's or an adapter's folder as one number, which is the same for the same files wherever they lie.

It covers what decides the answers to a conversation: weights, tokenizer, configuration and chat template. Hashing 16 GB
takes a while, so a number is kept for as long as no file's size or times change, large folders' also between
processes, in the user's cache folder.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Iterable
from pathlib import Path

log = logging.getLogger(__name__)

WEIGHED = ("*.safetensors", "tokenizer*.json", "config.json")
# transformers reads templates from these before it looks into tokenizer_config.json.
TEMPLATES = ("*.jinja", "additional_chat_templates/*.jinja", "chat_template.json")
ADAPTERS_OWN = ("adapter_config.json",)
KEPT_FROM = 64_000_000  # bytes of a folder whose number outlives the process
SETTLED = 2.0  # seconds; a file that was written a moment ago may change again within the same tick of its clock
AT_ONCE = 1 << 20

Stamp = tuple[tuple[str, int, int, int], ...]
_known: dict[str, tuple[Stamp, str]] = {}


def folder_hash(folder: Path) -> str:
    """sha256 over all of it, by name. Raises OSError for a file that cannot be read."""
    return _hash(folder, (*WEIGHED, *TEMPLATES, *ADAPTERS_OWN))


def hash_before_templates(folder: Path) -> str:
    """The number that manifests told before chat templates in files of their own counted."""
    return _hash(folder, WEIGHED)


def template_hash(folder: Path) -> str:
    """sha256 over the chat templates, wherever they stand; that of nothing where there is none."""
    digest = hashlib.sha256()
    files = _files(folder, TEMPLATES)
    for file in files:
        digest.update(file.read_bytes())
    if not files:
        digest.update(json.dumps(_within_tokenizer(folder)).encode())
    return digest.hexdigest()


def _within_tokenizer(folder: Path) -> object:
    try:
        return json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8")).get("chat_template")
    except (OSError, ValueError, AttributeError):
        return None  # a folder without it has no template there; a damaged one is told when it is loaded


def _files(folder: Path, patterns: Iterable[str]) -> list[Path]:
    return sorted({file for pattern in patterns for file in folder.glob(pattern) if file.is_file()})


def _hash(folder: Path, patterns: tuple[str, ...]) -> str:
    files = _files(folder, patterns)
    key, stamp = f"{folder.absolute()} {' '.join(patterns)}", _stamp(folder, files)
    large = sum(size for _, size, _, _ in stamp) >= KEPT_FROM
    known = _known.get(key) or (_read_kept().get(key) if large else None)
    if known is not None and known[0] == stamp:
        _known[key] = known
        return known[1]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(folder).as_posix().encode())
        with file.open("rb") as opened:
            while chunk := opened.read(AT_ONCE):
                digest.update(chunk)
    found = digest.hexdigest()
    if all(max(changed, moved) < (time.time() - SETTLED) * 1e9 for _, _, changed, moved in stamp):
        _known[key] = (stamp, found)
        if large:
            _keep({**_read_kept(), key: (stamp, found)})
    return found


def _stamp(folder: Path, files: Iterable[Path]) -> Stamp:
    told = [(file.relative_to(folder).as_posix(), file.stat()) for file in files]
    return tuple((name, each.st_size, each.st_mtime_ns, each.st_ctime_ns) for name, each in told)


def _place() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "josh-studio" / "hashes.json"


def _read_kept() -> dict[str, tuple[Stamp, str]]:
    try:
        told = json.loads(_place().read_text(encoding="utf-8"))
        return {
            key: (tuple((str(a), int(b), int(c), int(d)) for a, b, c, d in stamp), str(found))
            for key, (stamp, found) in told.items()
        }
    except (OSError, ValueError, TypeError, AttributeError, RuntimeError):
        return {}  # no such file yet, or not ours: everything is hashed again


def _keep(known: dict[str, tuple[Stamp, str]]) -> None:
    """Where it cannot be written, the next process hashes again."""
    try:
        place = _place()
        place.parent.mkdir(parents=True, exist_ok=True)
        new = place.with_name(f"{place.name}.{os.getpid()}")
        new.write_text(json.dumps(known), encoding="utf-8")
        new.replace(place)
    except (OSError, RuntimeError):
        log.debug("the hashes of large models cannot be kept", exc_info=True)
