"""Events of a search of any length, made by hand."""

from __future__ import annotations

from josh_engine.values import (
    Event,
    Goal,
    GoalsWon,
    Message,
    Node,
    NodeAdded,
    Preamble,
    Scenario,
    SearchEnded,
    SearchStarted,
    Turn,
)

SCENARIO = Scenario("a", "fake", "train", ("I need a hotel.",), (Goal("hotel", "find_hotel", {"area": "north"}),))


def started() -> Event:
    return SearchStarted(SCENARIO, Preamble((Message("system", "Help."),)))


def exchange(depth: int) -> tuple[Event, ...]:
    """The user's and the agent's turn of one exchange of a conversation that never branches."""
    agent = ".".join("0" * depth)
    before = agent.removesuffix("0").removesuffix(".")
    user = before + "u"
    said = Turn("user", (Message("user", f"line {depth}"),), reply=f"line {depth}")
    replied = Turn("agent", (Message("assistant", "Yes: <b>é</b>", sampled=True),), reply="Yes: <b>é</b>")
    return NodeAdded(Node(user, before or None, said)), NodeAdded(Node(agent, user, replied))


def whole() -> tuple[Event, ...]:
    return (started(), *exchange(1), *exchange(2), GoalsWon("0.0", ("hotel",)), SearchEnded("all_goals_won"))
