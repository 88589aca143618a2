"""A small search with one case of each kind, written as its events, and hostile words in every place a person reads.

Two goals. Exchange 1: both branches live on. Exchange 2: four leaves; `0.1` books the hotel, `1.0` too (partial
credit), `0.0` is beaten, `1.1` fails. Exchange 3: `0.1.0` books the train, `0.1.1` is its negative.
"""

from __future__ import annotations

from josh_engine.tree import Tree, fold
from josh_engine.values import (
    Collapsed,
    Event,
    Goal,
    GoalsWon,
    Message,
    Node,
    NodeAdded,
    Preamble,
    Pruned,
    Scenario,
    SearchEnded,
    SearchStarted,
    Stop,
    Tool,
    ToolCall,
    Turn,
)

HOSTILE = (
    '<img src=x onerror="window.pwned=1">',
    "</script><script>window.pwned=1</script>",
    "$x$ and $$y$$",
    ":red[x] :smile: :material/home:",
    "![p](http://192.0.2.1/p.png) [l](javascript:alert(1))",
    "**b** _i_ `c` # h | t",
)
HOTEL = Goal("hotel.book", "book_hotel", {"people": "2"})
TRAIN = Goal("train.book", "book_train", {"trainID": "TR1"})
SCENARIO = Scenario("SCN-1 " + HOSTILE[0], "scripted", "all", ("I need a hotel.", HOSTILE[3]), (HOTEL, TRAIN))
PREAMBLE = Preamble(
    (Message("system", "Be kind. " + HOSTILE[1]),),
    (Tool("book_hotel", "Books " + HOSTILE[4], {"type": "object", "properties": {"people": {"type": "string"}}}),),
)


def user(text: str, stop: Stop = "spoke") -> Turn:
    return Turn("user", (Message("user", text),), reply=text, stop=stop)


def agent(text: str, *calls: ToolCall, stop: Stop = "spoke") -> Turn:
    messages = [Message("assistant", "", calls, sampled=True)] if calls else []
    messages += [Message("tool", call.answer, tool_call_id=call.id) for call in calls]
    if stop != "failed":
        messages.append(Message("assistant", text, sampled=True))
    return Turn("agent", tuple(messages), calls, None if stop == "failed" else text, stop)


def booked(name: str, number: int = 1, **arguments: str) -> ToolCall:
    return ToolCall(f"call_{number}", name, arguments, result='{"success": true, "return": {"reference": "AB12"}}')


WRONG = ToolCall("call_1", "book_hotell", {"who": HOSTILE[0]}, error="There is no such tool.", fault="unknown_tool")


def search_events() -> list[Event]:
    """In order. A prefix is the tree at that moment."""
    hotel, train = booked("book_hotel", people="2"), booked("book_train", 2, trainID="TR1")
    return [
        SearchStarted(SCENARIO, PREAMBLE),
        NodeAdded(Node("u", None, user("I need a hotel. " + HOSTILE[0]))),
        NodeAdded(Node("0", "u", agent("Where? " + HOSTILE[4]))),
        NodeAdded(Node("1", "u", agent("When? " + HOSTILE[2]))),
        NodeAdded(Node("0u", "0", user("In town. " + HOSTILE[3]))),
        NodeAdded(Node("1u", "1", user("Friday."))),
        NodeAdded(Node("0.0", "0u", agent("Sorry, nothing.", WRONG))),
        NodeAdded(Node("0.1", "0u", agent("Booked. " + HOSTILE[5], hotel), frozenset({"hotel.book"}))),
        NodeAdded(Node("1.0", "1u", agent("Booked.", hotel), frozenset({"hotel.book"}))),
        NodeAdded(Node("1.1", "1u", agent("", stop="failed"))),
        GoalsWon("0.1", ("hotel.book",)),
        Collapsed(
            "0.1",
            (
                Pruned("0.0", "lost_race", "0.1"),
                Pruned("1", "not_continued"),
                Pruned("1.0", "partial_credit", "hotel.book"),
                Pruned("1.1", "turn_failed"),
            ),
        ),
        NodeAdded(Node("0.1u", "0.1", user("And a train."))),
        NodeAdded(Node("0.1.0", "0.1u", agent("Done.", train), frozenset({"train.book"}))),
        NodeAdded(Node("0.1.1", "0.1u", agent("Which train?"))),
        GoalsWon("0.1.0", ("train.book",)),
        Collapsed("0.1.0", (Pruned("0.1.1", "lost_race", "0.1.0"),)),
        SearchEnded("all_goals_won"),
    ]


def sample_tree() -> Tree:
    return fold(search_events())
