"""Our end of a worker process: starts it at the first request, hands out its answers, says what became of it.

torch stays in that process: this one never imports it. Requests go out through a thread of their own and answers come
in through another, so no event loop ever waits for a pipe, and a worker serves any number of loops.

A worker that dies fails the requests in flight (ModelUnavailable) and is started again by the next one, until it has
died `PATIENCE` times without a single answer. One that could not load its model says why, and is asked no more.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path

from josh_engine import errors
from josh_engine.errors import Away, JoshError, ModelError, ModelUnavailable
from josh_engine.values import Json

WORKER = "josh_engine.models.local.worker"
SMALL_BYTES = 64_000_000  # a model whose weights are smaller is played faster by one thread than by several
PATIENCE = 3
SECRETS = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")  # endings of names that the worker has no use for
ROOT = Path(__file__).parents[3]

Answer = Future[Mapping[str, Json]]


class WorkerProcess:
    """`given`: what to load, as `worker.main` takes it. Safe to use from several threads."""

    def __init__(self, given: Mapping[str, Json], *, small: bool) -> None:
        self.given, self.small = given, small
        self.lock = threading.Lock()
        self.life: _Life | None = None
        self.numbers = 0
        self.deaths = 0
        self.final: Mapping[str, Json] | None = None
        self.away = False

    def ask(self, request: Mapping[str, Json]) -> tuple[int, Answer]:
        """(the request's number, its answer to come). Raises a JoshError where there can be none."""
        with self.lock:
            if self.final is not None:
                raise error_of(self.final)
            if self.away:
                raise _away()
            if self.life is None or self.life.over:
                self.life = self._start()
            self.numbers += 1
            return self.numbers, self.life.ask(self.numbers, request)

    def ready(self) -> Answer:
        """What the worker says of itself once its model is loaded: device, dtype, parameters, window."""
        with self.lock:
            if self.final is not None:
                raise error_of(self.final)
            if self.away:
                raise _away()
            if self.life is None or self.life.over:
                self.life = self._start()
            return self.life.ready

    def drop(self, number: int) -> None:
        """Nobody waits for this answer any more."""
        with self.lock:
            if self.life is not None:
                self.life.drop(number)

    def close(self, *, away: bool = False) -> None:
        """`away`: for good, in the middle of a run that is to stop."""
        with self.lock:
            self.away |= away
            life, self.life = self.life, None
        if life is not None:
            life.close(away=away)

    @property
    def pid(self) -> int | None:
        """The process that runs now, if one does."""
        with self.lock:
            return None if self.life is None or self.life.over else self.life.process.pid

    def _start(self) -> _Life:
        if self.deaths >= PATIENCE:
            error = ModelUnavailable(
                f"The local model's process died {self.deaths} times in a row.",
                remedy="See the last message for why; start again with a smaller model or fewer rows at once.",
            )
            error.retry, error.final = False, True
            raise error
        return _Life(self.given, self._environment(), self._on_answer, self._on_end)

    def _on_answer(self) -> None:
        self.deaths = 0

    def _on_end(self, failed: Mapping[str, Json] | None) -> None:
        self.final = failed or self.final
        self.deaths += failed is None

    def _environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.upper().endswith(SECRETS)}
        paths = [str(ROOT), *filter(None, [ours.get("PYTHONPATH")])]
        ours |= {"PYTHONPATH": os.pathsep.join(paths), "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
        ours |= {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "PYTHONUNBUFFERED": "1"}
        if self.small:
            ours.setdefault("OMP_NUM_THREADS", "1")
        return ours


class _Life:
    """One run of the process, from start to end. `on_end` gets why it could not load, if that is how it ended."""

    def __init__(
        self,
        given: Mapping[str, Json],
        environment: Mapping[str, str],
        on_answer: Callable[[], None],
        on_end: Callable[[Mapping[str, Json] | None], None],
    ) -> None:
        self.on_answer, self.on_end = on_answer, on_end
        self.lock = threading.Lock()
        self.pending: dict[int, Answer] = {}
        self.ready: Answer = Future()
        self.over = self.closed = self.away = False
        self.failed: Mapping[str, Json] | None = None
        self.outbox: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.complaints = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self.process = subprocess.Popen(
            [sys.executable, "-m", WORKER, json.dumps(given)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.complaints,
            env=dict(environment),
            text=True,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is for us: turns in flight are to be finished
        )
        for work in (self._send, self._receive):
            threading.Thread(target=work, daemon=True).start()

    def ask(self, number: int, request: Mapping[str, Json]) -> Answer:
        answer: Answer = Future()
        with self.lock:
            if self.over:
                answer.set_exception(self._death())
                return answer
            self.pending[number] = answer
        self.outbox.put(json.dumps({"id": number, **request}))
        return answer

    def drop(self, number: int) -> None:
        with self.lock:
            if self.pending.pop(number, None) is not None:
                self.outbox.put(json.dumps({"drop": number}))

    def close(self, *, away: bool) -> None:
        self.closed, self.away = True, away
        self.process.kill()  # it holds nothing that is not held here
        self.process.wait()

    def _send(self) -> None:
        pipe = self.process.stdin
        assert pipe is not None
        while (line := self.outbox.get()) is not None:
            try:
                pipe.write(line + "\n")
                pipe.flush()
            except OSError:  # the process is gone; `_receive` says so to everyone
                return

    def _receive(self) -> None:
        pipe = self.process.stdout
        assert pipe is not None
        for line in pipe:
            self._hear(json.loads(line))
        self.process.wait()
        self.outbox.put(None)
        with self.lock:
            self.over = True
            waiting = [self.ready, *self.pending.values()]
            self.pending.clear()
            if not self.closed:
                self.on_end(self.failed)
        for answer in waiting:
            _settle(answer, error=error_of(self.failed) if self.failed else self._death())
        self.complaints.close()

    def _hear(self, message: Mapping[str, Json]) -> None:
        if "failed" in message:
            self.failed = message["failed"]
        elif "ready" in message:
            _settle(self.ready, message["ready"])
        else:
            with self.lock:
                answer = self.pending.pop(message["id"], None)
            self.on_answer()
            if answer is not None:  # else it was dropped
                error = message.get("error")
                _settle(answer, message, error=error_of(error) if error else None)

    def _death(self) -> JoshError:
        if self.away:
            return _away()
        if self.closed:
            return ModelUnavailable("The local model was closed.", remedy="Resume the run.")
        code = self.process.poll() or 0
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
        said = self._last_words()
        return ModelUnavailable(
            f"The local model's process ended {how}{': ' + said if said else '.'}",
            remedy="The next call starts it again: resume the run. SIGKILL usually means that memory ran out.",
        )

    def _last_words(self) -> str:
        if self.complaints.closed:
            return ""
        self.complaints.seek(0)
        lines = self.complaints.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else ""


def _away() -> Away:
    return Away("The run was asked to stop before the local model had answered.", remedy="Resume the run.")


def error_of(given: Mapping[str, Json]) -> JoshError:
    """The worker's error as it was raised there."""
    kind: type[JoshError] = getattr(errors, given["kind"])
    error = kind(given["message"], remedy=given["remedy"])
    if isinstance(error, ModelError):
        error.retry, error.final = given["retry"], given["final"]
    return error


def _settle(answer: Answer, result: Mapping[str, Json] | None = None, *, error: JoshError | None = None) -> None:
    """Gives the answer, unless there is one or whoever waited has gone."""
    if answer.done() or not answer.set_running_or_notify_cancel():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(result or {})
