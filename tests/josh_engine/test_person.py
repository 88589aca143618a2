"""A person as a chat model, and as the user: asked once, waited for, and never mistaken for a fault."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from josh_engine.errors import Away
from josh_engine.models.person import PersonModel, question_of
from josh_engine.users.person import HUNG_UP, PersonUser
from josh_engine.values import Completion, Goal, Message, Question, Scenario, Tool, Turn

ASKED = (Message("system", "You book hotels."), Message("user", "A cheap one, please."))
SCENARIO = Scenario("s", "w", "all", ("You want a hotel.", "It should be cheap."), (Goal("g", "find", {}),))


@dataclass
class MemoryTable:
    """`ready`: answers by the number of times somebody looked before they came."""

    ready: dict[int, Completion] = field(default_factory=dict)
    left_after: int = 1_000_000
    put_down: list[Question] = field(default_factory=list)
    looks: int = 0

    def put(self, question: Question) -> None:
        self.put_down.append(question)

    def answer(self, question_id: str) -> Completion | None:
        assert question_id == self.put_down[-1].id
        self.looks += 1
        return next((answer for looks, answer in self.ready.items() if self.looks > looks), None)

    def is_left(self) -> bool:
        return self.looks > self.left_after


def test_the_answer_is_waited_for_and_counts_as_one_output_that_cost_nothing():
    table = MemoryTable({2: Completion("A cheap one it is.")})
    answer = asyncio.run(PersonModel(table).complete(ASKED))
    assert (answer.content, answer.usage.calls, answer.usd, table.looks) == ("A cheap one it is.", 1, 0.0, 3)


def test_an_answer_that_lies_there_already_is_taken_at_once():
    assert (
        asyncio.run(PersonModel(MemoryTable({0: Completion("Yes.")}), patience=0.0).complete(ASKED)).content == "Yes."
    )


def test_without_an_answer_the_person_is_away_which_is_no_fault():
    for table, patience in ((MemoryTable(), 0.0), (MemoryTable(left_after=0), 900.0)):
        with pytest.raises(Away) as caught:
            asyncio.run(PersonModel(table, patience).complete(ASKED))
        assert "Talk page" in caught.value.remedy


def test_a_question_is_known_by_what_is_asked_and_by_nothing_else():
    tool = Tool("find", "Finds.", {"type": "object"})
    assert question_of(ASKED, ()) == question_of(list(ASKED), ())
    others = {question_of(each, tools).id for each, tools in ((ASKED[:1], ()), (ASKED, (tool,)), (ASKED, ()))}
    assert len(others) == 3


def said(answer: Completion, path: list[Turn]) -> tuple[Turn, Question]:
    table = MemoryTable({0: answer})
    turn = asyncio.run(PersonUser().turn(SCENARIO, path, None, PersonModel(table), 0))  # type: ignore[arg-type]
    return turn, table.put_down[0]


def test_the_user_reads_the_brief_and_replies_and_never_the_agents_calls():
    path = [
        Turn("user", (Message("user", "Hello"),), reply="Hello"),
        Turn("agent", (Message("assistant", "secret call"), Message("assistant", "Hi!")), reply="Hi!"),
    ]
    turn, question = said(Completion("A cheap hotel, please."), path)
    assert [(each.role, each.content) for each in question.messages] == [
        ("system", "1. You want a hotel.\n2. It should be cheap."), ("assistant", "Hello"), ("user", "Hi!"),
    ]  # fmt: skip
    assert (turn.reply, turn.stop, turn.messages[0].sampled) == ("A cheap hotel, please.", "spoke", False)


def test_words_are_taken_as_they_are_and_hanging_up_ends_at_once():
    for words in ("END_CONVERSATION", "agent: no", '"quoted"', "Book it! Bye."):
        assert said(Completion(words), [])[0].reply == words
    assert said(Completion("Yes, book it.", finish=HUNG_UP), [])[0].stop == "ended"
    assert said(Completion("", finish=HUNG_UP), [])[0].reply == "Goodbye."
