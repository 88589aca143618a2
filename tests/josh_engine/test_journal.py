"""A paid call is never paid twice, and never silently replaced by another."""

from __future__ import annotations

import asyncio

import pytest
from small import search, strategy

from josh_engine.errors import ModelUnavailable, SimulationError
from josh_engine.memory import MemoryJournal, MemoryRecorder
from josh_engine.models.journal import JournalledRollout
from josh_engine.models.scripted import ScriptedModel, say
from josh_engine.seeds import turn_seed
from josh_engine.values import Message, Sampling

HELLO = [Message("user", "hello")]


def model_for(journal, model, *, node="0", temperature=1.0, rollout="r"):
    return JournalledRollout(rollout, journal).model_for(node, model, Sampling(temperature), seed=7)


def test_a_kept_answer_is_given_again_without_asking():
    journal, paid = MemoryJournal(), ScriptedModel(lambda messages, seed: say(f"answer {seed}"))
    first = asyncio.run(model_for(journal, paid).complete(HELLO))
    again = asyncio.run(model_for(journal, paid).complete(HELLO))
    assert again == first and paid.served == 1


def test_an_answer_is_kept_before_it_is_used():
    order = []

    class Slow(MemoryJournal):
        async def keep(self, entry):
            await asyncio.sleep(0)
            await super().keep(entry)
            order.append("kept")

    asyncio.run(model_for(Slow(), ScriptedModel(lambda messages, seed: say("x"))).complete(HELLO))
    order.append("used")
    assert order == ["kept", "used"]


def test_a_different_question_under_the_same_number_is_an_error():
    journal, paid = MemoryJournal(), ScriptedModel(lambda messages, seed: say("x"))
    asyncio.run(model_for(journal, paid).complete(HELLO))
    with pytest.raises(SimulationError, match="code or prompts changed"):
        asyncio.run(model_for(journal, paid).complete([Message("user", "goodbye")]))


def test_siblings_get_different_seeds_and_a_rerun_the_same():
    def seeds_of_a_run() -> list[int]:
        seeds: list[int] = []
        model = ScriptedModel(lambda messages, seed: (seeds.append(seed), say(str(seed)))[1])
        for node in ("0", "1", "0.1"):
            turn = turn_seed(0, "s", 0, node)
            journalled = JournalledRollout("r", MemoryJournal()).model_for(node, model, Sampling(), seed=turn)
            asyncio.run(journalled.complete(HELLO))
            asyncio.run(journalled.complete(HELLO))
        return seeds

    assert len(set(seeds_of_a_run())) == 6
    assert seeds_of_a_run() == seeds_of_a_run()


def test_at_temperature_0_calls_in_flight_are_shared_within_a_rollout_and_never_across():
    async def both(first: JournalledRollout, second: JournalledRollout, model: ScriptedModel):
        return await asyncio.gather(
            first.model_for("0u", model, Sampling(0.0), seed=1).complete(HELLO),
            second.model_for("1u", model, Sampling(0.0), seed=2).complete(HELLO),
        )

    journal = MemoryJournal()
    model = ScriptedModel(lambda messages, seed: say(f"{seed}"), seconds=0.001)
    same = JournalledRollout("r", journal)
    answers = asyncio.run(both(same, same, model))
    assert answers[0].content == answers[1].content and model.served == 1
    assert set(journal.entries) == {("r", "0u", 0), ("r", "1u", 0)}
    asyncio.run(both(JournalledRollout("a", journal), JournalledRollout("b", journal), model))
    assert model.served == 3


def test_a_shared_call_that_fails_fails_all_who_wait_for_it():
    class Down(ScriptedModel):
        async def complete(self, messages, tools=(), sampling=None, seed=None):
            await asyncio.sleep(0.001)
            raise ModelUnavailable("down")

    async def both():
        rollout = JournalledRollout("r", MemoryJournal())
        model = Down(lambda messages, seed: say("x"))
        return await asyncio.gather(
            *(rollout.model_for(node, model, Sampling(0.0), seed=1).complete(HELLO) for node in ("0u", "1u")),
            return_exceptions=True,
        )

    assert [type(each) for each in asyncio.run(both())] == [ModelUnavailable, ModelUnavailable]


def test_a_whole_search_replays_from_its_journal_without_one_call():
    first = search({}, config=strategy(depth=4))
    again = search({}, config=strategy(depth=4), journal=first.journal, recorder=MemoryRecorder())
    assert again.events == first.events
    assert (first.model.served, again.model.served) == (22, 0)
