"""The process that plays a local model: requests in on standard input, answers out on standard output, a line of JSON
each; the load ends in a line `ready` or `failed`. It ends when its input does, so it never outlives whoever started it.

Requests: `{"id", "messages", "tools", "temperature", "top_p", "top_k", "max_tokens", "seed", "logprobs"}`, or
`{"drop": id}`. Answers: `{"id", "content", "tool_calls", "finish", "usage", "logprobs"}`, or `{"id", "error"}`.
Messages are in the form of training rows (`messages.row`), so what a model is asked is what it is trained on.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from josh_engine.errors import BadResponse, ContextOverflow, JoshError
from josh_engine.models.local.batch import Asked, Batch, Generated
from josh_engine.models.local.loading import Loaded, load, read_reply, render
from josh_engine.models.local.prefixes import as_tokens
from josh_engine.values import Json

GATHER_SECONDS = 0.003  # siblings are asked for in the same moment: the first waits that long for the others
DEFAULT_MAX_TOKENS = 1024
GPU_SHARE, CPU_SHARE = 0.7, 0.25  # of the free memory, for keys and values at most
CPU_ROOM = 300_000_000  # bytes of them on a CPU, or twice the weights' where that is more: longer pasts gain little


def main(given: Mapping[str, Json], lines: IO[str], out: IO[str]) -> None:
    worker = _Worker(out)
    try:
        worker.open(given)
    except JoshError as error:
        worker.say({"failed": _wire_error(error)})
        return
    threading.Thread(target=worker.listen, args=(lines,), daemon=True).start()
    worker.play()


class _Worker:
    def __init__(self, out: IO[str]) -> None:
        self.out, self.speaking = out, threading.Lock()
        self.inbox: queue.SimpleQueue[Asked | int] = queue.SimpleQueue()
        self.requests: dict[int, tuple[Mapping[str, Json], list[int]]] = {}

    def open(self, given: Mapping[str, Json]) -> None:
        adapter = given["adapter"]
        self.loaded: Loaded = load(
            Path(given["folder"]), adapter and Path(adapter), quantize=given["quantize"], device=given["device"]
        )
        model = self.loaded.model
        free = _free(model.device) // given.get("processes", 1)
        room = min(given.get("memory") or usual_room(model), free)
        self.batch = Batch(model, stops=self.loaded.stops, room=room, max_rows=given["max_rows"])
        self.batch.warm_up()
        said = {"device": str(model.device), "dtype": str(model.dtype), "parameters": model.num_parameters()}
        habits = [each.name for each in self.loaded.template.test.habits]
        self.say({"ready": said | {"window": self.loaded.window, "room": room, "habits": habits}})

    def listen(self, lines: IO[str]) -> None:
        """Reads requests and turns them into tokens, beside the model's own work. The end of input ends all."""
        for line in lines:
            request = json.loads(line)
            if "drop" in request:
                self.inbox.put(request["drop"])
                continue
            try:
                self.inbox.put(self._asked(request))
            except JoshError as error:
                self.say({"id": request["id"], "error": _wire_error(error)})
        os._exit(0)

    def play(self) -> None:
        while True:
            if not self.batch.busy:
                self._take(self.inbox.get())
                time.sleep(GATHER_SECONDS)
            while not self.inbox.empty():
                self._take(self.inbox.get())
            for generated in self.batch.step():
                self._answer(generated)

    def say(self, message: Mapping[str, Json]) -> None:
        with self.speaking:
            self.out.write(json.dumps(message) + "\n")
            self.out.flush()

    def _take(self, each: Asked | int) -> None:
        if isinstance(each, Asked):
            self.batch.add(each)
        else:
            self.batch.drop(each)
            self.requests.pop(each, None)

    def _asked(self, request: Mapping[str, Json]) -> Asked:
        prompt = render(self.loaded, request["messages"], request["tools"])
        limit = request["max_tokens"] or self.loaded.reply or DEFAULT_MAX_TOKENS
        window = self.loaded.window
        if window is not None:
            if len(prompt) >= window:
                raise ContextOverflow(
                    f"The conversation has {len(prompt):,} tokens, but the model's window holds {window:,}.",
                    remedy="Lower max_depth or max_generations, or use a model with a longer window.",
                )
            limit = min(limit, window - len(prompt))
        if not prompt:
            raise BadResponse("The chat template made an empty prompt of this conversation.")
        self.requests[request["id"]] = (request, prompt)
        return Asked(
            request["id"],
            as_tokens(prompt),
            limit,
            request["seed"],
            temperature=request["temperature"],
            top_p=1.0 if request["top_p"] is None else request["top_p"],
            top_k=request["top_k"] or None,
            log_probabilities=request["logprobs"],
        )

    def _answer(self, generated: Generated) -> None:
        request, prompt = self.requests.pop(generated.id)
        if generated.error is not None:
            self.say({"id": generated.id, "error": _wire_error(generated.error)})
            return
        content, calls = read_reply(self.loaded, generated.tokens, prompt, request["tools"])
        usage = {
            "prompt_tokens": len(prompt),
            "completion_tokens": len(generated.tokens),
            "reused_tokens": generated.reused,
        }
        said: dict[str, Json] = {"id": generated.id, "content": content, "usage": usage}
        said["tool_calls"] = [{"name": call.name, "arguments": call.raw} for call in calls]
        said["finish"] = "tool_calls" if calls and generated.finish == "stop" else generated.finish
        if request["logprobs"]:
            words = [self.loaded.tokenizer.decode([token]) for token in generated.tokens]
            said["logprobs"] = list(zip(words, generated.log_probabilities, strict=True))
        self.say(said)


def _wire_error(error: JoshError) -> dict[str, Json]:
    told = {name: getattr(error, name, False) for name in ("retry", "final")}
    return {"kind": type(error).__name__, "message": error.message, "remedy": error.remedy, **told}


def usual_room(model: Any) -> int:
    """Bytes for keys and values: all that is free on a GPU, which has nothing else to do."""
    return sys.maxsize if model.device.type == "cuda" else max(CPU_ROOM, 2 * model.get_memory_footprint())


def _free(device: object) -> int:
    """Bytes that keys and values may take at most."""
    import torch

    if getattr(device, "type", "") == "cuda":
        free, _ = torch.cuda.mem_get_info()
        return int(free * GPU_SHARE)
    return int(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * CPU_SHARE)


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever libraries print must not stand among the answers
    try:
        main(json.loads(sys.argv[1]), sys.stdin, answers)
    except Exception as error:
        traceback.print_exc()
        raise SystemExit(1) from error
