"""What the agenda user does next: one turn's decision, stage by stage.

A part goes through `wish` (the first wish, meant to fail), `find` (the real one), `ask` (attributes), `wish_book` (the
booking meant to fail) and `book`; stages it does not need are left out. Pure but for the generator of chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

from toolwoz.agenda_progress import Part, Progress
from toolwoz.agenda_reading import Reply, misses
from toolwoz.agenda_speech import Act

PATIENCE = 3  # unproductive turns in one part; the next one ends it
SHARED = ("day", "people")  # what later parts may be "the same" in
PACE = (1, 2, 2, 3)  # slots told per turn
SAME = 0.5  # how often a repeated value is said as "the same"
DOUBTED = "booking"  # kept among the corrected: everything was told, and refused
COURTESY = 0.6  # how often a part ends in thanks before the next begins


class Agenda:
    """One turn's decision: reads `reply`, moves `progress` on, and collects what to say."""

    def __init__(self, parts: Sequence[Part], progress: Progress, *, reply: Reply, random: Random) -> None:
        self.parts, self.progress, self.reply, self.random = parts, progress, reply, random
        self.acts: list[Act] = []
        self.speaking_of = parts[min(progress.part, len(parts) - 1)].domain

    @property
    def part(self) -> Part:
        return self.parts[self.progress.part]

    def next_acts(self) -> list[Act]:
        if self.progress.stage == "start":
            self._open_part()
        elif self.progress.stage == "over":
            self._say("bye")
        elif self.reply.again and self.progress.stage != "ask":
            self._repeat()
        else:
            {
                "wish": self._wish,
                "find": self._find,
                "ask": self._ask,
                "wish_book": self._wish_book,
                "book": self._book,
            }[self.progress.stage]()
        return self.acts

    # What is said, and what that changes

    def _say(self, kind: str, slots: Mapping[str, str] | None = None, words: Sequence[str] = ()) -> None:
        slots = dict(slots or {})
        self.acts.append(Act(kind, slots, tuple(words), same=self._same(kind, slots)))

    def _same(self, kind: str, slots: Mapping[str, str]) -> dict[str, str]:
        """Slots to be given as "the same as" an earlier part; never when correcting, which wants plain values."""
        if kind not in ("open_next", "inform", "book", "book_details"):
            return {}
        return {
            slot: self.progress.known[slot][1]
            for slot, value in slots.items()
            if slot in self.progress.known
            and self.progress.known[slot][0] == value
            and self.progress.known[slot][1] != self.part.domain
            and self.random.random() < SAME
        }

    def _tell(self, kind: str, wanted: Mapping[str, str], slots: Sequence[str]) -> None:
        self._say(kind, {slot: wanted[slot] for slot in slots})
        told = (*self.progress.told, *(slot for slot in slots if slot not in self.progress.told))
        self.progress = replace(self.progress, told=told)

    def _move(self, stage: str, told: tuple[str, ...] = ()) -> None:
        self.progress = replace(self.progress, stage=stage, told=told)

    def _out_of_patience(self) -> bool:
        """Counts an unproductive turn; True when the part was given up, with the words for it said."""
        self.progress = replace(self.progress, stuck=self.progress.stuck + 1)
        if self.progress.stuck <= PATIENCE:
            return False
        if self.progress.part + 1 < len(self.parts):
            self._say("leave")
            self._next_part()
        else:
            self._say("give_up")
            self._move("over")
        return True

    # Parts

    def _open_part(self) -> None:
        part = self.part
        self.speaking_of = part.domain
        wanted = part.wish or part.info
        self._move("wish" if part.wish else "find")
        kind = "open" if self.progress.part == 0 else "open_next"
        self._tell(kind, wanted, self._some(wanted, self._pace(len(wanted))))

    def _next_part(self) -> None:
        known = dict(self.progress.known)
        told = {**self.part.info, **self.part.book} if self.progress.stage in ("ask", "book") else {}
        for slot in SHARED:
            if slot in told and (slot in self.part.info or slot in self.progress.told):
                known[slot] = (told[slot], self.part.domain)
        self.progress = Progress(self.progress.part + 1, known=known)
        self._open_part()

    def _finish_part(self) -> None:
        if self.progress.part + 1 < len(self.parts):
            if self.random.random() < COURTESY:
                self._say("thank")
            self._next_part()
        else:
            self._say("bye")
            self._move("over")

    def _pace(self, slots: int) -> int:
        """How many slots to tell now: more at a time where there are many, or two parts are to be played."""
        least = 2 if slots > 3 or len(self.parts) > 1 else 1
        return max(least, self.random.choice(PACE))

    def _some(self, wanted: Mapping[str, str], count: int) -> list[str]:
        """Untold slots, those asked for first, then in a shuffled order; at most `count`."""
        untold = [slot for slot in wanted if slot not in self.progress.told]
        self.random.shuffle(untold)
        untold.sort(key=lambda slot: slot not in self.reply.asks)
        return untold[: max(count, sum(slot in self.reply.asks for slot in untold))]

    # Stages

    @property
    def _in_vain(self) -> bool:
        """Nothing was found; "no rooms are available" says so too, before anything is to be booked."""
        refused = self.reply.refused and not self.reply.offers and DOUBTED not in self.progress.corrected
        return self.reply.nothing or refused

    def _wish(self) -> None:
        """The first wish. Once it is all told, the user moves on, whatever came back."""
        rest = self._some(self.part.wish, self._pace(len(self.part.wish)))
        if rest and not self._in_vain:
            self._tell("inform", self.part.wish, rest)
            self._answer_unconcerned(self.part.wish)
            return
        acted = self.reply.offers or self._in_vain
        if not acted and self.progress.stuck < 2:
            if not self._out_of_patience():
                self._answer_or_nudge(self.part.wish, "nudge")
            return
        self._change_wish()

    def _change_wish(self) -> None:
        wish, info = self.part.wish, self.part.info
        kind = "change_after_nothing" if self._in_vain else "change_of_mind"
        kept = tuple(slot for slot in self.progress.told if info.get(slot) == wish[slot])
        changed = [slot for slot in info if slot in self.progress.told and info[slot] != wish[slot]]
        dropped = [slot for slot in self.progress.told if slot not in info]
        self._move("find", kept)
        if not changed:
            changed = self._some(info, 3)
        if changed:
            self._tell(kind, info, changed)
        if dropped:
            self._say("no_preference", words=dropped)

    def _find(self) -> None:
        info, reply = self.part.info, self.reply
        wrong = [] if self._in_vain else self._wrong(info)
        rest = self._some(info, self._pace(len(info)))
        if rest and not wrong:
            self._tell("inform", info, rest)
            self._answer_unconcerned(info)
        elif wrong or self._in_vain:
            if not self._out_of_patience():
                self._tell("correct" if wrong else "restate", info, [*(wrong or info), *rest])
                self.progress = replace(self.progress, corrected=(*self.progress.corrected, *wrong))
        elif reply.booked and DOUBTED in self.progress.corrected:
            self._finish_part()
        elif (
            reply.offers
            or reply.refused
            or (self.part.book and reply.asks & self.part.book.keys() and not reply.asks & info.keys())
        ):
            self._advance()
        elif not self._out_of_patience():
            self._answer_or_nudge(info, "nudge")

    def _wrong(self, wanted: Mapping[str, str]) -> list[str]:
        """Told slots that the reply has otherwise. A name is corrected once: an agent need not repeat it."""
        return [
            slot
            for slot in self.progress.told
            if slot in wanted
            and misses(self.reply, slot, wanted[slot])
            and not (slot == "name" and slot in self.progress.corrected)
        ]

    def _ask(self) -> None:
        """Repeats once what was not answered, then goes on."""
        missed = [word for word in self.progress.asked if not self.reply.answers(word)]
        if missed and self.progress.told != ("again",):
            self.progress = replace(self.progress, told=("again",))
            self._say("request", words=missed)
            return
        self._advance()

    def _advance(self) -> None:
        """The search is settled: ask for what is still wanted, then book, then the next part; with fresh patience."""
        self.progress = replace(self.progress, stuck=min(self.progress.stuck, 1))
        open_requests = [word for word in self.part.requests if word not in self.progress.asked]
        if open_requests:
            self.progress = replace(
                self.progress, stage="ask", told=(), asked=(*self.progress.asked, *open_requests[:3])
            )
            self._say("request", words=open_requests[:3])
        elif self.part.book:
            wishing = self.part.wish_book and DOUBTED not in self.progress.corrected
            wanted = self.part.wish_book if wishing else self.part.book
            self._move("wish_book" if wishing else "book")
            count = len(wanted) if DOUBTED in self.progress.corrected else self._pace(len(wanted))
            self._tell("book", wanted, self._some(wanted, count))
        else:
            self._finish_part()

    def _wish_book(self) -> None:
        wanted, book = self.part.wish_book, self.part.book
        if rest := self._some(wanted, 3):
            self._tell("book_details", wanted, rest)
            return
        if not (self.reply.booked or self.reply.refused) and self.progress.stuck < 2:
            if not self._out_of_patience():
                self._answer_or_nudge(wanted, "nudge_booking")
            return
        changed = [slot for slot in book if book[slot] != wanted[slot]]
        told = tuple(slot for slot in self.progress.told if slot not in changed)
        self._move("book", told)
        kind = "book_change_of_mind" if self.reply.booked else "book_change_refused"
        self._tell(kind, book, changed)

    def _book(self) -> None:
        book, reply = self.part.book, self.reply
        wrong = self._wrong(book)
        if rest := self._some(book, 3):
            self._tell("book_details", book, rest)
        elif reply.booked and not wrong:
            self._finish_part()
        elif not self._out_of_patience():
            if reply.refused and not wrong and DOUBTED not in self.progress.corrected and self.progress.stuck > 1:
                self._doubt()
            elif reply.booked or reply.refused:
                self._tell("book_correct", book, wrong or list(book))
            else:
                self._answer_or_nudge(book, "nudge_booking")

    def _doubt(self) -> None:
        """The right booking was refused again: perhaps the agent books something else than what was asked for."""
        self._move("find")
        self._tell("doubt", self.part.info, list(self.part.info))
        self.progress = replace(self.progress, corrected=(*self.progress.corrected, DOUBTED))

    # Answers

    def _repeat(self) -> None:
        """Says all that was told in this stage once more, to an agent that did not get it."""
        stage, part = self.progress.stage, self.part
        wanted = {"wish": part.wish, "find": part.info, "wish_book": part.wish_book, "book": part.book}[stage]
        if not self._out_of_patience():
            self._tell("book_repeat" if "book" in stage else "repeat", wanted, self.progress.told)

    def _answer_or_nudge(self, wanted: Mapping[str, str], nudge: str) -> None:
        """Says again what was asked for; what is no wish is left to the agent; else: go ahead."""
        asked = [slot for slot in wanted if slot in self.reply.asks]
        booking = nudge == "nudge_booking"
        if asked:
            self._tell("book_details" if booking else "inform", wanted, asked)
        elif not self._answer_unconcerned(wanted):
            self._say(nudge)

    def _answer_unconcerned(self, wanted: Mapping[str, str]) -> bool:
        """Tells an agent that asks for something the user has no wish about; True if it did."""
        booking = self.part.book.keys() | {"time", "day", "people", "stay", "leaveAt", "arriveBy"}
        indifferent = sorted(self.reply.asks - wanted.keys() - self.part.info.keys() - booking - {"name"})
        if indifferent:
            self._say("no_preference", words=indifferent[:2])
        return bool(indifferent)
