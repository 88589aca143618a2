"""`python -m tests.fake_openai`: the endpoint as a process of its own. Prints its base address, then serves until it is
killed. `--answers module:function` plays; without, agent and customer of `players`."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.fake_openai.faults import Faults
from tests.fake_openai.server import Endpoint, Programme, port_of, serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fake_openai")
    parser.add_argument("--ledger", type=Path)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--faults", type=float, default=0.0)
    parser.add_argument("--answers", default="tests.fake_openai.players:play")
    parser.add_argument("--key-env", default="", help="the variable with the only key it takes")
    given = parser.parse_args()
    module, _, name = given.answers.partition(":")
    answer: Callable[[Any], Any] = getattr(importlib.import_module(module), name)
    key = os.environ[given.key_env] if given.key_env else ""
    programme = Programme(answer, seconds=given.seconds, faults=Faults(given.faults), ledger=given.ledger, key=key)
    asyncio.run(_serve(programme))


async def _serve(programme: Programme) -> None:
    server = await serve(Endpoint(programme))
    print(f"http://127.0.0.1:{port_of(server)}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    main()
