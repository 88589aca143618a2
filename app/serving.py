"""Serves a local model on an OpenAI-compatible port of this machine: `python -m app serve-model`.

The same worker plays as in a run, so requests that come together share a forward pass. Only this machine is served,
and only under its own names, which keeps web pages out. What is offered stands in `app.chat_wire`.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.chat_wire import Refusal, completion, json_object, requests_of
from app.models import local_memory
from josh_engine.errors import BadResponse, ConfigError, ContextOverflow, JoshError
from josh_engine.models.local_chat import LocalChat, open_local
from josh_engine.values import Json

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Served:
    """What the person is told once the model answers."""

    url: str
    model: str
    device: str


def serve(folder: Path, adapter: Path | None, *, port: int, announce: Callable[[Served], None]) -> None:
    """Serves until interrupted. `port` 0: any that is free. Raises ConfigError and the like before it begins."""
    chat = open_local(folder, adapter, memory=local_memory())
    name = (adapter or folder).absolute().name
    with _listening(port) as listening, suppress(KeyboardInterrupt):
        asyncio.run(_serve(chat, name, listening, announce))


async def _serve(chat: LocalChat, name: str, listening: socket.socket, announce: Callable[[Served], None]) -> None:
    import uvicorn

    try:
        loaded = await chat.ready()
        url = f"http://{HOST}:{listening.getsockname()[1]}/v1"
        announce(Served(url, name, loaded["device"]))
        config = uvicorn.Config(application(chat, name), log_level="warning", access_log=False)
        await uvicorn.Server(config).serve(sockets=[listening])
    finally:
        await chat.close()


def application(chat: LocalChat, name: str) -> Starlette:
    """The routes, for any server that speaks ASGI."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def health(request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def models(request: Request) -> JSONResponse:
        entry = {"id": name, "object": "model", "created": 0, "owned_by": "local"}
        return JSONResponse({"object": "list", "data": [entry]})

    async def completions(request: Request) -> JSONResponse:
        try:
            body = await request.body()
            return JSONResponse(await _while_there(request, _answered(chat, name, body)))
        except Refusal as refusal:
            return _refused(refusal.message, refusal.status, refusal.code, refusal.param)
        except JoshError as error:
            return _refused(str(error), *_status(error))

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/v1/models", models),
            Route("/v1/chat/completions", completions, methods=["POST"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])],
    )


async def _answered(chat: LocalChat, name: str, body: bytes) -> dict[str, Json]:
    answers = await asyncio.gather(*map(chat.ask, requests_of(json_object(body), name)))
    return completion(name, answers, int(time.time()))


def _status(error: JoshError) -> tuple[int, str]:
    if isinstance(error, ContextOverflow):
        return 400, "context_length_exceeded"
    if isinstance(error, BadResponse):
        return 500, "bad_model_output"
    return 503, "model_unavailable"


def _refused(message: str, status: int, code: str, param: str = "") -> JSONResponse:
    from starlette.responses import JSONResponse

    kind = "invalid_request_error" if status < 500 else "server_error"
    error = {"message": message, "type": kind, "param": param or None, "code": code or None}
    return JSONResponse({"error": error}, status_code=status)


async def _while_there(request: Request, work: Any) -> Any:
    """The work's result; it is given up when whoever asked has gone."""
    task = asyncio.ensure_future(work)
    gone = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Refusal("The request was given up.", status=499)
        return task.result()
    finally:
        task.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _listening(port: int) -> socket.socket:
    """Bound here, so that a port that is taken is told before the model is loaded."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen()
    except (OSError, OverflowError) as error:
        listening.close()
        raise ConfigError(f"Port {port} cannot be used: {error}.", remedy="Choose another, or 0 for any.") from error
    return listening
