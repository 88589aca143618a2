"""The form's fields mean what the command line's options mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import choices
from app.settings import RunRequest, build_config
from josh_engine.errors import ConfigError


def test_the_form_s_defaults_ask_for_what_the_command_line_asks_for():
    limit = choices.FIRST_SCENARIOS
    assert build_config(choices.request(choices.DEFAULTS), Path()) == build_config(RunRequest(limit=limit), Path())


def test_the_paper_s_preset_is_the_command_line_s():
    filled = choices.request(choices.DEFAULTS | choices.PAPER)
    asked = RunRequest(limit=choices.FIRST_SCENARIOS, preset="paper")
    assert build_config(filled, Path()) == build_config(asked, Path())
    assert choices.PAPER["temperature"] == 1.5


def test_limits_are_checked():
    assert choices.limits(choices.DEFAULTS).concurrency == 16
    with pytest.raises(ConfigError, match="concurrency is 0"):
        choices.limits({**choices.DEFAULTS, "concurrency": 0})
