"""A data set of MultiWOZ's shape, with invented contents, small enough to see: what importers are tested on."""

from __future__ import annotations

import copy
import json
import zipfile
from pathlib import Path
from typing import Any

from tests.toolwoz.small_town import RECORDS
from toolwoz.schema import DOMAINS

UNUSED: dict[str, Any] = {domain: {} for domain in (*DOMAINS, "taxi", "police", "hospital")}


def booked_state(domain: str, **entry: str) -> dict[str, Any]:
    return {domain: {"semi": {}, "book": {"booked": [entry]}}}


def dialogue(message: list[str] | str, *, last: dict[str, Any] | None = None, **parts: Any) -> dict[str, Any]:
    """A dialogue of two turns; `last` is the wizard's final belief state."""
    log = [{"text": "i do n't know .", "metadata": {}}, {"text": "goodbye !", "metadata": last or {}}]
    return {"goal": {**UNUSED, **parts, "message": message}, "log": log}


PINE = dialogue(
    [
        "You want a <span class='emphasis'>train</span> on <span class='emphasis'>monday</span>",
        "You also need a <span class='emphasis'>place to stay</span>  in the east",
    ],
    last={**booked_state("hotel", name="pine lodge", reference="HOTEL001"),
          **booked_state("train", trainID="TR2", reference="TRAIN001")},
    hotel={
        "info": {"area": "east", "internet": "no", "stars": "4"},
        "fail_info": {"area": "east", "stars": "1"},
        "book": {"day": "monday", "people": "2", "stay": "3", "invalid": False, "pre_invalid": True},
        "fail_book": {"stay": "5"},
    },
    train={
        "info": {"day": "monday", "departure": "Aldery", "destination": "brunmoor", "leaveAt": "8:00"},
        "fail_info": {},
        "book": {"people": "2", "invalid": False},
        "fail_book": {},
    },
)  # fmt: skip
MUSEUM = dialogue(
    "Task 00042: You are curious. Find a museum!",
    attraction={"info": {"type": "museum"}, "fail_info": {}, "reqt": ["entrance fee", "phone"]},
)
ASTRAY = dialogue(
    ["You want a <span class='emphasis'>train</span>"],
    last=booked_state("train", trainID="TR9", reference="TRAIN002"),
    train={"info": {"day": "monday", "arriveBy": "10:00"}, "book": {"people": "1"}},
)
TAXI = dialogue(["You want a taxi"], taxi={"info": {"leaveAt": "10:00"}}, train={"info": {"day": "monday"}})
NOWHERE = dialogue(["You want to eat"], restaurant={"info": {"food": "martian"}, "book": {"people": "1"}})
DIALOGUES = {"MUL2.json": PINE, "SNG1.json": MUSEUM, "MUL1.json": ASTRAY, "MUL3.json": TAXI, "SNG9.json": NOWHERE}


def files(dialogues: dict[str, Any] | None = None) -> dict[str, str]:
    """Name -> text. Validation: MUL2, MUL3; test: SNG1, MUL1; the rest trains."""
    contents = {"data.json": json.dumps(DIALOGUES if dialogues is None else dialogues, indent=4)}
    contents |= {"valListFile.txt": "MUL2.json\nMUL3.json\n", "testListFile.txt": "SNG1.json\r\nMUL1.json\r\n"}
    return contents | {f"{domain}_db.json": json.dumps(RECORDS[domain]) for domain in DOMAINS}


def sample() -> dict[str, Any]:
    return copy.deepcopy(DIALOGUES)


def write_folder(folder: Path, contents: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        (folder / name).write_text(text, newline="")
    return folder


def write_zip(path: Path, contents: dict[str, str], inside: str = "MultiWOZ_2.1/") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in contents.items():
            archive.writestr(inside + name, text)
    return path
