"""What came back instead of an answer, and how its words are read. Pure.

Servers put their words anywhere: `error` as an object or a text, `message`, `detail` as a list (FastAPI), a list around
everything (Gemini), another server's whole answer as text in `metadata.raw` (OpenRouter), a web page, an error inside
an answer of status 200. What a server quotes of the request or of the model's output (`input`, `failed_generation`) is
not its own words: a customer who speaks of billing must not empty an account.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from josh_engine.values import Json

UNSAID = 0  # the status of an error inside a 200 that names none
SHOWN = 240  # characters of a server's words in a message
READ = 20_000  # and how many are looked at
MESSAGES = (
    "error", "errors", "message", "msg", "detail", "details", "error_message", "error_msg", "status_msg", "base_resp",
    "metadata", "raw", "title",
)  # fmt: skip
CODES = ("code", "status", "status_code", "http_status")
QUOTES = frozenset({"input", "ctx", "failed_generation", "messages", "request", "prompt", "previous_errors"})

_PAGE = re.compile(r"\s*<(!doctype|html|head|body|\?xml|center|h1|error)\b", re.IGNORECASE)
_UNSEEN = re.compile(r"<(script|style)\b.*?(</\1>|\Z)|<!--.*?(-->|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*(>|\Z)")
_UNIT = r"\d+(?:\.\d+)?\s?(?:ms|milliseconds?|hours?|h|minutes?|min|m|seconds?|sec|s)"
_IN_WORDS = re.compile(
    rf"(?:try again|retry|wait)\D{{0,30}}?(?P<value>{_UNIT}\b(?:\s?{_UNIT}\b)*|(?:\d+(?:\.\d+)?(?:ms|h|m|s)){{2,4}})",
    re.IGNORECASE,
)
_PIECE = re.compile(r"(\d+(?:\.\d+)?)\s?(ms|milli|h|m|s)", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "milli": 0.001, "h": 3600.0, "m": 60.0, "s": 1.0}


@dataclass(frozen=True, slots=True)
class Refusal:
    """`text` is the body, without the key. `inside`: it came with status 200, and `status` is what its words say."""

    status: int
    headers: Mapping[str, str]
    text: str
    inside: bool = False

    @property
    def said(self) -> str:
        """The endpoint's own words, in one short line without markup; empty where there are none."""
        words = plain(self.text) if is_page(self.text) else "; ".join(dict.fromkeys(_told(parsed(self.text))))
        line = one_line(words or self.text)
        return line if len(line) <= SHOWN else f"{line[: SHOWN - 2]} …"

    @property
    def words(self) -> str:
        """All that the endpoint says, types and codes too, to look for what it means."""
        if is_page(self.text):
            return plain(self.text)[:READ]
        found = parsed(self.text)
        return (self.text if found is None else "\n".join(_leaves(found)))[:READ]

    @property
    def parameters(self) -> frozenset[str]:
        """The fields of the request that the endpoint names as those it complains of."""
        return frozenset(_named(parsed(self.text)))

    @property
    def wait(self) -> float | None:
        """Seconds it asks to wait: in its headers, else in its words."""
        asked = wait_of(self.headers)
        return _wait_in_words(self.text) if asked is None else asked

    @property
    def how(self) -> str:
        if not self.inside:
            return f"status {self.status}"
        return f"an error with code {self.status} inside its answer" if self.status else "an error inside its answer"


def refusal_inside(answer: Mapping[str, Json], headers: Mapping[str, str]) -> Refusal | None:
    """The refusal that came as an answer of status 200; None where this is no error.

    `error` beside the choices or in the first of them, and where there is no choice at all, words in any of the places
    where servers put theirs.
    """
    choices = answer.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    for error in (answer.get("error"), first.get("error") if isinstance(first, dict) else None):
        if error:
            told = {"error": error} if isinstance(error, dict | str | list) else {**answer, "choices": None}
            return Refusal(_status(told) or _status(answer), dict(headers), json.dumps(told), inside=True)
    if first is None and any(_told(answer)):
        return Refusal(_status(answer), dict(headers), json.dumps({**answer, "choices": None}), inside=True)
    return None


def is_page(text: str) -> bool:
    """Whether this is a web page, or XML as clouds put it before a service."""
    return _PAGE.match(text) is not None


def plain(page: str) -> str:
    """A page's words without its markup."""
    return one_line(_TAG.sub(" ", _UNSEEN.sub(" ", page[:READ])))


def one_line(text: str) -> str:
    """Without line breaks and characters that move a terminal's cursor."""
    return " ".join("".join(each if each.isprintable() else " " for each in text[:READ]).split())


def wait_of(headers: Mapping[str, str]) -> float | None:
    """Seconds that Retry-After asks for: a number, milliseconds in a header of its own, or a date beside Date."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        return max(0.0, seconds) if seconds < 1e9 else None  # not a number is neither
    try:
        until, now = parsedate_to_datetime(headers["retry-after"]), parsedate_to_datetime(headers["date"])
        return max(0.0, (until - now).total_seconds())
    except (KeyError, ValueError, TypeError):
        return None


def parsed(text: str) -> Any:
    """The JSON in a text; None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _wait_in_words(text: str) -> float | None:
    """As in "Please try again in 7m12.5s" (Groq, OpenAI), "retryDelay": "34s" (Gemini), "estimated_time": 20.0
    (Hugging Face, while a model is loaded)."""
    found = parsed(text)
    loading = found.get("estimated_time") if isinstance(found, dict) else None
    if isinstance(loading, int | float) and not isinstance(loading, bool) and 0 <= loading < 1e9:
        return float(loading)
    words = _IN_WORDS.search(text[:READ])
    if words is None:
        return None
    pieces = _PIECE.findall(words["value"])
    return sum(float(number) * _SECONDS[unit.lower()] for number, unit in pieces) if pieces else None


def _told(value: Json, depth: int = 0) -> Iterator[str]:
    """The messages in a body, in the order in which servers put the telling ones."""
    if isinstance(value, str):
        inner = parsed(value) if value.lstrip()[:1] in ("{", "[") else None
        if inner is not None and depth < 8:
            yield from _told(inner, depth + 1)
        elif words := plain(value) if is_page(value) else value.strip():
            yield words
    elif isinstance(value, list) and depth < 8:
        for each in value[:5]:
            yield from _told(each, depth + 1)
    elif isinstance(value, dict) and depth < 8:
        where = value.get("loc")
        place = ".".join(map(str, where)) + ": " if isinstance(where, list) and where else ""
        for key in MESSAGES:
            yield from (f"{place}{each}" for each in _told(value.get(key), depth + 1))


def _leaves(value: Json, depth: int = 0) -> Iterator[str]:
    """Every text and number in a body that the server did not take from the request."""
    if isinstance(value, str):
        inner = parsed(value) if value.lstrip()[:1] in ("{", "[") else None
        if inner is None or depth >= 8:
            yield value
        else:
            yield from _leaves(inner, depth + 1)
    elif isinstance(value, list) and depth < 8:
        for each in value:
            yield from _leaves(each, depth + 1)
    elif isinstance(value, dict) and depth < 8:
        for key, each in value.items():
            if key not in QUOTES:
                yield from _leaves(each, depth + 1)
    elif value is not None:
        yield str(value)


def _named(value: Json, depth: int = 0) -> Iterator[str]:
    if isinstance(value, list) and depth < 8:
        for each in value:
            yield from _named(each, depth + 1)
    elif isinstance(value, dict) and depth < 8:
        param, place = value.get("param"), value.get("loc")
        if isinstance(param, str):
            yield param
        if isinstance(place, list) and len(place) > 1 and isinstance(place[1], str):
            yield place[1]
        for key, each in value.items():
            if key not in QUOTES:
                yield from _named(each, depth + 1)


def _status(answer: Mapping[str, Json]) -> int:
    """The HTTP status that an error inside a 200 names, as a number or as text."""
    error = answer.get("error")
    places = [each for each in (error, dict(answer), answer.get("base_resp")) if isinstance(each, dict)]
    codes = [str(place[key]) for place in places for key in CODES if isinstance(place.get(key), int | str)]
    return next((int(code) for code in codes if re.fullmatch(r"[345]\d\d", code)), UNSAID)
