"""A figure with what it is, its bound where it has one, and the runs behind it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app import services
from app.services import Store


@dataclass(frozen=True)
class Figure:
    """`bound` in words, empty where there is none; `detail` says what the number is made of."""

    name: str
    value: float
    unit: str
    bound: str = ""
    detail: str = ""


def show(figure: Figure) -> str:
    return f"{figure.name:<58} {figure.value:9.3f} {figure.unit:<10} {figure.bound:<10} {figure.detail}".rstrip()


@contextmanager
def fresh_store() -> Iterator[Store]:
    """A store on disk that goes with the measurement."""
    with tempfile.TemporaryDirectory() as folder, services.open_store(Path(folder) / "bench.db") as store:
        yield store
