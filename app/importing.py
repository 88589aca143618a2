"""A world's data into the data folder: here, or in a child process that outlives the page; and what was imported.

The kernel's lock says whether an import is going on, as with runs. What came of the last one stands in
`<data>/.import/<world>/result.json`; what is there now, in the data set's own manifest, whose hashes are looked up
again. `python -m app.importing WORLD DATA [SOURCE]` is the child (without SOURCE it fetches what is published); a file
that was uploaded for it is removed when it is done.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from app import demo
from app.launching import search_path
from josh_engine.errors import DatasetError, JoshError, StorageError
from josh_engine.values import Json
from storage import locks

if TYPE_CHECKING:
    from taubench.tasks import ImportReport as RetailReport
    from toolwoz.multiwoz import ImportReport as MultiwozReport

NAMES = {"toolwoz": "MultiWOZ 2.1", "tau-retail": "τ-bench retail"}  # worlds whose data a person brings
START_SECONDS = 10.0
GOING_ON = "An import is going on already."
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Imported:
    """The data set that is there. `report`: as the import gave it; `changed`: files whose sha256 is another now."""

    source: str
    attribution: str
    report: Mapping[str, Json]
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportState:
    """Of the last import from a page. `error` and `remedy`: where it failed."""

    state: Literal["none", "running", "done", "failed"]
    error: str = ""
    remedy: str = ""
    report: Mapping[str, Json] = field(default_factory=dict)


def import_data(world: str, source: Path | None, data: Path) -> MultiwozReport | RetailReport:
    """In this process; `source` None: fetched from where it is published. Raises DatasetError and StorageError; nothing
    is half-imported."""
    demo.refuse("Importing data")
    _there(source)
    _make(data)
    try:
        with locks.holding(data / world, "import"):
            if world == "tau-retail":
                from taubench import tasks

                return tasks.import_retail(source, data) if source else tasks.download_retail(data)
            from toolwoz import multiwoz

            return multiwoz.import_multiwoz(source, data) if source else multiwoz.download_multiwoz(data)
    except locks.RunHeld as error:
        raise DatasetError(GOING_ON, remedy="Wait for it.") from error


def start_import(world: str, source: Path | None, data: Path) -> None:
    """As `import_data`, in a child process; returns at once. Raises DatasetError where one is going on, or there is no
    such source."""
    demo.refuse("Importing data")
    if import_state(world, data).state == "running":
        raise DatasetError(GOING_ON, remedy="Wait for it.")
    _there(source)
    place = _make(_place(world, data))
    _result(world, data).write_text(json.dumps({"state": "running"}), encoding="utf-8")
    with (place / "log").open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "app.importing", world, str(data), *([str(source)] if source else [])],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": search_path()},
        )
    threading.Thread(target=child.wait, daemon=True).start()  # so that it leaves no zombie


def _there(source: Path | None) -> None:
    if source is not None and not source.exists():
        raise DatasetError(f"There is no {source}.", remedy="Give the data set's own folder or zip.")


def keep_upload(world: str, upload: IO[bytes], data: Path) -> Path:
    """The uploaded file, on disk for the child."""
    demo.refuse("Importing data")
    place = _make(_place(world, data)) / "upload.zip"
    try:
        with place.open("wb") as kept:
            shutil.copyfileobj(upload, kept)
    except OSError as error:
        raise StorageError(f"{place} cannot be written: {error.strerror or error}.") from error
    return place


def import_state(world: str, data: Path) -> ImportState:
    """ "running" while somebody imports, from whatever process."""
    said = _read(_result(world, data)) or {}
    if locks.is_held(data / world, "import") or (said.get("state") == "running" and _just_started(world, data)):
        return ImportState("running")
    if said.get("state") == "running":
        return ImportState("failed", "The import ended without a word.", f"See {_place(world, data) / 'log'}.")
    return ImportState(**said) if said else ImportState("none")


def imported(world: str, data: Path) -> Imported | None:
    """None: nothing was imported, or its manifest cannot be read."""
    manifest = _read(data / world / "manifest.json")
    if not manifest or "report" not in manifest:
        return None
    hashes: Mapping[str, str] = manifest.get("sha256", {})
    changed = tuple(name for name, wanted in sorted(hashes.items()) if _sha256(data / world / name) != wanted)
    return Imported(str(manifest.get("source", "")), str(manifest.get("attribution", "")), manifest["report"], changed)


def data_stamp(world: str, data: Path) -> str:
    """Changes when the world's imported data do; the same for a world that imports none."""
    try:
        return str((data / world / "manifest.json").stat().st_mtime_ns)
    except OSError:
        return ""


def main(world: str, data: str, source: str = "") -> None:
    place = Path(data)
    try:
        report = asdict(import_data(world, Path(source) if source else None, place))
        said: dict[str, Json] = {"state": "done", "report": report}
    except JoshError as error:
        said = {"state": "failed", "error": error.message, "remedy": error.remedy}
    except Exception as error:
        log.exception("the import failed")
        said = {
            "state": "failed",
            "error": f"{type(error).__name__}: {error}",
            "remedy": f"See {_place(world, place) / 'log'}.",
        }
    if source and Path(source).parent == _place(world, place):
        Path(source).unlink(missing_ok=True)
    aside = _place(world, place) / "result.part"
    aside.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
    aside.replace(_result(world, place))


def _place(world: str, data: Path) -> Path:
    return data / ".import" / world


def _result(world: str, data: Path) -> Path:
    return _place(world, data) / "result.json"


def _make(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder} cannot be made: {error.strerror or error}.", remedy="Choose another.") from error
    return folder


def _read(file: Path) -> dict[str, Json] | None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # absent, or not ours: the caller says what that means
    return found if isinstance(found, dict) else None


def _just_started(world: str, data: Path) -> bool:
    """Between its start and its taking the lock there is no other sign of the child."""
    return time.time() - _result(world, data).stat().st_mtime < START_SECONDS


def _sha256(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""


if __name__ == "__main__":
    logging.basicConfig()
    main(*sys.argv[1:])
