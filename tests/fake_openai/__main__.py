"""`python -m tests.fake_openai LEDGER [SECONDS] [FAULTS]`: the endpoint as a process of its own, playing agent and
customer. Prints its base address, then serves until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.fake_openai.faults import Faults
from tests.fake_openai.players import play
from tests.fake_openai.server import Endpoint, Programme, port_of, serve


async def main(ledger: Path, seconds: float, share: float) -> None:
    server = await serve(Endpoint(Programme(play, seconds=seconds, faults=Faults(share), ledger=ledger)))
    print(f"http://127.0.0.1:{port_of(server)}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    given = [*sys.argv[2:], "0", "0"]
    asyncio.run(main(Path(sys.argv[1]), float(given[0]), float(given[1])))
