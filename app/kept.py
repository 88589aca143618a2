"""What the product keeps on this machine, and where; so that a person can find it, back it up or remove it."""

from __future__ import annotations

from app.declaring import config_path
from app.places import imports_path
from app.settings import data_path
from storage.database import Store


def kept_where(store: Store) -> dict[str, str]:
    data = data_path(store.path)
    return {
        "Runs, trees, verdicts, exports": str(store.path),
        "Data sets and written rows": str(data),
        "Logs": str(store.path.with_name(f"{store.path.name}.logs")),
        "Your own parts": str(config_path()),
        "Imports from the server are taken from below": str(imports_path(data)),
        "In this browser": "the name you gave, in a cookie",
    }
