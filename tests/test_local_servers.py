"""The whole loop with real weights behind it: JOSH, the function-calling agent, the journal, rows; the model behind
`transformers serve`, behind our own port, and without any port. The openai client's real wire, tools included."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from chain_model import save_chain_model

from app import services
from app.results import RunResult
from josh_engine.config import RunConfig, RunLimits, StrategyConfig
from josh_engine.values import Json

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[1]
Served = tuple[str, str]  # base URL, model


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def transformers_serve(folder: Path) -> Iterator[Served]:
    port = free_port()
    program = Path(sys.executable).with_name("transformers")
    words = [str(program), "serve", str(folder), "--device", "cpu", "--port", str(port), "--host", "127.0.0.1"]
    with serving(words, f"http://127.0.0.1:{port}", str(folder)) as served:
        yield served


@contextmanager
def serve_model(folder: Path) -> Iterator[Served]:
    port = free_port()
    store = str(folder.parent / "serving.db")
    words = [sys.executable, "-m", "app", "serve-model", str(folder), "--port", str(port), "--store", store]
    with serving(words, f"http://127.0.0.1:{port}", folder.name) as served:
        yield served


@contextmanager
def serving(words: list[str], address: str, model: str) -> Iterator[Served]:
    """The server while it is up; what it said is shown where it does not come up."""
    quiet = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(words, cwd=ROOT, env=quiet, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            ends = time.monotonic() + 120
            while not answers(f"{address}/health"):
                assert process.poll() is None and process.stdout is not None, process.stdout.read()
                assert time.monotonic() < ends, "the server did not come up"
                time.sleep(0.2)
            yield f"{address}/v1", model
        finally:
            process.terminate()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def search(folder: Path, model: str) -> tuple[RunResult, list[Json]]:
    config = RunConfig(
        "chain_model:open_world",
        "all",
        ("both", "one"),
        agent="function_calling",
        user="josh_engine.users.scripted:ScriptedUser",
        model=model,
        strategy=StrategyConfig(max_depth=5, max_beam=4),
        seed=4,
    )
    with services.open_store(folder / "josh.db") as store:
        run = services.create_run(store, config, limits=RunLimits(concurrency=2))
        result = services.run_here(store, run.id)
        _, files = services.export_files(store, [run.id], formats=("kto",))
        errors = [each.error for each in services.list_rollouts(store, run.id) if each.error]
    assert not errors
    return result, [json.loads(line) for line in files["kto.jsonl"].splitlines()]


@pytest.mark.parametrize("server", [transformers_serve, serve_model])
def test_josh_over_the_openai_clients_wire(server: Callable, tmp_path):
    folder = save_chain_model(tmp_path / "chain", response_template=True)
    with server(folder) as (url, model):
        result, rows = search(tmp_path, f"{model}@{url}")
    worked(result, rows)


def test_josh_on_the_folder_itself(tmp_path):
    result, rows = search(tmp_path, str(save_chain_model(tmp_path / "chain")))
    worked(result, rows)
    assert result.usd == 0.0


def worked(result: RunResult, rows: list[Json]) -> None:
    """Goals were won by calls that came over the wire, and the rows say so."""
    assert (result.state, result.failed, result.scenarios) == ("done", 0, 2)
    assert result.average_reward and result.average_reward > 0
    assert result.tokens > 100
    called = [call["function"] for row in rows for call in row["completion"][0].get("tool_calls") or ()]
    assert {"find_train"} <= {call["name"] for call in called}
    assert {"day": "monday"} in [call["arguments"] for call in called]
    assert all(json.loads(row["tools"]) for row in rows)
    assert any(message["role"] == "tool" for row in rows for message in row["prompt"])
