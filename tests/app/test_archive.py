"""A zip that says the same for the same files."""

from __future__ import annotations

import io
import zipfile

from app.archive import archive


def test_equal_files_give_equal_bytes_in_any_order():
    files = {"sft.jsonl": b"{}\n", "kto.jsonl": b""}
    assert archive(files) == archive(dict(reversed(files.items())))
    with zipfile.ZipFile(io.BytesIO(archive(files))) as packed:
        assert {name: packed.read(name) for name in packed.namelist()} == files
