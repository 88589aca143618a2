"""The corpus: determined by its number, of every kind of conversation, in names that no other split has."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.corpus import HELD_OUT, as_line, conversation
from embedded.phrasing import PLAIN_WORDS, WORDINGS, reworded
from embedded.renaming import KNOWN, names_of, renamed
from embedded.widening import FIELDS, widened
from josh_engine.agents.commands import ApiCall, parse
from toolwoz.generated import make_scenario
from toolwoz.generated_names import FOODS
from toolwoz.schema import DAYS, TOOL_NAMES
from toolwoz.vocabulary import title

ROOT = Path(__file__).parents[2]
COUNT = 250


@pytest.fixture(scope="module")
def corpus():
    return [conversation(number) for number in range(COUNT)]


def test_a_conversation_is_the_same_in_another_process(corpus):
    code = "from embedded.corpus import *; print(as_line(conversation(3)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == as_line(corpus[3])


def test_no_two_conversations_are_the_same(corpus):
    assert len({sha256(as_line(each).encode()).digest() for each in corpus}) == COUNT


def test_guest_and_agent_take_turns_and_every_call_is_answered(corpus):
    for messages in corpus:
        assert messages[0].role == "user" and not messages[0].content.startswith("APIRETURN")
        for message, following in pairwise(messages):
            assert {message.role, following.role} == {"user", "assistant"}
            if message.sampled:
                assert following.content.startswith("APIRETURN ") is ("APICALL" in message.content)


def test_all_seven_tools_are_called_and_what_can_go_wrong_does(corpus):
    whole = [message.content for messages in corpus for message in messages]
    called = Counter(
        read.name
        for content in whole
        if content.startswith("PLAN") and isinstance(read := parse(content, planned=True), ApiCall)
    )
    assert set(TOOL_NAMES) <= called.keys()
    told = " ".join(content for content in whole if content.startswith("APIRETURN"))
    for outcome in ('"status": "FAILURE"', "[]", '"success": false', '"success": true', "cannot be read", "no tool"):
        assert outcome in told, outcome
    said = " ".join(content for content in whole if not content.startswith(("APIRETURN", "PLAN"))).lower()
    for phrase in ("same day", "same group", "instead", "actually", "i don't mind", "phone", "wifi", "weather"):
        assert phrase in said, phrase


def test_a_booking_uses_the_record_that_a_search_gave(corpus):
    """Renaming is the same throughout a conversation: a name booked was served before."""
    for messages in corpus:
        before = ""
        for message in messages:
            read = parse(message.content, planned=True) if message.sampled else None
            if (
                isinstance(read, ApiCall)
                and read.name in ("book_hotel", "book_restaurant")
                and "name" in read.parameters
            ):
                assert json.dumps(read.parameters["name"], ensure_ascii=False) in before
            before += message.content


def test_part_of_the_conversations_speak_of_names_and_foods_that_no_town_has():
    plain = [conversation(HELD_OUT + number) for number in range(120)]
    renamed_ones = foods = 0
    for number, messages in enumerate(plain):
        names = names_of(make_scenario("pretrain", HELD_OUT + number))
        served = [message.content for message in messages if message.content.startswith('APIRETURN [{"name"')]
        words = {word for each in served for word in json.loads(each[10:])[0]["name"].split()}
        renamed_ones += bool(words) and not words - KNOWN <= names
        foods += any(json.loads(each[10:])[0].get("food", FOODS[0]) not in FOODS for each in served)
    assert 45 <= renamed_ones <= 95 and foods >= 8


def test_remade_names_are_the_same_in_every_message_and_of_many_lengths():
    """A guest's or an agent's words for a place that calls name, in whatever case, are the calls' words."""
    lengths = Counter[int]()
    texts = ['{"name": "old larmuck inn"}', "Old Larmuck Inn, please.", "It is the Larmuck."]
    for seed in range(400):
        first, second, third = renamed(texts, frozenset({"larmuck"}), Random(seed))
        name = json.loads(first)["name"]
        assert second.lower() == f"{name}, please."
        if third == texts[2]:
            lengths[len(name.split())] += 1
    assert {1, 2, 3, 4, 5} <= lengths.keys() and 120 <= sum(lengths.values()) <= 340


def test_records_hold_facts_that_nobody_asked_for(corpus):
    served = [
        json.loads(message.content[10:])[0]
        for messages in corpus
        for message in messages
        if message.content.startswith('APIRETURN [{"')
    ]
    named = [record for record in served if "name" in record]
    wider = [record for record in named if FIELDS.keys() & record.keys() - {"address", "openhours", "postcode"}]
    assert 0.3 * len(named) < len(wider) < 0.7 * len(named)
    assert all(next(iter(record)) == "name" for record in named) and not any(
        "id" in each for each in served if each not in named
    )


def test_widening_keeps_every_fact_and_says_the_same_of_a_record_twice():
    text = 'APIRETURN [{"name": "larmuck inn", "area": "north"}]'
    for seed in range(100):
        first, second, other = widened([text, text, "Larmuck Inn"], Random(seed))
        assert first == second and other == "Larmuck Inn"
        record = json.loads(first[10:])[0]
        assert (record["name"], record["area"]) == ("larmuck inn", "north")


def test_rewording_keeps_every_name_number_time_and_day():
    said = "I'd like to book a train from Larmuck to Glerbus on Tuesday at 17:45 for 5 people, with free wifi, please."
    for seed in range(300):
        other = reworded(said, Random(seed)).lower()
        for value in ("larmuck", "glerbus", "tuesday", "17:45", "5 people", "wifi"):
            assert value in other, other


def test_rewording_gives_many_wordings_and_misspells_no_value():
    said = "I'm looking for a place to stay in the north. Could you help me, please?"
    assert len({reworded(said, Random(seed)) for seed in range(1_000)}) > 300
    assert not PLAIN_WORDS & {*DAYS, *FOODS, "wifi", "internet", "parking", "cheap", "north", "centre"}
    assert sum(len(each) for each in WORDINGS.values()) > 200


@given(st.text(), st.integers(0, 10_000))
def test_any_utterance_can_be_reworded(text, seed):
    assert isinstance(reworded(text, Random(seed)), str)


@given(st.integers(0, 10_000))
def test_renaming_keeps_the_case_and_is_the_same_in_all_texts(seed):
    before = ["To Larmuck, please.", '{"destination": "larmuck"}', "It goes to Larmuck."]
    first, second, third = renamed(before, frozenset({"larmuck"}), Random(seed))
    name = second.split('"')[3]
    assert first == f"To {title(name)}, please." and third == f"It goes to {title(name)}."
