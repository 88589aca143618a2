"""Answers that are no move: asked for again, never said, never kept for a user, never in a row."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from small import FIND_HOTEL, HOTEL, MALFORMED, TRAIN, search, strategy

from josh_engine.agents.scripted import ScriptedAgent
from josh_engine.errors import BadResponse, SimulationError
from josh_engine.extract import RowPolicy, extract
from josh_engine.memory import MemoryJournal
from josh_engine.models.finishes import CUT_SHORT, NoMove, no_move
from josh_engine.models.journal import OWN_TRIES, TRIES, JournalledRollout
from josh_engine.models.scripted import ScriptedModel, say, use
from josh_engine.play import play
from josh_engine.tree import label_turns
from josh_engine.users.scripted import ModelledUser, ScriptedUser
from josh_engine.values import Completion, Message, Preamble, Sampling, Turn, Usage, Verdict

HELLO = [Message("user", "hello")]
EVERYTHING = RowPolicy(filtered=False)
HALF = replace(say("I have found your account and"), finish="length")


def journalled(answers, *, sampling=Sampling(), speaker="agent", repeatable=False, journal=None):  # noqa: B008
    """A turn's model that answers in order, and the seeds it was asked with."""
    seeds: list[int] = []
    given = iter(answers)
    model = ScriptedModel(lambda messages, seed: (seeds.append(seed), next(given))[1])
    model.repeatable = repeatable
    rollout = JournalledRollout("r", journal or MemoryJournal())
    return rollout.model_for("0", model, sampling, seed=7, speaker=speaker), seeds


@pytest.mark.parametrize("finish", [*CUT_SHORT, "LENGTH", "MAX_TOKENS", "Content_Filter"])
def test_whatever_was_cut_short_is_no_move_also_with_a_whole_call(finish):
    for completion in (say("Yes, I will book it."), use("find_hotel", "{}")):
        fault = no_move(replace(completion, finish=finish))
        assert fault is not None and fault.fault == "cut" and fault.why in str(fault)


@pytest.mark.parametrize(
    "finish", ["stop", "tool_calls", "function_call", "eos", "end_turn", "COMPLETE", "stop_sequence"]
)
def test_an_end_of_the_models_own_is_a_move_under_any_name(finish):
    assert no_move(replace(say("Hello."), finish=finish)) is None


@pytest.mark.parametrize(
    ("content", "fault"),
    [("", "empty"), (" \n\t", "empty"), ("<think>done</think>\n", "empty"), ("<think>I look", "cut"),
     ("<thinking>\nI look", "cut")],
)  # fmt: skip
def test_words_that_say_nothing_are_no_move(content, fault):
    assert no_move(say(content)).fault == fault
    assert no_move(replace(FIND_HOTEL, content=content)) is None


def test_an_answer_that_is_no_move_is_asked_for_again_as_it_was_and_only_the_move_is_kept():
    journal = MemoryJournal()
    model, seeds = journalled([HALF, say(""), say("Here.")], journal=journal)
    assert asyncio.run(model.complete(HELLO)).content == "Here."
    assert len(seeds) == 3 and len(set(seeds)) == 1, "a server's fault passes: the very same question"
    (entry,) = journal.entries.values()
    assert entry.completion.content == "Here."
    assert entry.completion.usage == HALF.usage + say("").usage + say("Here.").usage, "what was paid for is counted"


@pytest.mark.parametrize("own", ["repeatable", "limit"])
def test_a_model_that_would_say_the_same_again_gets_other_seeds_and_fewer_tries(own):
    long = replace(HALF, usage=Usage(1, 10, 20))
    sampling = Sampling(max_tokens=20) if own == "limit" else Sampling()
    model, seeds = journalled([long] * TRIES, sampling=sampling, repeatable=own == "repeatable")
    with pytest.raises(NoMove, match="--max-tokens"):
        asyncio.run(model.complete(HELLO))
    assert len(seeds) == len(set(seeds)) == OWN_TRIES


def test_an_agents_last_answer_is_kept_so_that_a_resume_decides_alike_and_pays_nothing():
    journal = MemoryJournal()
    for answers in ([HALF] * TRIES, []):
        model, _ = journalled(answers, journal=journal)
        with pytest.raises(NoMove) as fault:
            asyncio.run(model.complete(HELLO))
        assert fault.value.completion.content == HALF.content
    assert next(iter(journal.entries.values())).completion.usage.calls == TRIES


def test_a_users_is_not_kept_and_a_resume_asks_again():
    journal = MemoryJournal()
    model, _ = journalled([say("")] * TRIES, speaker="user", journal=journal)
    with pytest.raises(BadResponse):
        asyncio.run(model.complete(HELLO))
    assert not journal.entries
    model, _ = journalled([say("Hi.")], speaker="user", journal=journal)
    assert asyncio.run(model.complete(HELLO)).content == "Hi."


def test_a_cut_generation_fails_its_turn_and_is_in_no_row_whoever_calls_it_good():
    cut = search({"0": [HALF], "1": [FIND_HOTEL]}, [HOTEL], strategy(depth=2))
    (node,) = [each for each in cut.tree.nodes.values() if each.turn.cut]
    assert (node.turn.stop, [call.fault for call in node.turn.calls]) == ("failed", ["cut"])
    assert label_turns(cut.tree)[node.id] == "off_path"
    good = Verdict("v", "r", node.id, "good", "ada", "2026-01-01T00:00:00Z")
    bad = replace(good, verdict="bad")
    for verdicts in ((), (good,), (bad,)):
        told = extract([cut.source(*verdicts)], EVERYTHING)
        assert told.funnel["cut"] == 1
        assert HALF.content not in str(cut.rows("kto", EVERYTHING, *verdicts)) + str(cut.rows("dpo", EVERYTHING))


@pytest.mark.parametrize("answer", [HALF, say(""), say("<think>hm")])
def test_an_agent_that_knows_nothing_of_it_fails_its_turn_all_the_same(answer):
    class Plain:
        def preamble(self, environment):
            return Preamble()

        async def turn(self, path, environment, model, seed):
            said = (await model.complete([Message("user", "hi")])).content
            return Turn("agent", (Message("assistant", said, sampled=True),), reply=said)

    outcome = play([HOTEL], Plain(), ScriptedUser(["a", "b"]), model=ScriptedModel(lambda messages, seed: answer))
    assert outcome.rollout.state == "done"
    assert {node.turn.stop for node in outcome.tree.nodes.values() if node.turn.speaker == "agent"} == {"failed"}


def test_a_user_of_ones_own_that_says_nothing_fails_the_rollout_and_no_turn():
    silent = ScriptedModel(lambda messages, seed: Completion(""))
    with pytest.raises(SimulationError, match="empty"):
        play([HOTEL], ScriptedAgent(), ModelledUser(), model=ScriptedModel(lambda m, s: say("Hm.")), user_model=silent)
    assert silent.served == TRIES


def test_a_generation_no_row_can_hold_is_context_and_counted():
    told = search({"0": [MALFORMED, FIND_HOTEL], "1": [use("find hotel!", "{}"), say("No.")]}, [HOTEL, TRAIN])
    made = extract([told.source()], EVERYTHING)
    assert made.funnel["unwritable"] >= 2
    for line in (*told.rows("sft", EVERYTHING), *told.rows("kto", EVERYTHING)):
        for call in (each for message in line["completion"] for each in message.get("tool_calls", ())):
            assert call["function"]["name"] in ("find_hotel", "find_train")
            assert call["function"]["arguments"]
    weights = [m.get("weight") for m in told.rows("openai", EVERYTHING)[0]["messages"] if m["role"] == "assistant"]
    assert weights[0] == 0 and None in weights
