"""A chat model from a local folder: a Hugging Face causal model, played in a process of its own (`models/local`).

All that wait, from all scenarios of a run, share each forward pass, so give agent and user the same object where they
play the same model. A rerun is a new sample: a row is drawn by its own seed, but who else is in the batch moves the
last float bits, and a bit can turn a token (journal replay is exact, as ever).

`Sampling`'s None means here: no cut for top_p and top_k, 1,024 for max_tokens. Penalties and sampling settings that a
model's folder recommends are not applied: what a run's configuration says is all there is.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import random
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from josh_engine.errors import ConfigError, MissingDependency
from josh_engine.messages import row, wire_tools
from josh_engine.models.local.adapter import check_adapter
from josh_engine.models.local.folder import check_model
from josh_engine.models.local.habits import BY_NAME, parts_of
from josh_engine.models.local.process import SMALL_BYTES, WorkerProcess
from josh_engine.models.notices import Notice, told_once
from josh_engine.models.silence import holds_call
from josh_engine.values import Completion, Json, Message, Sampling, Tool, ToolCall, Usage

MOST_PROCESSES = 8  # each holds the model, and its own memory of what was read
MAX_ROWS = 64  # conversations in one forward pass; memory may allow fewer at a time


UNREAD = Notice(
    "call_in_words",
    "The model writes calls in a form that nothing here reads, so they are said to the customer as words.",
    "Give its tokenizer a response_template, or play an agent that writes its calls as text (react, tau_react).",
)


def open_local(
    path: Path | str,
    adapter: Path | str | None = None,
    quantize: Literal["4bit"] | None = None,
    *,
    device: str = "auto",
    max_rows: int = MAX_ROWS,
    processes: int | None = 1,
    memory: int | None = None,
) -> LocalChat:
    """Checks the folders and no more; a process starts with the first question it is asked.

    `adapter`: a LoRA folder as peft saves it. `device`: "auto" is a GPU where there is one. `processes`: how many play
    the model side by side; None: one for each core where the model is small and there is no GPU, else one. `memory`:
    bytes that each of them may keep of what it has read; None: as `local.worker` has it. Raises ConfigError or
    DatasetError for folders that cannot be played, MissingDependency where 4-bit loading lacks its package.
    """
    folder, size = Path(path).absolute(), check_model(Path(path))
    if adapter is not None:
        check_adapter(Path(adapter), folder)
    if quantize not in (None, "4bit"):
        raise ConfigError(f"Unknown quantisation {quantize!r}.", remedy="Use 4bit, or leave it out.")
    if quantize and importlib.util.find_spec("bitsandbytes") is None:
        raise MissingDependency("4-bit loading needs bitsandbytes.", remedy="pip install bitsandbytes")
    if max_rows < 1:
        raise ConfigError(f"max_rows is {max_rows}, but must be at least 1.")
    small = size < SMALL_BYTES
    count = _usual_processes(small, device) if processes is None else processes
    if memory is not None and memory < 1:
        raise ConfigError(f"memory is {memory} bytes, but must be at least 1.")
    if count < 1:
        raise ConfigError(f"processes is {count}, but must be at least 1.")
    given = {
        "folder": str(folder),
        "adapter": None if adapter is None else str(Path(adapter).absolute()),
        "quantize": quantize,
        "device": device,
        "max_rows": max_rows,
        "processes": count,
        "memory": memory,
    }
    return LocalChat([WorkerProcess(given, small=small) for _ in range(count)])


def _usual_processes(small: bool, device: str) -> int:
    """A small model is played by one thread; several processes use the other cores."""
    if not small or device.startswith("cuda") or (device == "auto" and Path("/dev/nvidiactl").exists()):
        return 1
    return max(1, min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1, MOST_PROCESSES))


class LocalChat:
    """A ChatModel. Close it when the run ends; a process that was forgotten ends with ours.

    A conversation is always played by the same process, which knows its beginning already.
    """

    repeatable = True  # the same question with the same seed is answered alike

    def __init__(self, workers: Sequence[WorkerProcess]) -> None:
        self.workers = tuple(workers)
        self.notices: tuple[Notice, ...] = ()  # what a person is told once

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        sampling: Sampling | None = None,
        seed: int | None = None,
    ) -> Completion:
        answer = await self.ask(request_of(messages, tools, sampling or Sampling(), seed=seed))
        completion = completion_of(answer)
        if not completion.tool_calls and holds_call(completion.content, [tool.name for tool in tools]):
            self.notices = told_once((*self.notices, UNREAD))
        return completion

    async def ask(self, request: Mapping[str, Json]) -> Mapping[str, Json]:
        """The worker's own answer (`local.worker`); for those who serve it on."""
        worker = self.workers[_beginning(request) % len(self.workers)]
        number, answer = worker.ask(request)
        try:
            told = await asyncio.wrap_future(answer)
        except asyncio.CancelledError:
            worker.drop(number)
            raise
        self._notice(request, await asyncio.wrap_future(worker.ready()))
        return told

    def _notice(self, request: Mapping[str, Json], loaded: Mapping[str, Json]) -> None:
        parts = parts_of(request["messages"], (), request["tools"])
        habits = [BY_NAME[name] for name in loaded.get("habits", ())]
        told = (
            Notice(each.name, f"The model's chat template {each.words}.", each.remedy)
            for each in habits
            if each.play == "told" and each.touches in (*parts, "")
        )
        self.notices = told_once((*self.notices, *told))

    async def ready(self) -> Mapping[str, Json]:
        """Waits until the model is loaded: device, dtype, parameters, window. Raises what keeps it from that."""
        told = await asyncio.gather(*(asyncio.shield(asyncio.wrap_future(each.ready())) for each in self.workers))
        return told[0]

    async def give_up(self) -> None:
        """Ends what it does. Whoever waits for it, or asks it from now on, is told that it is away (`errors.Away`)."""
        await asyncio.gather(*(asyncio.to_thread(worker.close, away=True) for worker in self.workers))

    async def close(self) -> None:
        await asyncio.gather(*(asyncio.to_thread(worker.close) for worker in self.workers))


def _beginning(request: Mapping[str, Json]) -> int:
    """A number of the conversation's first messages up to the user's; the same for all that go on from them."""
    told = request["messages"]
    first = next((place for place, each in enumerate(told) if each["role"] != "system"), 0)
    return zlib.crc32(json.dumps(told[: first + 1]).encode())


def request_of(
    messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling, *, seed: int | None, logprobs: bool = False
) -> dict[str, Json]:
    """`seed` None: any."""
    return {
        "messages": [row(message) for message in messages],
        "tools": wire_tools(tools),
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "max_tokens": sampling.max_tokens,
        "seed": random.getrandbits(31) if seed is None else seed,
        "logprobs": logprobs,
    }


def completion_of(answer: Mapping[str, Json]) -> Completion:
    usage = answer["usage"]
    return Completion(
        content=answer["content"],
        tool_calls=tuple(ToolCall("", call["name"], raw=call["arguments"]) for call in answer["tool_calls"]),
        finish=answer["finish"],
        usage=Usage(1, usage["prompt_tokens"], usage["completion_tokens"]),
        usd=0.0,
    )
