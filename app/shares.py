"""Trees handed out as files (`app.sharing`): read from the store, written whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app import viewing
from josh_engine.errors import StorageError
from storage.database import Store


@dataclass(frozen=True, slots=True)
class Shared:
    file: str
    kind: str
    bytes: int


def shared_file(store: Store, ref: str, kind: str) -> tuple[str, bytes]:
    """A file's name and what is in it. `ref`: a rollout's id, or RUN/SCENARIO[/TRIAL]. Raises NotFound, ConfigError."""
    from app import sharing

    opened = viewing.open_rollout(store, ref)
    return sharing.file_name(opened, kind), sharing.shared(opened, kind)


def share_rollout(store: Store, ref: str, kind: str, out: Path) -> Shared:
    """Raises NotFound, ConfigError and StorageError."""
    _, made = shared_file(store, ref, kind)
    aside = out.with_name(f".{out.name}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(made)
        aside.replace(out)
    except OSError as error:
        raise StorageError(f"{out} cannot be written: {error.strerror}.", remedy="Name another file.") from error
    return Shared(str(out), kind, len(made))
