"""Continuous batching against transformers' own `generate`, token for token; on a GPU where there is one."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest

from josh_engine.errors import BadResponse, ModelUnavailable
from josh_engine.models.local.batch import Asked, Batch, Generated
from josh_engine.models.local.prefixes import Prefixes, as_tokens

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

VOCABULARY, LIMIT = 300, 40
STOPS = frozenset(range(3, VOCABULARY, 20))
KINDS = ("llama", "mistral_sliding", "gemma_alternating", "qwen")


def build(kind: str):
    """A random model of four layers, in float32 wherever it runs, so that equal means equal."""
    import torch
    import transformers as hf

    size = {
        "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 4,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 1024, "initializer_range": 0.5,
    }  # fmt: skip
    hf.set_seed(1)
    if kind == "mistral_sliding":
        model = hf.MistralForCausalLM(hf.MistralConfig(**size, sliding_window=9))
    elif kind == "gemma_alternating":
        layers = ["sliding_attention", "full_attention"] * 2
        model = hf.Gemma3ForCausalLM(
            hf.Gemma3TextConfig(**size, sliding_window=9, head_dim=8, layer_types=layers, tie_word_embeddings=False)
        )
    elif kind == "qwen":
        model = hf.Qwen3ForCausalLM(hf.Qwen3Config(**size, head_dim=16))
    else:
        model = hf.LlamaForCausalLM(hf.LlamaConfig(**size))
    return model.eval().to("cuda" if torch.cuda.is_available() else "cpu")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def llama():
    return build("llama")


def ragged_prompts(seed: int = 0) -> list[list[int]]:
    """Of 1 to 90 tokens; most begin alike, one is repeated, one goes on from another."""
    chance = random.Random(seed)
    common = [chance.randrange(VOCABULARY) for _ in range(50)]
    own = [[chance.randrange(VOCABULARY) for _ in range(chance.randrange(1, 40))] for _ in range(16)]
    prompts = [common[: chance.randrange(1, 50)] + tail for tail in own]
    return [*prompts, [11], prompts[3], [*prompts[4], 5, 6]]


def generate(model, prompt: Sequence[int]) -> tuple[int, ...]:
    import torch

    ids = torch.tensor([list(prompt)], device=model.device)
    how = {"max_new_tokens": LIMIT, "do_sample": False, "eos_token_id": sorted(STOPS), "pad_token_id": 0}
    made = model.generate(ids, attention_mask=torch.ones_like(ids), **how)[0, len(prompt) :].tolist()
    end = next((index for index, token in enumerate(made) if token in STOPS), len(made))
    return tuple(made[:end])


def batch_of(model, *, max_rows: int = 64, room: int = 1 << 26) -> Batch:
    batch = Batch(model, stops=STOPS, room=room, max_rows=max_rows)
    batch.warm_up()
    return batch


def play(batch: Batch, asked: Sequence[Asked], *, arrivals: int | None = None) -> dict[int, Generated]:
    """All of them; with `arrivals`, up to so many come in between two steps."""
    chance, waiting, done = random.Random(5), list(asked), {}
    while waiting or batch.busy:
        for _ in range(len(waiting) if arrivals is None else chance.randint(0, arrivals)):
            if waiting:
                batch.add(waiting.pop(0))
        done |= {each.id: each for each in batch.step()}
    return done


def greedy(prompts: Sequence[Sequence[int]]) -> list[Asked]:
    return [Asked(index, as_tokens(prompt), LIMIT, index, temperature=0.0) for index, prompt in enumerate(prompts)]


def sampled(prompts: Sequence[Sequence[int]], seed: int = 0) -> list[Asked]:
    return [
        Asked(index, as_tokens(prompt), LIMIT, seed + index, 1.5, 0.75, 50 if index % 3 else None)
        for index, prompt in enumerate(prompts)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_greedy_rows_are_generates_rows(kind):
    model, prompts = build(kind), ragged_prompts()
    expected = {index: generate(model, prompt) for index, prompt in enumerate(prompts)}
    assert len({len(tokens) for tokens in expected.values()}) > 1, "some must end early"
    for max_rows, arrivals in ((1, None), (4, 3), (64, None), (64, 2)):
        done = play(batch_of(model, max_rows=max_rows), greedy(prompts), arrivals=arrivals)
        assert {index: each.tokens for index, each in done.items()} == expected, (max_rows, arrivals)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_read_before_changes_no_token(kind):
    """A second sitting over the same prompts, each a little longer, reuses them; a batch without room reuses none."""
    model = build(kind)
    longer = [[*prompt, 20, 21] for prompt in ragged_prompts()]
    expected = {index: generate(model, prompt) for index, prompt in enumerate(longer)}
    batch, forgetful = batch_of(model), batch_of(model, room=0, max_rows=1)
    play(batch, greedy(ragged_prompts()))
    again = play(batch, greedy(longer))
    assert sum(each.reused for each in again.values()) >= sum(len(prompt) for prompt in ragged_prompts())
    assert {index: each.tokens for index, each in again.items()} == expected
    fresh = play(forgetful, greedy(longer))
    assert sum(each.reused for each in fresh.values()) == 0
    assert {index: each.tokens for index, each in fresh.items()} == expected


def test_a_reply_read_back_in_the_next_prompt_is_not_read_again(llama):
    batch, prompt = batch_of(llama), ragged_prompts()[0]
    first = play(batch, greedy([prompt]))[0]
    said = [*prompt, *first.tokens]
    assert play(batch, greedy([[*said, 30, 31]]))[0].reused >= len(said) - 1


def test_equal_seeds_give_equal_rows_whoever_is_beside_them(llama):
    prompts = ragged_prompts()
    together = play(batch_of(llama), sampled(prompts))
    alone = {}
    for asked in sampled(prompts):
        alone |= play(batch_of(llama, room=0), [asked])
    apart = play(batch_of(llama, max_rows=5), sampled(prompts)[::-1], arrivals=2)
    assert {i: each.tokens for i, each in together.items()} == {i: each.tokens for i, each in alone.items()}
    assert {i: each.tokens for i, each in together.items()} == {i: each.tokens for i, each in apart.items()}


def test_other_seeds_give_other_rows(llama):
    prompt = ragged_prompts()[0]
    rows = play(batch_of(llama), [Asked(seed, as_tokens(prompt), LIMIT, seed) for seed in range(20)])
    assert len({each.tokens for each in rows.values()}) >= 18  # two may end at once


def test_sampling_follows_the_models_own_distribution(llama):
    """The first token of 4,000 rows against softmax(logits / T), cut by top_k and top_p as transformers cuts."""
    import torch
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    prompt = ragged_prompts()[0]
    ids = torch.tensor([prompt], device=llama.device)
    with torch.no_grad():
        scores = llama(ids).logits[:, -1].float()
    for warp in (TemperatureLogitsWarper(1.5), TopKLogitsWarper(20), TopPLogitsWarper(0.8)):
        scores = warp(ids, scores)
    expected = scores.softmax(-1)[0].tolist()
    rows = [Asked(seed, as_tokens(prompt), 1, seed, 1.5, 0.8, 20) for seed in range(4000)]
    seen = Counter(each.tokens or ("stop",) for each in play(batch_of(llama, max_rows=1000), rows).values())
    likely = {token: chance for token, chance in enumerate(expected) if chance > 0 and token not in STOPS}
    assert {tokens[0] for tokens in seen} - {"stop"} <= set(likely)
    assert all(abs(seen[token,] / 4000 - chance) < 0.035 for token, chance in likely.items())


def test_log_probabilities_are_the_models_own(llama):
    import torch

    prompt = ragged_prompts()[0]
    asked = Asked(0, as_tokens(prompt), 10, 3, 0.7, log_probabilities=True)
    row = play(batch_of(llama), [asked])[0]
    whole = torch.tensor([[*prompt, *row.tokens]], device=llama.device)
    with torch.no_grad():
        all_chances = llama(whole).logits[0].float().log_softmax(-1)
    found = [all_chances[len(prompt) - 1 + index, token].item() for index, token in enumerate(row.tokens)]
    assert row.log_probabilities == pytest.approx(found, abs=1e-4)


def test_a_dropped_row_leaves_the_others_as_they_are(llama):
    prompts = ragged_prompts()
    expected = play(batch_of(llama), greedy(prompts))
    batch = batch_of(llama, max_rows=8)
    for asked in greedy(prompts):
        batch.add(asked)
    done = {each.id: each for each in batch.step()}
    for number in (2, 0, 12):  # two that run, one that waits
        batch.drop(number)
    done |= play(batch, [])
    kept = set(range(len(prompts))) - {0, 2, 12}
    assert set(done) - {0, 2, 12} == kept
    assert all(done[index].tokens == expected[index].tokens for index in kept)


class Failing:
    """A model whose passes fail: by running out of memory with more than `rows`, or in one row by NaN."""

    def __init__(self, model, *, rows: int = 10**6, poison: int | None = None) -> None:
        self.model, self.rows, self.poison = model, rows, poison
        self.device, self.forward = model.device, model.forward

    def __call__(self, input_ids, **given):
        import torch

        if input_ids.shape[0] > self.rows:
            raise torch.OutOfMemoryError("no more")
        made = self.model(input_ids=input_ids, **given)
        if self.poison is not None:
            made.logits[(input_ids == self.poison).any(-1)] = float("nan")
            for layer in given["past_key_values"].layers:
                layer.keys[(input_ids == self.poison).any(-1)] = float("nan")
        return made


def test_when_memory_runs_out_fewer_play_at_a_time(llama):
    prompts = ragged_prompts()
    expected = play(batch_of(llama), sampled(prompts))
    done = play(batch_of(Failing(llama, rows=3)), sampled(prompts))
    assert {i: each.tokens for i, each in done.items()} == {i: each.tokens for i, each in expected.items()}


def test_memory_that_does_not_hold_one_row_is_an_error_with_a_remedy(llama):
    batch = Batch(Failing(llama, rows=0), stops=STOPS, room=1 << 20, max_rows=4)
    error = play(batch, greedy([[1, 2, 3]]))[0].error
    assert isinstance(error, ModelUnavailable) and not error.retry and "max_tokens" in error.remedy


def test_a_row_that_is_not_a_number_spoils_nobody_else(llama):
    prompts = [[*prompt, 250] if index == 4 else prompt for index, prompt in enumerate(ragged_prompts())]
    clean = [index for index, prompt in enumerate(prompts) if 250 not in prompt]
    assert 4 not in clean and len(clean) > 8
    expected = play(batch_of(llama), greedy(prompts))
    safe = [index for index in clean if 250 not in expected[index].tokens]
    batch = batch_of(Failing(llama, poison=250), max_rows=6)
    done = play(batch, greedy(prompts), arrivals=3)
    assert isinstance(done[4].error, BadResponse) and not done[4].error.retry
    assert all(done[index].tokens == expected[index].tokens for index in safe)


def test_weights_that_are_not_numbers_are_found_before_the_first_question():
    import torch

    model = build("llama")
    with torch.no_grad():
        model.model.layers[1].mlp.up_proj.weight.fill_(float("nan"))
    with pytest.raises(BadResponse, match="not a number"):
        batch_of(model)


def test_room_bounds_what_is_kept_and_the_oldest_goes_first(llama):
    batch = batch_of(llama)
    room = 3 * batch.token_bytes * 60
    kept = Prefixes(room)
    past = {seed: batch.reader.read_all([(as_tokens([seed] * 60), ())])[0][0] for seed in range(5)}
    for seed in (0, 1, 2):
        kept.keep(as_tokens([seed] * 60), past[seed])
    assert kept.longest(as_tokens([0] * 70))[0] == 60
    kept.keep(as_tokens([3] * 60), past[3])
    assert kept.used <= room
    assert [kept.longest(as_tokens([seed] * 70))[0] for seed in range(4)] == [60, 0, 60, 60]
