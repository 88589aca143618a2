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
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn, TypeVar

from josh_engine.errors import ModelError, ModelUnavailable
from josh_engine.models import faults
from josh_engine.models.answers import answer_of, completion_of, fitted, request_body
from josh_engine.models.endpoint import Endpoint, Timeouts
from josh_engine.models.faults import Refusal
from josh_engine.models.limits import Limits, Patience
from josh_engine.models.pace import first_pace
from josh_engine.models.prices import Price
from josh_engine.values import Completion, Json, Message, Sampling, Tool

if TYPE_CHECKING:
    import openai

T = TypeVar("T")
NO_KEY = "none"  # the package insists on one; servers without keys do not look


class OpenAIChat:
    """`limits`: shared by everyone who uses the endpoint; None: its own. Belongs to one event loop."""

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
    ) -> None:
        self.endpoint = Endpoint(model, url.rstrip("/"), key_env, price, timeouts=timeouts)
        self.limits = limits or Limits()
        self._key = key
        self._client: openai.AsyncOpenAI | None = None
        self._reached = False  # something has answered from this address
        self._final: ModelError | None = None
        self.refused: frozenset[str] = frozenset()  # what it would not take; see `answers.fitted`

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        sampling: Sampling | None = None,
        seed: int | None = None,
    ) -> Completion:
        body = request_body(self.endpoint.model, messages, tools, sampling=sampling or Sampling(), seed=seed)
        return await self._asked(body, lambda text: completion_of(text, self.endpoint.price))

    async def request(self, body: Mapping[str, Json]) -> dict[str, Json]:
        """The whole answer to a chat request; for probes. `model` is filled in. Raises a ModelError."""
        return await self._asked({"model": self.endpoint.model, **body}, answer_of)

    async def models(self) -> tuple[str, ...]:
        """The models the endpoint names; empty where it does not. Raises no ModelError."""
        try:
            listed = answer_of(await self._sent(lambda client: client.get("/models", cast_to=str)))
        except (ModelError, _Refused):
            return ()
        entries = listed.get("data")
        named = [each.get("id") for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
        return tuple(name for name in named if isinstance(name, str))

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _asked(self, body: Mapping[str, Json], read: Callable[[str], T]) -> T:
        async def once() -> T:
            return read(await self._text(body))

        return await self.limits.call(once)

    async def _text(self, body: Mapping[str, Json]) -> str:
        """The answer's text. What the endpoint would not take is left out and asked again, once for each habit."""
        if self._final is not None:
            raise type(self._final)(self._final.message, remedy=self._final.remedy)
        while True:
            sent = fitted(body, self.refused)
            try:
                text = await self._sent(
                    lambda client, sent=sent: client.post(  # type: ignore[misc]
                        "/chat/completions", body=sent, cast_to=str
                    )
                )
            except _Refused as refused:
                habit = faults.gives_way(refused.refusal, sent)
                if habit is None:
                    self._raise(faults.fault(refused.refusal, self.endpoint))
                self.refused |= {habit}
                continue
            if page := faults.no_page(text, self.endpoint):
                self._raise(page)
            return text

    async def _sent(self, send: Callable[[openai.AsyncOpenAI], Awaitable[str]]) -> str:
        """Raises ModelUnavailable for what happens on the way, _Refused for what the endpoint says no to."""
        import aiohttp
        import openai

        timeouts = self.endpoint.timeouts
        try:
            async with asyncio.timeout(timeouts.total):
                text = await send(self._opened())
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
        import aiohttp

        causes = tuple(_causes(error))
        unreached = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
        why = self._without_key(next((str(cause) for cause in reversed(causes) if str(cause)), type(error).__name__))
        if not self._reached and any(isinstance(cause, unreached) for cause in causes):
            return faults.nothing_there(self.endpoint, why)
        if any(isinstance(cause, TimeoutError) for cause in causes):
            return faults.too_slow(self.endpoint, self.endpoint.timeouts.first_byte)
        return ModelUnavailable(f"The connection to {self.endpoint.url} was lost ({why}).", remedy="Resume the run.")

    def _raise(self, error: ModelError) -> NoReturn:
        """Without a cause: what the package raises may quote the key. A final error is raised again without asking."""
        if error.final:
            self._final = error
        raise error from None

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "(the key)") if self._key else text

    def _opened(self) -> openai.AsyncOpenAI:
        if self._client is None:
            self._client = _client(self.endpoint, self._key)
        return self._client


def open_endpoint(endpoint: Endpoint, key: str, limits: Limits) -> OpenAIChat:
    return OpenAIChat(
        endpoint.url,
        endpoint.model,
        key=key,
        key_env=endpoint.key_env,
        price=endpoint.price,
        timeouts=endpoint.timeouts,
        limits=limits,
    )


def limits_of(endpoint: Endpoint) -> Limits:
    return Limits(
        first_pace(endpoint.max_concurrency, endpoint.requests_per_minute),
        Patience(tries=endpoint.tries, bad_tries=min(Patience().bad_tries, endpoint.tries)),
    )


class _Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what it was raised from, outermost first."""
    found: list[BaseException] = []
    while error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__ or error
    return found


def _client(endpoint: Endpoint, key: str) -> openai.AsyncOpenAI:
    """Says nothing to the endpoint that it was not told here: the package would send organisation and project of
    another account along, where the environment names them.

    For a plain http address no certificates are read (40 ms); should it lead on to https, none would be trusted."""
    import ssl

    import openai

    seconds = endpoint.timeouts
    timeout = openai.Timeout(seconds.first_byte, connect=seconds.connect, pool=seconds.connect)
    trusted = True if endpoint.url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    silent = {"OpenAI-Organization": openai.omit, "OpenAI-Project": openai.omit}
    return openai.AsyncOpenAI(
        base_url=endpoint.url,
        api_key=key or NO_KEY,
        max_retries=0,
        timeout=timeout,
        default_headers=silent,  # type: ignore[arg-type]
        http_client=openai.DefaultAioHttpClient(timeout=timeout, verify=trusted),
    )
