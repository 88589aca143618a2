"""A merged model says what base and adapter say together, and is refused a base that is not its own."""

from __future__ import annotations

import json

import pytest
from test_training import SFT, model, rows, run  # noqa: F401 - fixtures

from josh_engine.errors import ConfigError
from josh_engine.training.merge import merge


@pytest.fixture
def adapter(model, rows, tmp_path):  # noqa: F811
    run(model, rows, tmp_path / "job", SFT)
    return tmp_path / "job" / "adapter"


def test_it_says_what_base_and_adapter_say(model, adapter, tmp_path):  # noqa: F811
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    made = merge(model, adapter, tmp_path / "whole")
    base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    whole = AutoModelForCausalLM.from_pretrained(made.folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(made.folder)
    ids = torch.tensor([tokenizer("Please book hotel number 5.")["input_ids"]])
    with torch.no_grad():
        alone = base(ids).logits
        together, merged = PeftModel.from_pretrained(base, adapter)(ids).logits, whole(ids).logits
    assert torch.allclose(together, merged, atol=1e-4)
    assert not torch.allclose(alone, merged, atol=1e-2)
    assert tokenizer.chat_template


def test_another_base_is_refused_with_both_hashes(model, adapter, tmp_path):  # noqa: F811
    manifest = json.loads((adapter.parent / "manifest.json").read_text())
    right, manifest["model_sha256"] = manifest["model_sha256"], "0" * 64
    (adapter.parent / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ConfigError) as told:
        merge(model, adapter, tmp_path / "whole")
    assert "0" * 64 in str(told.value) and right in str(told.value)
    assert not (tmp_path / "whole").exists()


def test_a_folder_with_something_in_it_is_left_alone(model, adapter, tmp_path):  # noqa: F811
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole" / "mine").write_text("x")
    with pytest.raises(ConfigError, match="not empty"):
        merge(model, adapter, tmp_path / "whole")
    assert [each.name for each in (tmp_path / "whole").iterdir()] == ["mine"]
