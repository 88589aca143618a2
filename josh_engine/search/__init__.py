"""Strategies: one file, one way to grow a conversation tree."""

from __future__ import annotations

from josh_engine.config import StrategyConfig
from josh_engine.ports import Strategy
from josh_engine.search.greedy import Greedy
from josh_engine.search.josh import Josh


def open_strategy(config: StrategyConfig) -> Strategy:
    """The strategy a checked configuration names."""
    return Josh(config) if config.name == "josh" else Greedy(config)
