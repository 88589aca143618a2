"""The dependency rules, read off the import statements (docs/architecture.md)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("josh_engine", "toolwoz", "taubench", "storage", "embedded", "app", "pages")
HEAVY = ("torch", "transformers", "trl", "peft", "datasets", "accelerate")
ENGINE_PURE = [
    "values", "ports", "errors", "config", "encoding", "verdicts", "tree", "seeds", "messages", "extract", "rows",
    "splitting", "audit", "agreement", "pair_verdicts", "rates",
]  # fmt: skip
MODELS_PURE = [
    "endpoint", "prices", "pace", "answers", "faults", "refusal", "refusals", "windows", "kinds", "habits", "notices",
    "finishes", "silence",
]  # fmt: skip
TOOLWOZ_PURE = ["schema", "counting", "clock", "normalisation", "database", "goals", "environment"]
PURE = (
    *(f"josh_engine/{name}.py" for name in (*ENGINE_PURE, "metrics", "agents/commands", "users/speech")),
    "josh_engine/search/*.py",
    *(f"toolwoz/{name}.py" for name in TOOLWOZ_PURE),
    *(f"taubench/{name}.py" for name in ("records", "schema", "actions", "environment", "reward")),
    *(f"josh_engine/models/{name}.py" for name in MODELS_PURE),
    "app/catalog.py",
    "app/endpoints.py",
    "app/extras.py",
    "app/words.py",
    "app/relabelling.py",
    "app/node_rows.py",
)
MAY_IMPORT = {
    "josh_engine": {"josh_engine"},
    "toolwoz": {"toolwoz", "josh_engine"},
    "taubench": {"taubench", "josh_engine"},
    "storage": {"storage", "josh_engine"},
    "embedded": {"embedded", "toolwoz", "josh_engine"},
    "app": {"app", "storage", "toolwoz", "taubench", "embedded", "josh_engine"},
    "pages": {"app", "josh_engine"},
}
WORLD_MAY_SEE = {"values", "ports", "errors", "encoding", "worlds"}  # of worlds: how published files are read
STORAGE_MAY_SEE = {"values", "config", "errors", "encoding"}


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path, *, top_level: bool = False) -> Iterator[str]:
    """Module names imported anywhere in a file, or only where it is imported itself (TYPE_CHECKING blocks apart)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def ours(path: Path) -> set[str]:
    return {name for name in imports(path) if name.split(".")[0] in PACKAGES}


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_packages_import_only_what_the_diagram_allows(package):
    for path in sources(package):
        for name in ours(path):
            assert name.split(".")[0] in MAY_IMPORT[package], f"{path.relative_to(ROOT)} imports {name}"


def test_worlds_see_values_ports_and_errors_of_the_engine_only():
    for path in (*sources("toolwoz"), *sources("taubench")):
        for name in ours(path):
            if name.startswith("josh_engine"):
                assert name.split(".")[1] in WORLD_MAY_SEE, f"{path.name} imports {name}"


def test_storage_sees_values_config_and_errors_of_the_engine_only():
    for path in sources("storage"):
        for name in ours(path):
            if name.startswith("josh_engine"):
                assert name.split(".")[1] in STORAGE_MAY_SEE, f"{path.name} imports {name}"


def test_pure_files_import_the_standard_library_and_each_other_only():
    pure = [path for pattern in PURE for path in ROOT.glob(pattern)]
    assert len(pure) > 15
    modules = {path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".") for path in pure}
    modules |= {module.removesuffix(".__init__") for module in modules}
    effects = {"os", "io", "time", "random", "logging", "socket", "subprocess", "sqlite3", "threading", "tempfile"}
    for path in pure:
        allowed = {"numpy", "numpy.typing"} if path.name in ("metrics.py", "agreement.py") else set()
        for name in imports(path):
            top = name.split(".")[0]
            assert top not in effects, f"{path.relative_to(ROOT)} imports {name}"
            inside = name in modules or name in allowed or top in sys.stdlib_module_names
            assert inside, f"{path.relative_to(ROOT)} imports {name}"


def test_streamlit_is_imported_by_the_entry_point_pages_shell_tree_view_and_panels_only():
    for path in [*(path for package in PACKAGES for path in sources(package)), ROOT / "streamlit_app.py"]:
        relative = path.relative_to(ROOT).as_posix()
        allowed = relative.startswith(("pages/", "app/tree_view/", "app/panels/")) or relative in (
            "streamlit_app.py",
            "app/shell.py",
            "app/access.py",
        )
        if any(name.split(".")[0] == "streamlit" for name in imports(path)):
            assert allowed, f"{relative} imports streamlit"


def test_heavy_libraries_are_never_imported_at_the_top_of_a_module():
    for path in (path for package in PACKAGES for path in sources(package)):
        for name in imports(path, top_level=True):
            assert name.split(".")[0] not in (*HEAVY, "openai"), f"{path.relative_to(ROOT)} imports {name}"


def test_pages_hold_no_sql_and_no_prompt():
    for path in sources("pages"):
        text = path.read_text(encoding="utf-8").lower()
        assert "select " not in text.replace("select a", "").replace("select the", ""), path.name
        assert "sqlite" not in text, path.name


def test_no_module_has_a_name_that_says_nothing():
    empty = {"utils", "helpers", "common", "base", "manager", "handler", "data", "info"}
    named_freely = [package for package in PACKAGES if package != "pages"]  # a page is named by its address
    for path in (path for package in named_freely for path in sources(package)):
        assert path.stem not in empty, path


def test_the_command_line_starts_without_heavy_libraries():
    code = (
        "import sys, app.__main__; "
        f"print([name for name in {(*HEAVY, 'streamlit', 'pandas', 'openai')!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_does_nothing_but_define():
    """No module-level call statements: nothing happens on import (pages and entry points draw, so they are apart)."""
    for package in ("josh_engine", "toolwoz", "taubench", "storage", "embedded"):
        for path in sources(package):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                assert not isinstance(node, ast.For | ast.While | ast.With), f"{path.name}:{node.lineno}"
                docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
                assert not isinstance(node, ast.Expr) or docstring, f"{path.name}:{node.lineno}"
