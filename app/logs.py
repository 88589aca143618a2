"""Where faults are written down in full: a file beside the store. A person sees one line, never a traceback."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path


class LateFile(logging.Handler):
    """Appends to a file that is made with the first record; in the temporary folder where `place` cannot be."""

    def __init__(self, place: Path) -> None:
        super().__init__(logging.WARNING)
        self.place = place
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record) + "\n"
        try:
            self._append(text)
        except OSError:
            self.place = Path(tempfile.gettempdir()) / "josh-studio.log"
            self._append(text)

    def _append(self, text: str) -> None:
        self.place.parent.mkdir(exist_ok=True)
        with self.place.open("a", encoding="utf-8") as file:
            file.write(text)


def log_beside(store: Path) -> LateFile:
    """From now on everything logged goes to `<store>.logs/errors.log`, and nothing to the terminal."""
    handler = LateFile(store.with_name(f"{store.name}.logs") / "errors.log")
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    return handler
