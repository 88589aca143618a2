"""Which error each fault of an endpoint becomes, how soon and after how many requests; no error holds the key."""

from __future__ import annotations

import asyncio
import socket
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_openai.asking import ASKED, HASTY, KEY, ask, chat, failed, using
from fake_openai.chats import said
from fake_openai.faults import INSIDE, KINDS, Faults
from fake_openai.server import Programme, running

from josh_engine.errors import BadResponse, ContextOverflow, MissingKey, ModelError, ModelUnavailable, RateLimited
from josh_engine.models.endpoint import Timeouts
from josh_engine.models.limits import Limits, Patience
from josh_engine.models.openai_chat import OpenAIChat
from josh_engine.models.refusal import wait_of
from josh_engine.values import Message

# Faults that pass


@pytest.mark.parametrize("kind", [*KINDS, *INSIDE, "cut_off"])
def test_every_fault_that_passes_ends_in_a_repetition_and_the_answer(kind):
    programme = Programme(lambda body: said("at last"), faults=Faults(1.0, (kind,), times=2), hang=0.6)
    with running(programme) as server:
        completion = ask(chat(server.url, timeouts=Timeouts(total=0.3)))
    assert completion.content == "at last" and len(server.requests) == 3


@pytest.mark.parametrize(
    ("kind", "error", "tries"),
    [
        ("limited", RateLimited, 6),
        ("error", ModelUnavailable, 6),
        ("unavailable", ModelUnavailable, 6),
        ("timeout", ModelUnavailable, 6),
        ("reset", ModelUnavailable, 6),
        ("loading", RateLimited, 6),
        ("too_large", RateLimited, 6),
        ("error_inside", RateLimited, 6),
        ("words_inside", ModelUnavailable, 6),
        ("error_in_choice", ModelUnavailable, 6),
        ("truncated", BadResponse, 6),
        ("empty_choices", BadResponse, 6),
        ("wrong_shape", BadResponse, 6),
    ],
)
def test_every_fault_that_does_not_pass_is_an_error_with_a_name_after_bounded_tries(kind, error, tries):
    programme = Programme(lambda body: said("never"), faults=Faults(1.0, (kind,)), hang=0.8)
    raised, server = failed(programme, error, timeouts=Timeouts(total=0.4))  # enough for a request to arrive
    assert len(server.requests) == tries and raised.retry
    assert "tiny" in str(raised) or "endpoint" in str(raised) or server.url in str(raised)


def test_a_first_byte_that_does_not_come_is_a_timeout_of_its_own():
    programme = Programme(lambda body: said("late"), seconds=1.0)
    raised, _ = failed(
        programme,
        ModelUnavailable,
        timeouts=Timeouts(first_byte=0.1, total=5.0),
        limits=Limits(patience=replace(HASTY, tries=1)),
    )
    assert "within 0.1 s" in str(raised) and "first_byte_seconds" in raised.remedy


def test_retry_after_is_honoured():
    programme = Programme(lambda body: said("ok"), faults=Faults(1.0, ("limited",), times=1), wait=0.4)
    started = time.monotonic()
    with running(programme) as server:
        ask(chat(server.url))
    assert time.monotonic() - started >= 0.4 and len(server.requests) == 2


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "12"}, 12.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "12", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_every_form_it_comes_in(headers, seconds):
    assert wait_of(headers) == seconds


# Faults that only a person can mend: said after one request, and never asked again


def told_at_once(programme: Programme, kind: type[ModelError], requests: int, **settings: Any) -> ModelError:
    """The error of sixteen calls at once and of one more."""

    async def all_of_them(model: OpenAIChat) -> list[Any]:
        first = await asyncio.gather(*(model.complete(ASKED) for _ in range(16)), return_exceptions=True)
        return [*first, *await asyncio.gather(model.complete(ASKED), return_exceptions=True)]

    with running(programme) as server:
        limits = Limits()
        limits.pace = replace(limits.pace, allowed=1.0, ceiling=1)
        errors = using(chat(server.url, limits=limits, **settings), all_of_them)
    assert len(server.requests) == requests
    assert all(type(error) is kind and str(error) == str(errors[0]) for error in errors)
    return errors[0]


def test_a_missing_key_is_told_with_how_to_name_one():
    error = told_at_once(Programme(lambda body: said("x"), key="another"), MissingKey, 1, key="", key_env="")
    assert "wants a key" in str(error) and "key_env" in error.remedy


def test_a_wrong_key_is_told_by_its_variable_and_not_by_its_value():
    error = told_at_once(Programme(lambda body: said("x"), key="another"), MissingKey, 1)
    assert "MY_KEY" in str(error) and KEY not in str(error)


def test_a_wrong_model_name_is_told():
    error = told_at_once(Programme(lambda body: said("x"), models=("big",)), ModelError, 1)
    assert "no model 'tiny'" in str(error) and "/models" in error.remedy


def test_a_wrong_path_is_told():
    with running(Programme(lambda body: said("x"))) as server, pytest.raises(ModelError, match="no chat endpoint") as e:
        ask(chat(server.url.removesuffix("/v1")))
    assert "/v1" in e.value.remedy


def test_nothing_at_the_address_is_told_and_not_tried_again():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        with pytest.raises(ModelUnavailable, match="Nothing answers at") as caught:
            ask(chat(url, limits=Limits()))
    assert caught.value.final and not caught.value.retry and "start the server" in caught.value.remedy


def test_a_host_that_swallows_everything_is_told_when_the_time_to_connect_is_over():
    """Long before the system itself would give up, which takes it two minutes."""
    assert Timeouts().connect < 5
    with socket.socket() as silent:  # takes no connection: its queue of one is full
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        held = [socket.socket() for _ in range(3)]
        for each in held:
            each.setblocking(False)
            each.connect_ex(silent.getsockname())
        started = time.monotonic()
        with pytest.raises(ModelUnavailable, match="Nothing answers at"):
            ask(chat(f"http://127.0.0.1:{silent.getsockname()[1]}/v1", timeouts=Timeouts(connect=0.5), limits=Limits()))
        assert time.monotonic() - started < 60
        for each in held:
            each.close()


def test_a_server_that_goes_away_and_comes_back_is_waited_for():
    programme = Programme(lambda body: said("ok"))
    with running(programme) as server:
        port = int(server.url.rsplit(":", 1)[1].removesuffix("/v1"))

    async def play(model: OpenAIChat) -> str:
        from fake_openai.server import Endpoint, serve

        first = await serve(Endpoint(programme), port)
        await model.complete(ASKED)
        first.close()
        await model.close()  # its connections were to the first server
        call = asyncio.create_task(model.complete(ASKED))
        await asyncio.sleep(0.1)
        second = await serve(Endpoint(programme), port)
        answer = await call
        second.close()
        return answer.content

    patient = Limits(patience=Patience(first=0.1))
    assert using(chat(f"http://127.0.0.1:{port}/v1", limits=patient), play) == "ok"


def test_a_conversation_that_is_too_long_is_told_and_the_next_one_is_asked():
    programme = Programme(lambda body: said("ok"), window=30)
    with running(programme) as server:

        async def two(model: OpenAIChat) -> str:
            with pytest.raises(ContextOverflow, match="no longer fits") as caught:
                await model.complete(ASKED)
            assert "--depth" in caught.value.remedy
            return (await model.complete((*ASKED[:1], Message("user", "Hi")))).content

        assert using(chat(server.url), two) == "ok"
    assert len(server.requests) == 2


# Certificates


OWN = Path(__file__).parents[1] / "fake_openai" / "own.pem"  # of 127.0.0.1, by nobody but itself


def test_a_certificate_of_ones_own_is_told_with_how_to_trust_it_and_then_trusted(monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with running(Programme(lambda body: said("ok")), certificate=OWN) as server:
        with pytest.raises(ModelUnavailable, match="certificate of https") as caught:
            ask(chat(server.url))
        assert caught.value.final and "SSL_CERT_FILE" in caught.value.remedy and server.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(OWN))
        assert ask(chat(server.url)).content == "ok"


@pytest.mark.parametrize("held", [None, "no certificate"])
def test_a_file_of_certificates_that_is_none_is_told(held, tmp_path, monkeypatch):
    if held is not None:
        (tmp_path / "ca.pem").write_text(held)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with pytest.raises(ModelUnavailable) as caught:
        ask(chat("https://127.0.0.1:9/v1"))
    assert caught.value.final and "SSL_CERT_FILE" in str(caught.value)


def test_https_where_only_http_is_spoken_is_told():
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def asked() -> ModelError:
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        model = chat(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        with pytest.raises(ModelError, match="does not speak https") as caught:
            await model.complete(ASKED)
        await model.close()
        server.close()
        return caught.value

    error = asyncio.run(asked())
    assert error.final and "http://" in error.remedy


# The key


@pytest.mark.parametrize("kind", ["error", "reset", "truncated", "wrong_shape"])
def test_the_key_is_in_no_exception(kind):
    programme = Programme(lambda body: said("x"), faults=Faults(1.0, (kind,)))
    raised, _ = failed(programme, ModelError)
    assert KEY not in "".join(traceback.format_exception(raised))


def test_the_key_is_in_no_exception_where_the_server_quotes_it(caplog):
    raised, server = failed(Programme(lambda body: said("x"), key="another"), MissingKey)
    assert server.endpoint.headers[0]["authorization"] == f"Bearer {KEY}"
    assert KEY not in "".join(traceback.format_exception(raised)) + caplog.text
    assert "(the key)" in str(raised)
