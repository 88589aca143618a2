"""Reads `josh.toml`, in which a person gives short names to worlds, agents, users and models of their own.

It stands in the working directory, unless JOSH_CONFIG names another. Its folder is made importable when one of its
parts is opened, so `mine = "my_module:MyAgent"` finds `my_module.py` beside it.
"""

from __future__ import annotations

import os
import sys
import tomllib
from functools import lru_cache
from pathlib import Path

from app.catalog import NOTHING_DECLARED, Declared, Kind, declared
from josh_engine.errors import ConfigError

CONFIG_VARIABLE = "JOSH_CONFIG"
FILE_NAME = "josh.toml"


def config_path() -> Path:
    return Path(os.environ.get(CONFIG_VARIABLE) or FILE_NAME).absolute()


def own_parts() -> Declared:
    """What the file declares; nothing where there is none. Raises ConfigError naming file and key.

    A file that JOSH_CONFIG names must be there.
    """
    place = config_path()
    try:
        stamp = place.stat()
    except FileNotFoundError as error:
        if os.environ.get(CONFIG_VARIABLE):
            raise ConfigError(f"There is no {place}, which {CONFIG_VARIABLE} names.") from error
        return NOTHING_DECLARED
    except OSError as error:
        raise ConfigError(f"{place} cannot be read: {error.strerror or error}.") from error
    return _read(place, (stamp.st_mtime_ns, stamp.st_size))


def make_importable(kind: Kind, name: str) -> None:
    """Lets the file's own modules be imported, where the file declares this part. Last, so it shadows nothing."""
    own = own_parts()
    folder = str(Path(own.file).parent)
    if name in own.named(kind) and folder not in sys.path:
        sys.path.append(folder)


@lru_cache(maxsize=8)
def _read(place: Path, stamp: tuple[int, int]) -> Declared:
    """Once for each state of the file."""
    try:
        parsed = tomllib.loads(place.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{place} is not TOML: {error}.") from error
    except OSError as error:
        raise ConfigError(f"{place} cannot be read: {error.strerror or error}.") from error
    return declared(parsed, str(place))
