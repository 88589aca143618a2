"""A local model as a ChatModel: a process of its own, its errors by name, its end with ours."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from chain_model import END, HOTEL, START, save_chain_model

from josh_engine.errors import BadResponse, ConfigError, ContextOverflow, DatasetError, JoshError, ModelUnavailable
from josh_engine.models.local_chat import LocalChat, open_local
from josh_engine.values import Completion, Message, Sampling, Tool, ToolCall

ROOT = Path(__file__).parents[2]
TOOLS = (Tool("find_hotel", "Finds a hotel.", {"type": "object", "properties": {"area": {"type": "string"}}}),)
HELLO = (Message("system", "Use the tools."), Message("user", "hello"))

SEARCH = """
import sys
from pathlib import Path
from josh_engine.agents.function_calling import FunctionCallingAgent
from josh_engine.models.local_chat import open_local
from josh_engine.play import play
from josh_engine.users.scripted import ScriptedUser
from josh_engine.values import Goal

goals = [Goal("hotel", "find_hotel", {"area": "north"}), Goal("train", "find_train", {"day": "monday"})]
user = ScriptedUser(["A hotel in the north.", "And a train on monday.", "Anything."], patient=True)
found = play(goals, FunctionCallingAgent(), user, model=open_local(Path(sys.argv[1])), seed=6)
heavy = [name for name in ("torch", "transformers") if name in sys.modules]
print(found.reward, len(found.rows("kto")), len(found.tree.nodes), heavy)
"""


def test_a_search_plays_on_a_local_model_and_torch_stays_in_its_own_process(tmp_path):
    save_chain_model(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", SEARCH, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=170
    )
    assert done.returncode == 0, done.stderr
    reward, rows, nodes, heavy = done.stdout.split(maxsplit=3)
    assert float(reward) == 1.0
    assert int(rows) >= 4 and int(nodes) >= 9
    assert heavy.strip() == "[]"


slow = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return save_chain_model(tmp_path_factory.mktemp("chain"))


@pytest.fixture(scope="module")
def chat(folder):
    opened = open_local(folder)
    yield opened
    opened.workers[0].close()


@pytest.fixture
def mortal(folder):
    """One whose process the test may end."""
    opened = open_local(folder)
    yield opened
    opened.workers[0].close()


def ask(chat: LocalChat, seed: int = 0, *, tools=TOOLS, messages=HELLO, **sampling) -> Completion:
    return asyncio.run(chat.complete(messages, tools, Sampling(**sampling), seed))


async def ask_many(chat: LocalChat, seeds: range) -> list[Completion]:
    return await asyncio.gather(*(chat.complete(HELLO, TOOLS, Sampling(1.0), seed) for seed in seeds))


def until(true: Callable[[], bool], seconds: float = 120.0) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.02)


class TestAnswers:
    pytestmark = slow

    def test_calls_come_back_with_the_text_of_their_arguments(self, chat):
        answers = asyncio.run(ask_many(chat, range(60)))
        calls = {(call.name, call.raw) for answer in answers for call in answer.tool_calls}
        assert {("find_hotel", '{"area": "north"}'), ("find_train", '{"day": "monday"}')} <= calls
        said = {answer.content for answer in answers if not answer.tool_calls}
        assert said == {"Anything else?", "One moment."}
        assert {answer.finish for answer in answers} == {"tool_calls", "stop"}

    def test_a_tokenizers_own_response_template_reads_the_same(self, chat, tmp_path):
        own = open_local(save_chain_model(tmp_path, response_template=True))
        try:
            assert asyncio.run(ask_many(own, range(60))) == asyncio.run(ask_many(chat, range(60)))
        finally:
            own.workers[0].close()

    def test_without_tools_a_text_is_a_text(self, chat):
        answers = [ask(chat, seed, tools=(), temperature=1.0) for seed in range(12)]
        assert not any(answer.tool_calls for answer in answers)
        assert any(answer.content.startswith("<tool_call>") for answer in answers)

    def test_equal_seeds_answer_alike_in_any_company_and_loop(self, chat):
        together = asyncio.run(ask_many(chat, range(20)))
        assert [ask(chat, seed, temperature=1.0) for seed in range(20)] == together
        assert len({answer.content + str(answer.tool_calls) for answer in together}) > 2

    def test_a_whole_conversation_with_results_is_taken(self, chat):
        call = ToolCall("call_1", "find_hotel", {"area": "north"}, '{"area": "north"}')
        malformed = ToolCall("call_2", "find_hotel", {}, '{"area": ')
        messages = (
            *HELLO,
            Message("assistant", "", (call, malformed)),
            Message("tool", '[{"name": "Alpha"}]', tool_call_id="call_1"),
            Message("tool", "no JSON", tool_call_id="call_2"),
            Message("user", "and \ud83d half a character"),
        )
        answer = ask(chat, messages=messages, temperature=0.0)
        assert answer.tool_calls[0].raw == '{"area": "north"}'
        assert answer.usage.prompt_tokens > 100 and answer.usage.completion_tokens == 3

    def test_a_cap_on_tokens_is_kept_and_told(self, chat):
        answer = ask(chat, temperature=0.0, max_tokens=2)
        assert (answer.finish, answer.usage.completion_tokens) == ("length", 2)

    def test_a_conversation_longer_than_the_window_is_an_overflow_at_once(self, chat):
        with pytest.raises(ContextOverflow, match="window holds 8,192"):
            ask(chat, messages=(Message("user", "x" * 9000),))
        assert ask(chat, temperature=0.0).tool_calls

    def test_a_request_given_up_frees_its_row(self, chat, tmp_path):
        """A model that never ends is asked and left; the process is then idle again."""
        endless = open_local(save_chain_model(tmp_path, {START: {"la ": 1.0}, "la ": {"la ": 1.0}}))

        async def leave() -> Completion:
            asked = asyncio.create_task(endless.complete(HELLO, (), Sampling(1.0, max_tokens=7000), 0))
            await endless.ready()
            await asyncio.sleep(0.3)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            return await endless.complete(HELLO, (), Sampling(1.0, max_tokens=3), 0)

        try:
            assert asyncio.run(leave()).content == "la la la"
            before = cpu_seconds(endless)
            time.sleep(1.0)
            assert cpu_seconds(endless) - before < 0.3
        finally:
            endless.workers[0].close()


def cpu_seconds(chat: LocalChat) -> float:
    fields = Path(f"/proc/{chat.workers[0].pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class TestProcess:
    pytestmark = slow

    def test_a_death_fails_what_was_in_flight_and_the_next_call_starts_it_again(self, mortal):
        asyncio.run(mortal.ready())

        async def killed() -> list[object]:
            asked = [asyncio.create_task(mortal.complete(HELLO, (), Sampling(1.0), seed)) for seed in range(5)]
            await asyncio.sleep(0)
            os.kill(mortal.workers[0].pid or 0, signal.SIGKILL)
            return list(await asyncio.gather(*asked, return_exceptions=True))

        ended = [each for each in asyncio.run(killed()) if isinstance(each, ModelUnavailable)]
        assert ended and all(each.retry and "SIGKILL" in each.message for each in ended)
        until(lambda: mortal.workers[0].pid is None)
        assert ask(mortal, temperature=0.0).tool_calls

    def test_one_that_dies_again_and_again_is_not_started_for_ever(self, mortal):
        for _ in range(3):
            asyncio.run(mortal.ready())
            os.kill(mortal.workers[0].pid or 0, signal.SIGKILL)
            until(lambda: mortal.workers[0].pid is None)
        with pytest.raises(ModelUnavailable, match="died 3 times in a row") as stopped:
            ask(mortal)
        assert stopped.value.final and not stopped.value.retry

    def test_closing_ends_the_process(self, mortal):
        asyncio.run(mortal.ready())
        pid = mortal.workers[0].pid
        asyncio.run(mortal.close())
        assert not Path(f"/proc/{pid}").exists()

    def test_it_does_not_outlive_whoever_started_it(self, folder):
        code = (
            "import asyncio, sys, os; from josh_engine.models.local_chat import open_local\n"
            "chat = open_local(sys.argv[1]); asyncio.run(chat.ready())\n"
            "print(chat.workers[0].pid, flush=True); os.kill(os.getpid(), 9)"
        )
        done = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, capture_output=True, text=True)
        pid = int(done.stdout)
        until(lambda: not Path(f"/proc/{pid}").exists() or "State:\tZ" in Path(f"/proc/{pid}/status").read_text())

    def test_it_gets_no_secrets(self, folder, monkeypatch):
        monkeypatch.setenv("SOME_API_KEY", "canary-1234")
        chat = open_local(folder)
        asyncio.run(chat.ready())
        place = Path(f"/proc/{chat.workers[0].pid}")
        assert b"canary" not in (place / "environ").read_bytes() + (place / "cmdline").read_bytes()
        chat.workers[0].close()


def test_a_conversation_stays_with_its_process_and_many_conversations_use_all(folder):
    chat = open_local(folder, processes=2)

    def asked(text: str) -> set[int | None]:
        before = [worker.numbers for worker in chat.workers]
        asyncio.run(chat.complete([Message("system", "Be kind."), Message("user", text)], sampling=Sampling(0.0)))
        return {place for place, worker in enumerate(chat.workers) if worker.numbers != before[place]}

    try:
        assert asked("hello") == asked("hello")
        assert set.union(*(asked(f"hello {number}") for number in range(8))) == {0, 1}
        assert len({worker.pid for worker in chat.workers} - {None}) == 2
    finally:
        asyncio.run(chat.close())
    assert {worker.pid for worker in chat.workers} == {None}


def test_no_process_at_all_cannot_play(folder):
    with pytest.raises(ConfigError, match="processes is 0"):
        open_local(folder, processes=0)


def test_another_models_tokenizer_is_refused(folder, tmp_path):
    from transformers import AutoTokenizer

    place = copy_of(folder, tmp_path / "other")
    tokenizer = AutoTokenizer.from_pretrained(place)
    tokenizer.add_tokens([f"strange{number}" for number in range(5_000)])
    tokenizer.save_pretrained(place)
    assert "belongs to another model" in str(refusal(place))


def copy_of(folder: Path, place: Path) -> Path:
    shutil.copytree(folder, place, dirs_exist_ok=True)
    return place


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def refusal(folder: Path, adapter: Path | None = None) -> JoshError:
    """What a question to this model raises; and a second one, without another start."""
    chat = open_local(folder, adapter)
    with pytest.raises(JoshError) as first:
        ask(chat)
    until(lambda: chat.workers[0].pid is None)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(type(first.value)):
        patch.setattr("subprocess.Popen", lambda *given, **named: pytest.fail("a process was started again"))
        ask(chat)
    return first.value


class TestRefusals:
    pytestmark = slow

    def test_a_model_type_nobody_knows(self, folder, tmp_path):
        edit(copy_of(folder, tmp_path) / "config.json", model_type="unheard_of")
        error = refusal(tmp_path)
        assert isinstance(error, ConfigError) and "unheard_of" in error.message

    def test_layers_that_keep_more_than_keys_and_values(self, folder, tmp_path):
        edit(copy_of(folder, tmp_path) / "config.json", layer_types=["linear_attention"])
        error = refusal(tmp_path)
        assert isinstance(error, ConfigError) and "vLLM" in error.remedy

    def test_weights_of_another_shape(self, folder, tmp_path):
        edit(copy_of(folder, tmp_path) / "config.json", num_hidden_layers=2)
        error = refusal(tmp_path)
        assert isinstance(error, DatasetError) and "lacks weights" in error.message

    def test_a_tokenizer_without_a_chat_template(self, folder, tmp_path):
        copy_of(folder, tmp_path)
        (tmp_path / "chat_template.jinja").unlink()
        error = refusal(tmp_path)
        assert isinstance(error, ConfigError) and "chat template" in error.message

    def test_weights_that_are_not_numbers(self, folder, tmp_path):
        from safetensors.torch import load_file, save_file

        path = copy_of(folder, tmp_path) / "model.safetensors"
        weights = load_file(path)
        weights["lm_head.weight"].fill_(float("nan"))
        save_file(weights, path, {"format": "pt"})
        assert isinstance(refusal(tmp_path), BadResponse)

    def test_a_template_that_refuses_fails_that_call_only(self, folder, tmp_path):
        template = (folder / "chat_template.jinja").read_text()
        strict = "{% if messages[-1].role == 'system' %}{{ raise_exception('no user yet') }}{% endif %}" + template
        (copy_of(folder, tmp_path) / "chat_template.jinja").write_text(strict)
        chat = open_local(tmp_path)
        with pytest.raises(BadResponse, match="no user yet"):
            ask(chat, messages=HELLO[:1])
        assert ask(chat, temperature=0.0).tool_calls
        chat.workers[0].close()


class TestAdapters:
    pytestmark = slow

    @pytest.fixture
    def adapter(self, folder, tmp_path) -> Path:
        """A LoRA that makes "Anything else?" the likeliest start."""
        import torch
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder)
        config = LoraConfig(r=1, lora_alpha=1, target_modules=["lm_head"], task_type="CAUSAL_LM")
        tuned = get_peft_model(AutoModelForCausalLM.from_pretrained(folder), config)
        layer = tuned.base_model.model.lm_head
        with torch.no_grad():
            layer.lora_A["default"].weight.zero_()
            layer.lora_B["default"].weight.zero_()
            layer.lora_A["default"].weight[0, tokenizer.convert_tokens_to_ids(START)] = 1.0
            layer.lora_B["default"].weight[tokenizer.convert_tokens_to_ids("Anything else?"), 0] = 1.0
        tuned.save_pretrained(tmp_path / "lora")
        return tmp_path / "lora"

    def test_an_adapter_changes_what_is_said(self, chat, folder, adapter):
        tuned = open_local(folder, adapter)
        try:
            assert ask(chat, temperature=0.0).tool_calls[0].name == "find_hotel"
            assert ask(tuned, temperature=0.0).content == "Anything else?"
        finally:
            tuned.workers[0].close()

    def test_an_adapter_of_another_model_is_refused(self, folder, adapter):
        edit(adapter / "adapter_config.json", target_modules=["no_such_layer"])
        error = refusal(folder, adapter)
        assert isinstance(error, ConfigError) and "cannot be loaded" in error.message


def test_the_fixtures_chain_is_what_the_tests_say():
    assert json.loads(HOTEL) == {"name": "find_hotel", "arguments": {"area": "north"}}
    assert END != START
