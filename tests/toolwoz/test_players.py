"""What the offline players promise together: the user can be served, the search has something to find.

The figures are those of the issue they were built for: the README quotes the last two.
"""

from __future__ import annotations

import random
import statistics
from pathlib import Path

import pytest

from tests.toolwoz.goal_reader import GoalReader
from tests.toolwoz.playing import search
from toolwoz.generated import open_world as open_generated
from toolwoz.multiwoz import import_multiwoz
from toolwoz.scripted import ScriptedAgent
from toolwoz.world import open_world

MULTIWOZ = Path(__file__).parents[2] / "../shared/data/multiwoz"


@pytest.fixture(scope="module")
def multiwoz(tmp_path_factory):
    if not MULTIWOZ.is_dir():
        pytest.skip("MultiWOZ's files do not lie beside the repository")
    data = tmp_path_factory.mktemp("josh-data")
    import_multiwoz(MULTIWOZ, data)
    return open_world(data)


def interval(differences, draws=1000):
    """95 %, bootstrap over scenarios."""
    dice = random.Random(0)
    means = sorted(statistics.mean(dice.choices(differences, k=len(differences))) for _ in range(draws))
    return means[draws // 40], means[-draws // 40]


def test_a_goal_reading_agent_wins_all_goals_of_99_percent_of_the_1598_multiwoz_scenarios(multiwoz):
    scenarios = [*multiwoz.scenarios("val"), *multiwoz.scenarios("full_test")]
    assert len(scenarios) == 1598
    won = [search(multiwoz, scenario, "greedy", agent=GoalReader(scenario))[0].success for scenario in scenarios]
    assert sum(won) >= 0.99 * len(won)


def test_a_goal_reading_agent_wins_all_goals_of_99_percent_of_the_generated_scenarios(tmp_path):
    world = open_generated(tmp_path)
    won = [search(world, each, "greedy", agent=GoalReader(each))[0].success for each in world.scenarios("val")]
    assert sum(won) >= 0.99 * len(won)


def test_on_100_official_test_scenarios_josh_gains_015_average_reward_over_greedy(multiwoz):
    scenarios = multiwoz.scenarios("test")[:100]
    greedy = [search(multiwoz, each, "greedy", agent=ScriptedAgent())[0].average_reward for each in scenarios]
    josh = [search(multiwoz, each, "josh", agent=ScriptedAgent())[0].average_reward for each in scenarios]
    gains = [high - low for low, high in zip(greedy, josh, strict=True)]
    assert statistics.mean(gains) >= 0.15
    assert interval(gains)[0] > 0


def test_on_the_generated_test_split_greedy_wins_about_two_in_five_and_josh_four_in_five(tmp_path):
    world = open_generated(tmp_path)
    scenarios = world.scenarios("test")
    greedy = [search(world, each, "greedy", agent=ScriptedAgent())[0].success for each in scenarios]
    josh = [search(world, each, "josh", agent=ScriptedAgent())[0].success for each in scenarios]
    assert 0.25 <= statistics.mean(greedy) <= 0.55
    assert statistics.mean(josh) >= 0.80
