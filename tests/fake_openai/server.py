"""A fake OpenAI-compatible server: HTTP/1.1 over asyncio, answers by request content and seed, never by order.

It runs in a thread (`running`) or as a process of its own (`python -m tests.fake_openai`), so that it outlives the
clients that the chaos tests kill. It keeps a ledger: a line when a request has come in whole, one when its answer
was sent. It is written on bare sockets because faults are its business (half an answer, a reset) and because it
shares two cores with the client that is being measured.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from tests.fake_openai.chats import unfinished
from tests.fake_openai.faults import Faults

Json = Any
Answer = Callable[[Json], Json]  # from the request's body to the answer's
CHAT = "/v1/chat/completions"


@dataclass
class Refused:
    """What an answer may be instead of one: a status with a body, as JSON or as it stands."""

    status: int
    body: Json
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Programme:
    """How the server behaves. `seconds`: latency of an answer; `wait`: what Retry-After says; `key`: the only one it
    takes (empty: any); `models`: those it has (empty: any); `window`: characters a request's messages may have."""

    answer: Answer
    seconds: float = 0.0
    faults: Faults = field(default_factory=Faults)
    wait: float = 0.01
    hang: float = 30.0
    key: str = ""
    models: tuple[str, ...] = ()
    window: int = 10**9
    refuses: tuple[str, ...] = ()  # parameters it does not take
    system_only: bool = True
    at_once: int = 10**9  # more calls in flight than this get a 429
    ledger: Path | None = None


def asked_for(body: Json) -> str:
    """The journal's own hash of a request, taken from the wire (`josh_engine.models.journal.request_hash`)."""
    sampling = [body.get(name) for name in ("temperature", "top_p", "top_k", "max_tokens")]
    asked = [body["messages"], body.get("tools", []), sampling]
    return hashlib.sha256(json.dumps(asked, ensure_ascii=False).encode()).hexdigest()


class Endpoint:
    """The server's state: what it was asked, and how often."""

    def __init__(self, programme: Programme) -> None:
        self.programme = programme
        self.requests: list[Json] = []
        self.tried: Counter[str] = Counter()
        self.in_flight = self.most_in_flight = 0
        self.headers: list[Mapping[str, str]] = []
        self.paths: list[str] = []
        self.ledgers: dict[str, TextIO] = {}

    def write(self, mark: str, body: Json) -> None:
        """Into a file for each model, flushed at once: whoever is killed, the ledger is right."""
        folder, model = self.programme.ledger, body["model"]
        if folder is None:
            return
        if model not in self.ledgers:
            folder.mkdir(exist_ok=True)
            self.ledgers[model] = (folder / model).open("a")
        self.ledgers[model].write(f"{mark} {asked_for(body)} {body.get('seed')}\n")
        self.ledgers[model].flush()


class Connection(asyncio.Protocol):
    """One client connection; requests come one after another."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.buffer = b""
        self.head: tuple[str, Mapping[str, str], int] | None = None
        self.gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.head is None:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            first, *lines = self.buffer[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            self.head = first, headers, int(headers.get("content-length", "0"))
            self.buffer = self.buffer[end + 4 :]
        first, headers, length = self.head
        if len(self.buffer) >= length:
            body, self.buffer, self.head = self.buffer[:length], self.buffer[length:], None
            self.serve(first, headers, body)

    def serve(self, first: str, headers: Mapping[str, str], raw: bytes) -> None:
        path = first.split(" ")[1]
        if path.partition("?")[0] != CHAT:
            self.other(path)
            return
        endpoint, programme, body = self.endpoint, self.endpoint.programme, json.loads(raw)
        endpoint.requests.append(body)
        endpoint.headers.append(headers)
        endpoint.paths.append(path)
        endpoint.write("asked", body)
        refusal = _refused(programme, headers, body)
        if refusal is not None:
            self.send(refusal[0], refusal[1])
            return
        name = hashlib.sha256(raw).hexdigest()
        attempt, endpoint.tried[name] = endpoint.tried[name], endpoint.tried[name] + 1
        fault = programme.faults.drawn(name, attempt)
        if fault is None and endpoint.in_flight >= programme.at_once:
            fault = "limited"
        if fault is not None:
            self.fail(fault, body)
            return
        endpoint.in_flight += 1
        endpoint.most_in_flight = max(endpoint.most_in_flight, endpoint.in_flight)
        came = asyncio.get_running_loop().time()
        answer = programme.answer(body)  # worked out while the latency passes, not after it
        passed = asyncio.get_running_loop().time() - came
        self.later(programme.seconds - passed, lambda: self.answered(body, answer))

    def answered(self, body: Json, answer: Json) -> None:
        self.endpoint.in_flight -= 1
        if isinstance(answer, Refused):
            raw = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            self.write(answer.status, raw.encode(), answer.headers)
            return
        self.endpoint.write("answered", body)
        self.send(200, answer)

    def other(self, path: str) -> None:
        programme = self.endpoint.programme
        if path == "/v1/models":
            self.send(200, {"object": "list", "data": [{"id": each, "object": "model"} for each in programme.models]})
        elif path == "/ledger":
            endpoint = self.endpoint
            self.send(200, {"requests": len(endpoint.requests), "most_in_flight": endpoint.most_in_flight})
        else:
            self.write(404, b"<html><body>Not here.</body></html>", {"Content-Type": "text/html"})

    def fail(self, kind: str, body: Json) -> None:
        programme = self.endpoint.programme
        match kind:
            case "limited":
                wait = {"Retry-After": f"{programme.wait:g}"}
                self.send(429, _error("Too many requests.", "rate_limit_exceeded"), wait)
            case "error":
                self.send(500, _error("Something broke.", "server_error"))
            case "error_in_choice":
                answer = programme.answer(body)
                answer["choices"][0] |= {"error": {"message": "cut off", "code": 502}, "finish_reason": "error"}
                self.send(200, answer)
            case "unavailable":
                self.write(503, b"upstream is away", {"Content-Type": "text/plain"})
            case "timeout":
                self.later(programme.hang, lambda: self.send(200, programme.answer(body)))
            case "reset":
                self.transport.abort()
            case "truncated":
                whole = json.dumps(programme.answer(body)).encode()
                self.write(200, whole[: len(whole) // 2], {"Content-Type": "application/json"})
            case "cut_off":  # the announced length never comes
                whole = json.dumps(programme.answer(body)).encode()
                self.write(200, whole[: len(whole) // 2], {"Content-Type": "application/json"}, length=len(whole))
                self.transport.close()
            case "empty_choices":
                self.send(200, {**programme.answer(body), "choices": []})
            case "wrong_shape":
                self.send(200, {"object": "chat.completion", "choices": "none"})
            case "error_inside":
                self.send(200, {"error": {"message": "Rate limit exceeded: upstream", "code": 429}})
            case "words_inside":
                self.send(200, {**programme.answer(body), "choices": [], "error": "Internal server error"})
            case "too_large":
                said = "Request too large on tokens per minute (TPM): Limit 6000, Requested 7012."
                self.send(413, _error(said, "rate_limit_exceeded"), {"Retry-After": f"{programme.wait:g}"})
            case "loading":
                self.send(503, _error("Loading model", "unavailable_error"), {"Retry-After": f"{programme.wait:g}"})
            case _:
                self.send(200, unfinished(kind, programme.answer(body)))

    def later(self, seconds: float, then: Callable[[], None]) -> None:
        if seconds <= 0:
            then()
            return
        asyncio.get_running_loop().call_later(seconds, then)

    def send(self, status: int, body: Json, headers: Mapping[str, str] | None = None) -> None:
        content = {"Content-Type": "application/json", **(headers or {})}
        self.write(status, json.dumps(body).encode(), content)

    def write(self, status: int, body: bytes, headers: Mapping[str, str], *, length: int | None = None) -> None:
        if self.gone:
            return
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + body)


def _refused(programme: Programme, headers: Mapping[str, str], body: Json) -> tuple[int, Json] | None:
    """What a well-kept endpoint would not even start on. The key is quoted back, as some careless servers do."""
    key = headers.get("authorization", "").removeprefix("Bearer ")
    if programme.key and key != programme.key:
        return 401, _error(f"Incorrect API key provided: {key}", "invalid_api_key")
    if programme.models and body["model"] not in programme.models:
        return 404, _error(f"The model `{body['model']}` does not exist.", "model_not_found")
    if strange := [name for name in programme.refuses if name in body]:
        return 400, _error(f"Unsupported parameter: '{strange[0]}'.", "unsupported_parameter", strange[0])
    if not programme.system_only and all(each["role"] == "system" for each in body["messages"]):
        return 400, _error("Conversation roles must contain a user message.", "invalid_request_error")
    if sum(len(each["content"] or "") for each in body["messages"]) > programme.window:
        said = f"This model's maximum context length is {programme.window} tokens."
        return 400, _error(said, "context_length_exceeded")
    return None


def _error(message: str, code: str, param: str | None = None) -> Json:
    return {"error": {"message": message, "type": code, "code": code, "param": param}}


@dataclass
class Running:
    url: str
    endpoint: Endpoint

    @property
    def requests(self) -> list[Json]:
        return self.endpoint.requests


async def serve(endpoint: Endpoint, port: int = 0, certificate: Path | None = None) -> asyncio.Server:
    """`certificate`: a PEM with its key; None: plain http."""
    secured = None
    if certificate is not None:
        secured = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secured.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(endpoint), "127.0.0.1", port, backlog=1024, ssl=secured)


def port_of(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


@contextmanager
def running(programme: Programme, certificate: Path | None = None) -> Iterator[Running]:
    """The server in a thread of its own, until the block ends."""
    endpoint, loop = Endpoint(programme), asyncio.new_event_loop()
    server = loop.run_until_complete(serve(endpoint, certificate=certificate))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield Running(f"http{'s' if certificate else ''}://127.0.0.1:{port_of(server)}/v1", endpoint)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.close()
