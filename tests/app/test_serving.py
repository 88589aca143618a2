"""The port: routes, errors as OpenAI's clients know them, and the command with a real model behind it."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from chain_model import save_chain_model

from app.serving import application, serve
from josh_engine.errors import BadResponse, ConfigError, ContextOverflow, JoshError, ModelUnavailable
from josh_engine.values import Json

ROOT = Path(__file__).parents[2]
HELLO = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 20}
CHAT = "/v1/chat/completions"


class Repeater:
    """Stands where the worker would: says its seed, raises what it is told to, notes who gave up."""

    def __init__(self, error: JoshError | None = None, *, seconds: float = 0.0) -> None:
        self.error, self.seconds = error, seconds
        self.given_up = 0

    async def ask(self, request: Mapping[str, Json]) -> Mapping[str, Json]:
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        if self.error is not None:
            raise self.error
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "reused_tokens": 0}
        return {"content": str(request["seed"]), "tool_calls": [], "finish": "stop", "usage": usage}


def send(chat: Repeater, path: str, body: Json = None, *, method: str = "POST", host: str = "localhost"):
    """(status, the answer's JSON or text)."""
    import httpx2

    async def exchange():
        transport = httpx2.ASGITransport(app=application(chat, "mine"))
        async with httpx2.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.request(method, path, content=body if isinstance(body, bytes) else json.dumps(body))

    answer = asyncio.run(exchange())
    is_json = "json" in answer.headers.get("content-type", "")
    return answer.status_code, answer.json() if is_json else answer.text


def test_a_chat_is_answered():
    status, answer = send(Repeater(), CHAT, HELLO | {"seed": 3, "n": 2})
    assert status == 200
    assert [each["message"]["content"] for each in answer["choices"]] == ["3", "4"]


def test_health_and_models():
    assert send(Repeater(), "/health", method="GET") == (200, {"status": "ok"})
    assert send(Repeater(), "/v1/models", method="GET")[1]["data"][0]["id"] == "mine"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ContextOverflow("too long"), 400, "context_length_exceeded"),
        (BadResponse("NaN"), 500, "bad_model_output"),
        (ModelUnavailable("died", remedy="Again."), 503, "model_unavailable"),
    ],
)
def test_errors_are_told_in_openais_form(error, status, code):
    got, answer = send(Repeater(error), CHAT, HELLO)
    assert (got, answer["error"]["code"]) == (status, code)
    assert answer["error"]["message"] == str(error)


def test_a_body_that_cannot_be_read_is_the_callers_mistake():
    assert send(Repeater(), CHAT, b"{")[0] == 400


def test_other_hosts_names_are_turned_away():
    assert send(Repeater(), CHAT, HELLO, host="evil.example")[0] == 400


def test_whoever_hangs_up_is_not_worked_for():
    chat, sent = Repeater(seconds=30), []
    scope = {"type": "http", "method": "POST", "path": CHAT, "headers": [(b"host", b"localhost")], "query_string": b""}
    parts = iter([{"type": "http.request", "body": json.dumps(HELLO).encode()}, {"type": "http.disconnect"}])

    async def receive():
        await asyncio.sleep(0.01)
        return next(parts)

    async def keep(message):
        sent.append(message)

    asyncio.run(asyncio.wait_for(application(chat, "mine")(scope, receive, keep), 5))
    assert chat.given_up == 1
    assert sent[0]["status"] == 499


def test_a_port_that_is_taken_is_told_before_anything_is_loaded(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    header = b'{"__metadata__":{}}'
    (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match=r"Port \d+ cannot be used.*Choose another"):
            serve(tmp_path, None, port=taken.getsockname()[1], announce=lambda served: None)


def test_a_folder_that_is_no_model_is_wrong_input(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "app", "serve-model", str(tmp_path / "none"), "--store", str(tmp_path / "josh.db")],
        cwd=ROOT, capture_output=True, text=True, timeout=170,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("error: There is no model folder") and done.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_command_serves_the_openai_client(tmp_path):
    import openai

    save_chain_model(tmp_path / "chain")
    words = ["serve-model", str(tmp_path / "chain"), "--port", "0", "--json", "--store", str(tmp_path / "josh.db")]
    with subprocess.Popen(
        [sys.executable, "-m", "app", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            told = json.loads(process.stdout.readline())
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", told["url"]) and told["model"] == "chain"
            client = openai.OpenAI(base_url=told["url"], api_key="none", max_retries=0)
            tool = {"type": "function", "function": {"name": "find_hotel", "parameters": {"type": "object"}}}
            made = client.chat.completions.create(
                model="chain", messages=HELLO["messages"], tools=[tool], n=40, seed=1, logprobs=True
            )
            calls = [call.function for choice in made.choices for call in choice.message.tool_calls or ()]
            assert {"find_hotel", "find_train"} == {call.name for call in calls}
            assert {choice.message.content for choice in made.choices} >= {"Anything else?", "One moment."}
            assert all(each.logprob < 0 for choice in made.choices for each in choice.logprobs.content[:1])
            again = client.chat.completions.create(
                model="chain", messages=HELLO["messages"], tools=[tool], n=40, seed=1
            )
            assert [each.message.content for each in again.choices] == [each.message.content for each in made.choices]
            with pytest.raises(openai.NotFoundError):
                client.chat.completions.create(model="other", messages=HELLO["messages"])
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
