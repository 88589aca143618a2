"""The table at which persons play: questions that a run asked, and the first answer that each was given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from josh_engine.encoding import dump, load
from josh_engine.errors import StorageError
from josh_engine.values import Completion, Question
from storage.database import Store
from storage.runs import now


class Answered(StorageError):
    """Somebody else answered first; nothing was changed."""


@dataclass(frozen=True, slots=True)
class StoredTable:
    """One run's table (josh_engine.ports.Table). `left`: whether the run is to stop."""

    store: Store
    run_id: str
    left: Callable[[], bool]

    def put(self, question: Question) -> None:
        with self.store.write() as connection:
            connection.execute(
                "INSERT INTO questions (run, id, question, asked) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (self.run_id, question.id, dump(question), now()),
            )

    def answer(self, question_id: str) -> Completion | None:
        rows = self.store.read("SELECT answer FROM questions WHERE run = ? AND id = ?", (self.run_id, question_id))
        return load(Completion, rows[0]["answer"]) if rows and rows[0]["answer"] is not None else None

    def is_left(self) -> bool:
        return self.left()


def open_question(store: Store, run_id: str) -> Question | None:
    """The one that waits for its answer; None: nothing is asked right now."""
    rows = store.read(
        "SELECT question FROM questions WHERE run = ? AND answer IS NULL ORDER BY asked DESC, rowid DESC LIMIT 1",
        (run_id,),
    )
    return load(Question, rows[0]["question"]) if rows else None


def give_answer(store: Store, run_id: str, question_id: str, answer: Completion, *, person: str) -> None:
    """Raises Answered where it has one already, or was never asked."""
    with store.write() as connection:
        done = connection.execute(
            "UPDATE questions SET answer = ?, answered = ?, person = ? WHERE run = ? AND id = ? AND answer IS NULL",
            (dump(answer), now(), person, run_id, question_id),
        )
        if done.rowcount == 0:
            raise Answered(
                "This was answered already, in another window perhaps.",
                remedy="Nothing you wrote was sent. Read on, and answer what is asked now.",
            )
