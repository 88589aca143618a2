"""A data set as it is published (a folder, a zip of it read in place, or an address that the zip is fetched from), and
its files as they are kept: all or none, with a manifest.

Nothing is unpacked, so no entry of a zip can name a path outside. Sizes are bounded before anything is read.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import shutil
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from josh_engine.errors import ConfigError, DatasetError, StorageError
from josh_engine.values import Json

FORMAT = 1  # of the manifest
PIECE = 1 << 16
Read = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Published:
    """`wanted`: names of files; others are not looked at. `depth`: folders between the source and its files, itself
    counted. `largest`: bytes in one file, unpacked; `largest_zip`: bytes. `remedy`: what to do where it is none of
    this; `refetch` where it cannot be fetched."""

    name: str
    url: str
    wanted: frozenset[str]
    depth: int
    largest: int
    largest_zip: int
    remedy: str
    refetch: str


@contextmanager
def members(path: Path, kind: Published) -> Iterator[Mapping[str, Read]]:
    """Place within the source (posix) -> how to read it. Raises DatasetError where there is no such folder or zip."""
    if path.is_dir():
        yield _in_folder(path, kind)
    elif path.is_file():
        try:
            with zipfile.ZipFile(path) as archive:
                yield _in_zip(archive, kind)
        except (zipfile.BadZipFile, zipfile.LargeZipFile) as error:
            raise DatasetError(f"{path} is not a readable zip: {error}.", remedy=kind.remedy) from error
    else:
        raise DatasetError(f"There is no {path}.", remedy=kind.remedy)


def refuse_large(name: str, size: int, kind: Published) -> None:
    if size > kind.largest:
        raise DatasetError(f"{name} has {size:,} bytes unpacked, more than any {kind.name} file.", remedy=kind.remedy)


def _in_folder(folder: Path, kind: Published) -> dict[str, Read]:
    levels = ("*/" * depth + "*" for depth in range(kind.depth))
    found = sorted(path for level in levels for path in folder.glob(level) if path.name in kind.wanted)
    return {path.relative_to(folder).as_posix(): _file_reader(path, kind) for path in found}


def _in_zip(archive: zipfile.ZipFile, kind: Published) -> dict[str, Read]:
    return {
        entry.filename: _entry_reader(archive, entry, kind)
        for entry in archive.infolist()
        if not entry.is_dir()
        and PurePosixPath(entry.filename).name in kind.wanted
        and entry.filename.count("/") < kind.depth
    }


def _file_reader(path: Path, kind: Published) -> Read:
    def read() -> bytes:
        try:
            refuse_large(path.name, path.stat().st_size, kind)
            return path.read_bytes()
        except OSError as error:
            raise DatasetError(f"{path} cannot be read: {error}.") from error

    return read


def _entry_reader(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, kind: Published) -> Read:
    def read() -> bytes:
        refuse_large(entry.filename, entry.file_size, kind)
        try:
            return archive.read(entry)  # reads no more than the size it declares
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
            raise DatasetError(f"{entry.filename} in the zip cannot be read: {error}.", remedy=kind.remedy) from error

    return read


class _Answer(Protocol):
    @property
    def headers(self) -> http.client.HTTPMessage: ...
    def read(self, amount: int, /) -> bytes: ...


def fetch(kind: Published, folder: Path, *, url: str = "", timeout_seconds: float = 60.0) -> Path:
    """The zip at `url` (else the published one), written into `folder`, complete. `timeout_seconds` bounds each wait,
    not the whole."""
    url = url or kind.url
    if not url.startswith(("https://", "http://")):
        raise ConfigError(f"{url!r} is no web address.", remedy="Use one that begins with https://.")
    path = folder / "fetched.zip"
    try:
        with urllib.request.urlopen(url, timeout=timeout_seconds) as answer, path.open("wb") as file:
            for piece in _pieces(answer, url, kind):
                file.write(piece)
    except urllib.error.HTTPError as error:
        raise DatasetError(f"{url} answered {error.code} {error.reason}.", remedy=kind.refetch) from error
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise DatasetError(f"{url} could not be fetched: {reason}.", remedy=kind.refetch) from error
    if not zipfile.is_zipfile(path):
        raise DatasetError(f"{url} did not give a zip.", remedy=kind.refetch)
    return path


def _pieces(answer: _Answer, url: str, kind: Published) -> Iterator[bytes]:
    """The body in pieces. Raises DatasetError where it is larger than it can be or ends before it was announced."""
    announced = answer.headers.get("Content-Length")
    received = 0
    while piece := answer.read(PIECE):
        received += len(piece)
        if received > kind.largest_zip:
            raise DatasetError(
                f"{url} gives more than {kind.largest_zip:,} bytes, which is not {kind.name}.", remedy=kind.refetch
            )
        yield piece
    if announced is not None and received < int(announced):
        raise DatasetError(f"{url} broke off after {received:,} of {int(announced):,} bytes.", remedy=kind.refetch)


def put_in_place(files: Mapping[str, bytes], place: Path) -> None:
    """All files or none: written beside the place, then renamed; an older data set stays until that moment. Raises
    StorageError."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".import-", dir=place.parent) as workshop:
            made, old = Path(workshop) / "made", Path(workshop) / "old"
            made.mkdir()
            for name, content in files.items():
                (made / name).write_bytes(content)
            if place.exists():
                place.rename(old)
            try:
                made.rename(place)
            except OSError:
                if old.exists():
                    shutil.move(old, place)
                raise
    except OSError as error:
        raise StorageError(f"{place} cannot be written: {error.strerror or error}.") from error


def manifest(files: Mapping[str, bytes], *, attribution: str, source: str, report: Json) -> bytes:
    """What stands beside imported files: where they are from, what their import found, and their hashes."""
    told = {
        "format": FORMAT,
        "attribution": attribution,
        "source": source,
        "report": report,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode()
