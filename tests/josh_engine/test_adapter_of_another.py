"""An adapter that is of another model, or is none at all, is refused wherever it would be put on: never played as its
base in silence. Small models, adapters as peft saves them; nothing is trained."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_model import save_tiny_model

from josh_engine.errors import ConfigError, DatasetError
from josh_engine.models.local.adapter import MANIFEST, base_identity, check_adapter, check_base, unknown_base
from josh_engine.models.local.hashes import folder_hash, hash_before_templates
from josh_engine.models.local.loading import put_on
from josh_engine.models.local_chat import open_local
from josh_engine.training.merge import merge

WORDS = ["Please book it.", "Of course.", "What?"] * 20
Weights = dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A base and its adapter, with a manifest as a job writes it."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    place = tmp_path_factory.mktemp("made")
    base = save_tiny_model(place / "base", WORDS)
    model = AutoModelForCausalLM.from_pretrained(base)
    lora = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
    get_peft_model(model, lora).save_pretrained(place / "job" / "adapter")
    (place / "job" / MANIFEST).write_text(json.dumps({"model": str(base), **base_identity(base)}))
    return place


@pytest.fixture
def base(made, tmp_path) -> Path:
    return Path(shutil.copytree(made / "base", tmp_path / "base"))


@pytest.fixture
def adapter(made, tmp_path) -> Path:
    return Path(shutil.copytree(made / "job", tmp_path / "job")) / "adapter"


@pytest.fixture
def stranger(adapter, tmp_path) -> Path:
    """The same without a manifest, as of somebody else."""
    return Path(shutil.copytree(adapter, tmp_path / "elsewhere" / "lora"))


def rewritten(adapter: Path, change: Callable[[Weights], Weights]) -> Path:
    from safetensors.torch import load_file, save_file

    file = adapter / "adapter_model.safetensors"
    save_file({name: each.contiguous() for name, each in change(load_file(file)).items()}, file)
    return adapter


def configured(adapter: Path, **changes: Any) -> Path:
    file = adapter / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    return adapter


def test_an_adapter_on_its_base_is_let_through_wherever_both_lie_now(base, adapter, tmp_path):
    assert check_adapter(adapter, base) and not unknown_base(adapter)
    assert check_adapter(adapter, Path(shutil.copytree(base, tmp_path / "moved")))
    shutil.copy(adapter.parent / MANIFEST, adapter / MANIFEST)
    assert check_adapter(Path(shutil.move(adapter, tmp_path / "far")), base), "its own manifest went with it"


def test_one_without_a_manifest_is_checked_by_names_alone_and_that_is_said(base, stranger):
    assert not check_adapter(stranger, base)
    assert "does not tell which base" in unknown_base(stranger)


@pytest.mark.parametrize(
    "kind",
    [
        {"target_modules": ["lm_head", "q_proj"]},
        {"target_modules": ["q_proj"], "use_dora": True},
        {"target_modules": ["q_proj"], "lora_bias": True},
        {"target_modules": r".*\.layers\.0\..*q_proj"},
        {"target_modules": ["q_proj"], "trainable_token_indices": [1, 2]},
        {"target_modules": "all-linear", "modules_to_save": ["lm_head"]},
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_whatever_peft_saves_of_a_base_is_let_through_on_it(base, tmp_path, kind):
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base)
    get_peft_model(model, LoraConfig(r=4, task_type="CAUSAL_LM", **kind)).save_pretrained(tmp_path / "lora")
    assert not check_adapter(tmp_path / "lora", base)
    assert put_on(AutoModelForCausalLM.from_pretrained(base), tmp_path / "lora")


RENAMED: dict[str, Callable[[str], str]] = {
    "another attention's": lambda name: name.replace("self_attn", "attention"),
    "another list of layers": lambda name: name.replace("layers.", "blocks."),
    "without peft's wrapping": lambda name: name.removeprefix("base_model.model."),
    "with the adapter's own name": lambda name: name.replace("lora_A.", "lora_A.default.").replace("B.", "B.mine."),
    "one only": lambda name: name.replace("layers.1.mlp.up_proj.lora_A", "layers.1.mlp.up.lora_A"),
    "of a layer that is not there": lambda name: name.replace("layers.1.", "layers.7."),
}


@pytest.mark.parametrize("how", RENAMED)
def test_renamed_weights_are_refused_with_both_sides_names(base, stranger, how):
    rewritten(stranger, lambda weights: {RENAMED[how](name): each for name, each in weights.items()})
    with pytest.raises(
        ConfigError, match=r"of the 28 weights of .* fit nothing .*: it holds .*, but the model has"
    ) as told:
        check_adapter(stranger, base)
    assert "lora_" in told.value.message and "_proj" in told.value.message.rpartition("the model has")[2]


LOST: dict[str, Callable[[str], bool]] = {
    "the second layer": lambda name: "layers.1." in name,
    "all second halves": lambda name: "lora_B" in name,
    "one projection": lambda name: "down_proj" in name,
    "one weight": lambda name: name.endswith("layers.0.self_attn.q_proj.lora_A.weight"),
}


@pytest.mark.parametrize("what", LOST)
def test_half_of_the_weights_are_refused_with_what_is_missing(base, stranger, what):
    rewritten(stranger, lambda weights: {name: each for name, each in weights.items() if not LOST[what](name)})
    with pytest.raises(ConfigError, match=r"lacks \d+ that the model needs: it holds .*lora_.*, but not .*lora_"):
        check_adapter(stranger, base)


def test_no_weights_at_all_are_refused(base, stranger):
    rewritten(stranger, lambda weights: {})
    with pytest.raises(ConfigError, match="it holds nothing, but the model has"):
        check_adapter(stranger, base)


def test_an_adapter_of_a_wider_model_of_the_same_names_is_refused(stranger, tmp_path):
    wider = save_tiny_model(tmp_path / "wider", WORDS, width=64)
    with pytest.raises(ConfigError, match=r"is for matrices of width \d+, but the model's are \d+ by \d+"):
        check_adapter(stranger, wider)


def test_two_adapters_files_in_one_folder_are_refused(base, stranger):
    with pytest.raises(ConfigError, match=r"has rank 4, but its adapter_config\.json says 16"):
        check_adapter(configured(stranger, r=16), base)
    assert not check_adapter(configured(stranger, r=16, rank_pattern={"proj": 4}), base), "ranks may differ by a rule"


def test_what_a_configuration_leaves_out_need_not_be_there(base, stranger):
    first = configured(stranger, layers_to_transform=[0], exclude_modules=["down_proj"])
    rewritten(first, lambda told: {n: e for n, e in told.items() if "layers.0." in n and "down_proj" not in n})
    assert not check_adapter(first, base)
    with pytest.raises(ConfigError, match=r"but not .*down_proj"):
        check_adapter(configured(first, exclude_modules=None), base)
    with pytest.raises(ConfigError, match=r"but not .*down_proj"):
        check_adapter(configured(first, target_modules=r".*\.layers\.0\..*_proj", layers_to_transform=None), base)


@pytest.mark.parametrize("wrong", [{"target_modules": "("}, {"exclude_modules": 5}, {"layers_to_transform": "all"}])
def test_a_configuration_that_says_nothing_sensible_is_peft_s_to_refuse(base, stranger, wrong):
    assert not check_adapter(configured(stranger, **wrong), base)


def test_weights_of_a_model_that_lies_within_a_larger_one_are_found_by_their_place(base, stranger):
    """A model's own names differ between versions in what stands before its list of layers."""
    rewritten(
        stranger, lambda told: {n.replace("model.layers", "language_model.model.layers"): e for n, e in told.items()}
    )
    assert not check_adapter(stranger, base)


@pytest.mark.parametrize("missing", ["adapter_model.safetensors", "adapter_config.json"])
def test_half_an_adapters_files_are_no_adapter(base, stranger, missing):
    (stranger / missing).unlink()
    with pytest.raises(ConfigError, match=f"has no {re.escape(missing)}"):
        check_adapter(stranger, base)


def other_weights(base: Path) -> None:
    rewritten_model = base / "model.safetensors"
    content = bytearray(rewritten_model.read_bytes())
    content[-1] ^= 1
    rewritten_model.write_bytes(content)


def other_template(base: Path) -> None:
    (base / "chat_template.jinja").write_text((base / "chat_template.jinja").read_text() + " ")


def template_in_the_tokenizer(base: Path) -> None:
    file = base / "tokenizer_config.json"
    (base / "chat_template.jinja").unlink()
    file.write_text(json.dumps({**json.loads(file.read_text()), "chat_template": "{{ messages[-1].content }}"}))


def another_template_beside_it(base: Path) -> None:
    (base / "additional_chat_templates").mkdir()
    (base / "additional_chat_templates" / "tool_use.jinja").write_text("{{ tools }}")


@pytest.mark.parametrize(
    "change", [other_weights, other_template, template_in_the_tokenizer, another_template_beside_it]
)
def test_another_base_is_refused_with_both_hashes(base, adapter, change):
    before = folder_hash(base)
    change(base)
    with pytest.raises(ConfigError) as told:
        check_adapter(adapter, base)
    assert before in str(told.value) and folder_hash(base) in str(told.value)
    assert ("its chat template is" in str(told.value)) is (change is not other_weights)


def test_a_template_that_is_added_later_is_another_one(base, adapter):
    """An older template stood in the tokenizer's file; one beside it is read first, whatever that says."""
    template_in_the_tokenizer(base)
    (adapter.parent / MANIFEST).write_text(json.dumps(base_identity(base)))
    assert check_adapter(adapter, base)
    (base / "chat_template.jinja").write_text("{{ messages }}")
    with pytest.raises(ConfigError, match="its chat template is"):
        check_adapter(adapter, base)


def test_a_manifest_of_before_templates_counted_still_names_its_base(base):
    older = {"model_sha256": hash_before_templates(base)}
    check_base(older, base, "It was")
    other_template(base)
    check_base(older, base, "It was")
    other_weights(base)
    with pytest.raises(ConfigError, match="It was: sha256"):
        check_base(older, base, "It was")


def test_a_damaged_manifest_is_told(base, adapter):
    (adapter.parent / MANIFEST).write_text("{")
    with pytest.raises(DatasetError, match=r"manifest\.json cannot be read"):
        check_adapter(adapter, base)


def test_playing_and_merging_ask_the_same_question(base, adapter, tmp_path):
    other_template(base)
    for used in (lambda: open_local(base, adapter), lambda: merge(base, adapter, tmp_path / "whole")):
        with pytest.raises(ConfigError, match="was trained on another base"):
            used()
    assert not (tmp_path / "whole").exists()


@pytest.mark.filterwarnings("ignore")
def test_the_model_itself_has_the_last_word(base, stranger, tmp_path):
    """Names that might be the model's, seen from outside, but are not: peft would make those weights up."""
    rewritten(
        stranger, lambda told: {n.replace("model.layers", "language_model.model.layers"): e for n, e in told.items()}
    )
    with pytest.raises(ConfigError, match="weights and lacks 28 that the model needs"):
        merge(base, stranger, tmp_path / "whole")


def test_a_large_folder_is_hashed_once_also_by_another_process(tmp_path, monkeypatch):
    from josh_engine.models.local import hashes

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(hashes, "KEPT_FROM", 10)
    monkeypatch.setattr(hashes, "SETTLED", -60.0)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"x" * 100)
    first = folder_hash(folder)
    monkeypatch.setattr(hashes, "_known", {})
    monkeypatch.setattr(hashes.hashlib, "sha256", lambda: pytest.fail("hashed again"))
    assert folder_hash(folder) == first
    monkeypatch.undo()
    (folder / "model.safetensors").write_bytes(b"y" * 100)
    assert folder_hash(folder) != first
