"""The agenda user: what it says, when it says it, and when it may hang up."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.toolwoz.goal_reader import GoalReader
from tests.toolwoz.playing import answers, conversation, part, scenario_of, search, user_turn
from tests.toolwoz.small_town import environment, goals, small_town
from toolwoz.agenda_phrases import BYES, GIVING_UP, OPENERS, REQUESTS, WISHES
from toolwoz.agenda_reading import read_reply
from toolwoz.agenda_stages import PATIENCE
from toolwoz.generated import open_world
from toolwoz.vocabulary import vocabulary

TOWN = environment()
WORDS = vocabulary(small_town().tools)
THAI = {"food": "thai", "area": "north", "pricerange": "cheap"}
TABLE = {"people": "4", "day": "friday", "time": "19:30"}
DINNER = scenario_of(part("restaurant", THAI, book=TABLE))


def say(scenario, *replies, seed=0):
    """The user's turns in answer to these replies, in order; the first one opens."""
    path, turns = [], []
    for number, reply in enumerate((None, *replies)):
        if reply is not None:
            path.append(answers(reply))
        turns.append(user_turn(scenario, path, TOWN, seed + number))
        path.append(turns[-1])
    return turns


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return open_world(tmp_path_factory.mktemp("nothing"))


def test_the_same_path_and_seed_give_the_same_turn(world):
    for scenario in world.scenarios("val")[:20]:
        twice = [conversation(scenario, world.environment(scenario), seed=3) for _ in range(2)]
        assert twice[0] == twice[1]


def test_notes_are_json_and_all_that_a_resumed_user_needs(world):
    scenario = world.scenarios("val")[1]
    for turn in conversation(scenario, world.environment(scenario), seed=1):
        assert json.loads(json.dumps(dict(turn.notes))) == dict(turn.notes)


def test_openings_and_replies_vary_with_the_seed():
    openings = {user_turn(DINNER, (), TOWN, seed).reply for seed in range(60)}
    assert len(openings) >= 40
    assert min(len(OPENERS), len(WISHES), len(REQUESTS), len(BYES)) >= 6


def test_all_wishes_are_told_before_the_search_is_taken_as_settled():
    turns = say(DINNER, *["I found The Red Lantern. Shall I book it?"] * 3, seed=5)
    told = [set(turn.notes["told"]) for turn in turns if turn.notes["stage"] == "find"]
    assert told[-1] == set(THAI)
    assert any(turn.notes["stage"] == "book" for turn in turns)


def test_the_user_answers_what_it_is_asked():
    for seed in range(20):
        opening = user_turn(DINNER, (), TOWN, seed)
        missing = sorted(set(THAI) - set(opening.notes["told"]))
        if not missing:
            continue
        question = {"area": "Which area?", "food": "What kind of food?", "pricerange": "What price range?"}[missing[0]]
        assert missing[0] in say(DINNER, question, seed=seed)[1].notes["told"]


def test_what_is_asked_for_is_told_before_the_rest():
    wanted = {
        "area": "east",
        "stars": "4",
        "type": "guesthouse",
        "internet": "yes",
        "pricerange": "cheap",
        "parking": "yes",
    }
    inn = scenario_of(part("hotel", wanted))
    for seed in range(30):
        opening = user_turn(inn, (), TOWN, seed)
        for slot, question in (("stars", "How many stars should it have?"), ("area", "Which area?")):
            told = user_turn(inn, [opening, answers(question)], TOWN, seed).notes["told"]
            assert slot in told


def test_a_name_is_insisted_on_once_since_an_agent_need_not_repeat_it():
    table = scenario_of(part("restaurant", {"name": "basil corner"}, book=TABLE))
    _, second, third = say(table, "I found a nice place for you.", "It is in the south. I found it just now.")
    assert second.notes["acts"] == ["correct"]
    assert third.notes["acts"] == ["book"]


def test_the_user_says_that_it_does_not_mind_where_it_has_no_wish():
    inn = scenario_of(part("hotel", {"area": "east"}))
    assert "no_preference" in say(inn, "How many stars should it have?")[1].notes["acts"]


def test_a_first_wish_is_given_up_whatever_comes_back():
    wishing = scenario_of(part("restaurant", THAI, fail_info={**THAI, "food": "swiss"}))
    for reply in ("I found no match for that.", "I found The Red Lantern, a cheap restaurant."):
        for seed in range(10):
            turns = say(wishing, *[reply] * 4, seed=seed)
            assert turns[0].notes["stage"] == "wish"
            changes = [turn for turn in turns if any(act.startswith("change") for act in turn.notes["acts"])]
            assert "Thai" in changes[0].reply


def test_a_wrong_offer_is_corrected():
    turns = say(DINNER, *["I found Basil Corner, a restaurant in the south that serves Italian food."] * 3, seed=2)
    corrections = [turn for turn in turns if "correct" in turn.notes["acts"]]
    assert corrections
    assert "north" in " ".join(turn.reply for turn in corrections)


def test_a_failing_booking_is_wished_first_and_the_right_one_always_follows():
    wishing = scenario_of(part("restaurant", {"name": "basil corner"}, book=TABLE, fail_book={"time": "20:30"}))
    for outcome in ("I was unable to book that.", "It is booked. The reference number is ABC."):
        for seed in range(10):
            replies = ["I found Basil Corner.", *[outcome] * 4]
            turns = say(wishing, *replies, seed=seed)
            texts = " ".join(turn.reply for turn in turns)
            assert any(time in texts for time in ("20:30", "8:30"))
            assert any(time in texts for time in ("19:30", "7:30"))
            assert all(turn.reply for turn in turns)
            wished = next(i for i, turn in enumerate(turns) if turn.notes["stage"] == "wish_book")
            meant = next(i for i, turn in enumerate(turns) if turn.notes["stage"] == "book")
            assert wished < meant


def test_the_same_day_and_group_are_said_only_of_what_was_said_before(world):
    references = 0
    for scenario, seed in itertools.product(world.scenarios("val")[:60], range(2)):
        path = conversation(scenario, world.environment(scenario), seed=seed)
        for turn in path:
            if turn.speaker == "user" and "same" in turn.reply:
                references += 1
                known = turn.notes["known"]
                assert "day" in known if "same day" in turn.reply else "people" in known
    assert references > 5


def test_requests_are_repeated_once_and_then_left():
    asking = scenario_of(part("attraction", {"name": "tile museum"}, requests=["phone"]))
    turns = say(asking, "I found the Tile Museum.", *["It is nice."] * 2)
    assert [turn.notes["acts"] for turn in turns[1:]] == [["request"], ["request"], ["bye"]]


def test_no_one_hangs_up_before_the_agent_had_a_turn_after_everything_was_said(world):
    """The last words hold nothing to act on: only thanks. All slots, requests and bookings were said before a reply."""
    for scenario in world.scenarios("val"):
        _, tree = search(world, scenario, "greedy", agent=GoalReader(scenario))
        turns = [node.turn for node in tree.nodes.values() if node.turn.speaker == "user"]
        assert [turn.stop for turn in turns[:-1]] == ["spoke"] * (len(turns) - 1)
        assert turns[-1].stop == "ended"
        assert turns[-1].notes["acts"] == ["bye"]
        assert turns[-1].reply in BYES
        said = turns[-2].notes
        last = scenario.setup["parts"][-1]
        assert said["part"] == len(scenario.setup["parts"]) - 1
        if last["book"]:
            assert set(said["told"]) == set(last["book"])
        elif last["requests"]:
            assert set(said["asked"]) == set(last["requests"])


def test_an_offer_is_never_accepted_and_hung_up_on_in_one_message():
    """The worst known flaw of simulated users: yes, and goodbye, before the booking is made."""
    for seed in range(30):
        turns = say(DINNER, *["I found The Red Lantern. Shall I book it?"] * 5, seed=seed)
        booking = [turn for turn in turns if "book" in turn.notes["acts"]]
        assert booking
        assert all(turn.stop == "spoke" for turn in booking)


def test_an_unhelpful_agent_is_left_politely():
    turns = say(DINNER, *["Lovely weather today."] * 12)
    ended = next(turn for turn in turns if turn.stop == "ended")
    assert ended.reply in GIVING_UP
    assert ended.notes["stuck"] == PATIENCE + 1


def test_a_right_booking_refused_again_makes_the_user_doubt_what_is_being_booked():
    table = scenario_of(part("restaurant", {"name": "basil corner"}, book=TABLE))
    turns = say(table, "I found Basil Corner.", *["I was unable to book that."] * 5)
    doubts = [turn for turn in turns if "doubt" in turn.notes["acts"]]
    assert len(doubts) == 1
    assert "Basil Corner" in doubts[0].reply


def test_a_booking_after_the_doubt_ends_the_part():
    table = scenario_of(part("restaurant", {"name": "basil corner"}, book=TABLE))
    replies = ["I found Basil Corner.", *["I was unable to book that."] * 5]
    for count in range(2, len(replies) + 1):
        turns = say(table, *replies[:count], "It is booked. The reference number is ABC.")
        if "doubt" in turns[-2].notes["acts"]:
            assert turns[-1].stop == "ended"
            return
    pytest.fail("the user never doubted")


def test_an_agent_that_did_not_get_it_is_told_everything_again():
    for seed in range(20):
        opening, again = say(DINNER, "Something went wrong. Could you repeat that?", seed=seed)
        assert again.notes["acts"] == ["repeat"]
        assert again.notes["told"] == opening.notes["told"]


def test_a_given_up_part_does_not_end_the_others():
    two = scenario_of(part("restaurant", THAI), part("hotel", {"area": "east"}))
    turns = say(two, *["Lovely weather today."] * 7)
    assert "leave" in [act for turn in turns for act in turn.notes["acts"]]
    assert any(turn.notes["part"] == 1 for turn in turns)


def test_a_guest_without_a_wish_for_the_type_never_says_hotel():
    inn = scenario_of(part("hotel", {"area": "east", "stars": "4"}))
    assert not any("hotel" in user_turn(inn, (), TOWN, seed).reply for seed in range(60))


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("No problem, I've booked it. Reference number: AB12.", "booked"),
        ("Unfortunately the table could not be booked for 20:00. Another time?", "refused"),
        ("I'm sorry, there are no Swiss restaurants in the north.", "nothing"),
        ("I found The Red Lantern, a cheap Thai place.", "offers"),
        ("Sure! Shall I book that for you?", "confirms"),
        ("Something went wrong. Could you repeat that?", "again"),
    ],
)
def test_replies_in_any_agents_words_are_understood(reply, expected):
    read = read_reply(reply, "restaurant", WORDS)
    kinds = ("booked", "refused", "nothing", "offers", "confirms", "again")
    assert [kind for kind in kinds if getattr(read, kind)] == [expected]


@pytest.mark.parametrize(
    ("reply", "slots"),
    [
        ("Happy to book. Please provide the day, time and number of people.", {"day", "time", "people"}),
        ("Before I book: for how many people, and on which day should I reserve it?", {"day", "people"}),
        ("Any preference regarding the price range or the area of town?", {"pricerange", "area"}),
        ("Could you please tell me your departure station and destination?", {"departure", "destination"}),
        ("How many nights will you be staying?", {"stay"}),
        ("Shall I book it for 4 people on Friday?", set()),
        ("Is there anything else, for example the area or the price?", set()),
    ],
)
def test_questions_in_any_agents_words_are_understood(reply, slots):
    assert read_reply(reply, "restaurant", WORDS).asks - {"leaveAt", "arriveBy"} == slots


@settings(max_examples=200)
@given(st.text(max_size=300), st.sampled_from(["restaurant", "hotel", "attraction", "train"]))
def test_no_reply_is_too_hostile_to_read(reply, domain):
    read_reply(reply, domain, WORDS)


@settings(max_examples=60)
@given(st.lists(st.text(max_size=120), max_size=6), st.integers(0, 2**31 - 1))
def test_the_user_answers_any_reply(replies, seed):
    for turn in say(DINNER, *replies, seed=seed):
        assert turn.reply


def test_scenarios_of_the_small_town_can_be_played_too():
    wanted = goals("restaurant", {"food": "thai", "area": "north"}, {**TABLE, "name": "the red lantern"})
    scenario = scenario_of(part("restaurant", {"food": "thai", "area": "north"}, book=TABLE), goals=wanted)
    path = conversation(scenario, environment(*wanted), seed=0)
    assert path[-1].stop == "ended"
