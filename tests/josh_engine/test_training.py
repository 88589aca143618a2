"""Training jobs on a random model of 100 thousand parameters: they learn, stop and go on, and refuse what is wrong."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace

import pytest
from tiny_model import save_tiny_model

from josh_engine.errors import ConfigError, DatasetError, TrainingError
from josh_engine.models.local.adapter import base_identity
from josh_engine.training import preflight
from josh_engine.training.config import TrainConfig, preset
from josh_engine.training.job import check_export, packed_rows, train
from josh_engine.training.lora import open_trained, window_of
from josh_engine.training.losses import kto_losses
from josh_engine.training.packing import Packed, Span
from josh_engine.training.rendering import renderer

GOOD, BAD = "Of course, I will book it.", "No idea what you mean!"
SFT = TrainConfig(epochs=8, sequences_per_step=4, learning_rate=5e-3, bfloat16=False, checkpoint_steps=3)
KTO = replace(preset("tiny", "kto_packed"), epochs=4, sequences_per_step=8, learning_rate=2e-3, bfloat16=False)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("model"), [GOOD, BAD, "Please book hotel number 5."] * 20)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    told = []
    for number in range(12):
        asked = [{"role": "user", "content": f"Please book hotel number {number}."}]
        for words, label in ((GOOD, True), (BAD, False)):
            told.append({"prompt": asked, "completion": [{"role": "assistant", "content": words}], "label": label})
    (folder / "kto.jsonl").write_text("".join(json.dumps(each) + "\n" for each in told))
    return folder / "kto.jsonl"


def run(model, rows, out, config, stop_at=None):
    points = []

    def report(point):
        points.append(point)
        if point.step == stop_at:
            raise KeyboardInterrupt

    return points, train(model, rows, out, config, report)


def test_supervised_training_learns_the_good_rows_only(model, rows, tmp_path):
    points, made = run(model, rows, tmp_path, SFT)
    assert points[-1].loss < 0.92 * points[0].loss
    assert (made.good, made.bad, made.sequences, made.steps) == (12, 0, 12, 24)
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()
    logged = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [each["loss"] for each in logged] == [point.loss for point in points]


def test_kto_starts_at_the_reference_and_drives_good_and_bad_apart(model, rows, tmp_path):
    points, made = run(model, rows, tmp_path, KTO)
    assert (made.good, made.bad) == (12, 12)
    first, last = points[0].metrics, points[-1].metrics
    assert first["log_ratio_good"] == pytest.approx(0, abs=1e-4)
    assert last["log_ratio_good"] > 0.5 > -0.5 > last["log_ratio_bad"] and last["margin"] > 0.5


def test_a_stopped_job_goes_on_to_the_very_same_adapter(model, rows, tmp_path):
    for config in (SFT, KTO):
        whole, parts = tmp_path / f"{config.trainer}-whole", tmp_path / f"{config.trainer}-parts"
        points, _ = run(model, rows, whole, config)
        with pytest.raises(KeyboardInterrupt):
            run(model, rows, parts, config, stop_at=5)
        again, made = run(model, rows, parts, config)
        assert again[0].step == 6 and again[-1].loss == points[-1].loss == made.loss
        name = "adapter/adapter_model.safetensors"
        assert (whole / name).read_bytes() == (parts / name).read_bytes()


def test_a_job_that_is_done_is_given_back_and_another_one_in_its_folder_is_refused(model, rows, tmp_path):
    _, made = run(model, rows, tmp_path, SFT)
    points, again = run(model, rows, tmp_path, SFT)
    assert points == [] and again == made
    with pytest.raises(ConfigError, match="another config"):
        run(model, rows, tmp_path, replace(SFT, learning_rate=1e-4))


def test_the_manifest_says_what_made_the_adapter(model, rows, tmp_path):
    run(model, rows, tmp_path, SFT)
    told = json.loads((tmp_path / "manifest.json").read_text())
    assert told["rows_sha256"] == hashlib.sha256(rows.read_bytes()).hexdigest()
    assert len(told["model_sha256"]) == 64 and told["config"]["learning_rate"] == 5e-3
    assert told["ended"]["steps"] == 24 and {"torch", "peft"} <= told["versions"].keys()


def test_a_changed_byte_in_the_rows_is_refused_with_both_hashes(model, rows, tmp_path):
    copied = tmp_path / "kto.jsonl"
    copied.write_bytes(rows.read_bytes())
    sha = hashlib.sha256(rows.read_bytes()).hexdigest()
    (tmp_path / "manifest.json").write_text(json.dumps({"files": {"kto.jsonl": {"sha256": sha}}}))
    check_export(copied)
    copied.write_bytes(rows.read_bytes().replace(b"book", b"look", 1))
    with pytest.raises(DatasetError) as caught:
        run(model, copied, tmp_path / "out", SFT)
    assert sha in caught.value.message and hashlib.sha256(copied.read_bytes()).hexdigest() in caught.value.message


def test_kto_without_bad_rows_is_refused(model, rows, tmp_path):
    (tmp_path / "sft.jsonl").write_text("".join(rows.read_text().splitlines(keepends=True)[::2]))
    with pytest.raises(ConfigError, match="good and bad rows"):
        run(model, tmp_path / "sft.jsonl", tmp_path / "out", KTO)


def test_a_loss_that_is_no_number_names_the_step_and_the_last_good_checkpoint(model, rows, tmp_path):
    with pytest.raises(TrainingError, match="loss of step") as caught:
        run(model, rows, tmp_path, replace(SFT, learning_rate=1e30, warmup=0.0, schedule="constant", epochs=9))
    assert "checkpoint" in caught.value.message


def test_training_that_pushes_the_good_down_is_stopped(model, rows, tmp_path):
    """A guard that is set above where training stands must fire at once."""
    with pytest.raises(TrainingError, match="unlearns") as caught:
        run(model, rows, tmp_path, replace(KTO, collapse_below=0.5))
    assert "undesirable_weight" in caught.value.remedy


def test_the_adapter_carries_what_it_is_for(model, rows, tmp_path):
    run(model, rows, tmp_path, replace(SFT, max_steps=1))
    told = json.loads((tmp_path / "adapter" / "manifest.json").read_text())
    assert told["model_sha256"] == base_identity(model)["model_sha256"] and told["ended"]["steps"] == 1
    assert told["origin"] == "24 of 24 rows do not tell whose they are."
    assert told["precision"] == {"bfloat16": False, "why": told["precision"]["why"]}


def test_a_job_does_not_go_on_with_another_base_or_template(model, rows, tmp_path):
    config, own = replace(SFT, max_steps=4), shutil.copytree(model, tmp_path / "model")
    with pytest.raises(KeyboardInterrupt):
        run(own, rows, tmp_path / "job", config, stop_at=2)
    (own / "chat_template.jinja").write_text((own / "chat_template.jinja").read_text() + " ")
    with pytest.raises(ConfigError, match=r"holds a job with another base: sha256 .* .its chat template is"):
        run(own, rows, tmp_path / "job", config)


def test_rows_longer_than_the_model_s_window_are_left_out_and_counted(model, rows, tmp_path):
    own = shutil.copytree(model, tmp_path / "model")
    config = json.loads((own / "config.json").read_text())
    lengths = sorted(len(each.tokens) for each in packed(own, rows).sequences)
    (own / "config.json").write_text(json.dumps({**config, "max_position_embeddings": lengths[0]}))
    assert packed(own, rows).too_long == sum(length > lengths[0] for length in lengths) > 0
    (own / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 4}))
    with pytest.raises(TrainingError, match=r"longer than 4 tokens.*a model with a longer window"):
        packed(own, rows)


def packed(model, rows):
    opened, tokenizer = open_trained(model, SFT)
    return packed_rows(rows, renderer(tokenizer), SFT, window_of(opened, tokenizer))


def test_a_slow_model_is_tried_on_few_tokens_and_a_fast_one_on_all(monkeypatch):
    long = [Packed(tuple(range(3000)), (Span(2900, 2950, True, "a"), Span(2990, 3000, False, "b")))] * 6
    tried: list[int] = []

    def timed(seconds, few):
        assert all(0 < span.start < span.stop <= len(each.tokens) for each in few for span in each.spans)
        tried.append(sum(len(each.tokens) for each in few))
        return seconds * tried[-1]

    for seconds, most in ((0.05, 64), (0.005, 1024), (1e-5, 12_000)):
        tried.clear()
        monkeypatch.setattr(preflight, "_timed", lambda model, objective, few, each=seconds: timed(each, few))
        assert preflight._seconds_per_token(None, None, long) == pytest.approx(seconds)
        assert tried[-1] == most and sum(tried[1:]) * seconds < 2 * preflight.TRY_SECONDS


def test_kto_s_loss_by_hand():
    import torch

    sums, reference = torch.tensor([-3.0, -9.0]), torch.tensor([-4.0, -7.0])
    config = replace(KTO, beta=0.5, desirable_weight=1.0, undesirable_weight=0.5)
    found = kto_losses(sums, reference, torch.tensor([True, False]), config)
    sigmoid = torch.sigmoid(torch.tensor([0.5 * 1.0, 0.5 * 2.0]))
    assert found.tolist() == pytest.approx([1 - float(sigmoid[0]), 0.5 * (1 - float(sigmoid[1]))])
