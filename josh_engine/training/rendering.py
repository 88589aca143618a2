"""A row as the tokens it is trained on: its prompt as at play, the answer exactly as it was sampled, what ends it.

Each row is looked at by itself, whatever the template's self-test said: every message of its prompt must stand in what
the template made of it, in order, and the answer's own words right where the prompt ends. A row of which that does not
hold is left out under the name of the habit that explains it.

Some templates write the last answer otherwise than they write it in a history: Qwen 3's puts an empty thought before
one that has none. Nobody sampled that, and rows of one path would not be each other's beginnings: there the answer is
taken as it stands in the history.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from josh_engine.errors import TrainingError
from josh_engine.messages import without_thoughts
from josh_engine.models.local.habits import BY_NAME, Habit, Messages, parts_of
from josh_engine.models.local.selftest import Refused
from josh_engine.models.local.speaking import Template, template_of
from josh_engine.training.cutting import LeftOut, Tokens
from josh_engine.training.row_files import Row
from josh_engine.values import Json

NEXT: Mapping[str, Json] = {"role": "user", "content": "zqnext"}
REFUSALS = ("refuses_system", "refuses_calls", "one_call", "alternating", "nine_ids")
EMPTY_THOUGHT = re.compile(r"\s*<think(?:ing)?>\s*</think(?:ing)?>\s*")
LOSSES: Mapping[str, tuple[str, ...]] = {
    "system": ("drops_system", "system_late", "changes"), "tool": ("drops_results", "changes"),
    "assistant": ("drops_second_call", "drops_calls", "changes"), "user": ("changes",),
}  # fmt: skip
KEPT_WORDS = 8  # a message's last words; its first may be a mark that the template has a token for


@dataclass(frozen=True, slots=True)
class Renderer:
    """`packing.Render`, and a template's tokens for whoever only asks."""

    template: Template

    def __call__(self, messages: Messages, tools: Sequence[Mapping[str, Json]], asks: bool) -> Tokens:
        """Raises TrainingError where the template refuses."""
        try:
            return self.template.tokens(self.template.text(messages, tools, asks))
        except Refused as refused:
            raise TrainingError(f"The model's chat template refuses a row: {refused}.") from refused

    @property
    def habits(self) -> tuple[Habit, ...]:
        return self.template.test.habits

    def cut(self, row: Row) -> tuple[Tokens, int]:
        """(tokens, where the answer begins). Raises LeftOut."""
        parts = parts_of(row.prompt, row.completion, row.tools)
        for habit in self.habits:
            if habit.weight == "rows" and habit.touches in parts:
                raise LeftOut(habit)
        try:
            before, answer = self._answer(row, parts)
        except Refused as refused:
            raise LeftOut(self._named(parts, REFUSALS, "refuses"), str(refused)) from refused
        self._check(row, parts, before, answer)
        asked, whole = self.template.tokens(before), self.template.tokens(before + answer)
        if whole[: len(asked)] != asked or len(whole) == len(asked):
            raise LeftOut(BY_NAME["changes"], "tokens join where the answer begins")
        return whole, len(asked)

    def _answer(self, row: Row, parts: frozenset[str]) -> tuple[str, str]:
        """The prompt's text, and that of the answer with what ends it."""
        before = self.template.text(row.prompt, row.tools, True)
        whole = self.template.text([*row.prompt, *row.completion], row.tools, False)
        if not whole.startswith(before):
            raise LeftOut(self._named(parts, ("refuses_system", "system_late", "drops_thoughts"), "no_cut"))
        answer = whole[len(before) :]
        return before, self._as_in_history(row, before, answer) if self.template.test.has("adds_thought") else answer

    def _as_in_history(self, row: Row, before: str, answer: str) -> str:
        added = EMPTY_THOUGHT.match(answer)
        if added is None or EMPTY_THOUGHT.match(_said(row)):
            return answer
        made = [call["id"] for call in row.completion[-1].get("tool_calls") or ()]
        told = [{**NEXT, "role": "tool", "tool_call_id": each} for each in made] or [dict(NEXT)]
        later = self.template.text([*row.prompt, *row.completion, *told], row.tools, False)
        without = answer[added.end() :]
        return without if later.startswith(before + without) else answer

    def _check(self, row: Row, parts: frozenset[str], before: str, answer: str) -> None:
        """Raises LeftOut for what is not as it was said."""
        reasons = self._lost(row, before) or self._unlike(row, answer)
        if reasons:
            raise LeftOut(self._named(parts, reasons, reasons[-1]))

    def _lost(self, row: Row, before: str) -> tuple[str, ...]:
        """What may explain that a message of the prompt is not in the template's text; empty: all are."""
        told, place, test = " ".join(_words(before)), 0, self.template.test
        for message in row.prompt:
            role = str(message.get("role"))
            if role == "system":  # some templates write it elsewhere
                if not test.has("policy_mark") and _end_in(told, 0, message) < 0:
                    return LOSSES[role]
            elif (place := _end_in(told, place, message, beside=not test.has("drops_words_beside_calls"))) < 0:
                return LOSSES[role]
        return ()

    def _unlike(self, row: Row, answer: str) -> tuple[str, ...]:
        """The same for the answer, which must be what was sampled and nothing more than what ends it."""
        said, told = _said(row).strip(), answer.strip()
        calls = [call for message in row.completion for call in message.get("tool_calls") or ()]
        end = self.template.test.end
        if not told.startswith(said) or (not calls and end and told[len(said) :].strip() != end):
            return ("drops_thoughts", "drops_words_beside_calls", "changes")
        if not all(_stands(piece, answer) for piece in _pieces(calls)):
            return ("drops_second_call", "drops_calls", "changes")
        broken = [given for call in calls if isinstance(given := call["function"]["arguments"], str)]
        return () if all(each in answer for each in broken) else ("broken_calls",)

    def _named(self, parts: frozenset[str], names: Sequence[str], otherwise: str) -> Habit:
        """Of these, the first that the template has and the row is touched by."""
        mine = (each for each in self.habits if each.name in names and each.touches in (*parts, ""))
        return next(mine, BY_NAME[otherwise])


def renderer(tokenizer: Any) -> Renderer:
    return Renderer(template_of(tokenizer))


def _said(row: Row) -> str:
    return str(row.completion[0].get("content") or "")


def _end_in(told: str, place: int, message: Mapping[str, Json], *, beside: bool = True) -> int:
    """Where the message ends in the words of a prompt, from `place` on; -1: it is not in it. `beside`: also what is
    said beside a call."""
    calls = message.get("tool_calls") or ()
    content = str(message.get("content") or "") if beside or not calls else ""
    if message.get("role") == "assistant":
        content = without_thoughts(content)  # templates may cut those of a history, in play too
    for text in (content, json.dumps(content, ensure_ascii=False)[1:-1], json.dumps(content)[1:-1]):
        words = _words(text)
        wanted = " ".join(words[max(min(1, len(words) - 1), len(words) - KEPT_WORDS) :])
        if (at := told.find(wanted, place)) >= 0:
            rest = told[place:]
            whole = all(_stands(" ".join(_words(piece)), rest) for piece in _pieces(calls))
            return at + len(wanted) if whole else -1
    # One word before signs, as in "APIRETURN []", may be such a mark altogether: nothing is left to look for.
    mark = len(found := _words(content)) == 1 and not calls and content.replace(found[0], "").strip(" .,!?\n") != ""
    return place if mark else -1


def _pieces(calls: Sequence[Mapping[str, Json]]) -> Iterator[str]:
    """Names, keys and values of the calls."""
    for call in calls:
        yield str(call["function"]["name"])
        yield from _leaves(call["function"]["arguments"])


def _leaves(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value if isinstance(value, str) else json.dumps(value)


def _stands(piece: str, text: str) -> bool:
    forms = (piece, json.dumps(piece, ensure_ascii=False)[1:-1], json.dumps(piece)[1:-1], piece.capitalize())
    return any(form in text for form in forms) or (piece == "null" and "None" in text)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)
