"""Pretraining: it learns, a stop costs nothing, and what cannot be read is refused by name."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from embedded import checkpoints
from embedded.batches import BATCH_TOKENS, LENGTHS, batches
from embedded.pretraining import Schedule, Shape, pretrain, rate_factor
from josh_engine.errors import ConfigError, DatasetError

SMALL = Shape(width=32, layers=1, heads=1, inner=64)
BRIEF = Schedule(tokens=40_000, warmup_tokens=4_000, threads=1, checkpoint_seconds=1e9, block=70, texts=40)


def test_rates_warm_up_hold_and_fall_to_nothing():
    schedule = Schedule(tokens=1_000_000, warmup_tokens=100_000, falling=0.4)
    factors = [rate_factor(tokens, schedule) for tokens in (0, 50_000, 300_000, 600_000, 800_000, 1_000_000)]
    assert factors == pytest.approx([0.0, 0.5, 1.0, 1.0, 0.5, 0.0], abs=1e-4)


def test_batches_have_one_length_and_few_shapes(tmp_path):
    pretrain(tmp_path, SMALL, replace(BRIEF, tokens=1, block=50), lambda point: None)
    made = batches(0, tmp_path, size=50)
    assert {(row.length, len(batch)) for batch in made for row in batch} <= {
        (length, max(1, BATCH_TOKENS // length)) for length in LENGTHS
    }
    assert made == batches(0, tmp_path, size=50) != batches(1, tmp_path, size=50)


@pytest.mark.long(12)
def test_it_learns_and_a_stop_in_the_middle_changes_nothing(tmp_path):
    whole, stopped = [], []
    pretrain(tmp_path / "whole", SMALL, BRIEF, whole.append)
    assert whole[-1].held_out < 7.2 < 7.62  # ln 2048: what it knew at the start

    class Stop(Exception):
        pass

    def stop(point):
        stopped.append(point)
        raise Stop

    with pytest.raises(Stop):
        pretrain(tmp_path / "parts", SMALL, replace(BRIEF, reported=5), stop)
    again = pretrain(tmp_path / "parts", SMALL, BRIEF, stopped.append)
    assert 0 < stopped[0].steps < whole[-1].steps == stopped[-1].steps
    assert stopped[-1].held_out == whole[-1].held_out
    assert (again / "model.safetensors").read_bytes() == (tmp_path / "whole/model/model.safetensors").read_bytes()


def test_a_checkpoint_of_another_shape_and_a_damaged_one_are_refused(tmp_path):
    pretrain(tmp_path, SMALL, replace(BRIEF, tokens=6_000), lambda point: None)
    with pytest.raises(ConfigError, match="another shape"):
        pretrain(tmp_path, replace(SMALL, layers=2), BRIEF, lambda point: None)
    weights = tmp_path / checkpoints.NAME / checkpoints.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(DatasetError, match="cannot be read"):
        pretrain(tmp_path, SMALL, BRIEF, lambda point: None)


def test_the_log_holds_every_point(tmp_path):
    points = []
    pretrain(tmp_path, SMALL, replace(BRIEF, tokens=15_000, reported=1), points.append)
    logged = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [each["tokens"] for each in logged] == [point.tokens for point in points] and len(points) > 2
