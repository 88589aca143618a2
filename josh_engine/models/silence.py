"""What servers do without a word: answers of status 200 that mean something else than they say.

Nothing fails because of one. A person has to know of it, though: a model that read half of its prompt, or whose calls
were said to the customer, is not the one they think they measure. Told are

- `words_missing`: thoughts, or generated tokens, but no words (vllm-project/vllm#17609, #41902, ollama/ollama#17274);
- `call_in_words`: a call left in the text: by one of `MARKS`, as bare JSON, or as a line of Python;
- `window`: usage that stands still or sinks while the prompt grows, or is far below what was sent: Ollama reads
  `num_ctx` tokens and drops the rest (ollama/ollama#3839, #17889, esengine/DeepSeek-Reasonix#10245);
- `other_model`: another model's name in the answer (BerriAI/litellm#31722, icebear0828/codex-proxy#660);
- `encoded_twice`: arguments as a JSON text in a JSON text (MoonshotAI/kimi-cli#2513, openclaw/openclaw#40425).

Pure: requests and answers as they went over the wire go in, notices come out.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from josh_engine.messages import encoded_twice, without_thoughts
from josh_engine.models.notices import Notice
from josh_engine.values import Json

# How a call begins where no tool parser took it out; beside each mark the families that write it.
# https://github.com/vllm-project/vllm/tree/main/vllm/tool_parsers, NousResearch/hermes-agent#35129, signalnine/q27#24
MARKS = (
    # Hermes, Qwen <tool_call>; DeepSeek <｜tool▁calls▁begin｜>; Kimi <|tool_call_begin|>; Granite, Phi <|tool_call|>;
    # FunctionGemma <start_function_call>; MiniMax, Seed, Longcat <...tool_call>; Nemotron <TOOLCALL>
    r"<[^<>\s]{0,24}(?:tool|function)[_▁]?calls?(?:[^<>\s\w][^<>\s]{0,24}|[_▁][^<>\s]{1,24})?>",
    r"\[TOOL_CALLS?\]",  # Mistral
    r"<\|python_tag\|>",  # Llama 3
    r"<function=[\w.-]+>|<function name=|<invoke name=",  # Qwen Coder, Llama 3, MiniMax
    r"<arg_key>",  # GLM
    r"<\|action_start\|>|<\|START_ACTION\|>",  # InternLM; Command R
    r"\bfunctools\[",  # Phi-4-mini
    r"\bto=functions\.\w",  # gpt-oss: https://github.com/openai/harmony
    r"```tool_(?:code|call)",  # Gemma 3
)
THOUGHTS = ("reasoning_content", "reasoning", "thinking")  # DeepSeek, vLLM, SGLang; OpenRouter, newer vLLM; Ollama
NAMES, ARGUMENTS = ("name", "tool_name", "function"), ("arguments", "parameters", "args", "input")

# No tokenizer puts more of a prompt into a token: English takes 4 to 5 characters, JSON about 3.
CHARACTERS_A_TOKEN = 8
LONG = 4_000  # characters; of shorter prompts the chat template's own tokens blur the share
GROWN = 200  # characters; a prompt that grew by less need not show it
GENERATED_UNSEEN = 8  # tokens; an answer without words may cost a few
REMEMBERED = 256  # requests; what a conversation grew from is among the latest

_MARK = re.compile("|".join(MARKS), re.IGNORECASE)
_OBJECT = re.compile(r'\{\s*"')
_OBJECTS_TRIED = 8
# What providers put behind a model's name: a date, a version, `latest`.
_SNAPSHOT = re.compile(r"[-@:_](?:latest|preview|\d{3,4}|\d{6}|\d{8}|\d\d-\d\d|\d{4}-\d\d-\d\d)\Z")
_SHOWN = 80  # characters of a server's own words


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer, as far as habits show in them. `text`: of all messages; `size`: characters of these
    and of the tools; `read`: prompt tokens by the answer's usage, None where it tells none; `written`: its tokens."""

    asked: str
    answered: str
    text: str
    size: int
    tools: tuple[str, ...] = ()
    words: str = ""
    thoughts: str = ""
    calls: tuple[str, ...] = ()
    finish: str = ""
    read: int | None = None
    written: int = 0

    @property
    def said(self) -> str:
        """What is left for the other side to read."""
        return without_thoughts(self.words).strip()


class Listener:
    """Hears what one endpoint is asked and answers."""

    def __init__(self) -> None:
        self._earlier: deque[Exchange] = deque(maxlen=REMEMBERED)
        self._sizes: dict[tuple[str, ...], int] = {}  # of tools by their names; writing them out takes longest

    def heard(self, body: Mapping[str, Json], answer: Mapping[str, Json]) -> tuple[Notice, ...]:
        """What shows in this answer; the same habit again with every answer that has it."""
        now = exchange(body, answer, self._size)
        told = notices(now, self._earlier)
        if now.read is not None:
            self._earlier.append(now)
        return told

    def _size(self, tools: Sequence[Json]) -> int:
        names = _names(tools)
        if names not in self._sizes:
            self._sizes[names] = written_out(tools)
        return self._sizes[names]


def written_out(tools: Sequence[Json]) -> int:
    """Characters of the tools' JSON."""
    return len(json.dumps(tools, ensure_ascii=False)) if tools else 0


def notices(now: Exchange, earlier: Iterable[Exchange] = ()) -> tuple[Notice, ...]:
    found = (
        _words_missing(now),
        _call_in_words(now),
        _window(now, earlier),
        _other_model(now),
        _encoded_twice(now),
    )
    return tuple(notice for notice in found if notice is not None)


def exchange(
    body: Mapping[str, Json], answer: Mapping[str, Json], size: Callable[[Sequence[Json]], int] = written_out
) -> Exchange:
    """Lenient: what is not as it should be is judged where the answer is read."""
    text = "\n".join(_texts(body.get("messages")))
    tools = _list(body.get("tools"))
    usage = _mapping(answer.get("usage"))
    choice = _mapping(next(iter(_list(answer.get("choices"))), None))
    message = _mapping(choice.get("message"))
    calls = [_mapping(_mapping(each).get("function")) for each in _list(message.get("tool_calls"))]
    return Exchange(
        asked=_text(body.get("model")),
        answered=_text(answer.get("model")),
        text=text,
        size=len(text) + size(tools),
        tools=_names(tools),
        words=_text(message.get("content")),
        thoughts="".join(_text(message.get(name)) for name in THOUGHTS),
        calls=tuple(_text(call.get("arguments")) for call in calls),
        finish=_text(choice.get("finish_reason")),
        read=_read(usage),
        written=_count(usage.get("completion_tokens")) or 0,
    )


def holds_call(words: str, tools: Collection[str]) -> bool:
    """Whether a call stands in the text of an answer to a request that offered these tools."""
    if not tools:
        return False  # agents that write their calls as text are read by their own rules
    named = "|".join(map(re.escape, tools))
    in_python = re.match(rf"\s*(?:```\w*\s*)?\[?\s*(?:{named})\((?:\s*\w+\s*=|\s*\))", words)
    return bool(_MARK.search(words) or in_python or any(map(_is_call, _objects(words))))


def same_model(asked: str, answered: str) -> bool:
    """Whether two names may well mean one model: apart by the provider's prefix, a file's ending or a snapshot's date.
    Two dates are two models; `latest` is any."""
    (first, one), (second, other) = _stem(asked), _stem(answered)
    return first == second and (one == other or not {one, other}.isdisjoint({"", "latest"}))


def _words_missing(now: Exchange) -> Notice | None:
    if now.said or now.calls:
        return None
    if now.finish in ("length", "max_tokens") and (now.thoughts or now.words):
        said = "The endpoint used up its output tokens on thoughts and said nothing."
        return Notice(
            "words_missing", said, "Raise --max-tokens (of the user: --user-max-tokens) or turn thoughts off."
        )
    if now.thoughts.strip() or now.words.strip():
        return Notice(
            "words_missing",
            "The endpoint answers with thoughts and no words.",
            "Where the words stand among the thoughts, the server's reasoning parser does not suit the model: start it"
            " with another or without one, or turn thoughts off.",
        )
    if now.written > GENERATED_UNSEEN:
        return Notice(
            "words_missing",
            f"The endpoint counts {now.written:,} generated tokens, but no word of them is in its answer.",
            "The server's tool or reasoning parser drops what it cannot read: start it with another, or without one.",
        )
    return None


def _call_in_words(now: Exchange) -> Notice | None:
    if now.calls or not holds_call(now.said or now.thoughts, now.tools):
        return None
    return Notice(
        "call_in_words",
        "The endpoint leaves calls in the text: no tool parser reads them, so they are said to the customer as words.",
        "Start the server with the model's tool parser (vLLM: --enable-auto-tool-choice --tool-call-parser NAME;"
        " SGLang: --tool-call-parser NAME; llama.cpp: --jinja; Ollama: a model whose template has tools), or play an"
        " agent that writes its calls as text (react, tau_react).",
    )


def _window(now: Exchange, earlier: Iterable[Exchange]) -> Notice | None:
    if now.read is None:
        return None
    said = ""
    if now.size >= LONG and now.size > now.read * CHARACTERS_A_TOKEN:
        said = f"its usage says {now.read:,} tokens of {now.size:,} characters sent"
    elif before := next((each for each in earlier if _stands_still(each, now)), None):
        grown = len(now.text) - len(before.text)
        said = (
            f"its usage says {before.read:,} tokens, and {now.read:,} when that prompt was {grown:,} characters longer"
        )
    if not said:
        return None
    return Notice(
        "window",
        f"The endpoint seems to have read only a part of a prompt: {said}.",
        "If it truncates prompts, the model plays without its instructions: give it a larger window (Ollama: num_ctx in"
        " the Modelfile, or OLLAMA_CONTEXT_LENGTH, for a request cannot set it; LM Studio: context length; llama.cpp:"
        " --ctx-size). If it only leaves out what it had in its cache, the token counts are too low.",
    )


def _stands_still(before: Exchange, now: Exchange) -> bool:
    """Whether the prompt grew without its tokens. Token counts are asked first: that is cheap and mostly enough."""
    grown = len(now.text) - len(before.text)
    if grown < GROWN or before.read is None or now.read is None:
        return False
    return (now.read - before.read) * 2 * CHARACTERS_A_TOKEN < grown and _extends(before.text, now.text)


def _extends(before: str, now: str) -> bool:
    """Whether `now` is `before` with something put in or behind: a chat that went on, or a prompt that holds one."""
    low, high = 0, len(before)  # of the common beginning's length
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if now.startswith(before[:middle]) else (low, middle - 1)
    return now.endswith(before[low:])


def _other_model(now: Exchange) -> Notice | None:
    if not now.answered or same_model(now.asked, now.answered):
        return None
    return Notice(
        "other_model",
        f"The endpoint answers as {_shown(now.answered)!r}, not as the model asked for.",
        "If that is another name of the same model, all is well. Else the server plays whatever it has loaded: name"
        " the one you mean; GET /models of the address lists them.",
    )


def _encoded_twice(now: Exchange) -> Notice | None:
    if not any(map(encoded_twice, now.calls)):
        return None
    said = "The endpoint writes the arguments of calls as a JSON text in a JSON text. They are read as they were meant."
    return Notice("encoded_twice", said)


def _objects(words: str) -> Iterator[object]:
    decoder = json.JSONDecoder()
    for _, found in zip(range(_OBJECTS_TRIED), _OBJECT.finditer(words)):  # noqa: B905 - the first few
        try:
            yield decoder.raw_decode(words, found.start())[0]
        except (ValueError, RecursionError):
            continue


def _is_call(given: object) -> bool:
    """An object with a name and arguments; in OpenAI's own nesting too."""
    if not isinstance(given, dict):
        return False
    if isinstance(given.get("function"), dict):
        return _is_call(given["function"])
    named = any(isinstance(given.get(name), str) for name in NAMES)
    return named and any(isinstance(given.get(name), dict | str) for name in ARGUMENTS)


def _stem(name: str) -> tuple[str, str]:
    """A model's name without prefix and ending, and its snapshot."""
    plain = re.split(r"[/\\]", name.strip().casefold())[-1].removesuffix(".gguf")
    if found := _SNAPSHOT.search(plain):
        return plain[: found.start()], found[0][1:]
    return plain, ""


def _names(tools: Sequence[Json]) -> tuple[str, ...]:
    return tuple(_text(_mapping(_mapping(each).get("function")).get("name")) for each in tools)


def _texts(messages: Any) -> Iterator[str]:
    for message in _list(messages):
        content = _mapping(message).get("content")
        yield content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        for call in _list(_mapping(message).get("tool_calls")):
            function = _mapping(_mapping(call).get("function"))
            yield from (_text(function.get("name")), _text(function.get("arguments")))


def _read(usage: Mapping[str, Any]) -> int | None:
    """Prompt tokens, those from a cache included where they are counted apart (Anthropic's way)."""
    told = _count(usage.get("prompt_tokens"))
    return None if told is None else told + (_count(usage.get("cache_read_input_tokens")) or 0)


def _shown(words: str) -> str:
    """A server's words on one line, without characters that a terminal would obey."""
    return "".join(each if each.isprintable() else " " for each in words)[:_SHOWN]


def _count(given: object) -> int | None:
    return given if isinstance(given, int) and not isinstance(given, bool) and given >= 0 else None


def _text(given: object) -> str:
    return given if isinstance(given, str) else ""


def _list(given: object) -> list[Any]:
    return given if isinstance(given, list) else []


def _mapping(given: object) -> Mapping[str, Any]:
    return given if isinstance(given, dict) else {}
