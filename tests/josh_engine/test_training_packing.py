"""Rows become sequences: every generation once, in its context, and nothing else is trained on."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from josh_engine.errors import ConfigError, DatasetError, TrainingError
from josh_engine.models.local.habits import BY_NAME
from josh_engine.training.config import PRESETS, TRAINERS, TrainConfig, preset
from josh_engine.training.cutting import LeftOut
from josh_engine.training.packing import pack
from josh_engine.training.row_files import Row, read_rows


def message(role, content):
    return {"role": role, "content": content}


def told(messages, tools, asks):
    """A number per word; roles are marks, and an assistant's message ends in one."""
    numbers = [len(tools)]
    for each in messages:
        numbers.append({"user": 1, "assistant": 2, "system": 3}[each["role"]])
        numbers += [ord(letter) for letter in each["content"]]
        numbers += [9] if each["role"] == "assistant" else []
    return tuple([*numbers, 2] if asks else numbers)


class Marks:
    """A template that writes `told`. What the habits of real ones do is in test_templates.py."""

    habits = ()

    def cut(self, row):
        return told([*row.prompt, *row.completion], row.tools, False), len(told(row.prompt, row.tools, True))


render = Marks()


def row(*words, label=None, tools=()):
    """A user's and an assistant's message by turns; the last one is the completion."""
    said = [message("assistant" if place % 2 else "user", each) for place, each in enumerate(words)]
    return Row(said[:-1], said[-1:], tools, label, "/".join(words))


def words_of(packed, span):
    return "".join(chr(each) for each in packed.tokens[span.start : span.stop] if each > 9)


def test_the_rows_of_a_path_are_one_sequence_and_a_bad_one_has_its_own():
    rows = [row("hi", "A"), row("hi", "A", "so", "B"), row("hi", "A", "so", "X", label=False)]
    packing = pack(rows, render, 1000)
    spans = [[(words_of(each, span), span.good) for span in each.spans] for each in packing.sequences]
    assert spans == [[("A", True), ("B", True)], [("X", False)]]
    assert (packing.good, packing.bad, len(packing.sequences)) == (2, 1, 2)


def test_what_ends_a_generation_is_learnt_and_the_context_is_not():
    (packed,) = pack([row("hi", "AB")], render, 1000).sequences
    (span,) = packed.spans
    assert packed.tokens[span.start : span.stop] == (ord("A"), ord("B"), 9)


def test_other_tools_make_another_context():
    assert len(pack([row("hi", "A"), row("hi", "A", "so", "B", tools=[{}])], render, 1000).sequences) == 2


def test_rows_that_are_too_long_are_left_out_and_counted_and_all_of_them_are_an_error():
    rows = [row("hi", "A"), row("hi", "A" * 100)]
    packing = pack(rows, render, 50)
    assert packing.too_long == 1 and packing.good == 1
    with pytest.raises(TrainingError, match="longer than 2 tokens"):
        pack(rows, render, 2)


def test_rows_longer_than_the_model_s_window_are_left_out_whatever_max_length_says():
    rows = [row("hi", "A"), row("hi", "A" * 100)]
    assert pack(rows, render, 1000, window=50).too_long == 1
    assert pack(rows, render, 50, window=1000).too_long == 1
    with pytest.raises(TrainingError, match="longer than 2 tokens, the model's window"):
        pack(rows, render, 1000, window=2)


def test_a_row_that_is_left_out_is_counted_by_the_habit_and_the_others_are_packed():
    class Choosy(Marks):
        def cut(self, row):
            if row.row_id == "hi/A":
                raise LeftOut(BY_NAME["one_call"], "only one at once!")
            return super().cut(row)

    packing = pack([row("hi", "A"), row("hi", "B")], Choosy(), 1000)
    assert [(each.habit, each.rows, each.said) for each in packing.omitted] == [("one_call", 1, "only one at once!")]
    assert packing.good == 1 and packing.too_long == 0


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from("abc"), min_size=2, max_size=6), st.booleans()), min_size=1, max_size=12
    )
)
def test_every_generation_is_there_once_with_its_own_context(given_rows):
    rows = [row(*words[: len(words) // 2 * 2], label=label) for words, label in given_rows]
    packing = pack(rows, render, 1000)
    placed = sorted((span.row_id, span.good) for each in packing.sequences for span in each.spans)
    assert placed == sorted((each.row_id, each.label) for each in rows)
    context = {each.row_id: told(each.prompt, (), True) for each in rows}
    for each in packing.sequences:
        for span in each.spans:
            assert each.tokens[: span.start] == context[span.row_id]
    wholes = [each.tokens for each in packing.sequences]
    for one in wholes:
        assert not any(other is not one and other[: len(one)] == one for other in wholes)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("not json", "line 1"),
        ('{"prompt": []}', "completion"),
        ('{"prompt": [], "completion": []}', "lists of messages"),
        ('{"prompt": [], "completion": [{}], "label": "yes"}', "label is 'yes'"),
        ("", "no rows"),
    ],
)
def test_rows_that_cannot_be_read_are_told_by_file_line_and_field(tmp_path, line, what):
    (tmp_path / "sft.jsonl").write_text(line + "\n")
    with pytest.raises(DatasetError, match=what) as caught:
        read_rows(tmp_path / "sft.jsonl")
    assert "sft.jsonl" in caught.value.message


def test_tools_are_read_from_their_text(tmp_path):
    given = {
        "prompt": [message("user", "hi")],
        "completion": [message("assistant", "A")],
        "tools": json.dumps([{"a": 1}]),
    }
    (tmp_path / "sft.jsonl").write_text(json.dumps(given) + "\n")
    (read,) = read_rows(tmp_path / "sft.jsonl")
    assert read.tools == [{"a": 1}] and read.label is None


def test_every_preset_is_whole_and_what_cannot_be_is_told():
    for name, trainers in PRESETS.items():
        assert set(trainers) == set(TRAINERS)
        for trainer in trainers:
            assert preset(name, trainer).checked().trainer == trainer
    assert preset("paper", "kto_packed").learning_rate == 5e-7
    for wrong in (("none", "sft"), ("tiny", "none")):
        with pytest.raises(ConfigError):
            preset(*wrong)
    for settings in ({"epochs": 0}, {"schedule": "odd"}, {"dropout": 1.0}, {"max_steps": 0}, {"trainer": "odd"}):
        with pytest.raises(ConfigError):
            TrainConfig(**settings).checked()
