"""The embedded model's tokenizer: a byte-level BPE made for copying, and a chat template in ToolWOZ's ReACT form.

Decided here:

- A capital before a small letter is written as a mark and the small letter, so "Larmuck" and "larmuck" are the same
  pieces and a name is copied from a guest's mouth into a call, or from a record into a sentence, piece by piece.
- A space belongs to the next word only where that word is common. So a rare word, a name above all, has the same pieces
  after a space, a quote or a bracket.
- Runs of punctuation stay together ('": "' is one piece), digits go in pairs. No text is unencodable.
- The chat template writes policy and tools, which are the same in every conversation, as one mark; any other system
  message is written as that mark too. Answers of tools arrive as the ReACT agent tells them, with APIRETURN.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

SIZE = 2048
SHIFT = "⇧"
POLICY, USER, API, AGENT, END = "<|policy|>", "<|user|>", "<|api|>", "<|agent|>", "<|end|>"
MARKS = (END, POLICY, USER, API, AGENT)
COMMANDS = ("<COMMAND_END>", "APICALL", "SPEAK", "PLAN")  # plain text to a reader, one piece each to the model
COMMON_WORDS = 700
WINDOW = 4096  # positions
_SAID = "message['content'] | replace('<|', '< |')"  # nobody but the agent writes marks
TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['role'] == 'system' -%}{{ '" + POLICY + "' }}"
    "{%- elif message['role'] == 'assistant' -%}{{ '" + AGENT + "' + message['content'] + '" + END + "' }}"
    "{%- elif message['role'] == 'tool' -%}{{ '" + API + "' + (" + _SAID + ") }}"
    "{%- elif message['content'][:10] == 'APIRETURN ' -%}{{ '" + API + "' + (" + _SAID + ")[10:] }}"
    "{%- else -%}{{ '" + USER + "' + (" + _SAID + ") }}{%- endif -%}"
    "{%- endfor -%}{%- if add_generation_prompt -%}{{ '" + AGENT + "' }}{%- endif -%}"
)
_WORD = re.compile(r"(?<![a-z])[a-z]{1,14}(?![a-z])")
_CAPITAL = re.compile(r"[A-Z](?=[a-z])")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def train(texts: Sequence[str]) -> Any:
    """A PreTrainedTokenizerFast of SIZE pieces, learnt from the texts; the same texts give the same tokenizer."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace(Regex(f"{letter}(?=[a-z])"), SHIFT + letter.lower()) for letter in _LETTERS]
    )
    split = pre_tokenizers.Split(Regex(_pattern(common_words(texts))), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    unshifted = [decoders.Replace(SHIFT + letter.lower(), letter) for letter in _LETTERS]
    tokenizer.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.Fuse(), *unshifted])
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE - len(COMMANDS),
        special_tokens=list(MARKS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_plain(texts), trainer)
    tokenizer.add_tokens([AddedToken(word, normalized=False) for word in COMMANDS])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=END,
        additional_special_tokens=[POLICY, USER, API, AGENT],
        model_max_length=WINDOW,
        clean_up_tokenization_spaces=False,
        chat_template=TEMPLATE,
    )


def common_words(texts: Iterable[str]) -> tuple[str, ...]:
    """The words that take the space before them along, the most frequent in the texts; longer ones first."""
    counted: Counter[str] = Counter()
    for text in texts:
        counted.update(_WORD.findall(_CAPITAL.sub(lambda match: match.group().lower(), text)))
    found = [word for word, _ in sorted(counted.items(), key=lambda each: (-each[1], each[0]))[:COMMON_WORDS]]
    return tuple(sorted(found, key=lambda word: (-len(word), word)))


def _pattern(words: Sequence[str]) -> str:
    """What belongs together before any piece is learnt, in order of precedence."""
    return "|".join((
        rf" ?{SHIFT}(?:{'|'.join(words)})(?![a-z])",
        rf" (?:{'|'.join(words)}|I)(?![A-Za-z0-9])",
        rf" ?{SHIFT}",
        r"[a-z]+",
        r"[A-Z]+",
        r"\d{1,2}",
        rf"(?:[^\w\s{SHIFT}] ?)*[^\w\s{SHIFT}]",
        r"\s",
        r"[\s\S]",
    ))  # fmt: skip


def _plain(texts: Iterable[str]) -> Iterable[str]:
    """The texts without the marks and commands, which are pieces already."""
    known = re.compile("|".join(re.escape(word) for word in (*MARKS, *COMMANDS)))
    for text in texts:
        yield from (part for part in known.split(text) if part)
