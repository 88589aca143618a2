"""What a local model keeps of what it read is bounded in bytes, and what was used longest ago is forgotten first."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest

from app.models import local_memory
from josh_engine.errors import ConfigError
from josh_engine.models.local.past import Past, past_bytes
from josh_engine.models.local.prefixes import Prefixes, as_tokens
from josh_engine.models.local.worker import CPU_ROOM, usual_room


def past(tokens: int) -> Past:
    import torch

    return ((torch.zeros(2, tokens, 4), torch.zeros(2, tokens, 4)),)


ROOM = 5 * past_bytes(past(100))


def test_however_much_is_read_the_bytes_kept_stay_within_the_room():
    kept, chance = Prefixes(ROOM), random.Random(0)
    for _ in range(300):
        tokens = as_tokens([chance.randrange(4) for _ in range(chance.randrange(1, 150))])
        kept.keep(tokens, past(len(tokens)))
        held = sum(past_bytes(each) for _, each in kept.kept.values())
        assert held == kept.used <= ROOM
    assert kept.kept, "and something is kept"


def test_what_is_larger_than_the_room_is_not_kept_and_drives_nothing_out():
    kept = Prefixes(ROOM)
    kept.keep(as_tokens([1] * 100), past(100))
    kept.keep(as_tokens([2] * 600), past(600))
    assert kept.longest(as_tokens([1] * 120))[0] == 100 and kept.longest(as_tokens([2] * 700))[0] == 0


def test_a_cut_view_does_not_keep_the_whole_it_was_cut_from():
    """A view of a long past holds all its memory: what is kept must be as large as it is said to be."""
    kept = Prefixes(ROOM)
    kept.keep(as_tokens([1] * 100), past(100))
    ((keys, values),) = next(iter(kept.kept.values()))[1]
    assert {each.untyped_storage().nbytes() for each in (keys, values)} == {past_bytes(past(100)) // 2}


@pytest.mark.parametrize(
    ("device", "weights", "expected"),
    [("cpu", 3_800_000, CPU_ROOM), ("cpu", 10**9, 2 * 10**9), ("cuda", 3_800_000, None)],
)
def test_a_small_model_on_a_cpu_has_the_usual_room_a_large_one_more_a_gpu_all_there_is(device, weights, expected):
    model = SimpleNamespace(device=SimpleNamespace(type=device), get_memory_footprint=lambda: weights)
    assert usual_room(model) == expected or (expected is None and usual_room(model) > 10**15)


def test_the_bound_is_a_person_s_to_choose_in_megabytes(monkeypatch):
    monkeypatch.delenv("JOSH_MODEL_MEMORY", raising=False)
    assert local_memory() is None
    monkeypatch.setenv("JOSH_MODEL_MEMORY", "800")
    assert local_memory() == 800_000_000
    for wrong in ("2g", "-1", "0", "1.5"):
        monkeypatch.setenv("JOSH_MODEL_MEMORY", wrong)
        with pytest.raises(ConfigError, match=r"must be megabytes.* For example: 800"):
            local_memory()
