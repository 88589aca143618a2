"""ToolWOZ's worlds and players keep the contracts (tests/contracts.py)."""

from __future__ import annotations

from pathlib import Path

import pytest
from contracts import check_players, check_world

from toolwoz import open_world as open_multiwoz
from toolwoz.agenda import AgendaUser
from toolwoz.generated import open_world as open_generated
from toolwoz.multiwoz import import_multiwoz
from toolwoz.scripted import ScriptedAgent

REAL = Path(__file__).parents[2] / "../shared/data/multiwoz"


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_the_generated_world(split, tmp_path):
    check_world(open_generated(tmp_path, {}), split, scenarios=20)


@pytest.mark.parametrize("rule", ["paper", "authors"])
def test_the_multiwoz_world(rule, tmp_path):
    if not REAL.exists():
        pytest.skip("MultiWOZ does not lie beside this checkout")
    import_multiwoz(REAL, tmp_path)
    check_world(open_multiwoz(tmp_path, {"goal_rule": rule}), "val", scenarios=200)


def test_the_offline_players(tmp_path):
    world = open_generated(tmp_path, {})
    for scenario in list(world.scenarios("val"))[:30]:
        check_players(ScriptedAgent(), AgendaUser(), world, scenario, exchanges=8)
