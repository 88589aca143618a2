"""ToolWOZ searched by a ReACT agent whose model writes text: goals reached, slips typed, rows consistent and equal to
what was asked, and TRL trains on them."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
from tiny_model import save_tiny_model

from app import services
from josh_engine.agents.commands import ApiCall, Malformed, Speak, parse
from josh_engine.config import RunConfig, RunLimits
from josh_engine.extract import RowPolicy

WORLD = "toolwoz-generated"
SCENARIOS = 40


def played(folder: Path, *, concurrency: int = 16, policy: RowPolicy | None = None):
    """The run's result, its calls by fault, and its files."""
    with services.open_store(folder / "josh.db") as store:
        ids = services.scenario_ids(WORLD, "train", folder)[:SCENARIOS]
        config = RunConfig(WORLD, "train", ids, agent="react", model="react_rules:agent_model", seed=4)
        run = services.create_run(store, config, limits=RunLimits(concurrency=concurrency))
        result = services.run_here(store, run.id)
        trees = [services.open_rollout(store, each.id).tree for each in services.list_rollouts(store, run.id)]
        faults = Counter(call.fault for tree in trees for node in tree.nodes.values() for call in node.turn.calls)
        _, files = services.export_files(store, [run.id], formats=("sft", "kto", "dpo"), policy=policy)
    return result, faults, files


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return played(tmp_path_factory.mktemp("react"), policy=RowPolicy(filtered=False))


def test_with_a_model_on_either_side_the_user_tells_its_brief_and_hangs_up_and_a_rerun_gives_the_same_rows(tmp_path):
    """Siblings put the user in the very same place: equal questions at temperature 0 are asked for once."""
    played_rows = []
    for place in ("whole", "again"):
        with services.open_store(tmp_path / place / "josh.db") as store:
            ids = services.scenario_ids(WORLD, "train", tmp_path)[:6]
            config = RunConfig(
                WORLD, "train", ids, agent="react", user="goal", model="react_rules:agent_model",
                user_model="react_rules:user_model",
            )  # fmt: skip
            run = services.create_run(store, config)
            assert services.run_here(store, run.id).failed == 0
            trees = [services.open_rollout(store, each.id).tree for each in services.list_rollouts(store, run.id)]
            users = [node.turn for tree in trees for node in tree.nodes.values() if node.turn.speaker == "user"]
            _, files = services.export_files(store, [run.id], formats=("kto",), policy=RowPolicy(filtered=False))
            played_rows.append(files["kto.jsonl"])
    assert any(turn.stop == "ended" and turn.reply == "Thanks, that is all. Goodbye!" for turn in users)
    assert not any("CUSTOMER" in (turn.reply or "") or "END_CONVERSATION" in (turn.reply or "") for turn in users)
    assert sum(turn.usage.calls for turn in users) < len(users)
    assert sum(len(tree.won) for tree in trees) > 3
    assert played_rows[0] == played_rows[1] != b""


def lines(files: dict[str, bytes], name: str) -> list[dict]:
    return [json.loads(line) for line in files[name].splitlines()]


def test_the_search_reaches_goals_and_types_every_slip(run):
    result, faults, _ = run
    assert (result.state, result.failed) == ("done", 0)
    assert result.average_reward > 0.3
    assert {None, "format", "unknown_tool"} <= faults.keys()


def test_rows_are_text_with_the_tools_in_the_prompt(run):
    for name in ("sft.jsonl", "kto.jsonl", "dpo.jsonl"):
        for line in lines(run[2], name):
            assert "tools" not in line
            assert line["prompt"][0]["role"] == "system" and '"search_train"' in line["prompt"][0]["content"]
            assert {message["role"] for message in line["prompt"]} <= {"system", "user", "assistant"}
            assert not any("tool_calls" in message for message in line["prompt"])


def test_roles_alternate_as_chat_templates_want_them(run):
    for line in lines(run[2], "kto.jsonl"):
        roles = [message["role"] for message in [*line["prompt"], *line["completion"]]]
        assert roles == ["system", *(["user", "assistant"] * (len(roles) // 2))]


def test_no_text_stands_under_both_labels_in_the_same_context(run):
    labels = defaultdict(set)
    for line in lines(run[2], "kto.jsonl"):
        labels[json.dumps([line["prompt"], line["completion"]])].add(line["label"])
    assert {label for found in labels.values() for label in found} == {True, False} and len(labels) > 200
    assert all(len(found) == 1 for found in labels.values())


def test_every_generation_in_a_row_is_read_back_as_it_was_played(run):
    """An APICALL is followed by its return, a SPEAK by the user, and a malformed one by what was wrong."""
    kinds = set()
    for line in lines(run[2], "sft.jsonl"):
        said = line["prompt"]
        for message, after in pairwise(said[2:]):
            if message["role"] != "assistant":
                continue
            command = parse(message["content"], planned=True)
            kinds.add(type(command))
            returned = after["content"].startswith("APIRETURN ")
            assert returned == isinstance(command, ApiCall | Malformed)
            if isinstance(command, Malformed):
                assert command.reason in json.loads(after["content"].removeprefix("APIRETURN "))["reason"]
    assert kinds == {ApiCall, Malformed, Speak}


def test_the_filter_keeps_no_malformed_generation(tmp_path):
    _, _, files = played(tmp_path)
    completions = [line["completion"][0]["content"] for line in lines(files, "sft.jsonl")]
    assert completions
    assert not any(isinstance(parse(content, planned=True), Malformed) for content in completions)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_trl_trains_on_react_rows(run, tmp_path):
    import trl
    from test_trl import _plain, arguments, load
    from transformers import AutoTokenizer

    os.environ["HF_HUB_OFFLINE"] = "1"
    for name in ("sft", "kto", "dpo"):
        (tmp_path / f"{name}.jsonl").write_bytes(run[2][f"{name}.jsonl"])
        assert [_plain(each) for each in load(tmp_path, name)] == lines(run[2], f"{name}.jsonl")
    save_tiny_model(tmp_path / "model", [line.decode() for line in run[2]["sft.jsonl"].splitlines()[:200]])
    for method in ("SFT", "KTO"):
        trainer = getattr(trl, f"{method}Trainer")(
            model=str(tmp_path / "model"),
            args=arguments(tmp_path, getattr(trl, f"{method}Config")),
            train_dataset=load(tmp_path, method.lower()).select(range(64)),
            processing_class=AutoTokenizer.from_pretrained(tmp_path / "model"),
        )
        assert trainer.train().global_step == 1
