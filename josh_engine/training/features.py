"""How `datasets` is to read an export's rows, so that every value comes back as it was written.

Left to itself it makes one table of all calls' arguments: null where a call lacks what another has, times of dates, an
error where types differ, and only the first 10 MB of a file say which columns there are (huggingface/course#692, TRL's
own note on `remove_none_values`; docs/decisions/0011-rows-on-disk.md). Its type for JSON keeps a message as it is. What
it can't keep are numbers with more than ten decimals or more than 64 bits: it reads JSON with `ujson`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

KINDS: Mapping[str, str] = {
    "prompt": "messages", "completion": "messages", "chosen": "messages", "rejected": "messages",
    "messages": "messages", "label": "bool", "row_id": "string",
}  # fmt: skip


def features_of(file: Path | str) -> Any:
    """For `load_dataset("json", data_files=file, features=features_of(file))`. Columns are those of any row."""
    from datasets import Features, Json, List, Value

    made: dict[str, Any] = {"messages": List(Json()), "bool": Value("bool"), "string": Value("string")}
    found: dict[str, Any] = {}
    with Path(file).open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            for name, value in json.loads(line).items():
                kind = KINDS.get(name, "string" if isinstance(value, str) else "messages")
                found.setdefault(name, made[kind])
    return Features(found)
