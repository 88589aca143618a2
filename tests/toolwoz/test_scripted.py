"""The scripted agent: what it understands, what it sees, how it plays and which mistakes it makes."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from josh_engine.values import ToolCall
from tests.toolwoz.playing import agent_turn, conversation, says, search, seed_of, seen_by_agent
from tests.toolwoz.small_town import environment, goals, small_town
from toolwoz.generated import open_world
from toolwoz.scripted import ScriptedAgent
from toolwoz.scripted_reading import read
from toolwoz.scripted_slips import RATES
from toolwoz.vocabulary import vocabulary

WORDS = vocabulary(small_town().tools)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return open_world(tmp_path_factory.mktemp("nothing"))


@pytest.fixture
def faultless(monkeypatch):
    for kind in RATES:
        monkeypatch.setitem(RATES, kind, 0.0)


class Hidden:
    """An environment of which nothing can be seen but what the port offers; it knows no goals by any name."""

    __slots__ = ("_inner",)

    def __init__(self, inner):
        self._inner = (inner.call, inner.fork, inner.fingerprint, inner.tools, inner.policy)

    def call(self, call: ToolCall) -> ToolCall:
        return self._inner[0](call)

    def fork(self):
        return Hidden(self._inner[1]())

    def fingerprint(self):
        return self._inner[2]()

    @property
    def tools(self):
        return self._inner[3]

    @property
    def policy(self):
        return self._inner[4]


class Recorded:
    """An environment that only repeats recorded answers: no database, no goals, no scenario behind it."""

    def __init__(self, tools, calls):
        self.tools, self.policy, self._calls = tools, "Be helpful.", list(calls)

    def call(self, call: ToolCall) -> ToolCall:
        answered = self._calls.pop(0)
        assert (call.name, call.raw) == (answered.name, answered.raw)
        return replace(call, result=answered.result, error=answered.error, fault=answered.fault)


def test_its_play_does_not_change_when_the_goals_are_hidden(world):
    for number, scenario in enumerate(world.scenarios("val")[:30]):
        path = conversation(scenario, world.environment(scenario), seed=number)
        hidden = conversation(scenario, Hidden(world.environment(scenario)), seed=number)
        assert path == hidden


def test_recorded_answers_are_all_it_needs_of_the_world(world):
    for scenario in world.scenarios("val")[:10]:
        here = world.environment(scenario)
        path = conversation(scenario, here, seed=1)
        for place, turn in enumerate(path):
            if turn.speaker == "agent":
                made = [call for call in turn.calls if call.fault != "format"]
                seed = seed_of(scenario, 1, place)
                assert agent_turn(seen_by_agent(path[:place]), Recorded(here.tools, made), seed) == turn


def test_the_same_path_and_seed_give_the_same_turn_and_other_seeds_others():
    path = [says("I'm looking for a cheap Thai restaurant in the north.")]
    turns = [agent_turn(path, environment(), seed) for seed in range(40)]
    assert turns == [agent_turn(path, environment(), seed) for seed in range(40)]
    assert len({turn.reply for turn in turns}) > 8
    assert len({tuple(call.raw for call in turn.calls) for turn in turns}) > 3


def test_the_preamble_is_policy_and_instructions_with_the_tools():
    here = environment()
    preamble = ScriptedAgent().preamble(here)
    assert preamble.tools == here.tools
    assert [message.role for message in preamble.messages] == ["system"]
    assert preamble.messages[0].content.startswith(here.policy)


def test_messages_have_openais_shape_and_calls_are_counted_along_the_path(world):
    for number, scenario in enumerate(world.scenarios("val")[:40]):
        path = conversation(scenario, world.environment(scenario), seed=number)
        calls = [call for turn in path for call in turn.calls]
        assert [call.id for call in calls] == [f"call_{count}" for count in range(1, len(calls) + 1)]
        for turn in path:
            if turn.speaker == "agent":
                check_messages(turn)


def check_messages(turn):
    generations = [message for message in turn.messages if message.role == "assistant"]
    assert all(message.sampled for message in generations)
    assert turn.usage.calls == len(generations)
    asked = [call for message in generations for call in message.tool_calls]
    assert [call.id for call in asked] == [call.id for call in turn.calls]
    assert all(call.result is None and call.error is None for call in asked)
    told = [(message.tool_call_id, message.content) for message in turn.messages if message.role == "tool"]
    assert told == [(call.id, call.answer) for call in turn.calls]
    for call in turn.calls:
        if call.fault == "format":
            with pytest.raises(json.JSONDecodeError):
                json.loads(call.raw)
        else:
            assert json.loads(call.raw) == dict(call.arguments)
    if turn.stop == "spoke":
        assert turn.messages[-1].content == turn.reply


def test_every_mistake_is_made_by_some_seed_and_none_by_all(world):
    made, turns = Counter(), 0
    for seed in range(2):
        for scenario in world.scenarios("val"):
            path = conversation(scenario, world.environment(scenario), seed=seed)
            turns += sum(turn.speaker == "agent" for turn in path)
            made.update(slip for turn in path for slip in turn.notes.get("slips", ()))
    assert set(made) == set(RATES)
    assert max(made.values()) < turns / 4


def test_siblings_differ_in_what_they_decide(world):
    scenario = world.scenarios("val")[0]
    path = conversation(scenario, world.environment(scenario), seed=0)[:1]
    here = world.environment(scenario)
    decisions = {
        tuple((call.name, call.raw) for call in agent_turn(seen_by_agent(path), here.fork(), seed).calls)
        for seed in range(16)
    }
    assert len(decisions) >= 3


def test_a_turn_without_a_reply_within_its_generations_has_failed():
    path = [says("I'm looking for a cheap Thai restaurant in the north.")]
    calling = next(seed for seed in range(50) if agent_turn(path, environment(), seed).calls)
    turn = agent_turn(path, environment(), calling, max_generations=1)
    assert (turn.stop, turn.reply, turn.usage.calls) == ("failed", None, 1)


def test_a_faultless_agent_wins_nearly_everything(world, faultless):
    won = [search(world, each, "greedy", agent=ScriptedAgent())[0].success for each in world.scenarios("val")]
    assert sum(won) >= 0.97 * len(won)


def test_it_searches_with_all_it_was_told_and_books_what_it_found(faultless):
    wanted = goals(
        "restaurant",
        {"food": "thai", "area": "north"},
        {"time": "19:30", "day": "friday", "people": "4", "name": "the red lantern"},
    )
    here = environment(*wanted)
    path = [says("I'd like a Thai place to eat in the north.")]
    path.append(agent_turn(path, here, 1))
    assert dict(path[-1].calls[0].arguments) == {"food": "thai", "area": "north"}
    path.append(says("Please book a table for 4 people on Friday at 7:30 pm."))
    path.append(agent_turn(path, here, 2))
    assert dict(path[-1].calls[0].arguments) == dict(wanted[1].arguments)
    assert "REF00001" in path[-1].reply


def test_a_correction_replaces_what_was_misheard(faultless):
    path = [says("I'd like a Thai place to eat in the south.")]
    path.append(agent_turn(path, environment(), 1))
    path.append(says("No, I asked for one in the north."))
    (call,) = agent_turn(path, environment(), 2).calls
    assert dict(call.arguments) == {"food": "thai", "area": "north"}


def test_the_same_day_and_group_are_taken_from_the_earlier_booking(faultless):
    table = {"time": "12:00", "day": "monday", "people": "3", "name": "basil corner"}
    here = environment(*goals("restaurant", {"name": "basil corner"}, table))
    path = [says("Find me a restaurant called Basil Corner."), says("Book a table at 12:00 on Monday for 3 people.")]
    path.insert(1, agent_turn(path[:1], here, 1))
    path.append(agent_turn(path, here, 2))
    path.append(says("I also need a guesthouse in the east with 4 stars."))
    path.append(agent_turn(path, here, 3))
    path.append(says("Please book it for two nights for the same group of people on the same day as the restaurant."))
    (call,) = agent_turn(path, here, 4).calls
    assert call.name == "book_hotel"
    assert {slot: call.arguments[slot] for slot in ("stay", "day", "people")} == {
        "stay": "2",
        "day": "monday",
        "people": "3",
    }


def test_a_dropped_slot_stays_dropped_until_it_is_said_again(monkeypatch):
    for kind in RATES:
        monkeypatch.setitem(RATES, kind, float(kind == "dropped_slot"))
    path = [says("I'd like a cheap Thai place to eat in the north.")]
    path.append(agent_turn(path, environment(), 1))
    (slot,) = {"food", "pricerange", "area"} - set(path[-1].calls[0].arguments)
    for kind in RATES:
        monkeypatch.setitem(RATES, kind, 0.0)
    path.append(says("It should be in the south." if slot != "area" else "It should be an expensive one."))
    arguments = agent_turn(path, environment(), 2).calls[0].arguments
    assert set(arguments) == {"food", "pricerange", "area"} - {slot}


def test_a_name_replaces_the_wishes_for_another_place(faultless):
    path = [says("I'd like a Thai place to eat in the north.")]
    path.append(agent_turn(path, environment(), 1))
    path.append(says("Actually, I'd like one called Basil Corner."))
    assert dict(agent_turn(path, environment(), 2).calls[0].arguments) == {"name": "basil corner"}


def test_a_guest_without_a_preference_is_not_asked_again(faultless):
    opening = says("I'm looking for a restaurant in the north.")
    for seed in range(40):
        question = agent_turn([opening], environment(), seed)
        if not question.calls:
            path = [opening, question, says("No preference.")]
            assert [call.name for call in agent_turn(path, environment(), seed).calls] == ["search_restaurant"]


def test_not_even_a_needless_question_is_about_what_the_guest_does_not_mind(monkeypatch):
    for kind in RATES:
        monkeypatch.setitem(RATES, kind, float(kind == "needless_question"))
    path = [says("I'm looking for a cheap Thai restaurant. I don't mind about the area.")]
    asked = {slot for seed in range(40) for slot in agent_turn(path, environment(), seed).notes["asked"]}
    assert asked == {"food", "pricerange"}


def test_a_wish_taken_back_is_searched_for_no_more(faultless):
    path = [says("I'd like a cheap Thai place to eat in the north.")]
    path.append(agent_turn(path, environment(), 1))
    path.append(says("I don't mind about the price range. It should be in the south."))
    assert dict(agent_turn(path, environment(), 2).calls[0].arguments) == {"food": "thai", "area": "south"}


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("a cheap Thai restaurant in the north of town", {"food": "thai", "area": "north", "pricerange": "cheap"}),
        ("an inexpensive place serving north Indian food", {"food": "north indian", "pricerange": "cheap"}),
        ("a four-star guest house with free parking and wifi", {"stars": "4", "parking": "yes", "internet": "yes"}),
        ("somewhere to stay without parking and with free wifi", {"parking": "no", "internet": "yes"}),
        ("a train leaving after 5:45 pm", {"leaveAt": "17:45"}),
        ("a train going to Brunmoor from Aldery", {"departure": "aldery", "destination": "brunmoor"}),
        ("a train arriving no later than 9am on Monday", {"arriveBy": "09:00", "day": "monday"}),
        ("a table for just me at 19:30", {"people": "1", "time": "19:30"}),
        ("a room for a party of 6 for three nights", {"people": "6", "stay": "3"}),
        ('a place called "St. Mary, the Great"', {"name": "st. mary, the great"}),
        ("I'd like one named O'Dell's Table, please", {"name": "o'dell's table"}),
    ],
)  # fmt: skip
def test_it_understands_plain_english(text, slots):
    assert dict(read(text, WORDS).slots) == slots


def test_a_kind_of_place_is_a_wish_but_the_hotel_is_not():
    assert read("I need a guesthouse", WORDS).kinds == {"hotel": "guesthouse"}
    assert read("Book the guesthouse", WORDS).kinds == {}
    assert read("on the same day as the restaurant", WORDS).topic is None


def test_a_question_about_a_slot_is_no_wish_for_it():
    heard = read("Could you tell me whether it has free parking and the area it is in?", WORDS)
    assert heard.requests == {"parking", "area"}
    assert heard.slots == {}


def test_no_preference_is_no_wish():
    heard = read("I'd like a cheap one. I don't mind about the area.", WORDS)
    assert (heard.slots, heard.dropped) == ({"pricerange": "cheap"}, {"area"})


@settings(max_examples=300)
@given(st.text(max_size=300))
def test_no_text_is_too_hostile_to_read(text):
    read(text, WORDS)


@settings(max_examples=60)
@given(st.lists(st.text(max_size=120), min_size=1, max_size=4), st.integers(0, 2**31 - 1))
def test_it_answers_anything(texts, seed):
    path = []
    for text in texts:
        path.append(says(f"I want a train from {text}"))
        path.append(agent_turn(path, environment(), seed))
        assert path[-1].stop in ("spoke", "failed")
        if path[-1].stop == "failed":
            return


class Odd:
    """An environment that answers every search with one text and every booking with another."""

    def __init__(self, found: str, booked: str) -> None:
        self.tools, self.policy, self._found, self._booked = environment().tools, "", found, booked

    def call(self, call: ToolCall) -> ToolCall:
        return replace(call, result=self._found if call.name.startswith("search") else self._booked)


@pytest.mark.parametrize("found", ["", "null", "[1]", "not json", '[{"name": 5}]', "[{}]", "[[]]"])
@pytest.mark.parametrize("booked", ["", "null", "[]", '{"success": 3}', '{"success": true, "return": 5}'])
def test_results_it_never_expected_do_not_break_it(found, booked, faultless):
    path = []
    for text in (
        "A cheap restaurant in the north, please.",
        "Book a table for 2 people at 12:00 on Friday.",
        "Thanks!",
    ):
        path.append(says(text))
        path.append(agent_turn(path, Odd(found, booked), 1))
        assert path[-1].reply
