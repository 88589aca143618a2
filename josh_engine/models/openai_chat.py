"""A chat model behind an OpenAI-compatible endpoint: OpenAI, vLLM, SGLang, Ollama, LM Studio, `transformers serve` …

The `openai` package speaks to it, on its aiohttp transport (its default one collapses at 64 and more concurrent
calls), with its own repetitions off: `models/limits.py` repeats, for all who share the endpoint. The answer's JSON is
read by `models/answers.py`, not by the package's types: these cost more time than all the rest, and what is odd in an
answer has to reach the agent as it came. The package's errors are translated here and nowhere else.

The key is handed in by whoever may read secrets and stays in the client: no message holds it, also where a server
quotes it back.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from josh_engine.errors import BadResponse, ModelError, ModelUnavailable
from josh_engine.models import faults, habits
from josh_engine.models.answers import answer_of, answer_unread, completion_of_answer, request_body, with_extras
from josh_engine.models.endpoint import Endpoint, Extras, Timeouts
from josh_engine.models.kinds import KINDS
from josh_engine.models.limits import Limits, Patience
from josh_engine.models.notices import Notice, told_once
from josh_engine.models.pace import first_pace
from josh_engine.models.prices import Price
from josh_engine.models.refusal import Refusal, refusal_inside
from josh_engine.models.refusals import Row
from josh_engine.models.silence import Listener
from josh_engine.values import Completion, Json, Message, Sampling, Tool

if TYPE_CHECKING:
    import openai

T = TypeVar("T")
NO_KEY = "none"  # the package insists on one; servers without keys do not look
IN_VAIN = 3  # refusals in the same words after which nothing of this kind is asked again, if none was ever answered

_HEADERS: ContextVar[Mapping[str, str]] = ContextVar("headers", default={})  # noqa: B039 - of this task's last answer


class OpenAIChat:
    """`limits`: shared by everyone who uses the endpoint; None: its own. Belongs to one event loop.

    `headers`: sent along, with their values; `secrets`: what of them no message may hold, like the key.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        key: str = "",
        key_env: str = "",
        price: Price = Price(),  # noqa: B008 - frozen
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - frozen
        limits: Limits | None = None,
        extras: Extras = Extras(),  # noqa: B008 - frozen
        headers: Mapping[str, str] | None = None,
        secrets: Sequence[str] = (),
    ) -> None:
        self.endpoint = Endpoint(model, url.rstrip("/"), key_env, price, timeouts=timeouts, extras=extras)
        self.limits = limits or Limits()
        self._key, self._headers = key, dict(headers or {})
        self._secrets = tuple(sorted({each for each in (key, *secrets) if each}, key=len, reverse=True))
        self._client: openai.AsyncOpenAI | None = None
        self._places: tuple[str, ...] = (self.endpoint.url + "/chat/completions",)  # the last: where it has moved to
        self._reached = False  # something has answered from this address
        self._ended: dict[str, ModelError] = {}  # no request of this scope can succeed; see `_scopes`
        self._in_vain: Counter[tuple[str, str]] = Counter()  # by scope and words; only until one was answered
        self._answered: set[str] = set()
        self.refused: frozenset[str] = frozenset()  # what it would not take: names of `habits.HABITS`
        self.met: tuple[Notice, ...] = ()  # and in which words
        self.notices: tuple[Notice, ...] = ()  # what a person is told once
        self._listener = Listener()

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        sampling: Sampling | None = None,
        seed: int | None = None,
    ) -> Completion:
        """Where the endpoint takes one call a message, the completion holds only the first: no other was made."""
        body = request_body(self.endpoint.model, messages, tools, sampling=sampling or Sampling(), seed=seed)
        completion = await self._asked(body, lambda answer: completion_of_answer(answer, self.endpoint.price))
        alone = habits.ONE_CALL in self.refused
        return replace(completion, tool_calls=completion.tool_calls[:1]) if alone else completion

    async def request(self, body: Mapping[str, Json]) -> dict[str, Json]:
        """The whole answer to a chat request; for probes. `model` is filled in. Raises a ModelError."""
        return await self._asked({"model": self.endpoint.model, **body}, lambda answer: answer)

    async def models(self) -> tuple[str, ...]:
        """The models the endpoint names; empty where it does not. Raises no ModelError."""
        try:
            listed = answer_of(
                await self._sent(lambda client, options: client.get("/models", cast_to=str, options=options))
            )
        except (ModelError, _Refused):
            return ()
        entries = listed.get("data")
        named = [each.get("id") for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
        return tuple(name for name in named if isinstance(name, str))

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _asked(self, body: Mapping[str, Json], read: Callable[[dict[str, Json]], T]) -> T:
        asked = with_extras(body, self.endpoint.extras)

        async def once() -> T:
            try:
                return read(await self._answer(asked))
            except BadResponse as error:  # it quotes the answer
                raise self._hidden(error) from None

        return await self.limits.call(once)

    async def _answer(self, body: Mapping[str, Json]) -> dict[str, Json]:
        """The answer's object. What the endpoint would not take is asked otherwise, once for each habit."""
        scopes = _scopes(body)
        for scope in scopes:
            if scope in self._ended:
                raise _copy(self._ended[scope])
        while True:
            known, place = self.refused, self._places[-1]  # another call may learn while this one is on its way
            sent = habits.fitted(body, known)
            try:
                answer = await self._object(place, sent)
            except _Refused as refused:
                row = faults.meaning(refused.refusal, sent, known)
                if row.kind == faults.UNREAD:
                    return answer_unread(refused.refusal.text)
                if not (self._moved(refused.refusal, place) or self._learned(refused.refusal, row)):
                    self._give_up(faults.fault(row, refused.refusal, self.endpoint, sent), row, scopes)
                continue
            self.notices = told_once((*self.notices, *self._listener.heard(sent, answer)))
            self._answered.update(scopes)
            return answer

    async def _object(self, place: str, sent: Mapping[str, Json]) -> dict[str, Json]:
        """Raises _Refused also for a refusal that came with status 200."""
        text = await self._sent(lambda client, options: client.post(place, body=sent, cast_to=str, options=options))
        if page := faults.no_page(text, self.endpoint):
            self._raise(page)
        answer = answer_of(text)
        refusal = refusal_inside(answer, _HEADERS.get())
        if refusal is not None:
            raise _Refused(refusal)
        return answer

    def _moved(self, refusal: Refusal, place: str) -> bool:
        """Whether the same may be asked at another place of the server, never twice at one."""
        target = faults.moved_to(refusal, place)
        if target is None or (target in self._places and target != self._places[-1]) or target == place:
            return False
        if target not in self._places:
            self._places = (*self._places, target)
        return True

    def _learned(self, refusal: Refusal, row: Row) -> bool:
        """Whether the same may be asked again in another way, which is kept for all later requests."""
        habit = habits.HABITS.get(row.kind)
        if habit is None:
            return False
        self.refused |= {row.kind}
        notice = habit.notice(row.kind, self.endpoint.address, self._without_key(refusal.said))
        self.met = told_once((*self.met, notice))
        self.notices = told_once((*self.notices, *([notice] if habit.changes else [])))
        return True

    def _give_up(self, error: ModelError, row: Row, scopes: tuple[str, str, str]) -> NoReturn:
        """Raises the error, as a final one where it stands for all requests, or for all like this one."""
        everywhere, tools, alike = scopes
        if error.final:
            self._raise(error, scope=tools if KINDS[row.kind].of_tools else everywhere)
        if row.kind == "refused" and alike not in self._answered:
            vain = alike, re.sub(r"\S*\d\S*", "#", error.message)  # counts and ids differ from call to call
            self._in_vain[vain] += 1
            if self._in_vain[vain] >= IN_VAIN:
                self._raise(faults.in_vain(error), scope=alike)
        self._raise(error)

    async def _sent(self, send: Callable[[openai.AsyncOpenAI, Any], Awaitable[str]]) -> str:
        """Raises ModelUnavailable for what happens on the way, _Refused for what the endpoint says no to."""
        import aiohttp
        import openai

        timeouts = self.endpoint.timeouts
        try:
            async with asyncio.timeout(timeouts.total):
                text = await send(self._opened(), _options(self._key, self._headers))
        except openai.APIStatusError as error:
            self._reached = True
            refusal = Refusal(error.status_code, dict(error.response.headers), self._without_key(error.response.text))
        except TimeoutError:
            self._raise(faults.too_slow(self.endpoint, timeouts.total))
        except (openai.OpenAIError, aiohttp.ClientError, OSError) as error:
            self._raise(self._lost(error))
        else:
            self._reached = True
            return text
        raise _Refused(refusal)

    def _lost(self, error: Exception) -> ModelError:
        """The fault of a call that got no answer."""
        import ssl

        import aiohttp

        causes = tuple(_causes(error))
        unreached = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
        why = self._without_key(next((str(cause) for cause in reversed(causes) if str(cause)), type(error).__name__))
        if secured := next((cause for cause in reversed(causes) if isinstance(cause, ssl.SSLError)), None):
            return faults.insecure(self.endpoint, getattr(secured, "reason", ""), why)
        if not self._reached and any(isinstance(cause, unreached) for cause in causes):
            return faults.nothing_there(self.endpoint, why)
        if any(isinstance(cause, TimeoutError) for cause in causes):
            return faults.too_slow(self.endpoint, self.endpoint.timeouts.first_byte)
        return ModelUnavailable(f"The connection to {self.endpoint.url} was lost ({why}).", remedy="Resume the run.")

    def _raise(self, error: ModelError, *, scope: str = "") -> NoReturn:
        """Without a cause: what the package raises may quote the key. A final error is raised again without asking."""
        if error.final:
            self._ended[scope] = error
        raise self._hidden(error) from None

    def _hidden(self, error: ModelError) -> ModelError:
        error.message, error.remedy = self._without_key(error.message), self._without_key(error.remedy)
        error.args = (error.message,)
        return error

    def _without_key(self, text: str) -> str:
        for secret in self._secrets:
            for written in (secret, json.dumps(secret)[1:-1]):
                text = text.replace(written, "(the key)")
        return text

    def _opened(self) -> openai.AsyncOpenAI:
        if self._client is None:
            try:
                self._client = _client(self.endpoint, self._key, self._headers)
            except OSError as error:  # what trusted certificates are read from
                self._raise(faults.no_certificates(error.strerror or str(error)))
        return self._client


def open_endpoint(
    endpoint: Endpoint, key: str, limits: Limits, headers: Mapping[str, str] | None = None, secrets: Sequence[str] = ()
) -> OpenAIChat:
    return OpenAIChat(
        endpoint.url,
        endpoint.model,
        key=key,
        key_env=endpoint.key_env,
        price=endpoint.price,
        timeouts=endpoint.timeouts,
        limits=limits,
        extras=endpoint.extras,
        headers=headers,
        secrets=secrets,
    )


def limits_of(endpoint: Endpoint) -> Limits:
    return Limits(
        first_pace(endpoint.max_concurrency, endpoint.requests_per_minute),
        Patience(tries=endpoint.tries),
    )


class _Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


def _scopes(body: Mapping[str, Json]) -> tuple[str, str, str]:
    """All requests, those with tools (or without), and those that are alike but for what is said in them."""
    tools = "with tools" if body.get("tools") else "without tools"
    return "", tools, f"{tools} at {body.get('temperature')}"


def _copy(error: ModelError) -> ModelError:
    """An exception is raised once: a second raise would grow the first one's traceback."""
    copied = type(error)(error.message, remedy=error.remedy)
    copied.final, copied.retry = error.final, error.retry
    return copied


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what it was raised from, outermost first."""
    found: list[BaseException] = []
    while error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__ or error
    return found


def _client(endpoint: Endpoint, key: str, headers: Mapping[str, str]) -> openai.AsyncOpenAI:
    """Says nothing to the endpoint that it was not told here: the package would send organisation and project of
    another account along, where the environment names them. Redirects are not followed: they could lead headers with
    keys elsewhere, and most turn a question into a look at a page.

    For a plain http address no certificates are read (40 ms)."""
    import ssl

    import openai

    seconds = endpoint.timeouts
    timeout = openai.Timeout(seconds.first_byte, connect=seconds.connect, pool=seconds.connect)
    trusted = True if endpoint.url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    said: dict[str, Any] = {"OpenAI-Organization": openai.omit, "OpenAI-Project": openai.omit}
    said |= {"Authorization" if name.lower() == "authorization" else name: value for name, value in headers.items()}
    return openai.AsyncOpenAI(
        base_url=endpoint.url,
        api_key=key or NO_KEY,
        max_retries=0,
        timeout=timeout,
        default_headers=said,
        default_query=dict(endpoint.extras.query),
        http_client=openai.DefaultAioHttpClient(
            timeout=timeout, verify=trusted, follow_redirects=False, event_hooks={"response": [_remember_headers]}
        ),
    )


def _options(key: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Where the key stands in a header of its own, none that says "none" goes beside it."""
    import openai

    elsewhere = bool(headers) and not key and all(name.lower() != "authorization" for name in headers)
    return {"headers": {"Authorization": openai.omit}} if elsewhere else {}


async def _remember_headers(response: Any) -> None:
    _HEADERS.set(response.headers)
