"""MultiWOZ as it is published: a folder or a zip of it, whatever folders lie in between.

Wanted are, by file name: `data.json`, or the gzip files `val_2.1.json.gz`, `test_2.1.json.gz` and
`train_2.1.json.gz`; `valListFile` and `testListFile` (.txt or .json: one id per line, in the official order, with or
without ".json"); and the four `<domain>_db.json`. A zip is read in place: nothing is unpacked, so no entry can name a
path outside. `data.json` is decoded one dialogue at a time, since all of it at once takes over a gigabyte.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from josh_engine.errors import DatasetError
from josh_engine.worlds.published import Published, Read, members, refuse_large
from toolwoz.database import checked_records
from toolwoz.multiwoz_layouts import SCHEMA_GUIDED, refuse_other
from toolwoz.schema import DOMAINS

LARGEST = 1 << 30  # bytes in one file, unpacked; the published data.json has 0.37e9
DEPTH = 4  # folders between the source and its files
DIALOGUES = ("data.json", "val_2.1.json.gz", "test_2.1.json.gz", "train_2.1.json.gz")
LISTS = {"val": ("valListFile.txt", "valListFile.json"), "test": ("testListFile.txt", "testListFile.json")}
DATABASES = tuple(f"{domain}_db.json" for domain in DOMAINS)
WANTED = frozenset({*DIALOGUES, *LISTS["val"], *LISTS["test"], *DATABASES})
REMEDY = "Give MultiWOZ 2.1's own folder or zip: data.json, valListFile, testListFile and the *_db.json files."
URL = "https://github.com/budzianowski/multiwoz/raw/master/data/MultiWOZ_2.1.zip"  # MIT License
MULTIWOZ_21 = Published(
    "MultiWOZ",
    URL,
    WANTED,
    depth=DEPTH,
    largest=LARGEST,
    largest_zip=200 << 20,  # the published zip has 20e6
    remedy=REMEDY,
    refetch="Check the connection, or fetch the file on another machine and import it:"
    f" python -m app data multiwoz PATH. It lies at {URL}.",
)

_SPACE = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True, slots=True)
class Source:
    """What was found, read on demand. `lists`: split -> ids in the official order."""

    name: str
    lists: Mapping[str, tuple[str, ...]]
    records: Mapping[str, list[dict[str, Any]]]
    dialogue_files: Mapping[str, Read]

    def dialogues(self) -> Iterator[tuple[str, str, Any]]:
        """(file, id, dialogue), one at a time."""
        for name, read in self.dialogue_files.items():
            for identity, dialogue in members_of(_text(name, _unpacked(name, read())), name):
                yield name, _plain(identity), dialogue


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Raises DatasetError where a file is absent, ambiguous or broken, or where it is another data set."""
    place = path.parent if path.name in ("data.json", SCHEMA_GUIDED) and path.is_file() else path
    with members(place, MULTIWOZ_21) as found:
        files = _shallowest(found)
        if not files.keys() & set(DIALOGUES):
            refuse_other(place, MULTIWOZ_21)
        yield _source(path.name, files)


def members_of(text: str, name: str) -> Iterator[tuple[str, Any]]:
    """The members of a JSON object, decoded one by one."""
    decoder = json.JSONDecoder()
    place = _skip(text, 0)
    last = "its beginning"
    try:
        place = _expect(text, place, "{")
        while not text.startswith("}", place):
            identity, place = decoder.raw_decode(text, place)
            place = _expect(text, _skip(text, place), ":")
            if not isinstance(identity, str):
                raise ValueError("a name must be a text")
            last = f"dialogue {identity}"
            value, place = decoder.raw_decode(text, place)
            yield identity, value
            place = _skip(text, place)
            if not text.startswith("}", place):
                place = _expect(text, place, ",")
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{name} is broken at {last}: {error}.", remedy=REMEDY) from error


def _expect(text: str, place: int, mark: str) -> int:
    if not text.startswith(mark, place):
        raise ValueError(f"expected {mark!r} at character {place}")
    return _skip(text, place + 1)


def _skip(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _source(name: str, files: Mapping[str, Read]) -> Source:
    lists = {split: _ids(names, files) for split, names in LISTS.items()}
    if both := set(lists["val"]) & set(lists["test"]):
        raise DatasetError(f"{min(both)} stands in both valListFile and testListFile.", remedy=REMEDY)
    records = {}
    for domain, file in zip(DOMAINS, DATABASES, strict=True):
        records[domain] = checked_records(_json(file, _needed(files, (file,))[1]()), file)
    wanted = DIALOGUES[:1] if DIALOGUES[0] in files else DIALOGUES[1:]
    dialogue_files = {file: files[file] for file in wanted if file in files}
    if not dialogue_files:
        raise DatasetError(f"{name} has no {DIALOGUES[0]}.", remedy=REMEDY)
    return Source(name, lists, records, dialogue_files)


def _ids(names: tuple[str, ...], files: Mapping[str, Read]) -> tuple[str, ...]:
    name, read = _needed(files, names)
    text = _text(name, read())
    lines = _json(name, text.encode()) if text.lstrip().startswith("[") else text.split("\n")
    ids = tuple(_plain(str(line).strip()) for line in lines if str(line).strip())
    if not ids:
        raise DatasetError(f"{name} names no dialogue.", remedy=REMEDY)
    if len(set(ids)) < len(ids):
        raise DatasetError(f"{name} names a dialogue twice.", remedy=REMEDY)
    return ids


def _plain(identity: str) -> str:
    return identity.removesuffix(".json")


def _needed(files: Mapping[str, Read], names: tuple[str, ...]) -> tuple[str, Read]:
    for name in names:
        if name in files:
            return name, files[name]
    raise DatasetError(f"There is no {' or '.join(names)}.", remedy=REMEDY)


def _shallowest(found: Mapping[str, Read]) -> dict[str, Read]:
    """One file per name: the one that lies least deep. Two at the same depth are an error."""
    chosen: dict[str, str] = {}
    for path in sorted(found, key=lambda path: path.count("/")):
        name = PurePosixPath(path).name
        first = chosen.setdefault(name, path)
        if first != path and first.count("/") == path.count("/"):
            raise DatasetError(f"Two files could be meant: {first} and {path}.", remedy="Give one of the two folders.")
    return {name: found[path] for name, path in chosen.items()}


def _unpacked(name: str, content: bytes) -> bytes:
    if not name.endswith(".gz"):
        return content
    try:
        unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
        unpacked = unpacker.decompress(content, MULTIWOZ_21.largest)
        refuse_large(name, len(unpacked) + len(unpacker.unconsumed_tail), MULTIWOZ_21)
        if not unpacker.eof:
            raise EOFError("it ends too early")
    except (zlib.error, EOFError) as error:
        raise DatasetError(f"{name} is not a whole gzip file: {error}.", remedy=REMEDY) from error
    return unpacked


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{name} is not UTF-8 text: {error}.", remedy=REMEDY) from error


def _json(name: str, content: bytes) -> Any:
    try:
        return json.loads(_text(name, content))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{name} is not JSON: {error}.", remedy=REMEDY) from error
