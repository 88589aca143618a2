"""Fetching MultiWOZ 2.1 from its public repository (https://github.com/budzianowski/multiwoz, MIT License)."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from josh_engine.errors import ConfigError, DatasetError

DEFAULT_URL = "https://github.com/budzianowski/multiwoz/raw/master/data/MultiWOZ_2.1.zip"
LARGEST = 200 << 20  # bytes; the published zip has 20e6
PIECE = 1 << 16
REMEDY = (
    "Check the connection, or fetch the file on another machine and import it: python -m app data multiwoz PATH. "
    f"It lies at {DEFAULT_URL}."
)


class _Answer(Protocol):
    @property
    def headers(self) -> http.client.HTTPMessage: ...
    def read(self, amount: int, /) -> bytes: ...


def fetch(url: str, folder: Path, *, timeout_seconds: float = 60.0) -> Path:
    """The zip at `url`, written into `folder`, complete. `timeout_seconds` bounds each wait, not the whole."""
    if not url.startswith(("https://", "http://")):
        raise ConfigError(f"{url!r} is no web address.", remedy="Use one that begins with https://.")
    path = folder / "multiwoz.zip"
    try:
        with urllib.request.urlopen(url, timeout=timeout_seconds) as answer, path.open("wb") as file:
            for piece in _pieces(answer, url):
                file.write(piece)
    except urllib.error.HTTPError as error:
        raise DatasetError(f"{url} answered {error.code} {error.reason}.", remedy=REMEDY) from error
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise DatasetError(f"{url} could not be fetched: {reason}.", remedy=REMEDY) from error
    if not zipfile.is_zipfile(path):
        raise DatasetError(f"{url} did not give a zip.", remedy=REMEDY)
    return path


def _pieces(answer: _Answer, url: str) -> Iterator[bytes]:
    """The body in pieces. Raises DatasetError where it is larger than it can be or ends before it was announced."""
    announced = answer.headers.get("Content-Length")
    received = 0
    while piece := answer.read(PIECE):
        received += len(piece)
        if received > LARGEST:
            raise DatasetError(f"{url} gives more than {LARGEST:,} bytes, which is not MultiWOZ.", remedy=REMEDY)
        yield piece
    if announced is not None and received < int(announced):
        raise DatasetError(f"{url} broke off after {received:,} of {int(announced):,} bytes.", remedy=REMEDY)
