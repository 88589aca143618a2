"""A page reads and writes below its folder, whatever is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.places import below, imports_path
from josh_engine.errors import ConfigError


@pytest.mark.parametrize("typed", ["rows", "exports/one", "a/../b", " padded "])
def test_a_place_inside_is_that_place(tmp_path: Path, typed: str) -> None:
    assert below(tmp_path, typed) == (tmp_path / typed.strip()).resolve()


@pytest.mark.parametrize("typed", ["..", "../x", "a/../../x", "/etc/passwd", "", "  ", ".", "a/..", "x\0y"])
def test_a_place_outside_or_none_is_refused(tmp_path: Path, typed: str) -> None:
    with pytest.raises(ConfigError):
        below(tmp_path, typed)


def test_a_link_that_leads_outside_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "out").symlink_to(tmp_path)
    (inside / "loop").symlink_to(inside / "loop")
    for typed in ("out/x", "out"):
        with pytest.raises(ConfigError, match="not below"):
            below(inside, typed)
    with pytest.raises(ConfigError):
        below(inside, "out/../x/../../y")


def test_imports_come_from_the_data_folder_unless_another_is_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JOSH_IMPORTS", raising=False)
    assert imports_path(tmp_path) == tmp_path
    monkeypatch.setenv("JOSH_IMPORTS", str(tmp_path / "in"))
    assert imports_path(tmp_path) == tmp_path / "in"
