"""Export and Data & settings as Streamlit runs them, without a browser: what they say, and what they refuse."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app import export_choices, services
from josh_engine.config import Run
from tests.app.sample_search import HOSTILE
from tests.app.test_pages import HEAVY, ROOT, empty, opened, played, said

__all__ = ["empty", "played"]


def test_an_empty_store_offers_a_start(empty: None) -> None:
    assert "No runs yet, so there are no rows to export." in said(opened("export"))


def test_the_newest_search_is_exported_unless_the_address_says_otherwise(played: Run) -> None:
    test = opened("export")
    assert test.multiselect(key="runs").value == [played.id]
    assert "all checks pass" in said(test) or "to look at first" in said(test)
    narrow = opened(
        "export", runs=played.id, fmt="dpo,sft", audit="audited", rows="first_divergence", full="0", held="20"
    )
    assert narrow.radio(key="audit").value == "audited" and narrow.toggle(key="full").value is False
    assert ("0 rows" not in said(test) and "checks failed" in said(narrow)) or "check failed" in said(narrow)


def test_a_choice_is_written_into_the_address(played: Run) -> None:
    test = opened("export")
    test.number_input(key="held").set_value(25).run()
    test.radio(key="rows").set_value("first_divergence").run()
    test.toggle(key="full").set_value(False).run()
    assert not test.exception
    assert {name: test.query_params[name] for name in ("held", "rows", "full", "runs")} == {
        "held": "25", "rows": "first_divergence", "full": "0", "runs": played.id,
    }  # fmt: skip


def test_an_unknown_run_is_told_and_the_others_are_exported(played: Run) -> None:
    words = said(opened("export", runs=f"{HOSTILE[0]},{played.id}"))
    assert f"Run `{HOSTILE[0]}` is not in this store." in words and "rows of" in words
    assert "Choose a run" in said(opened("export", runs="nope"))


def test_rows_are_written_below_the_data_folder_and_nowhere_else(played: Run, tmp_path: Path) -> None:
    test = opened("export")
    test.button(key="write").click().run()
    assert "recorded as e1" in said(test)
    (recorded,) = (each for each in (tmp_path / "josh-data" / "exports").iterdir())
    assert (recorded / "kto.jsonl").read_bytes()
    field = next(each for each in test.text_input if each.label.startswith("Below"))
    field.set_value("../../outside").run()
    test.button(key="write").click().run()
    assert "is not below" in said(test) and not (tmp_path.parent / "outside").exists()
    with services.open_store(tmp_path / "josh.db") as store:
        assert len(services.list_exports(store)) == 1


def test_files_are_validated_and_the_findings_stay(played: Run) -> None:
    test = opened("export")
    test.button(key="validate").click().run(timeout=150)
    assert not test.exception
    assert test.session_state["validated"]
    assert all(check.ok for checks in test.session_state["validated"].values() for check in checks)


@pytest.mark.parametrize("tab", ["scenarios", "parts", "people", "storage", "display", HOSTILE[0]])
def test_each_tab_is_drawn_for_an_empty_store(empty: None, tab: str) -> None:
    assert "⚠" not in said(opened("data", tab=tab))


def test_a_scenario_is_shown_with_what_its_user_wants(empty: None) -> None:
    test = opened("data", tab="scenarios", world="toolwoz-generated", split="val", scenario="gen-val-00003")
    words = said(test)
    assert "200 of 200 scenarios" in words and "toolwoz-generated ▸ val ▸ gen-val-00003" in words
    assert len(test.dataframe) == 1
    test.text_input(key="q").set_value("train").run()
    assert test.query_params["q"] == "train" and "200 of 200" not in said(test)
    unknown = said(opened("data", tab="scenarios", scenario=HOSTILE[0]))
    assert f"Scenario `{HOSTILE[0]}` is not in" in unknown


def test_a_world_whose_data_are_absent_offers_the_import(empty: None, tmp_path: Path) -> None:
    test = opened("data", tab="scenarios", world="toolwoz")
    assert "not been imported" in said(test)
    field = test.text_input(key="path-toolwoz")
    for typed in ("../../etc", "/etc/passwd", "", "absent"):
        field.set_value(typed).run()
        test.button(key="import").click().run()
        assert "⚠" in said(test)
    assert not (tmp_path / "josh-data" / "toolwoz").exists()


def test_a_mistake_in_josh_toml_is_told_with_file_and_key(
    empty: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.toml").write_text("[agent]\n")
    monkeypatch.setenv("JOSH_CONFIG", str(tmp_path / "own.toml"))
    words = said(opened("data", tab="parts"))
    assert "own.toml: unknown key 'agent'" in words


def test_parts_are_checked_on_the_page(empty: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.toml").write_text('[worlds]\nmine = "tests.app.fake_parts:open_world"\n')
    monkeypatch.setenv("JOSH_CONFIG", str(tmp_path / "own.toml"))
    test = opened("data", tab="parts")
    test.button(key="check-all").click().run(timeout=150)
    assert not test.exception
    checks = test.session_state["checks"]
    assert checks["world", "mine"].findings == ("Split 'empty' has no scenario.",)
    assert checks["agent", "scripted"].ok and checks["user", "agenda"].ok


def test_the_store_is_shown_and_copied(played: Run, tmp_path: Path) -> None:
    test = opened("data", tab="storage")
    assert str(tmp_path / "josh.db") in said(test)
    test.button(key="back-up").click().run()
    assert not test.exception and list(tmp_path.glob("josh.db.backup-*"))


def test_conversations_are_searched_on_the_tree_page(played: Run) -> None:
    test = opened("tree", run=played.id)
    test.text_input(key="words").set_value('find_hotel "number').run()
    assert "turn" in said(test)
    test.text_input(key="words").set_value(HOSTILE[1]).run()
    assert f"No turn says {HOSTILE[1]!r}." in said(test)


def test_these_pages_load_nothing_that_only_training_needs(played: Run) -> None:
    script = f"""
import sys
from streamlit.testing.v1 import AppTest
for page, params in (("export", {{}}), *(("data", {{"tab": tab}}) for tab in ("scenarios", "parts", "storage"))):
    test = AppTest.from_file("streamlit_app.py", default_timeout=150)
    test.run()
    for name, value in params.items():
        test.query_params[name] = value
    test.switch_page(f"pages/{{page}}.py").run()
    assert not test.exception and not [each for each in test.text if each.value.startswith("⚠")]
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def test_runs_too_large_to_be_counted_are_written_tree_by_tree_all_the_same(
    played: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = opened("export")
    small.button(key="write").click().run()
    monkeypatch.setattr(export_choices, "MOST_SHOWN", 1)
    test = opened("export")
    assert "too many to be counted here" in said(test)
    test.text_input[-1].set_value("exports/large").run()
    test.button(key="write").click().run(timeout=150)
    assert "recorded as e2" in said(test)
    folder = tmp_path / "josh-data" / "exports"
    first = next(each for each in folder.iterdir() if each.name != "large")
    assert (folder / "large" / "kto.jsonl").read_bytes() == (first / "kto.jsonl").read_bytes()
