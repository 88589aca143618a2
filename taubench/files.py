"""τ-bench retail's files as they are published: its repository, as a folder or a zip, with the tasks in Python; or one
folder of plain JSON, as this product keeps them.

Task files in Python are read as a syntax tree and never run: a list of `Task(...)` with literal fields.
Source: https://github.com/sierra-research/tau-bench at 59a200c, `tau_bench/envs/retail`.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from josh_engine.errors import DatasetError
from josh_engine.worlds.published import Published, Read, members

SPLITS = ("train", "dev", "test")
TABLES, POLICY, LICENCE = ("users", "orders", "products"), "wiki.md", "LICENSE"
TASKS = tuple(f"tasks_{split}" for split in SPLITS)
FILES = (*(f"{name}.json" for name in (*TABLES, *TASKS)), POLICY)  # as they are kept
COMMIT = "59a200c6d575d595120f1cb70fea53cef0632f6b"  # of 2026-03-18, the one the counts in the documents are of
URL = f"https://github.com/sierra-research/tau-bench/archive/{COMMIT}.zip"
RETAIL = Published(
    "τ-bench",
    URL,
    frozenset({*FILES, *(f"{name}.py" for name in TASKS), LICENCE}),
    depth=6,  # tau-bench-…/tau_bench/envs/retail/data/users.json
    largest=64 << 20,
    largest_zip=200 << 20,
    remedy="Give τ-bench's repository (a folder or a zip of it), or a folder with users.json, orders.json,"
    " products.json, wiki.md and tasks_train.json, tasks_dev.json, tasks_test.json.",
    refetch="Check the connection, or fetch the zip on another machine and import it:"
    f" python -m app data taubench PATH. It lies at {URL}.",
)


def read_source(path: Path) -> dict[str, bytes]:
    """The files by the names under which they are kept. Raises DatasetError for what is absent or cannot be read."""
    with members(path, RETAIL) as found:
        root = _root(found, path.name)
        kept = {name: _content(found[place](), name, place) for name, place in _layout(found, root).items()}
        licence = next((str(each / LICENCE) for each in (root, *root.parents) if str(each / LICENCE) in found), None)
        return kept | ({LICENCE: found[licence]()} if licence else {})


def _content(given: bytes, name: str, place: str) -> bytes:
    """Tasks as JSON, whatever they were; else as it is."""
    if not place.endswith(".py"):
        return given
    split = name.removeprefix("tasks_").removesuffix(".json")
    told = tasks_in_python(_text(given, place), PurePosixPath(place).name, split=split)
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _root(found: Mapping[str, Read], source: str) -> PurePosixPath:
    """The folder of the retail domain: it holds the policy. Others (the airline's) lack some of the files."""
    roots = sorted({PurePosixPath(each).parent for each in found if PurePosixPath(each).name == POLICY})
    lacking = {root: [name for name in FILES if name not in _layout(found, root)] for root in roots}
    whole = [root for root, absent in lacking.items() if not absent]
    if len(whole) > 1:
        raise DatasetError(f"Two folders could be meant: {whole[0]} and {whole[1]}.", remedy="Give one of the two.")
    if not whole:
        absent = min(lacking.values(), key=len, default=[POLICY])
        raise DatasetError(f"There is no {absent[0]} in {source}.", remedy=RETAIL.remedy)
    return whole[0]


def _layout(found: Mapping[str, Read], root: PurePosixPath) -> dict[str, str]:
    """Where each file lies that is there: tables beside the policy or in `data`, tasks as JSON or as Python."""
    offered = {f"{name}.json": [root / f"{name}.json", root / "data" / f"{name}.json"] for name in TABLES}
    offered |= {f"{name}.json": [root / f"{name}.json", root / f"{name}.py"] for name in TASKS}
    offered |= {POLICY: [root / POLICY]}
    there = {name: [str(place) for place in places if str(place) in found] for name, places in offered.items()}
    return {name: places[0] for name, places in there.items() if places}


def tasks_in_python(source: str, name: str, *, split: str) -> list[dict[str, Any]]:
    """The tasks of one of τ-bench's own files; `id` is the index. Raises DatasetError naming file, index and field."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise DatasetError(f"{name} is not readable Python: {error}.", remedy=RETAIL.remedy) from error
    given = (node.value for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign))
    lists = [value for value in given if isinstance(value, ast.List)]
    if len(lists) != 1:
        raise DatasetError(f"{name} holds {len(lists)} lists of tasks, and should hold one.", remedy=RETAIL.remedy)
    return [
        {"id": index, "split": split, **_task(node, f"{name}, task {index}")}
        for index, node in enumerate(lists[0].elts)
    ]


def _task(node: ast.expr, where: str) -> dict[str, Any]:
    fields = _fields(node, "Task", where)
    actions = fields.pop("actions", None)
    if not isinstance(actions, ast.List):
        raise DatasetError(f"{where}: actions is no list.", remedy=RETAIL.remedy)
    calls = [_fields(each, "Action", f"{where}, action {number}") for number, each in enumerate(actions.elts)]
    return {
        **{field: _literal(value, f"{where}: {field}") for field, value in fields.items()},
        "actions": [
            {field: _literal(value, f"{where}, action {number}: {field}") for field, value in call.items()}
            for number, call in enumerate(calls)
        ],
    }


def _fields(node: ast.expr, of: str, where: str) -> dict[str, ast.expr]:
    named = node.func if isinstance(node, ast.Call) else None
    if not isinstance(node, ast.Call) or not isinstance(named, ast.Name) or named.id != of or node.args:
        raise DatasetError(f"{where} is no {of}(…) with named fields.", remedy=RETAIL.remedy)
    return {each.arg or "**": each.value for each in node.keywords}


def _literal(node: ast.expr, where: str) -> Any:
    try:
        value = ast.literal_eval(node)
        json.dumps(
            value, allow_nan=False
        )  # sets, bytes and infinities are literals too, and no file here can hold them
        return value
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise DatasetError(f"{where} is no plain value.", remedy=RETAIL.remedy) from error


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{name} is not UTF-8 text: {error}.", remedy=RETAIL.remedy) from error
