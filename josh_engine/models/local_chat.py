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
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from josh_engine.errors import ConfigError, MissingDependency
from josh_engine.messages import row, wire_tools
from josh_engine.models.local.folder import check_adapter, check_model
from josh_engine.models.local.process import SMALL_BYTES, WorkerProcess
from josh_engine.values import Completion, Json, Message, Sampling, Tool, ToolCall, Usage

MAX_ROWS = 64  # conversations in one forward pass; memory may allow fewer at a time


def open_local(
    path: Path | str,
    adapter: Path | str | None = None,
    quantize: Literal["4bit"] | None = None,
    *,
    device: str = "auto",
    max_rows: int = MAX_ROWS,
) -> LocalChat:
    """Checks the folders and no more; the process starts with the first question.

    `adapter`: a LoRA folder as peft saves it. `device`: "auto" is a GPU where there is one. Raises ConfigError or
    DatasetError for folders that cannot be played, MissingDependency where 4-bit loading lacks its package.
    """
    folder, size = Path(path).absolute(), check_model(Path(path))
    if adapter is not None:
        check_adapter(Path(adapter))
    if quantize not in (None, "4bit"):
        raise ConfigError(f"Unknown quantisation {quantize!r}.", remedy="Use 4bit, or leave it out.")
    if quantize and importlib.util.find_spec("bitsandbytes") is None:
        raise MissingDependency("4-bit loading needs bitsandbytes.", remedy="pip install bitsandbytes")
    if max_rows < 1:
        raise ConfigError(f"max_rows is {max_rows}, but must be at least 1.")
    given = {
        "folder": str(folder),
        "adapter": None if adapter is None else str(Path(adapter).absolute()),
        "quantize": quantize,
        "device": device,
        "max_rows": max_rows,
    }
    return LocalChat(WorkerProcess(given, small=size < SMALL_BYTES))


class LocalChat:
    """A ChatModel. Close it when the run ends; a process that was forgotten ends with ours."""

    def __init__(self, worker: WorkerProcess) -> None:
        self.worker = worker

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        sampling: Sampling | None = None,
        seed: int | None = None,
    ) -> Completion:
        answer = await self.ask(request_of(messages, tools, sampling or Sampling(), seed=seed))
        return completion_of(answer)

    async def ask(self, request: Mapping[str, Json]) -> Mapping[str, Json]:
        """The worker's own answer (`local.worker`); for those who serve it on."""
        number, answer = self.worker.ask(request)
        try:
            return await asyncio.wrap_future(answer)
        except asyncio.CancelledError:
            self.worker.drop(number)
            raise

    async def ready(self) -> Mapping[str, Json]:
        """Waits until the model is loaded: device, dtype, parameters, window. Raises what keeps it from that."""
        return await asyncio.shield(asyncio.wrap_future(self.worker.ready()))

    async def close(self) -> None:
        await asyncio.to_thread(self.worker.close)


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
