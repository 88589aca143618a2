"""The goal user: one user message that any chat template takes, words kept, and a hang-up that waits."""

from __future__ import annotations

import asyncio

import pytest
from contracts import check_players
from one_turn import Listed, agent_says, user_says, user_turn_of
from small import HOTEL, TOOLS

from josh_engine.agents.scripted import ScriptedAgent
from josh_engine.errors import BadResponse
from josh_engine.models.scripted import ScriptedModel, say
from josh_engine.users.goal import GoalUser
from josh_engine.users.speech import FAREWELL, MOST_WAITS, Speech, heard, only_closes
from josh_engine.values import Scenario
from josh_engine.worlds.scripted import Notebook, ScriptedWorld

SCENARIO = Scenario("s", "scripted", "train", ("You want a hotel.", "It must be cheap."), (HOTEL,))
PATH = (user_says("A hotel, please."), agent_says("I have found one.\nShall I book it?"))


def spoken(content: str, path=PATH):
    return user_turn_of(GoalUser(), [content], SCENARIO, path)[0]


def test_what_the_model_says_is_said():
    turn = spoken("Is it cheap?")
    assert (turn.speaker, turn.stop, turn.reply) == ("user", "spoke", "Is it cheap?")
    assert [(message.role, message.content) for message in turn.messages] == [("user", "Is it cheap?")]


@pytest.mark.parametrize("path", [(), PATH])
def test_the_request_is_one_user_message_with_brief_and_conversation(path):
    _, model = user_turn_of(GoalUser(), ["Hello."], SCENARIO, path)
    ((messages, tools),) = model.asked
    (message,) = messages
    assert message.role == "user" and tools == ()
    lines = message.content.splitlines()
    assert lines.index("1. You want a hotel.") + 1 == lines.index("2. It must be cheap.")
    if path:
        assert lines.index("CUSTOMER: A hotel, please.") + 1 == lines.index("AGENT: I have found one.")
    else:
        assert "(Nothing has been said yet.)" in lines
    assert "{{" not in message.content and "<!--" not in message.content


def test_goodbye_and_the_marker_hang_up_and_the_words_are_kept():
    for content in (
        "Thanks, goodbye! END_CONVERSATION",
        "Thanks, goodbye! END_CONVERSATION and more",
    ):
        turn = spoken(content)
        assert (turn.stop, turn.reply) == ("ended", "Thanks, goodbye!")


def test_a_bare_marker_hangs_up_with_a_word():
    assert (spoken("END_CONVERSATION").stop, spoken("END_CONVERSATION").reply) == ("ended", FAREWELL)


@pytest.mark.parametrize(
    "words",
    ["Yes, please book it.", "Sounds good, thanks!", "Monday for two people.", "Thanks, and what is the phone number?",
     "I also need a train, thank you.", "It is for 3 nights. Thanks, goodbye.", "I'd like it on friday. Bye."],
)  # fmt: skip
def test_a_hang_up_waits_where_the_agent_still_has_to_act(words):
    turn = spoken(f"{words} END_CONVERSATION")
    assert (turn.stop, turn.reply, turn.notes) == ("spoke", words, {"waits": 1})


@pytest.mark.parametrize(
    "words",
    ["Thank you, that's all I need.", "No, that is everything. Bye!", "Great. Thanks for your help, goodbye.",
     "Nothing else, thanks. Have a nice day!", "Perfect, thank you so much for the booking."],
)  # fmt: skip
def test_words_that_only_close_do_not_wait(words):
    assert only_closes(words)
    assert spoken(f"{words} END_CONVERSATION").stop == "ended"


def test_nobody_hangs_up_on_an_agent_that_has_not_spoken():
    assert spoken("Thanks, goodbye. END_CONVERSATION", ()).stop == "spoke"


def test_a_model_that_always_hangs_up_waits_a_few_times_and_no_more():
    path, stops = list(PATH), []
    for _ in range(MOST_WAITS + 1):
        turn = spoken("Yes, please. END_CONVERSATION", tuple(path))
        stops.append(turn.stop)
        path += [turn, agent_says("One moment.")]
    assert stops == ["spoke"] * MOST_WAITS + ["ended"]
    path[-2] = user_says("No.")
    assert spoken("Yes, please. END_CONVERSATION", tuple(path)).stop == "spoke"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("CUSTOMER: Hello.", "Hello."),
        ("**Customer:** Hello.", "Hello."),
        ('"Hello."', "Hello."),
        ('"Hello" she said, "you"', '"Hello" she said, "you"'),
        ("Hello.\nAGENT: Hi, how can I help?\nCUSTOMER: Bye. END_CONVERSATION", "Hello."),
        ("  two\nlines ", "two\nlines"),
        ("<think>I say END_CONVERSATION later.</think>\nHello.", "Hello."),
        ("User: Hi.\nAgent: I booked it.\nUser: Great!", "Hi."),
        ("Hello. Agent: I booked it.", "Hello."),
        ("[Customer]: Hello.\n\n**Assistant**: Done.", "Hello."),
        ("Hello.\nCustomer service representative: Done.", "Hello."),
        ("Hello.<|im_end|>\n<|im_start|>assistant\nDone.", "Hello."),
        ("Hello.</s>[INST] Done.", "Hello."),
        ("My agent: he is kind.", "My agent: he is kind."),
    ],
)
def test_names_quotation_marks_and_made_up_answers_are_not_said(content, words):
    assert (heard(content).words, heard(content).hangs_up) == (words, False)


@pytest.mark.parametrize(
    "content",
    ["Bye. **END_CONVERSATION**", 'Bye. "END_CONVERSATION"', "Bye.\n\n[END_CONVERSATION]", "Bye. `END_CONVERSATION`",
     "Bye.\n---\nEND CONVERSATION", "**Customer:** Bye. ### END_CONVERSATION ###", "Bye. end_conversation"],
)  # fmt: skip
def test_marks_around_the_hang_up_belong_to_it(content):
    assert heard(content) == Speech("Bye.", True)


@pytest.mark.parametrize(
    "content", ["", "Agent: How can I help?\nUser: Hi.", "**ASSISTANT:** Done.", "CUSTOMER:", "</s>"]
)
def test_what_holds_nothing_of_the_users_is_nothing(content):
    assert heard(content) is None


def test_an_empty_answer_is_asked_for_again_and_never_becomes_a_turn():
    turn, model = user_turn_of(GoalUser(), ["", "CUSTOMER:", "Hello."], SCENARIO)
    assert turn.reply == "Hello."
    requests = [messages[0].content for messages, _ in model.asked]
    assert len(set(requests)) == 3 and all(each.startswith(requests[0]) for each in requests)
    with pytest.raises(BadResponse, match=r"no usable answer in 3 attempts.*no words.*--user-model"):
        user_turn_of(GoalUser(), [""] * 3, SCENARIO)


def test_an_edited_prompt_is_used():
    user = GoalUser({"goal": "Wishes: {{brief}} Said: {{conversation}}"})
    _, model = user_turn_of(user, ["Hello."], SCENARIO)
    assert model.asked[0][0][0].content.startswith("Wishes: 1. You want a hotel.")


def test_the_user_keeps_its_contract():
    world = ScriptedWorld([SCENARIO], TOOLS)
    for said in ("Go on.", "Yes, book it. END_CONVERSATION", "END_CONVERSATION"):
        model = ScriptedModel(lambda messages, seed, said=said: say(said))
        check_players(ScriptedAgent(), GoalUser(), world, SCENARIO, model=model)


def test_equal_conversations_ask_equal_questions():
    models = [Listed(["Hi."]), Listed(["Hi."])]
    for seed, model in enumerate(models):
        asyncio.run(GoalUser().turn(SCENARIO, PATH, Notebook(TOOLS), model, seed))
    assert models[0].asked == models[1].asked
