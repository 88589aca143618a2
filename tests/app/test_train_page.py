"""The Train page tells whose the rows are and what would be computed in, and its command says what its boxes say."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import trainings
from app.trainings import Preflight, TrainingRequest

ROOT = Path(__file__).parents[2]
OTHERS = "9 of 9 rows are another's (agent scripted, without a model)."


def found(request: TrainingRequest, *, waiting: object) -> Preflight:
    meant = bool(request.settings.get("rows_of_others"))
    pieces = ("cpu", 1.0, 10**6, ())
    return Preflight(5, 4, 0, 9, 900, 300, 12, 8_000, 100, *pieces, OTHERS, not meant, "float32: as asked for")


def test_rows_of_others_are_told_and_a_box_means_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOSH_STORE", str(tmp_path / "josh.db"))
    monkeypatch.delenv("JOSH_DATA", raising=False)
    monkeypatch.setattr(trainings, "preflight_training", found)
    test = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=20).run()
    test = test.switch_page("pages/train.py").run()
    test.text_input(key="train-path").set_value(str(tmp_path / "sft.jsonl")).run()
    told = "\n".join(each.value for each in test.text)
    assert f"{OTHERS}\nComputes in float32: as asked for." in told and "is refused, unless" in told
    test.checkbox(key="rows-of-others").check().run()
    test.selectbox(key="precision").select("bf16").run()
    assert not test.exception and "is refused, unless" not in "\n".join(each.value for each in test.text)
    assert "--precision bf16 --rows-of-others --out" in test.code[0].value
