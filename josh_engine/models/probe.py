"""What an endpoint can do, found out by asking it: a dozen short requests and two long ones.

Servers ignore what they do not know (`n`, `seed` and `logprobs` come back as if never asked: HTTP 200, one choice), so
nothing is believed that cannot be seen in the answer. None means that the answers did not tell.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Protocol

from josh_engine.errors import ModelError
from josh_engine.messages import parse_arguments, wire_tools
from josh_engine.models.answers import completion_of_answer
from josh_engine.models.habits import NO_SYSTEM_ALONE
from josh_engine.models.notices import Notice, told_once
from josh_engine.values import Json, Tool, ToolCall

WORDS = "Invent a name for a small café. Answer with the name alone."
SYSTEM = "You are a guest who looks for a hotel. Say your first sentence to the receptionist."
SHORT = 24  # tokens; enough for a name
CALL = 256
LONG_LINES = (500, 640)  # 21,000 and 26,000 characters: the first is 4,200 tokens at least, Ollama's usual window 4,096


@dataclass(frozen=True, slots=True)
class Probe:
    """`error`: why it could not be asked at all, empty where it could; the rest is None then.

    `seconds`: median time of one short answer. `n`: several answers to one request. `seed`: the same seed gives the
    same words, another one others. `system_only`: a request without a user's message is answered. `tools`: a call came
    back; `parsed` of `asked` golden calls came back as they should. `notices`: what it does not take, in its
    words, and how it is asked instead; and what it does without a word.
    """

    error: str = ""
    seconds: float | None = None
    tools: bool | None = None
    n: bool | None = None
    seed: bool | None = None
    logprobs: bool | None = None
    system_only: bool | None = None
    asked: int = 0
    parsed: int = 0
    models: tuple[str, ...] = field(default=())
    notices: tuple[Notice, ...] = ()

    @property
    def parse_rate(self) -> float | None:
        return self.parsed / self.asked if self.asked else None


@dataclass(frozen=True, slots=True)
class Golden:
    """A request that leaves no choice which call to make."""

    words: str
    name: str
    arguments: dict[str, str]


TOOLS = (
    Tool(
        "find_hotel",
        "Finds a hotel.",
        {
            "type": "object",
            "properties": {"area": {"type": "string"}, "stars": {"type": "string"}},
            "required": ["area"],
        },
    ),
    Tool(
        "book_train",
        "Books seats on a train.",
        {
            "type": "object",
            "properties": {"train_id": {"type": "string"}, "people": {"type": "string"}},
            "required": ["train_id", "people"],
        },
    ),
)
GOLDEN = (
    Golden("Find a hotel in the north.", "find_hotel", {"area": "north"}),
    Golden("Find a hotel with 4 stars in the centre.", "find_hotel", {"area": "centre", "stars": "4"}),
    Golden("Book train TR1234 for 3 people.", "book_train", {"train_id": "TR1234", "people": "3"}),
    Golden("Book train TR0077 for 1 person.", "book_train", {"train_id": "TR0077", "people": "1"}),
)


class Asked(Protocol):
    """What a probe needs of a model: whole answers to whole requests (`models/openai_chat.py`)."""

    refused: frozenset[str]
    met: tuple[Notice, ...]
    notices: tuple[Notice, ...]

    async def request(self, body: dict[str, Json]) -> dict[str, Json]: ...
    async def models(self) -> tuple[str, ...]: ...


async def probe(model: Asked) -> Probe:
    """Never raises a ModelError: what went wrong is the result."""
    started = time.perf_counter()
    try:
        await model.request(_words(temperature=0.0))
    except ModelError as error:
        return Probe(error=str(error), notices=model.notices)
    first = time.perf_counter() - started
    long = asyncio.create_task(_long(model))
    (seconds, seed), n, logprobs, system_only, calls, models = await asyncio.gather(
        _seeded(model), _several(model), _logprobs(model), _system_only(model), _golden(model), model.models()
    )
    await long
    made = [call for call in calls if isinstance(call, ToolCall)]
    refused = [Notice("tools", call.message, call.remedy) for call in calls if isinstance(call, ModelError)]
    return Probe(
        seconds=median([first, *seconds]),
        tools=bool(made) if calls else None,
        n=n,
        seed=seed,
        logprobs=logprobs,
        system_only=system_only,
        asked=len(calls),
        parsed=sum(_as_asked(golden, call) for golden, call in zip(GOLDEN, calls, strict=True)),
        models=models,
        notices=told_once((*model.met, *model.notices, *refused)),
    )


async def _seeded(model: Asked) -> tuple[list[float], bool | None]:
    """Times, and whether seeds count: one twice, then three others, at temperature 1, one after another."""
    seconds, words = list[float](), list[str]()
    for seed in (1, 1, 2, 3, 4):
        started = time.perf_counter()
        answer = await _answer(model, _words(temperature=1.0, seed=seed))
        if answer is None:
            return seconds, False
        seconds.append(time.perf_counter() - started)
        words.append(_text(answer))
    if len(set(words)) == 1:
        return seconds, None  # it always says the same
    return seconds, words[0] == words[1] and len(set(words[1:])) > 1


async def _several(model: Asked) -> bool:
    answer = await _answer(model, _words(temperature=1.0, n=2))
    return answer is not None and isinstance(answer.get("choices"), list) and len(answer["choices"]) == 2


async def _logprobs(model: Asked) -> bool:
    answer = await _answer(model, _words(temperature=0.0, logprobs=True))
    return bool(_first(answer).get("logprobs"))


async def _system_only(model: Asked) -> bool:
    body = {"messages": [{"role": "system", "content": SYSTEM}], "temperature": 0.0, "max_tokens": SHORT}
    answer = await _answer(model, body)
    return answer is not None and bool(_text(answer).strip()) and NO_SYSTEM_ALONE not in model.refused


async def _long(model: Asked) -> None:
    """Prompts as long as a conversation becomes, the second longer than the first: a server that cuts them off shows
    it in its usage (`models/silence.py`)."""
    lines = [f"Guest {number} stays in room {number * 7 % 400} and has paid." for number in range(LONG_LINES[-1])]
    for count in LONG_LINES:
        asked = {"role": "user", "content": " ".join([*lines[:count], WORDS])}
        await _answer(model, {"messages": [asked], "max_tokens": SHORT, "temperature": 0.0})


async def _golden(model: Asked) -> list[ToolCall | ModelError | None]:
    return list(await asyncio.gather(*(_called(model, golden) for golden in GOLDEN)))


async def _called(model: Asked, golden: Golden) -> ToolCall | ModelError | None:
    """The first call of the answer, or why there is no answer; None: none was made."""
    body: dict[str, Json] = {
        "messages": [{"role": "system", "content": "Use the tools."}, {"role": "user", "content": golden.words}],
        "tools": wire_tools(TOOLS),
        "temperature": 0.0,
        "max_tokens": CALL,
    }
    try:
        calls = completion_of_answer(await model.request(body)).tool_calls
    except ModelError as error:
        return error
    return calls[0] if calls else None


def _as_asked(golden: Golden, call: ToolCall | ModelError | None) -> bool:
    if not isinstance(call, ToolCall):
        return False
    arguments = parse_arguments(call.raw) or {}
    given = {name: str(value).casefold() for name, value in arguments.items()}
    return call.name == golden.name and all(
        given.get(name) == value.casefold() for name, value in golden.arguments.items()
    )


async def _answer(model: Asked, body: dict[str, Json]) -> dict[str, Json] | None:
    """None where the endpoint refuses."""
    try:
        return await model.request(body)
    except ModelError:
        return None


def _words(**settings: Json) -> dict[str, Json]:
    return {"messages": [{"role": "user", "content": WORDS}], "max_tokens": SHORT, **settings}


def _first(answer: dict[str, Json] | None) -> dict[str, Any]:
    choices = (answer or {}).get("choices")
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}


def _text(answer: dict[str, Json]) -> str:
    message = _first(answer).get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, str) else ""
