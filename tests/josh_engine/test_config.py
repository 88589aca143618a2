"""What a run cannot be is said before it starts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from josh_engine.config import RunConfig, RunLimits, StrategyConfig, paper_preset
from josh_engine.errors import ConfigError
from josh_engine.values import Sampling

GOOD = RunConfig("w", "train", ("s",))


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (replace(GOOD, strategy=StrategyConfig(max_beam=0)), "beam is 0"),
        (replace(GOOD, strategy=StrategyConfig(branching_factor=0)), "branching is 0"),
        (replace(GOOD, strategy=StrategyConfig(max_depth=0)), "depth is 0"),
        (replace(GOOD, trials=0), "trials is 0"),
        (replace(GOOD, sampling=Sampling(temperature=0.0)), "temperature 0"),
        (replace(GOOD, sampling=Sampling(temperature=-1)), "temperature is -1"),
        (replace(GOOD, scenarios=()), "No scenario"),
        (replace(GOOD, strategy=StrategyConfig("mcts")), "Unknown strategy 'mcts'"),
    ],
)
def test_impossible_configurations_say_what_and_how_to_mend_it(config, says):
    with pytest.raises(ConfigError, match=says):
        config.checked()


def test_temperature_0_is_fine_where_nothing_branches():
    cold = replace(GOOD, sampling=Sampling(temperature=0.0))
    assert replace(cold, strategy=StrategyConfig("greedy")).checked()
    assert replace(cold, strategy=StrategyConfig(branching_factor=1)).checked()


def test_defaults_and_preset_are_the_papers():
    assert (GOOD.strategy.max_beam, GOOD.strategy.branching_factor, GOOD.sampling.temperature) == (8, 2, 1.0)
    paper = paper_preset(GOOD)
    assert (paper.sampling.temperature, paper.sampling.top_k, paper.sampling.top_p) == (1.5, 50, 0.75)
    assert paper.max_generations == 3
    assert paper_preset(replace(GOOD, strategy=StrategyConfig("greedy"))).strategy.name == "greedy"


@pytest.mark.parametrize("limits", [RunLimits(concurrency=0), RunLimits(budget_calls=0), RunLimits(budget_usd=-1)])
def test_limits_are_positive(limits):
    with pytest.raises(ConfigError):
        limits.checked()
