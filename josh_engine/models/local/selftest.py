"""Which habits a chat template has, found by conversations of sentinels: words that stand nowhere else. Pure.

Every part is looked for where a request or a row would need it: system text, tools, calls with their names, arguments
and values, what tools answered, thoughts, what ends an answer; there, once, in order. Some twenty renderings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from josh_engine.models.local.habits import BY_NAME, Habit, Messages
from josh_engine.values import Json

Tools = Sequence[Mapping[str, Json]]
Speak = Callable[[Messages, Tools, bool], str]  # the text of a conversation; with True up to where the model goes on


class Refused(Exception):
    """The template's own words of why it does not take a conversation."""


@dataclass(frozen=True, slots=True)
class Selftest:
    """`as_text`: calls' arguments are to be given as JSON text, not as an object. `end`: what stands after an answer,
    without white space at its edges."""

    habits: tuple[Habit, ...] = ()
    as_text: bool = False
    end: str = ""

    def has(self, name: str) -> bool:
        return any(each.name == name for each in self.habits)


SYSTEM, USER, TOOL, PARAMETER = "zqsystem", "zquser", "zqtool", "zqparameter"
CALL, KEY, VALUE, NUMBER, DIGITS, RESULT = "zqcall", "zqkey", "zqvalue", 70411, "70422", "zqresult"
SAID, THOUGHT, SECOND, AGAIN = "zqsaid", "zqthought", "zqsecond", "zqagain"
OFFERED: Tools = (
    {"type": "function", "function": {"name": TOOL, "description": "A tool.", "parameters": {
        "type": "object", "properties": {PARAMETER: {"type": "string"}}, "required": [PARAMETER]}}},
)  # fmt: skip
THOUGHT_MARKS = re.compile(r"</?think(?:ing)?>|\s")


def _message(role: str, content: str) -> dict[str, Json]:
    return {"role": role, "content": content}


def _call(number: int, name: str, content: str = "", **arguments: Json) -> dict[str, Json]:
    made = {"type": "function", "id": f"call{number:05}", "function": {"name": name, "arguments": arguments}}
    return _message("assistant", content) | {"tool_calls": [made]}


def _told(number: int, content: str) -> dict[str, Json]:
    return _message("tool", content) | {"tool_call_id": f"call{number:05}"}


ARGUMENTS: dict[str, Json] = {KEY: VALUE, "zqcount": NUMBER, "zqdigits": DIGITS, "zqnothing": None}
CALLED = (_call(1, CALL, **ARGUMENTS), _told(1, RESULT))
ANSWER = _message("assistant", SAID)


def in_form(messages: Messages, as_text: bool) -> Messages:
    """The messages with calls' arguments as the template wants them."""
    return [_as_text(each) if each.get("tool_calls") else each for each in messages] if as_text else messages


def _as_text(message: Mapping[str, Json]) -> Mapping[str, Json]:
    calls = []
    for call in message["tool_calls"]:
        given = call["function"]["arguments"]
        text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
        calls.append({**call, "function": {**call["function"], "arguments": text}})
    return {**message, "tool_calls": calls}


def selftest(speak: Speak, source: str = "") -> Selftest:
    """`source`: the template's own text."""
    test = _Template(speak)
    names = list(test.names())
    if "system_late" in names:  # it explains why no answer can be cut
        names = [name for name in names if name != "no_cut"]
    if "strftime_now" in source:
        names.append("today")
    return Selftest(tuple(BY_NAME[name] for name in dict.fromkeys(names)), test.as_text, test.end)


class _Template:
    """One template under test. `head`: what stands before a user's first words in every conversation."""

    def __init__(self, speak: Speak) -> None:
        self.speak, self.as_text, self.end = speak, False, ""
        self.head: tuple[Mapping[str, Json], ...] = (_message("system", SYSTEM), _message("user", USER))

    def text(self, *more: Mapping[str, Json], tools: Tools = (), asks: bool = True) -> str | None:
        """None where it refuses."""
        try:
            return self.speak(in_form([*self.head, *more], self.as_text), tools, asks)
        except Refused:
            return None

    def names(self) -> Iterator[str]:
        yield from self._system()
        yield from self._answers()
        yield from self._thoughts()
        yield from self._roles()
        yield from self._calls()

    def _system(self) -> Iterator[str]:
        whole, self.head = self.head, self.head[1:]
        alone = self.text()
        self.head = whole
        asked = self.text()
        if alone is not None and asked is None:
            self.head = whole[1:]
            yield "refuses_system"
        elif asked is not None and SYSTEM not in asked:
            yield "drops_system" if asked == alone else "policy_mark"
        elif asked is not None and alone is not None:
            later = self.text(ANSWER, _message("user", AGAIN))
            answered = self.text(ANSWER, asks=False)
            if any(each is not None and SYSTEM not in each for each in (later, answered)):
                yield "system_late"
            own = set(_words(alone.partition(USER)[0])) - set(_words(asked.partition(USER)[0]))
            if own:
                yield "default_system"

    def _answers(self) -> Iterator[str]:
        asked, whole = self.text(), self.text(ANSWER, asks=False)
        if asked is None or whole is None:
            yield "refuses"
            return
        if not whole.startswith(asked):
            yield "no_cut"
        else:
            before = whole[len(asked) :].partition(SAID)[0]
            if before.strip():
                yield "adds_thought" if self._is_last_only(asked, before) else "changes"
            elif before:
                yield "edges"
        self.end = whole.partition(SAID)[2].strip()
        if not self.end:
            yield "no_end"
        spaced = self.text(_message("assistant", f"  {SAID}  "), asks=False)
        if spaced is not None and f"  {SAID}  " not in spaced:
            yield "edges"

    def _is_last_only(self, asked: str, before: str) -> bool:
        later = self.text(ANSWER, _message("user", AGAIN), asks=False)
        return not THOUGHT_MARKS.sub("", before) and later is not None and later.startswith(f"{asked}{SAID}")

    def _thoughts(self) -> Iterator[str]:
        thinking = _message("assistant", f"<think>\n{THOUGHT}\n</think>\n\n{SAID}")
        whole, later = self.text(thinking, asks=False), self.text(thinking, _message("user", AGAIN))
        if whole is not None and THOUGHT not in whole:
            yield "drops_thoughts"
        if later is not None and THOUGHT not in later:
            yield "drops_earlier_thoughts"

    def _roles(self) -> Iterator[str]:
        if self.text() is not None and self.text(_message("user", AGAIN)) is None:
            yield "alternating"

    def _calls(self) -> Iterator[str]:
        asked, offered = self.text(), self.text(tools=OFFERED)
        if asked is None:
            return
        if offered is None or TOOL not in offered or PARAMETER not in offered:
            yield "ignores_tools"
        elif SYSTEM in asked and SYSTEM not in offered:
            yield "drops_system"
        form = self._form()
        if form is None:
            yield "refuses_calls"
            return
        self.as_text, names = form
        yield from names
        yield from self._called()
        yield from self._several()

    def _form(self) -> tuple[bool, tuple[str, ...]] | None:
        """The form of arguments to give, and what is wrong with the best of them. None: both are refused."""
        found: list[tuple[bool, str]] = []
        for self.as_text in (False, True):
            text = self.text(*CALLED, tools=OFFERED)
            if text is not None:
                found.append((self.as_text, _written(text)))
        if not found:
            return None
        as_text, wrong = next((each for each in found if not each[1]), found[0])
        return as_text, (*(["text_arguments"] if as_text else []), *([wrong] if wrong else []))

    def _called(self) -> Iterator[str]:
        text = self.text(*CALLED, tools=OFFERED) or ""
        if not all(each in text for each in (CALL, KEY, VALUE, str(NUMBER), DIGITS)):
            yield "drops_calls"
        elif f'"{DIGITS}"' not in text or f'"{NUMBER}"' in text:
            yield "untyped"
        if RESULT not in text:
            yield "drops_results"
        if SYSTEM in (self.text() or "") and SYSTEM not in text:
            yield "system_late"
        places = [text.find(each) for each in (USER, CALL, VALUE, RESULT)]
        if -1 not in places and (places != sorted(places) or any(text.count(s) > 1 for s in (USER, VALUE, RESULT))):
            yield "disorders"
        beside = self.text(_call(1, CALL, SAID, **ARGUMENTS), CALLED[1], tools=OFFERED)
        if beside is not None and SAID not in beside:
            yield "drops_words_beside_calls"
        odd = json.loads(json.dumps(in_form(CALLED, self.as_text)).replace("call00001", "call_1"))
        if self.text(*odd, tools=OFFERED) is None:
            yield "nine_ids"

    def _several(self) -> Iterator[str]:
        second = _call(2, SECOND, **ARGUMENTS)["tool_calls"]
        both = {**CALLED[0], "tool_calls": [*CALLED[0]["tool_calls"], *second]}
        text = self.text(both, CALLED[1], _told(2, AGAIN), tools=OFFERED)
        if text is None:
            yield "one_call"
        elif SECOND not in text:
            yield "drops_second_call"


def _written(text: str) -> str:
    """The habit of how the sentinels' arguments stand in a text; empty where they stand as JSON, or in a markup."""
    if re.search(rf'\\(?:"|u0022){KEY}|&#34;{KEY}', text):
        return "double_encoded"
    return "no_json" if f"'{KEY}'" in text else ""


def _words(text: str) -> list[str]:
    return re.findall(r"[A-Za-z]{3,}", text)
