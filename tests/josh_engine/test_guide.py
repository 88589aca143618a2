"""The guide user: a coach's quote is spoken, its advice stays in the notes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from contracts import check_players
from one_turn import agent_says, user_says, user_turn_of
from small import HOTEL, TOOLS

from josh_engine.agents.scripted import ScriptedAgent
from josh_engine.config import RunConfig, StrategyConfig
from josh_engine.errors import BadResponse, ConfigError
from josh_engine.extract import RowPolicy, Source, extract
from josh_engine.memory import MemoryJournal, MemoryRecorder
from josh_engine.models.scripted import ScriptedModel, say, use
from josh_engine.rollout import Players, roll_out
from josh_engine.rows import render_files
from josh_engine.search import open_strategy
from josh_engine.tree import fold
from josh_engine.users.guide import Advice, GuideUser, read_advice
from josh_engine.users.speech import Speech
from josh_engine.values import Rollout, Scenario
from josh_engine.worlds.scripted import ScriptedWorld

GUIDE = ("I need a hotel.", "Which area?", "The north.", "Booked.")
SCENARIO = Scenario("s", "scripted", "train", ("You want a hotel.",), (HOTEL,), GUIDE)
PATH = (user_says("A hotel, please."), agent_says("Which area?"))
ADVICE = 'Advice:\nYou should name the area.\nSuggested quote:\n"The north, please."'


def test_the_quote_is_spoken_and_the_advice_noted():
    turn, _ = user_turn_of(GuideUser(), [ADVICE], SCENARIO, PATH)
    assert (turn.reply, turn.stop, turn.notes) == (
        "The north, please.", "spoke", {"advice": "You should name the area."},
    )  # fmt: skip
    assert turn.messages[0].content == turn.reply


def test_the_coach_sees_goals_recording_and_conversation_in_one_user_message():
    _, model = user_turn_of(GuideUser(), [ADVICE], SCENARIO, PATH)
    ((message,), tools), *more = model.asked
    lines = message.content.splitlines()
    assert message.role == "user" and not tools and not more
    order = ["1. You want a hotel.", "CUSTOMER: I need a hotel.", "AGENT: Which area?", "CUSTOMER: The north.",
             "AGENT: Booked.", "CUSTOMER: A hotel, please."]  # fmt: skip
    assert [lines.index(line) for line in order] == sorted(lines.index(line) for line in order)


@pytest.mark.parametrize(
    ("content", "advice", "words", "hangs_up"),
    [
        ('Advice:\nEnd it.\nSuggested quote:\n"Thanks, goodbye" END_CONVERSATION', "End it.", "Thanks, goodbye", True),
        ('Advice:\nEnd it.\nSuggested quote:\n"Thanks. END_CONVERSATION"', "End it.", "Thanks.", True),
        ('**Advice:**\nGo on.\n\n**Suggested quote:**\n"Two\nlines."', "Go on.", "Two\nlines.", False),
        ("Advice: a\nSuggested Quote: No marks here.", "a", "No marks here.", False),
        ("advice: a\nsuggested quote “Curly.”", "a", "Curly.", False),
        ('Advice: a\nSuggested quote:\n"At the "Elm House", please."', "a", 'At the "Elm House", please.', False),
        ('Advice: a\nSuggested quote:\n"One."\nor\n"Two."', "a", "One.", False),
        ("Advice: a\nSuggested quote: END_CONVERSATION", "a", "", True),
        ("Advice:\nHang up now. END_CONVERSATION", "Hang up now.", "", True),
        ('"Only a quotation."', "", "Only a quotation.", False),
        ('<think>Advice: "no"</think>Advice: a\nSuggested quote: "Yes."', "a", "Yes.", False),
        ("Only words.", "", "Only words.", False),
    ],
)
def test_the_coachs_answer_is_read_in_the_forms_that_models_give_it(content, advice, words, hangs_up):
    assert read_advice(content) == Advice(advice, Speech(words, hangs_up))


@pytest.mark.parametrize("content", ["", "  ", "Advice: You should ask.", 'Advice: a\nSuggested quote:\n""'])
def test_advice_is_never_spoken_in_place_of_a_quote(content):
    assert read_advice(content) is None
    turn, model = user_turn_of(GuideUser(), [content, ADVICE], SCENARIO, PATH)
    assert turn.reply == "The north, please." and len(model.asked) == 2
    with pytest.raises(BadResponse):
        user_turn_of(GuideUser(), [content] * 3, SCENARIO, PATH)


def test_a_hang_up_waits_as_the_goal_users_does():
    yes = 'Advice: a\nSuggested quote: "Yes, book it." END_CONVERSATION'
    turn, _ = user_turn_of(GuideUser(), [yes], SCENARIO, PATH)
    assert (turn.stop, turn.notes) == ("spoke", {"advice": "a", "waits": 1})
    bye = 'Advice: a\nSuggested quote: "Thanks, bye." END_CONVERSATION'
    assert user_turn_of(GuideUser(), [bye], SCENARIO, PATH)[0].stop == "ended"


def test_without_a_transcript_the_goal_user_is_named():
    with pytest.raises(ConfigError, match=r"'s' has no human conversation.*--user goal"):
        user_turn_of(GuideUser(), [ADVICE], replace(SCENARIO, guide=()), PATH)


def test_the_user_keeps_its_contract():
    world = ScriptedWorld([SCENARIO], TOOLS)
    model = ScriptedModel(lambda messages, seed: say(ADVICE))
    check_players(ScriptedAgent(), GuideUser(), world, SCENARIO, model=model)


def test_no_row_holds_the_advice():
    world, recorder = ScriptedWorld([SCENARIO], TOOLS), MemoryRecorder()
    agent = ScriptedModel(
        lambda messages, seed: use("find_hotel", '{"area": "north"}') if seed % 3 == 0 else say(f"{seed}?")
    )
    players = Players(ScriptedAgent(), GuideUser(), agent, ScriptedModel(lambda messages, seed: say(ADVICE)))
    rollout = asyncio.run(
        roll_out(
            Rollout("r", "run", "s", 0), SCENARIO, world, players, open_strategy(StrategyConfig()),
            recorder=recorder, journal=MemoryJournal(), seed=1,
        )
    )  # fmt: skip
    tree = fold(recorder.stored("r"))
    source = Source(rollout, RunConfig("scripted", "train", ("s",)), tree)
    files = render_files(extract([source], RowPolicy(filtered=False)), ("sft", "kto", "dpo", "openai"))
    assert files["sft.jsonl"] and b"The north, please." in files["sft.jsonl"]
    assert not any(b"name the area" in body for body in files.values())
    assert any("name the area" in str(node.turn.notes) for node in tree.nodes.values())
