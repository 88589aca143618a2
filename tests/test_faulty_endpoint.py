"""No label derives from a fault: with every fifth try going wrong, a run and its resumes give the rows of a run in
which nothing does. And the key is nowhere but in the requests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from endpoint_runs import CONFIG, SCENARIOS, Place, place, play
from fake_openai.faults import INSIDE, KINDS, NO_MOVES, Faults
from fake_openai.players import play as answer
from fake_openai.server import Programme, running

from app import rendering, services
from josh_engine.config import RunConfig
from josh_engine.encoding import load
from josh_engine.models.finishes import no_move
from josh_engine.values import Completion, Usage

CANARY = "sk-canary-90cc12ab"
ROOT = Path(__file__).parent.parent
TOML = """
[models.tiny]
url = "{url}"
model = "tiny"
key_env = "CANARY_KEY"
tries = {tries}
total_seconds = 0.25
price_prompt = 0.5
price_completion = 1.5
"""


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CANARY_KEY", CANARY)
    yield


def describe(folder: Path, url: str, monkeypatch: pytest.MonkeyPatch, tries: int = 2) -> None:
    (folder / "josh.toml").write_text(TOML.format(url=url, tries=tries))
    monkeypatch.setenv("JOSH_CONFIG", str(folder / "josh.toml"))


def failed(at: Place) -> int:
    with services.open_store(at.store) as store:
        return services.run_result(store, at.run).failed


@pytest.mark.parametrize("agent", ["react", "function_calling"])
def test_rows_after_20_percent_faults_and_resumes_are_those_of_a_run_without(
    agent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "faulty").mkdir()
    with running(Programme(answer)) as server:
        describe(tmp_path, server.url, monkeypatch)
        whole = place(tmp_path / "whole", "tiny", model="tiny", agent=agent)
        assert play(whole) == "done"
    calls = len(server.requests)
    with running(Programme(answer, faults=Faults(0.2), hang=0.4)) as server:
        describe(tmp_path, server.url, monkeypatch)
        faulty = place(tmp_path / "faulty", "tiny", model="tiny", agent=agent, concurrency=8)
        failures = []
        while play(faulty) == "failed":
            failures.append(failed(faulty))
            assert len(failures) < 30, "resumes get through in the end"
    assert failures and failures[0] >= 2, "some rollouts did fail"
    assert len(server.requests) > calls * 1.15
    assert all(len(rows.splitlines()) >= 4 for rows in whole.rows().values()), "worth comparing"
    assert faulty.rows() == whole.rows()
    assert _spent(faulty) == _spent(whole), "faults cost nothing, and no answer was paid twice"


@pytest.mark.parametrize(
    ("agent", "scenarios"),
    [
        ("function_calling", 8),
        pytest.param("react", 8, marks=pytest.mark.slow),
        pytest.param("function_calling", 30, marks=pytest.mark.slow),
    ],
)
def test_rows_of_an_endpoint_that_mixes_every_fault_into_30_percent_of_its_answers_are_those_of_a_clean_one(
    agent: str, scenarios: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = tuple(kind for kind in (*KINDS, *INSIDE, *NO_MOVES) if kind != "timeout")  # time is for the test above
    runs = []
    for name, faults in (("whole", Faults()), ("faulty", Faults(0.3, kinds))):
        (tmp_path / name).mkdir()
        with running(Programme(answer, faults=faults)) as server:
            describe(tmp_path, server.url, monkeypatch, tries=6)
            at = place(tmp_path / name, "tiny", model="tiny", agent=agent, concurrency=8, scenarios=scenarios)
            while play(at) == "failed":
                pass
            runs.append((at, len(server.requests)))
    (whole, calls), (faulty, more) = runs
    assert more > calls * 1.3 and all(len(rows.splitlines()) >= 4 for rows in whole.rows().values())
    assert faulty.rows() == whole.rows()
    assert _said(faulty) == _said(whole) and not any(map(no_move, _said(faulty).values()))
    assert _figures(faulty) == _figures(whole)


def _said(at: Place) -> dict[tuple[str, str, int], Completion]:
    """What the journal holds of each call's answer, without what it cost."""
    with services.open_store(at.store) as store:
        scenario = {each.id: each.scenario_id for each in services.list_rollouts(store, at.run)}
        kept = store.read("SELECT rollout, node, call, completion FROM journal")
    return {
        (scenario[row["rollout"]], row["node"], row["call"]): replace(
            load(Completion, row["completion"]), usage=Usage(), usd=None
        )
        for row in kept
    }


def _figures(at: Place) -> tuple[object, ...]:
    with services.open_store(at.store) as store:
        rollouts = sorted(services.list_rollouts(store, at.run), key=lambda each: each.scenario_id)
    return tuple((each.scenario_id, each.state, each.won, each.goals, each.nodes, each.depth) for each in rollouts)


def _spent(at: Place) -> tuple[int, int, float | None]:
    with services.open_store(at.store) as store:
        result = services.run_result(store, at.run)
    sides = (result.agent_usage, result.user_usage)
    assert result.usd == pytest.approx(sum(side.usd or 0.0 for side in sides))
    assert result.calls == sum(side.calls for side in sides)
    assert result.tokens == sum(side.prompt_tokens + side.completion_tokens for side in sides)
    return result.calls, result.tokens, result.usd


def test_an_endpoint_that_is_gone_fails_every_rollout_and_a_resume_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(tmp_path, "http://127.0.0.1:9/v1", monkeypatch)
    at = place(tmp_path, "tiny", model="tiny")
    assert play(at) == "failed"
    with services.open_store(at.store) as store:
        result = services.run_result(store, at.run)
    assert result.failed == len(SCENARIOS) and "Nothing answers at" in (result.error or "")
    with running(Programme(answer)) as server:
        describe(tmp_path, server.url, monkeypatch)
        assert play(at) == "done"


def test_a_cap_in_usd_pauses_and_a_higher_one_goes_on_to_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "whole").mkdir()
    with running(Programme(answer)) as server:
        describe(tmp_path, server.url, monkeypatch)
        whole = place(tmp_path / "whole", "tiny", model="tiny")
        play(whole)
        usd = _spent(whole)[2] or 0.0
        capped = place(tmp_path, "tiny", model="tiny", concurrency=1)
        with services.open_store(capped.store) as store:
            limits = services.RunLimits(concurrency=1, budget_usd=usd / 3)
            result = services.resume_run(store, capped.run, limits=limits)
            assert (result.state, result.paused_by) == ("paused", "budget")
            assert usd / 3 <= (result.usd or 0.0) < usd * 0.6
            again = services.resume_run(store, capped.run, limits=services.RunLimits(budget_usd=usd * 2))
    assert again.state == "done" and again.usd == pytest.approx(usd)
    assert capped.rows() == whole.rows()


def test_the_key_is_in_the_requests_and_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A launched run, as the page starts one: first against a server that refuses the key and quotes it."""
    with running(Programme(answer, key="another")) as refusing:
        describe(tmp_path, refusing.url, monkeypatch)
        at = place(tmp_path, "tiny", model="tiny")
        told = _launched(at)
    assert "CANARY_KEY" in told
    with running(Programme(answer, key=CANARY, faults=Faults(0.1), seconds=0.01, hang=0.4)) as server:
        describe(tmp_path, server.url, monkeypatch)
        told += _launched(at)
        told += _on_the_command_line(at, tmp_path)
        with services.open_store(at.store) as store:
            told += repr(services.run_result(store, at.run)) + repr(services.load_run(store, at.run))
            told += rendering.result(services.run_result(store, at.run)) + repr(services.list_endpoints())
            services.export_rows(store, [at.run], formats=("sft", "kto", "dpo", "openai"), out=tmp_path / "rows")
            services.bundle_run(store, at.run, tmp_path / "run.zip")
    assert any(CANARY in headers["authorization"] for headers in server.endpoint.headers), "it was used"
    assert CANARY not in told
    for path in (each for each in tmp_path.rglob("*") if each.is_file()):
        assert CANARY.encode() not in path.read_bytes(), path


def _launched(at: Place) -> str:
    """Every process argument seen while it ran, and the run's error."""
    with services.open_store(at.store) as store:
        services.launch_run(store, at.run)
        seen = set()
        deadline = time.monotonic() + 150
        while services.load_run(store, at.run).state in ("queued", "running") and time.monotonic() < deadline:
            seen |= {path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if _ours(path)}
            time.sleep(0.05)
        assert any(at.run.encode() in words for words in seen), "the child was seen"
        return repr(seen) + repr(services.run_result(store, at.run))


def _ours(cmdline: Path) -> bool:
    try:
        return b"josh" in cmdline.read_bytes() or b"app" in cmdline.read_bytes()
    except OSError:
        return False


def _on_the_command_line(at: Place, folder: Path) -> str:
    words = ["probe", "tiny", "--json", "--store", str(at.store)]
    done = subprocess.run(
        [sys.executable, "-m", "app", *words], cwd=ROOT, capture_output=True, text=True, env=os.environ, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["endpoint"].startswith("tiny@")
    return done.stdout + done.stderr


def test_what_a_run_records_of_an_endpoint_is_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    describe(tmp_path, "http://127.0.0.1:9/v1", monkeypatch)
    request = services.RunRequest(
        world=CONFIG.world, split="all", agent="react", user="goal", model="tiny", user_model="tiny"
    )
    config: RunConfig = services.build_config(request, tmp_path)
    assert config.endpoints == {"tiny": "tiny@http://127.0.0.1:9/v1"}
