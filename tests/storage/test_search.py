"""Whatever a person types is looked for as words; each turn is read once, and only when nobody adds to its tree."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from josh_engine.config import Run
from josh_engine.values import Event, Message, Node, NodeAdded, Rollout, State, ToolCall, Turn
from storage import curation, runs
from storage.database import Store
from storage.search import match_expression, read_messages, search_messages
from tests.storage.events import started
from tests.storage.test_runs import _record

CALL = ToolCall("call_1", "book_hotel", {"people": "2"}, '{"people": "2"}', error="No such hôtel.", fault="refused")
HOSTILE = (
    '"',
    "'",
    "*",
    "a OR b",
    "NEAR(a b)",
    "body : x",
    "^a",
    "a AND",
    "(",
    "a -b",
    "\0",
    "{x}",
    "é" * 300,
    "a" * 9000,
)


def _tree(*texts: str) -> tuple[Event, ...]:
    """A user's turn for each text, one after another, and an agent's turn with a call at the end."""
    events: list[Event] = [started()]
    parent = None
    for number, text in enumerate(texts):
        user, agent = "0." * number + "u", ".".join("0" * (number + 1))
        user = f"{parent}u" if parent else "u"
        events.append(NodeAdded(Node(user, parent, Turn("user", (Message("user", text),), reply=text))))
        events.append(NodeAdded(Node(agent, user, Turn("agent", (), reply="hm"))))
        parent = agent
    last = Turn("agent", (Message("assistant", "Let me see", (CALL,), sampled=True),), (CALL,), "Sorry.")
    events += [
        NodeAdded(Node(f"{parent}u", parent, Turn("user", (Message("user", "end"),), reply="end"))),
        NodeAdded(Node(f"{parent}.0", f"{parent}u", last)),
    ]
    return tuple(events)


def _play(store: Store, run: Run, number: int, *texts: str, state: State = "done") -> Rollout:
    rollout = runs.list_rollouts(store, run.id)[number]
    events = _tree(*texts)
    played = Rollout(rollout.id, run.id, rollout.scenario_id, rollout.trial, state=state, events=len(events))
    _record(store, run, played, *events)
    return played


def test_what_was_said_called_and_answered_is_found_with_its_turn(store: Store, run: Run) -> None:
    played = _play(store, run, 0, "I need a guesthouse", "in the north")
    _play(store, run, 1, "a train")
    (hit,) = search_messages(store, "guest").hits
    assert (hit.run, hit.rollout, hit.scenario, hit.trial, hit.node) == (run.id, played.id, "a", 0, "u")
    assert hit.snippet == "I need a guesthouse"
    assert [hit.node for hit in search_messages(store, "NORTH the").hits] == ["0u"]
    assert {hit.node for hit in search_messages(store, "book_hotel people 2").hits} == {"0.0.0", "0.0"}
    assert search_messages(store, "hotel such no").total == 2, "accents do not matter, nor does the order"
    assert search_messages(store, "guesthouse train").hits == ()


def test_a_search_in_one_run_stays_there(store: Store, run: Run) -> None:
    _play(store, run, 0, "marzipan")
    other = runs.create_run(store, run.config, limits=run.limits, name="other", code_version="1")
    assert search_messages(store, "marzipan", run_id=other.id).total == 0
    assert search_messages(store, "marzipan", run_id=run.id).total == search_messages(store, "marzipan").total == 1


def test_hits_are_counted_beyond_those_listed(store: Store, run: Run) -> None:
    _play(store, run, 0, *["marzipan"] * 7)
    found = search_messages(store, "marzipan", limit=3)
    assert (len(found.hits), found.total) == (3, 7)


@pytest.mark.parametrize("query", HOSTILE)
def test_nothing_typed_is_an_operator(store: Store, run: Run, query: str) -> None:
    _play(store, run, 0, f"before {query.replace(chr(0), ' ')} after", "a OR b")
    found = search_messages(store, query)
    words = [word for word in query.replace("\0", " ").split() if any(map(str.isalnum, word))]
    assert bool(found.hits) == bool(words)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30))
def test_no_query_is_an_error(store: Store, query: str) -> None:
    search_messages(store, query)


def test_words_are_quoted_and_the_last_may_be_a_beginning() -> None:
    assert match_expression(' say "hi OR ') == '"say" """hi" "OR"*'
    assert match_expression(" -- ! ") == match_expression("") == ""


def test_a_turn_is_read_once_and_a_growing_tree_not_yet(store: Store, run: Run) -> None:
    _play(store, run, 0, "marzipan")
    _play(store, run, 1, "marzipan", state="running")
    assert read_messages(store) == 1
    assert read_messages(store) == 0
    found = search_messages(store, "marzipan")
    assert (found.total, found.unread) == (1, 1)
    with store.write() as connection:
        connection.execute("UPDATE rollouts SET state = 'failed' WHERE state = 'running'")
    found = search_messages(store, "marzipan")
    assert (found.total, found.unread) == (2, 0)


def test_what_a_resumed_tree_says_more_is_read_and_nothing_twice(store: Store, run: Run) -> None:
    played = _play(store, run, 0, "marzipan", state="failed")
    assert search_messages(store, "marzipan").total == 1
    more = NodeAdded(Node("1", "u", Turn("agent", (Message("assistant", "marzipan"),), reply="marzipan")))
    _record(store, run, Rollout(played.id, run.id, "a", 0, state="done", events=played.events + 1), more)
    assert {hit.node for hit in search_messages(store, "marzipan").hits} == {"u", "1"}
    assert search_messages(store, "marzipan").total == 2


def test_what_was_said_goes_with_its_run(store: Store, run: Run) -> None:
    _play(store, run, 0, "marzipan")
    assert search_messages(store, "marzipan").total == 1
    curation.delete(store, run.id, auditor="Ada")
    assert search_messages(store, "marzipan").total == 0
    assert store.read("SELECT count(*) FROM messages")[0][0] == 0
    assert store.read("SELECT count(*) FROM messages_read")[0][0] == 0
